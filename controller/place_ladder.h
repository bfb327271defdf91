/* Nodes by how many units they have: a set of nodes for each number, so that those with the fewest
 * are found without looking at each. */
#ifndef CONTROLLER_PLACE_LADDER_H
#define CONTROLLER_PLACE_LADDER_H

#include "common/election/nodeset.h"

struct place_ladder;

/* From loads by node, which are copied; in the arena, as all that it grows by. */
struct place_ladder *place_ladder_new(const uint32_t *load, size_t nodes, struct arena *arena);

/* A node has one unit more, or one less. */
void place_ladder_raise(struct place_ladder *ladder, uint32_t node);
void place_ladder_lower(struct place_ladder *ladder, uint32_t node);

uint32_t place_ladder_load(const struct place_ladder *ladder, uint32_t node);

/* The least load of the nodes of a set that is not empty. ret (of as many nodes; may be NULL) gets
 * those that have it. */
uint32_t place_ladder_least(const struct place_ladder *ladder, const struct nodeset *set,
                            struct nodeset *ret);

#endif
