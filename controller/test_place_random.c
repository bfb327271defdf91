/* Properties of placements over random clusters, against what trying everything finds. */
#include "controller/place_level.h"
#include "controller/test_place_model.h"

/* --- the optimum ----------------------------------------------------------------------------- */

/* A flow of units into nodes that take `capacity` each: augmenting paths, unit by unit. */
struct flow {
    const struct model *m;
    unsigned usable; /* nodes */
    size_t capacity;
    uint32_t at[MODEL_UNITS];
    size_t load[MODEL_NODES];
};

static bool augment(struct flow *f, size_t unit, unsigned *tried)
{
    for (uint32_t node = 0; node < f->m->nodes; node++) {
        if (!((f->m->eligible[unit] & f->usable) >> node & 1) || (*tried >> node & 1))
            continue;
        *tried |= 1u << node;
        if (f->load[node] < f->capacity) {
            f->load[node]++;
            f->at[unit] = node;
            return true;
        }
        for (size_t other = 0; other < f->m->count; other++) {
            if (f->at[other] == node && augment(f, other, tried)) {
                f->at[unit] = node;
                return true;
            }
        }
    }
    return false;
}

static bool fits(const struct model *m, unsigned usable, size_t capacity)
{
    struct flow f = {.m = m, .usable = usable, .capacity = capacity};
    for (size_t i = 0; i < m->count; i++)
        f.at[i] = PLACE_NONE;
    for (size_t i = 0; i < m->count; i++) {
        unsigned tried = 0;
        if ((m->eligible[i] & usable) && !augment(&f, i, &tried))
            return false;
    }
    return true;
}

static size_t least_possible_load(const struct model *m, unsigned usable)
{
    size_t capacity = 0;
    while (!fits(m, usable, capacity))
        capacity++;
    return capacity;
}

static size_t largest_load(const struct model *m)
{
    size_t largest = 0;
    for (uint32_t i = 0; i < m->nodes; i++) {
        if (place_load(m->place, i) > largest)
            largest = place_load(m->place, i);
    }
    return largest;
}

/* Every unit that has a live eligible node is on one. */
static void check_all_placed(const struct model *m, unsigned usable)
{
    for (size_t i = 0; i < m->count; i++) {
        uint32_t owner = model_owner(m, i);
        unsigned may = m->eligible[i] & usable;
        TEST_ASSERT(may ? owner != PLACE_NONE && (may >> owner & 1) : owner == PLACE_NONE);
    }
}

/* --- bounds ---------------------------------------------------------------------------------- */

static void add_square(size_t *loads, size_t nodes, size_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < nodes; i++)
        *ret += loads[i] * loads[i];
}

/* Tries every assignment; the even ones are those with the least sum of squares. */
static void try_all(const struct model *m, size_t unit, size_t *loads, size_t *best,
                    uint32_t *bounds)
{
    if (unit < m->count) {
        for (size_t node = 0; node < m->nodes; node++) {
            if (!(m->eligible[unit] >> node & 1))
                continue;
            loads[node]++;
            try_all(m, unit + 1, loads, best, bounds);
            loads[node]--;
        }
        return;
    }
    size_t squares;
    add_square(loads, m->nodes, &squares);
    if (squares > *best)
        return;
    for (size_t i = 0; squares < *best && i < m->nodes; i++)
        bounds[i] = 0;
    *best = squares;
    for (size_t i = 0; i < m->nodes; i++) {
        if (loads[i] > bounds[i])
            bounds[i] = (uint32_t)loads[i];
    }
}

/* place_level finds just the bounds that trying everything finds, from any start. */
static void test_bounds(void)
{
    enum { ROUNDS = 300, UNITS = 7, NODES = 4 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct model m;
        model_init(&m, NODES, round);
        uint32_t class_of[UNITS], bounds[NODES], want[NODES] = {0};
        struct nodeset candidates[UNITS];
        struct place_table table = place_table_new(NODES, UNITS, m.arena);
        for (uint32_t i = 0; i < UNITS; i++) {
            unsigned eligible = 1 + model_random(&m, model_all(&m));
            m.eligible[m.count++] = eligible;
            candidates[i] = model_unit(&m, i, eligible).eligible;
            class_of[i] = i;
            place_table_put(&table, i, (uint32_t)nodeset_next(&candidates[i], 0));
        }
        struct place_problem problem = {.nodes = NODES,
                                        .units = UNITS,
                                        .classes = UNITS,
                                        .class_of = class_of,
                                        .candidates = candidates};
        size_t loads[NODES] = {0}, best = SIZE_MAX;
        try_all(&m, 0, loads, &best, want);
        place_level(&problem, &table, bounds, m.arena);
        for (size_t i = 0; i < NODES; i++)
            TEST_ASSERT(bounds[i] == want[i] && table.load[i] <= bounds[i]);
        model_done(&m);
    }
}

/* --- any eligibility ------------------------------------------------------------------------- */

static unsigned random_set(struct model *m)
{
    switch (model_random(m, 4)) {
    case 0:
        return model_all(m);
    case 1:
        return 1u << model_random(m, (unsigned)m->nodes);
    default:
        return 1 + model_random(m, model_all(m));
    }
}

static void check_round(struct model *m, unsigned usable)
{
    struct place_pending pending;
    (void)model_run(m, SIZE_MAX, &pending);
    TEST_ASSERT(pending.left == 0);
    check_all_placed(m, usable);
    TEST_ASSERT(largest_load(m) == least_possible_load(m, usable));
    TEST_ASSERT(model_run(m, SIZE_MAX, &pending) == 0 && pending.moved == 0);
}

