/* What the controller writes into the status of configuration objects: the condition Accepted on
 * every kind, counters on pools, addresses on reservations. Each function gives one JSON merge
 * patch (RFC 7396) with the object's resourceVersion as its precondition, or empty text when the
 * object shows it already. */
#ifndef CONTROLLER_STATUS_PATCH_H
#define CONTROLLER_STATUS_PATCH_H

#include "controller/alloc.h"
#include "crd/kinds.h"

/* Does the controller judge objects of this kind (and give them the condition)? */
bool status_is_judged(enum kind_id kind);

/* Does the object's condition say that this very version was accepted? */
bool status_is_accepted(const struct object *object);

struct status_want {
    const struct diag *why;          /* why it is refused; NULL: it is accepted */
    const struct alloc_usage *usage; /* pools: IPv4 then IPv6; NULL: leave the counters */
    const struct str_list *assigned; /* reservations: addresses in use; NULL: leave them */
};

/* now: seconds since 1970. */
struct str status_patch(const struct object *object, const struct status_want *want, int64_t now,
                        struct arena *arena);

#endif
