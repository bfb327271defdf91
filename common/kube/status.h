/* What an answer of the API server means: HTTP code and Status object to a result. */
#ifndef COMMON_KUBE_STATUS_H
#define COMMON_KUBE_STATUS_H

#include <jansson.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/str.h"

struct status {
    /* 0 for codes 200 to 299; -EACCES (401), -EPERM (403), -ENOENT (404), ERR_CONFLICT (409),
     * ERR_GONE (410), ERR_TOO_LARGE (413), -EAGAIN (429 and 5xx: try again later), ERR_REMOTE
     * for every other refusal. */
    int result;
    unsigned code;           /* HTTP */
    struct str reason;       /* "AlreadyExists"; empty when not told */
    struct str message;      /* the server's sentence, cut to 1 KiB; never empty on failure */
    uint64_t retry_after_ms; /* 0: not told */
};

/* The meaning of a response. body need not be a Status (a proxy's page, plain text); retry_after
 * is the header's value in seconds, 0 when absent. Texts are in the arena. */
struct status status_decode(unsigned code, struct str body, uint64_t retry_after,
                            struct arena *arena);

/* The same for the object of an ERROR event of a watch. */
struct status status_of(const json_t *object, struct arena *arena);

/* Retry-After (RFC 9110 section 10.2.3) in seconds, at most an hour. The date form, which the API
 * server never sends, and nonsense give 0. */
uint64_t status_retry_after(struct str header);

#endif
