/* The HTTP servers of every program: its REST API and metrics on one port, health on another.
 *
 *     GET /healthz   200 "ok" while the process runs
 *     GET /readyz    200 or 503, with a phrase that says why
 *
 * The other routes are the program's own. */
#ifndef COMMON_PROGRAM_PROGRAM_SERVERS_H
#define COMMON_PROGRAM_PROGRAM_SERVERS_H

#include "common/httpd/http.h"
#include "common/metrics/metrics.h"
#include "common/program/program_main.h"

struct program_servers_config {
    const struct http_route *routes; /* of the API; borrowed until the close */
    size_t route_count;
    struct str cert_dir;       /* serve the API by TLS, with tls.crt and tls.key; empty: plain */
    struct str health_address; /* empty: all */
    bool (*ready)(void *ctx, const char **ret_phrase); /* the phrase is constant */
    void *ctx;                                         /* for ready and for the routes' handlers */
};

struct program_servers;

/* Opens both servers where the settings say. NULL with a sentence in ret_error (arena) when one
 * cannot be opened. Texts are borrowed for the call. */
struct program_servers *program_servers_open(struct program *program,
                                             const struct program_servers_config *config,
                                             struct str *ret_error);

/* NULL is fine. Returns NULL. */
struct program_servers *program_servers_close(struct program_servers *servers);

/* Answers with the program's sets of metrics and that of the process, in the format asked for. */
void program_servers_show_metrics(struct program_servers *servers,
                                  const struct metrics *const *sets, size_t count,
                                  const struct http_request *request,
                                  struct http_response *response);

#endif
