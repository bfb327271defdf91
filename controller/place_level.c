#include "controller/place_level.h"

struct level {
    struct place_search *search;
    struct place_table *table;
    uint32_t *sources;
    size_t source_count;
    uint32_t *limits;
};

/* Nodes that are still to be judged and have just this load. Returns the largest load below it
 * that such a node has; 0 as well when there is none. */
static uint32_t find_sources(struct level *level, uint32_t load)
{
    uint32_t below = 0;
    level->source_count = 0;
    for (uint32_t node = 0; node < level->table->nodes; node++) {
        uint32_t has = level->table->load[node];
        if (place_search_is_closed(level->search, node))
            continue;
        if (has == load)
            level->sources[level->source_count++] = node;
        else if (has > below && has < load)
            below = has;
    }
    return below;
}

static uint32_t largest_load(const struct place_table *table)
{
    uint32_t largest = 0;
    for (size_t node = 0; node < table->nodes; node++) {
        if (table->load[node] > largest)
            largest = table->load[node];
    }
    return largest;
}

/* From the largest load down. When no chain leads from the nodes of a load to one that has two
 * less, none of the nodes that can be reached from them takes part in any later chain: all of them
 * have that load or one less, and nothing leads out. */
void place_level(const struct place_problem *problem, struct place_table *table, uint32_t *bounds,
                 struct arena *scratch)
{
    struct level level = {
        .search = place_search_new(problem, table, scratch),
        .table = table,
        .sources = arena_array(scratch, table->nodes, sizeof(uint32_t)),
        .limits = arena_array(scratch, table->nodes, sizeof(uint32_t)),
    };
    for (uint32_t load = largest_load(table); load > 0;) {
        uint32_t below = find_sources(&level, load);
        for (size_t node = 0; node < table->nodes; node++)
            level.limits[node] = load - 1;
        uint32_t end =
            place_search_find(level.search, level.sources, level.source_count, level.limits);
        if (end != PLACE_NONE) {
            (void)place_search_apply(level.search, end, SIZE_MAX);
            continue;
        }
        place_search_close(level.search, load, bounds);
        load = below;
    }
    for (uint32_t node = 0; node < table->nodes; node++) {
        if (!place_search_is_closed(level.search, node))
            bounds[node] = 0;
    }
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
        uint32_t end = place_search_find(search, above, count, bounds);
        if (end == PLACE_NONE)
            break;
        moved += place_search_apply(search, end, most - moved);
    }
    return moved;
}
