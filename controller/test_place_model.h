/* What the tests of the placement share: a cluster of nodes n0, n1 … and units, and what can be
 * said of it by trying everything. */
#ifndef CONTROLLER_TEST_PLACE_MODEL_H
#define CONTROLLER_TEST_PLACE_MODEL_H

#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "controller/place.h"

enum { MODEL_NODES = 12, MODEL_UNITS = 80 };

struct model {
    struct arena *arena;
    size_t nodes;
    struct place *place;
    uint64_t random;
    size_t count; /* units */
    uint32_t units[MODEL_UNITS];
    unsigned eligible[MODEL_UNITS]; /* a bit for each node */
};

static inline void model_init(struct model *m, size_t nodes, uint64_t seed)
{
    *m = (struct model){.arena = arena_new(0), .nodes = nodes, .random = seed};
    struct str *names = arena_array(m->arena, nodes, sizeof(*names));
    for (size_t i = 0; i < nodes; i++)
        names[i] = arena_printf(m->arena, "n%02zu", i);
    m->place = place_new(names, nodes);
}

static inline void model_done(struct model *m)
{
    (void)place_free(m->place);
    (void)arena_free(m->arena);
}

static inline unsigned model_random(struct model *m, unsigned below)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((m->random >> 33) % below);
}

static inline unsigned model_all(const struct model *m)
{
    return (1u << m->nodes) - 1;
}

static inline struct place_unit model_unit(struct model *m, size_t number, unsigned eligible)
{
    struct place_unit unit = {.ip = ip_v4(192, 0, 2, (uint8_t)number),
                              .eligible = nodeset_new(m->nodes, m->arena),
                              .wish = PLACE_NONE};
    for (size_t i = 0; i < m->nodes; i++) {
        if (eligible >> i & 1)
            nodeset_add(&unit.eligible, i);
    }
    return unit;
}

/* A unit without a past, or one that is published on a node (PLACE_NONE: without). */
static inline void model_add(struct model *m, unsigned eligible, uint32_t published)
{
    struct place_unit unit = model_unit(m, m->count, eligible);
    bool is_published = published != PLACE_NONE;
    struct place_past past = {
        .order = &published, .count = is_published, .epoch = is_published ? 5 : 0};
    TEST_ASSERT(m->count < MODEL_UNITS);
    m->eligible[m->count] = eligible;
    m->units[m->count++] = place_add(m->place, &unit, &past);
}

static inline void model_change(struct model *m, size_t number, unsigned eligible)
{
    struct place_unit unit = model_unit(m, number, eligible);
    m->eligible[number] = eligible;
    place_change(m->place, m->units[number], &unit);
}

/* As the shell does; returns how many orders are to be written. */
static inline size_t model_run(struct model *m, size_t moves, struct place_pending *ret)
{
    size_t changed;
    struct place_pending pending = place_tidy(m->place, moves);
    (void)place_changes(m->place, m->arena, &changed);
    if (ret)
        *ret = pending;
    return changed;
}

static inline uint32_t model_owner(const struct model *m, size_t number)
{
    return place_get(m->place, m->units[number]).owner;
}

/* "5,5,4": the loads of the nodes. */
static inline struct str model_loads(struct model *m)
{
    struct sbuf text = {0};
    for (uint32_t i = 0; i < m->nodes; i++)
        sbuf_printf(&text, "%s%zu", i ? "," : "", place_load(m->place, i));
    return sbuf_move(&text, m->arena);
}

/* The loads from the largest down. */
static inline struct str model_sorted_loads(struct model *m)
{
    struct sbuf text = {0};
    for (size_t load = MODEL_UNITS, shown = 0; load + 1 > 0; load--) {
        for (uint32_t i = 0; i < m->nodes; i++) {
            if (place_load(m->place, i) == load)
                sbuf_printf(&text, "%s%zu", shown++ ? "," : "", load);
        }
    }
    return sbuf_move(&text, m->arena);
}

/* "7 n02 n00 n01" as it is published. */
static inline struct str model_order(struct model *m, size_t number)
{
    struct place_result result = place_get(m->place, m->units[number]);
    struct sbuf text = {0};
    sbuf_u64(&text, result.epoch);
    for (size_t i = 0; i < result.count; i++)
        sbuf_printf(&text, " n%02u", result.order[i]);
    return sbuf_move(&text, m->arena);
}

#endif
