#include "controller/place_ladder.h"

#include <assert.h>

struct place_ladder {
    struct arena *arena;
    size_t nodes;
    uint32_t *load;
    struct nodeset *rungs; /* by load; without words: no node has had it yet */
    size_t room;           /* of rungs */
    uint32_t lowest;       /* no node has less */
};

static void grow(struct place_ladder *ladder, size_t room)
{
    if (room <= ladder->room)
        return;
    struct nodeset *rungs = arena_array(ladder->arena, 2 * room, sizeof(*rungs));
    for (size_t i = 0; i < ladder->room; i++)
        rungs[i] = ladder->rungs[i];
    ladder->rungs = rungs;
    ladder->room = 2 * room;
}

static void step_on(struct place_ladder *ladder, uint32_t node)
{
    uint32_t load = ladder->load[node];
    grow(ladder, (size_t)load + 1);
    if (!ladder->rungs[load].words)
        ladder->rungs[load] = nodeset_new(ladder->nodes, ladder->arena);
    nodeset_add(&ladder->rungs[load], node);
    if (load < ladder->lowest)
        ladder->lowest = load;
}

struct place_ladder *place_ladder_new(const uint32_t *load, size_t nodes, struct arena *arena)
{
    struct place_ladder *ladder = arena_alloc(arena, sizeof(*ladder));
    *ladder = (struct place_ladder){.arena = arena,
                                    .nodes = nodes,
                                    .load = arena_array(arena, nodes, sizeof(*load)),
                                    .lowest = UINT32_MAX};
    for (uint32_t node = 0; node < nodes; node++) {
        ladder->load[node] = load[node];
        step_on(ladder, node);
    }
    return ladder;
}

void place_ladder_raise(struct place_ladder *ladder, uint32_t node)
{
    uint32_t before = ladder->load[node]++;
    nodeset_drop(&ladder->rungs[before], node);
    step_on(ladder, node);
    if (before == ladder->lowest && nodeset_is_empty(&ladder->rungs[before]))
        ladder->lowest++; /* where the node is now, at least */
}

void place_ladder_lower(struct place_ladder *ladder, uint32_t node)
{
    assert(ladder->load[node] > 0);
    nodeset_drop(&ladder->rungs[ladder->load[node]], node);
    ladder->load[node]--;
    step_on(ladder, node);
}

uint32_t place_ladder_load(const struct place_ladder *ladder, uint32_t node)
{
    return ladder->load[node];
}

static bool meets(const struct nodeset *a, const struct nodeset *b)
{
    uint64_t any = 0;
    for (size_t i = 0; i < a->count; i++)
        any |= a->words[i] & b->words[i];
    return any != 0;
}

uint32_t place_ladder_least(const struct place_ladder *ladder, const struct nodeset *set,
                            struct nodeset *ret)
{
    uint32_t load = ladder->lowest;
    while (load < ladder->room && (!ladder->rungs[load].words || !meets(&ladder->rungs[load], set)))
        load++;
    assert(load < ladder->room);
    if (ret) {
        nodeset_copy(ret, set);
        nodeset_intersect(ret, &ladder->rungs[load]);
    }
    return load;
}
