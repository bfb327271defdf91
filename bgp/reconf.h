/* What a change of a BGPPeer costs its session, by the costs in the table of its fields. Pure. */
#ifndef BGP_RECONF_H
#define BGP_RECONF_H

#include "crd/bgppeer.h"

struct reconf {
    enum bgppeer_cost cost; /* the highest of those of the fields */
    struct str_list fields; /* names of those that changed, in the table's order */
};

/* Compares two versions of one peer. A field that is given with its default counts as changed from
 * one that is not. The list is in the arena. */
struct reconf reconf_compare(const struct bgppeer *before, const struct bgppeer *after,
                             struct arena *arena);

/* "nothing", "in place", "restart". */
const char *reconf_cost_name(enum bgppeer_cost cost);

#endif
