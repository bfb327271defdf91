/* Placement: which node answers for which addresses on the local segment, and who steps in.
 *
 * The unit of placement is the set of addresses that must stay together: the two of a dual-stack
 * Service, and all Services that share an address. All units are placed by one call, because
 * placing evenly is a question about all of them. Pure. */
#ifndef CONTROLLER_PLACE_H
#define CONTROLLER_PLACE_H

#include "common/base/arena.h"
#include "common/net/ip.h"

/* A node that may answer for a unit: eligible by advertisement, policy, endpoints and health. */
struct place_candidate {
    uint32_t node; /* index in place_input.nodes */
    int64_t score; /* preference; higher is better */
};

struct place_unit {
    struct ip ip; /* the first address: names the unit in the election */
    const struct place_candidate *candidates;
    size_t candidate_count; /* 0: nobody can; the unit's order is empty */
};

struct place_input {
    const struct str *nodes; /* names */
    size_t node_count;
    const struct place_unit *units;
    size_t unit_count;
};

/* For one unit: indices of nodes, the owner first, then the backups in the order in which they
 * take over. */
struct place_order {
    uint32_t *nodes;
    size_t count;
};

/* One order for each unit, in the arena. Each unit is placed by the hash election, by itself. */
struct place_order *place_units(const struct place_input *input, struct arena *arena);

#endif
