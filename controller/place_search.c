#include "controller/place_search.h"

#include <assert.h>

struct place_search {
    const struct place_problem *problem;
    struct place_table *table;
    struct nodeset closed;  /* out of all searches */
    struct nodeset reached; /* by this search, or closed */
    uint32_t *seen;         /* by class: the search that looked at it last */
    uint32_t number;        /* of this search */
    uint32_t *queue;        /* nodes, in the order in which they are reached */
    size_t queued;
    uint32_t *via; /* by node reached: the unit that would come to it; PLACE_NONE for sources */
};

struct place_search *place_search_new(const struct place_problem *problem,
                                      struct place_table *table, struct arena *arena)
{
    struct place_search *search = arena_alloc(arena, sizeof(*search));
    *search = (struct place_search){
        .problem = problem,
        .table = table,
        .closed = nodeset_new(problem->nodes, arena),
        .reached = nodeset_new(problem->nodes, arena),
        .seen = arena_array(arena, problem->classes, sizeof(uint32_t)),
        .queue = arena_array(arena, problem->nodes, sizeof(uint32_t)),
        .via = arena_array(arena, problem->nodes, sizeof(uint32_t)),
    };
    return search;
}

/* The better end of two, either may be none: the one with fewer units. */
static uint32_t better(const struct place_search *search, uint32_t end, uint32_t node)
{
    const uint32_t *load = search->table->load;
    return end == PLACE_NONE || load[node] < load[end] ? node : end;
}

/* Reaches the nodes that a unit may move to. Returns the best end so far. */
static uint32_t reach(struct place_search *search, uint32_t unit, const struct nodeset *to,
                      const uint32_t *limits, uint32_t end)
{
    for (size_t i = 0; i < to->count; i++) {
        uint64_t fresh = to->words[i] & ~search->reached.words[i];
        search->reached.words[i] |= fresh;
        for (; fresh; fresh &= fresh - 1) {
            uint32_t node = (uint32_t)(i * NODESET_BITS) + (uint32_t)__builtin_ctzll(fresh);
            search->via[node] = unit;
            search->queue[search->queued++] = node;
            if (search->table->load[node] < limits[node])
                end = better(search, end, node);
        }
    }
    return end;
}

static uint32_t leave(struct place_search *search, uint32_t node, const uint32_t *limits,
                      uint32_t end)
{
    const struct place_problem *problem = search->problem;
    for (uint32_t unit = search->table->first[node]; unit != PLACE_NONE;
         unit = search->table->next[unit]) {
        uint32_t class = problem->class_of[unit];
        if (class == PLACE_NONE || search->seen[class] == search->number)
            continue;
        search->seen[class] = search->number;
        end = reach(search, unit, &problem->candidates[class], limits, end);
    }
    return end;
}

uint32_t place_search_find(struct place_search *search, const uint32_t *sources, size_t count,
                           const uint32_t *limits)
{
    search->number++;
    assert(search->number > 0);
    search->queued = 0;
    nodeset_copy(&search->reached, &search->closed);
    for (size_t i = 0; i < count; i++) {
        nodeset_add(&search->reached, sources[i]);
        search->via[sources[i]] = PLACE_NONE;
        search->queue[search->queued++] = sources[i];
    }
    uint32_t end = PLACE_NONE;
    /* One move more in each round. */
    for (size_t from = 0; end == PLACE_NONE && from < search->queued;) {
        size_t to = search->queued;
        for (; from < to; from++)
            end = leave(search, search->queue[from], limits, end);
    }
    return end;
}

size_t place_search_apply(struct place_search *search, uint32_t end, size_t most)
{
    size_t moved = 0;
    while (moved < most && search->via[end] != PLACE_NONE) {
        uint32_t unit = search->via[end];
        uint32_t from = search->table->at[unit];
        place_table_take(search->table, unit);
        place_table_put(search->table, unit, end);
        end = from;
        moved++;
    }
    return moved;
}

void place_search_close(struct place_search *search, uint32_t bound, uint32_t *bounds)
{
    for (size_t i = 0; i < search->queued; i++)
        bounds[search->queue[i]] = bound;
    nodeset_copy(&search->closed, &search->reached);
}

bool place_search_is_closed(const struct place_search *search, uint32_t node)
{
    return nodeset_has(&search->closed, node);
}
