#include "controller/place_level.h"

struct level {
    const struct place_table *table;
    struct place_search *search;
    uint32_t *bounds;
    uint32_t *limits; /* all the same: one less than the load that is looked at */
};

/* The largest load, up to `most`, of a node that is still to be judged; 0 when there is none. */
static uint32_t largest_load(const struct level *level, uint32_t most)
{
    uint32_t largest = 0;
    for (uint32_t node = 0; node < level->table->nodes; node++) {
        uint32_t load = level->table->load[node];
        if (load > largest && load <= most && !place_search_is_closed(level->search, node))
            largest = load;
    }
    return largest;
}

/* Gives a unit of a node to one that has at least two less. When no chain leads to such a node,
 * none of the nodes that can be reached takes part in any later chain: they have that load or one
 * less, and nothing leads out. */
static void lower(struct level *level, uint32_t node)
{
    uint32_t end = place_search_find(level->search, &node, 1, level->limits, true);
    if (end == PLACE_NONE)
        place_search_close(level->search, level->table->load[node], level->bounds);
    else
        (void)place_search_apply(level->search, end, SIZE_MAX);
}

/* All nodes of a load; no other that is still to be judged has more. */
static void lower_all(struct level *level, uint32_t load)
{
    for (uint32_t node = 0; node < level->table->nodes; node++)
        level->limits[node] = load - 1;
    for (uint32_t node = 0; node < level->table->nodes; node++) {
        if (level->table->load[node] == load && !place_search_is_closed(level->search, node))
            lower(level, node);
    }
}

void place_level(const struct place_problem *problem, struct place_table *table, uint32_t *bounds,
                 struct arena *scratch)
{
    struct level level = {
        .table = table,
        .search = place_search_new(problem, table, scratch),
        .bounds = bounds,
        .limits = arena_array(scratch, table->nodes, sizeof(uint32_t)),
    };
    for (uint32_t node = 0; node < table->nodes; node++)
        bounds[node] = 0; /* what is never reached takes nothing */
    for (uint32_t load = UINT32_MAX; (load = largest_load(&level, load)) > 0; load--)
        lower_all(&level, load);
}

static size_t find_above(const struct place_table *table, const uint32_t *bounds, uint32_t *ret)
{
    size_t count = 0;
    for (uint32_t node = 0; node < table->nodes; node++) {
        if (table->load[node] > bounds[node])
            ret[count++] = node;
    }
    return count;
}

size_t place_level_keep(const struct place_problem *problem, struct place_table *table,
                        const uint32_t *bounds, size_t most, struct arena *scratch)
{
    uint32_t *above = arena_array(scratch, table->nodes, sizeof(uint32_t));
    size_t moved = 0, count = find_above(table, bounds, above);
    if (count == 0 || most == 0)
        return 0;
    struct place_search *search = place_search_new(problem, table, scratch);
    for (; count && moved < most; count = find_above(table, bounds, above)) {
        uint32_t end = place_search_find(search, above, count, bounds, false);
        if (end == PLACE_NONE)
            break;
        moved += place_search_apply(search, end, most - moved);
    }
    return moved;
}
