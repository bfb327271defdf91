/* How many units each node needs to have at most when they are spread as evenly as their candidates
 * allow.
 *
 * A spread is even when no chain of moves leads from a node to one with at least two units less:
 * then the largest load is the least possible, and so is the second largest and so on (an optimal
 * semi-matching: N. J. A. Harvey, R. E. Ladner, L. Lovász, T. Tamir, "Semi-matchings for bipartite
 * graphs and load balancing", Journal of Algorithms 59 (2006)). There are many even spreads; the
 * bound of a node is the most that it has in any of them. With equal candidates for all units that
 * is ceil(units / nodes). Where each node keeps its bound, loads are as good as they can be, and
 * less has to move than would for one exact even spread. */
#ifndef CONTROLLER_PLACE_LEVEL_H
#define CONTROLLER_PLACE_LEVEL_H

#include "controller/place_search.h"

/* Spreads the table's units evenly, and sets the bounds (by node). Units that may move are on one
 * of their candidates before as after. */
void place_level(const struct place_problem *problem, struct place_table *table, uint32_t *bounds,
                 struct arena *scratch);

/* Moves units, `most` at most, until each node keeps its bound, fewest first: chains from nodes
 * above theirs to nodes below. Returns how many have moved. bounds are of place_level. */
size_t place_level_keep(const struct place_problem *problem, struct place_table *table,
                        const uint32_t *bounds, size_t most, struct arena *scratch);

#endif
