#include "controller/place_search.h"

#include <assert.h>

/* Where the units of a class may be, as a list when that is short. */
struct targets {
    const struct nodeset *set;
    const uint32_t *list; /* NULL: see the set */
    size_t count;
};

struct place_search {
    const struct place_problem *problem;
    struct place_table *table;
    const uint32_t *limits; /* of the search under way */
    bool any;
    struct targets *targets; /* by class */
    struct nodeset closed;   /* out of all searches */
    struct nodeset reached;  /* by this search, or closed */
    uint32_t *seen;          /* by class: the search that looked at it last */
    uint32_t number;         /* of this search */
    uint32_t *queue;         /* nodes, in the order in which they are reached */
    size_t queued;
    uint32_t *via; /* by node reached: the unit that would come to it; PLACE_NONE for sources */
    uint32_t end;  /* the best so far, or PLACE_NONE */
};

static struct targets list_targets(const struct nodeset *set, struct arena *arena)
{
    enum { SHORT = 8 };
    struct targets targets = {.set = set, .count = nodeset_size(set)};
    if (targets.count > SHORT)
        return targets;
    uint32_t *list = arena_array(arena, targets.count, sizeof(*list));
    size_t at = 0;
    for (size_t node = nodeset_next(set, 0); node != NODESET_END;
         node = nodeset_next(set, node + 1))
        list[at++] = (uint32_t)node;
    targets.list = list;
    return targets;
}

struct place_search *place_search_new(const struct place_problem *problem,
                                      struct place_table *table, struct arena *arena)
{
    struct place_search *search = arena_alloc(arena, sizeof(*search));
    *search = (struct place_search){
        .problem = problem,
        .table = table,
        .targets = arena_array(arena, problem->classes, sizeof(struct targets)),
        .closed = nodeset_new(problem->nodes, arena),
        .reached = nodeset_new(problem->nodes, arena),
        .seen = arena_array(arena, problem->classes, sizeof(uint32_t)),
        .queue = arena_array(arena, problem->nodes, sizeof(uint32_t)),
        .via = arena_array(arena, problem->nodes, sizeof(uint32_t)),
    };
    for (size_t i = 0; i < problem->classes; i++)
        search->targets[i] = list_targets(&problem->candidates[i], arena);
    return search;
}

/* A node that was not reached yet: a unit may come to it. */
static void reach(struct place_search *search, uint32_t node, uint32_t unit)
{
    const uint32_t *load = search->table->load;
    search->via[node] = unit;
    search->queue[search->queued++] = node;
    if (load[node] < search->limits[node] &&
        (search->end == PLACE_NONE || load[node] < load[search->end]))
        search->end = node;
}

static void reach_listed(struct place_search *search, const struct targets *to, uint32_t unit)
{
    for (size_t i = 0; i < to->count; i++) {
        if (nodeset_has(&search->reached, to->list[i]))
            continue;
        nodeset_add(&search->reached, to->list[i]);
        reach(search, to->list[i], unit);
    }
}

static void reach_set(struct place_search *search, const struct nodeset *to, uint32_t unit)
{
    for (size_t i = 0; i < to->count; i++) {
        uint64_t fresh = to->words[i] & ~search->reached.words[i];
        search->reached.words[i] |= fresh;
        for (; fresh; fresh &= fresh - 1)
            reach(search, (uint32_t)(i * NODESET_BITS) + (uint32_t)__builtin_ctzll(fresh), unit);
    }
}

static bool is_done(const struct place_search *search)
{
    return search->any && search->end != PLACE_NONE;
}

/* Reaches all nodes that one of a node's units may move to. */
static void leave(struct place_search *search, uint32_t node)
{
    const uint32_t *next = search->table->next, *class_of = search->problem->class_of;
    for (uint32_t unit = search->table->first[node]; unit != PLACE_NONE && !is_done(search);
         unit = next[unit]) {
        uint32_t class = class_of[unit];
        if (class == PLACE_NONE || search->seen[class] == search->number)
            continue;
        search->seen[class] = search->number;
        const struct targets *to = &search->targets[class];
        if (to->list)
            reach_listed(search, to, unit);
        else
            reach_set(search, to->set, unit);
    }
}

static void begin(struct place_search *search, const uint32_t *sources, size_t count)
{
    search->number++;
    assert(search->number > 0);
    search->queued = 0;
    search->end = PLACE_NONE;
    nodeset_copy(&search->reached, &search->closed);
    for (size_t i = 0; i < count; i++) {
        nodeset_add(&search->reached, sources[i]);
        search->via[sources[i]] = PLACE_NONE;
        search->queue[search->queued++] = sources[i];
    }
}

uint32_t place_search_find(struct place_search *search, const uint32_t *sources, size_t count,
                           const uint32_t *limits, bool any)
{
    search->limits = limits;
    search->any = any;
    begin(search, sources, count);
    /* One move more in each round. */
    for (size_t from = 0; search->end == PLACE_NONE && from < search->queued;) {
        for (size_t to = search->queued; from < to && !is_done(search); from++)
            leave(search, search->queue[from]);
    }
    return search->end;
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
