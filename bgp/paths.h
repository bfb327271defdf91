/* How this host reaches its peers now, by its routes and addresses. */
#ifndef BGP_PATHS_H
#define BGP_PATHS_H

#include "bgp/session.h"

/* One path for each peer that can be reached, in the arena. */
struct session_path *paths_find(const struct ip *peers, size_t count, struct arena *arena,
                                size_t *ret_count);

#endif
