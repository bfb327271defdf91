/* The endpoints that can serve a Service: those that are ready, and those that are ending but still
 * serve. Pure. */
#ifndef COMMON_ELECTION_SERVING_H
#define COMMON_ELECTION_SERVING_H

#include "crd/endpointslice.h"
#include "crd/validate.h"

struct serving;

/* An index over EndpointSlices, which are borrowed; in the arena. seed: of its hash; secret when
 * strangers choose the names of Services. */
struct serving *serving_new(const struct objects *slices, uint64_t seed, struct arena *arena);

/* Where a walk stands; {0} at its start. */
struct serving_cursor {
    size_t slice, endpoint;
    uint32_t hash;
    bool started;
};

/* Walks the endpoints that can serve the Service (its key) in no particular order; NULL at the
 * end. */
const struct endpoint *serving_next(const struct serving *serving, struct str service,
                                    struct serving_cursor *cursor);

#endif