/* Units come, change and go, nodes die and return: never above the optimum, and what is settled
 * stays as it is. */
static void test_never_above_the_optimum(void)
{
    enum { ROUNDS = 150, STEPS = 12 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct model m;
        model_init(&m, 2 + round % 7, round);
        unsigned usable = model_all(&m);
        for (unsigned step = 0; step < STEPS; step++) {
            for (unsigned i = model_random(&m, 6); i > 0 && m.count < MODEL_UNITS; i--)
                model_add(&m, random_set(&m), PLACE_NONE);
            if (m.count && model_random(&m, 3) == 0)
                model_change(&m, model_random(&m, (unsigned)m.count), random_set(&m));
            if (m.count && model_random(&m, 3) == 0) {
                m.count--;
                place_remove(m.place, m.units[m.count]);
            }
            uint32_t node = model_random(&m, (unsigned)m.nodes);
            if (model_random(&m, 4) == 0 && (usable & ~(1u << node)))
                usable ^= 1u << node;
            for (uint32_t i = 0; i < m.nodes; i++)
                place_set_state(m.place, i, usable >> i & 1 ? PLACE_NORMAL : PLACE_DEAD);
            check_round(&m, usable);
        }
        model_done(&m);
    }
}

/* --- equal eligibility ----------------------------------------------------------------------- */

static size_t ceiling(size_t units, size_t nodes)
{
    return (units + nodes - 1) / nodes;
}

/* From any published state: no node above the ceiling, and no more moves than the units that are
 * above it. */
static void test_fewest_moves(void)
{
    enum { ROUNDS = 400 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct model m;
        struct place_pending pending;
        model_init(&m, 1 + round % MODEL_NODES, round);
        size_t loads[MODEL_NODES] = {0}, units = 1 + model_random(&m, MODEL_UNITS), needed = 0;
        unsigned skew = 1 + model_random(&m, (unsigned)m.nodes);
        for (size_t i = 0; i < units; i++) {
            uint32_t node = model_random(&m, model_random(&m, 2) ? (unsigned)m.nodes : skew);
            loads[node]++;
            model_add(&m, model_all(&m), node);
        }
        for (size_t i = 0; i < m.nodes; i++) {
            if (loads[i] > ceiling(units, m.nodes))
                needed += loads[i] - ceiling(units, m.nodes);
        }
        (void)model_run(&m, SIZE_MAX, &pending);
        TEST_ASSERT(largest_load(&m) <= ceiling(units, m.nodes));
        TEST_ASSERT(pending.moved == needed);
        model_done(&m);
    }
}

/* What the loads would be without one node, by first backups alone. */
static size_t largest_after_loss(const struct model *m, uint32_t lost)
{
    size_t loads[MODEL_NODES] = {0}, largest = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct place_result result = place_get(m->place, m->units[i]);
        loads[result.order[0] == lost ? result.order[1] : result.order[0]]++;
    }
    for (size_t i = 0; i < m->nodes; i++) {
        if (loads[i] > largest)
            largest = loads[i];
    }
    return largest;
}

/* After any loss the rest keep their ceiling, without a move; also as units come and go, and a
 * second node may go after the first. */
static void test_any_single_loss(void)
{
    enum { ROUNDS = 60 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct model m;
        model_init(&m, 2 + round % (MODEL_NODES - 1), round);
        size_t units = 1 + model_random(&m, MODEL_UNITS);
        while (m.count < units) {
            model_add(&m, model_all(&m), PLACE_NONE);
            (void)model_run(&m, SIZE_MAX, NULL);
            for (uint32_t lost = 0; lost < m.nodes; lost++)
                TEST_ASSERT(largest_after_loss(&m, lost) <= ceiling(m.count, m.nodes - 1));
        }
        for (size_t left = m.nodes; left > 1; left--) {
            struct place_pending pending;
            place_set_state(m.place, (uint32_t)left - 1, PLACE_DEAD);
            (void)model_run(&m, 0, &pending);
            TEST_ASSERT(pending.left == 0);
            TEST_ASSERT(largest_load(&m) <= ceiling(m.count, left - 1));
        }
        model_done(&m);
    }
}

/* --- determinism ----------------------------------------------------------------------------- */

static struct str run_script(struct model *m, uint64_t seed)
{
    struct sbuf text = {0};
    model_init(m, 7, seed);
    for (unsigned step = 0; step < 30; step++) {
        model_add(m, random_set(m), PLACE_NONE);
        model_add(m, model_all(m), PLACE_NONE);
        place_set_state(m->place, model_random(m, 7),
                        model_random(m, 2) ? PLACE_NORMAL : PLACE_HELD);
        (void)model_run(m, 2, NULL);
        for (size_t i = 0; i < m->count; i++) {
            sbuf_put(&text, model_order(m, i));
            sbuf_putc(&text, '\n');
        }
    }
    return sbuf_move(&text, m->arena);
}

static void test_deterministic(void)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct model a, b;
        struct str first = run_script(&a, seed), second = run_script(&b, seed);
        TEST_ASSERT(str_eq(first, second));
        model_done(&a);
        model_done(&b);
    }
}

TEST_MAIN("controller/place at random", TEST(test_bounds), TEST(test_never_above_the_optimum),
          TEST(test_fewest_moves), TEST(test_any_single_loss), TEST(test_deterministic))
