/* Chains of moves: a unit moves from a node that has many to another, one of that node's units to a
 * third, and so on to a node that has room, so that only the first node has one less and the last
 * one more. The shortest chains are found first.
 *
 * Units of one class may be on the same nodes; a search looks at each class once for each node
 * that it reaches and so never at single pairs of unit and node. */
#ifndef CONTROLLER_PLACE_SEARCH_H
#define CONTROLLER_PLACE_SEARCH_H

#include "common/election/nodeset.h"
#include "controller/place_table.h"

struct place_problem {
    size_t nodes, units, classes;
    const uint32_t *class_of;         /* by unit; PLACE_NONE: it stays where it is */
    const struct nodeset *candidates; /* by class: where its units may be */
};

struct place_search;

/* A search on a table, both borrowed; in the arena. */
struct place_search *place_search_new(const struct place_problem *problem,
                                      struct place_table *table, struct arena *arena);

/* Finds the end of a chain from one of the sources (nodes, none twice) to a node with fewer units
 * than its limit, or PLACE_NONE. `any`: the first that is met, which is quick; otherwise of the
 * ends of the shortest chains the one with the fewest units. */
uint32_t place_search_find(struct place_search *search, const uint32_t *sources, size_t count,
                           const uint32_t *limits, bool any);
/* Moves along the chain that was just found to `end`, beginning at its end, `most` moves at most.
 * Returns how many units have moved; each of them is in its new node's list in front. */
size_t place_search_apply(struct place_search *search, uint32_t end, size_t most);

/* The last search found nothing: none of the nodes that it reached is looked at by later ones. Sets
 * bounds of those to `bound`. */
void place_search_close(struct place_search *search, uint32_t bound, uint32_t *bounds);
bool place_search_is_closed(const struct place_search *search, uint32_t node);

#endif
