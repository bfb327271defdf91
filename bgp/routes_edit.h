/* Routes with the prefixes of one Service more, or fewer: what routes_make would make of that, as
 * far as it changes no class. What it costs does not grow with the routes, but for moving some
 * bytes. Pure. */
#ifndef BGP_ROUTES_EDIT_H
#define BGP_ROUTES_EDIT_H

#include "bgp/routes.h"

/* Has some class the prefix? */
bool routes_edit_has(const struct routes *routes, const struct prefix *prefix);

/* Adds all claims of one Service, whose prefixes are in no class yet, and tells their classes.
 * False, with nothing done: it takes a class that is not there. The arena is that of the routes. */
bool routes_edit_add(struct routes *routes, const struct routes_input *input,
                     struct route_claim *claims, size_t count, struct arena *arena)
    __attribute__((warn_unused_result));

/* Takes out a prefix that nobody claims any more. False: its class would have to go, or has never
 * been; the routes are of no more use then. */
bool routes_edit_remove(struct routes *routes, const struct prefix *prefix)
    __attribute__((warn_unused_result));

#endif
