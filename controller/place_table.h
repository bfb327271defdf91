/* Where units are: for each node the list of those that it has. Nodes and units are numbers. The
 * newest of a node's units comes first in its list. */
#ifndef CONTROLLER_PLACE_TABLE_H
#define CONTROLLER_PLACE_TABLE_H

#include "common/base/arena.h"

#define PLACE_NONE UINT32_MAX /* no node, no unit */

struct place_table {
    size_t nodes, units;
    uint32_t *load;        /* by node: how many units it has */
    uint32_t *first;       /* by node: the newest of them, or PLACE_NONE */
    uint32_t *next, *prev; /* by unit: its neighbours in the list */
    uint32_t *at;          /* by unit: its node, or PLACE_NONE */
};

/* No unit is anywhere. In the arena. */
struct place_table place_table_new(size_t nodes, size_t units, struct arena *arena);

/* The same, which then goes its own way. In the arena. */
struct place_table place_table_copy(const struct place_table *table, struct arena *arena);

/* Makes an empty table with as many nodes, and at least as many units, the same as `from`. */
void place_table_move(struct place_table *table, const struct place_table *from);

/* A unit that is nowhere comes to a node. */
void place_table_put(struct place_table *table, uint32_t unit, uint32_t node);

/* A unit leaves its node, if it has one. */
void place_table_take(struct place_table *table, uint32_t unit);

#endif
