/* Why this node answers for an address or does not, and announces it or does not, on both ways:
 * what GET /api/v1/explain answers. */
#ifndef SPEAKER_EXPLAIN_H
#define SPEAKER_EXPLAIN_H

#include "common/httpd/http.h"
#include "speaker/speaker.h"

/* A Service, by its key: 200, 404 when this node knows none, 503 when nothing is planned yet. */
void explain_service(const struct speaker *speaker, struct str key,
                     const struct http_request *request, struct http_response *response);

/* An address with the Services that have it: as above, and 400 for a text that is none. */
void explain_address(const struct speaker *speaker, struct str text,
                     const struct http_request *request, struct http_response *response);

#endif
