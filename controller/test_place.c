#include "common/election/election.h"
#include "controller/test_place_model.h"

static void add_many(struct model *m, size_t count)
{
    for (size_t i = 0; i < count; i++)
        model_add(m, model_all(m), PLACE_NONE);
}

static uint32_t hash_winner(struct model *m, size_t number, unsigned among)
{
    struct election_candidate candidates[MODEL_NODES];
    uint32_t nodes[MODEL_NODES];
    size_t count = 0;
    struct ip ip = ip_v4(192, 0, 2, (uint8_t)number);
    for (uint32_t i = 0; i < m->nodes; i++) {
        if (!(among >> i & 1))
            continue;
        nodes[count] = i;
        candidates[count++] =
            (struct election_candidate){.name = arena_printf(m->arena, "n%02u", i)};
    }
    return nodes[election_winner(candidates, count, &ip)];
}

static enum place_why why(const struct model *m, size_t number)
{
    return place_get(m->place, m->units[number]).why;
}

/* How many units are not where they were; `ret` gets where all are now. */
static size_t count_moves(const struct model *m, uint32_t *owners)
{
    size_t moves = 0;
    for (size_t i = 0; i < m->count; i++) {
        moves += model_owner(m, i) != owners[i];
        owners[i] = model_owner(m, i);
    }
    return moves;
}

/* --- the main case --------------------------------------------------------------------------- */

static void test_spread(void)
{
    static const struct {
        size_t nodes, units;
        const char *loads;
    } cases[] = {
        {5, 23, "5,5,5,4,4"}, {5, 0, "0,0,0,0,0"}, {5, 3, "1,1,1,0,0"},
        {1, 7, "7"},          {3, 9, "3,3,3"},     {4, 41, "11,10,10,10"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct model m;
        model_init(&m, cases[i].nodes, 0);
        add_many(&m, cases[i].units);
        TEST_ASSERT(model_run(&m, SIZE_MAX, NULL) == cases[i].units);
        TEST_STR(model_sorted_loads(&m), cases[i].loads);
        model_done(&m);
    }
}

/* A unit by itself goes where the hash election would have it, and so do its backups: a cluster of
 * few addresses looks as it did under MetalLB. */
static void test_equals_by_hash(void)
{
    struct model m;
    model_init(&m, 5, 0);
    for (size_t i = 0; i < 20; i++) {
        model_add(&m, model_all(&m), PLACE_NONE);
        (void)model_run(&m, SIZE_MAX, NULL);
        struct place_result result = place_get(m.place, m.units[i]);
        uint32_t owner = hash_winner(&m, i, model_all(&m));
        TEST_ASSERT(result.count == 5 && result.epoch == 1 && result.order[0] == owner);
        TEST_ASSERT(result.order[1] == hash_winner(&m, i, model_all(&m) & ~(1u << owner)));
        place_remove(m.place, m.units[i]); /* the next has another address */
    }
    model_done(&m);
}

static void test_death_and_return(void)
{
    struct model m;
    struct place_pending pending;
    uint32_t owners[MODEL_UNITS];
    model_init(&m, 5, 0);
    add_many(&m, 23);
    (void)model_run(&m, SIZE_MAX, NULL);
    (void)count_moves(&m, owners);
    size_t lost = place_load(m.place, 2);
    place_set_state(m.place, 2, PLACE_DEAD);
    (void)model_run(&m, 0, &pending); /* no move is needed but those the speakers have made */
    TEST_ASSERT(pending.taken_over == lost);
    TEST_ASSERT(pending.left == 0 && count_moves(&m, owners) == lost);
    for (uint32_t i = 0; i < 5; i++)
        TEST_ASSERT(place_load(m.place, i) <= (i == 2 ? 0 : 6));
    place_set_state(m.place, 2, PLACE_HELD);
    TEST_ASSERT(model_run(&m, SIZE_MAX, &pending) == 0 && pending.moved == 0);
    place_set_state(m.place, 2, PLACE_NORMAL);
    (void)model_run(&m, 0, &pending);
    TEST_ASSERT(pending.left == 3 && pending.moved == 0); /* 6,6,6,5,0 */
    for (size_t left = 3; left > 0; left--) {
        (void)model_run(&m, 1, &pending);
        TEST_ASSERT(pending.left == left - 1 && pending.moved == 1);
        TEST_ASSERT(count_moves(&m, owners) == 1);
    }
    TEST_STR(model_sorted_loads(&m), "5,5,5,5,3");
    TEST_ASSERT(!place_is_untidy(m.place));
    model_done(&m);
}

static void test_drain(void)
{
    struct model m;
    struct place_pending pending;
    uint32_t owners[MODEL_UNITS];
    model_init(&m, 4, 0);
    add_many(&m, 12);
    model_add(&m, 1u << 1, PLACE_NONE); /* has nowhere else to go */
    (void)model_run(&m, SIZE_MAX, NULL);
    (void)count_moves(&m, owners);
    size_t there = place_load(m.place, 1);
    place_set_state(m.place, 1, PLACE_LEAVING);
    (void)model_run(&m, 0, &pending);
    TEST_ASSERT(pending.left == 0 && count_moves(&m, owners) == there - 1);
    TEST_STR(model_loads(&m), "4,1,4,4");
    TEST_ASSERT(model_owner(&m, 12) == 1 && why(&m, 12) == PLACE_CHOSEN);
    for (size_t i = 0; i < 12; i++) {
        struct place_result result = place_get(m.place, m.units[i]);
        TEST_ASSERT(result.why == PLACE_CHOSEN ||
                    (result.why == PLACE_TOOK_OVER && result.from == 1));
    }
    model_done(&m);
}

/* Nodes become eligible for units that are there, and nothing else happens. */
static void test_more_choice(void)
{
    struct model m;
    struct place_pending pending;
    model_init(&m, 5, 0);
    for (size_t i = 0; i < 20; i++)
        model_add(&m, 3, PLACE_NONE);
    (void)model_run(&m, SIZE_MAX, NULL);
    TEST_STR(model_loads(&m), "10,10,0,0,0");
    for (size_t i = 0; i < 20; i++)
        model_change(&m, i, model_all(&m));
    (void)model_run(&m, SIZE_MAX, &pending);
    TEST_ASSERT(pending.moved == 12 && pending.left == 0);
    TEST_STR(model_loads(&m), "4,4,4,4,4");
    model_done(&m);
}

/* --- what is in force ------------------------------------------------------------------------ */

/* What one controller publishes is read by the next, which writes nothing. */
static void test_read_back(void)
{
    struct model m, next;
    model_init(&m, 6, 0);
    model_init(&next, 6, 0);
    add_many(&m, 40);
    for (unsigned i = 0; i < 10; i++)
        model_add(&m, 3u << i % 5, PLACE_NONE);
    (void)model_run(&m, SIZE_MAX, NULL);
    for (size_t i = 0; i < m.count; i++) {
        struct place_result result = place_get(m.place, m.units[i]);
        struct place_unit unit = model_unit(&next, i, m.eligible[i]);
        struct place_past past = {
            .order = result.order, .count = result.count, .epoch = result.epoch};
        next.units[next.count++] = place_add(next.place, &unit, &past);
    }
    TEST_ASSERT(model_run(&next, SIZE_MAX, NULL) == 0);
    for (size_t i = 0; i < m.count; i++) {
        struct str want = model_order(&m, i);
        TEST_ASSERT(str_eq(model_order(&next, i), want));
        TEST_ASSERT(why(&next, i) == PLACE_KEPT);
    }
    model_done(&m);
    model_done(&next);
}

/* Without a published order the speakers go by the hash; that is in force, and is published with no
 * more moves than the bound needs. */
static void test_served_by_hash(void)
{
    struct model m;
    struct place_pending pending;
    model_init(&m, 3, 0);
    size_t loads[3] = {0}, above = 0;
    for (size_t i = 0; i < 30; i++) {
        struct place_unit unit = model_unit(&m, i, 7);
        struct place_past past = {.is_served = true};
        m.units[m.count++] = place_add(m.place, &unit, &past);
        loads[hash_winner(&m, i, 7)]++;
    }
    for (size_t i = 0; i < 3; i++)
        above += loads[i] > 10 ? loads[i] - 10 : 0;
    TEST_ASSERT(above > 0);
    TEST_ASSERT(model_run(&m, 0, &pending) == 30 && pending.left == above);
    for (size_t i = 0; i < 30; i++)
        TEST_ASSERT(model_owner(&m, i) == hash_winner(&m, i, 7) && why(&m, i) == PLACE_KEPT);
    TEST_ASSERT(model_run(&m, SIZE_MAX, &pending) >= above && pending.moved == above);
    TEST_STR(model_loads(&m), "10,10,10");
    model_done(&m);
}

/* The order is passed over up to the first node that may answer; only then the rest counts. */
static void test_order_in_force(void)
{
    static const uint32_t order[] = {3, 1, 2};
    static const struct {
        unsigned eligible;
        uint32_t owner; /* PLACE_NONE: by the hash */
        enum place_why why;
        const char *order; /* NULL: whatever */
    } cases[] = {
        {0xf, 3, PLACE_KEPT, "9 n03 n01 n02"},   {0x7, 1, PLACE_TOOK_OVER, "10 n01 n02 n00"},
        {0x5, 2, PLACE_TOOK_OVER, "10 n02 n00"}, {0x1, 0, PLACE_TOOK_OVER, "10 n00"},
        {0x8, 3, PLACE_KEPT, "9 n03 n01 n02"},   {0x0, PLACE_NONE, PLACE_NOWHERE, "9 n03 n01 n02"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct model m;
        model_init(&m, 4, 0);
        struct place_unit unit = model_unit(&m, 0, cases[i].eligible);
        struct place_past past = {.order = order, .count = 3, .epoch = 9};
        m.units[m.count++] = place_add(m.place, &unit, &past);
        (void)model_run(&m, SIZE_MAX, NULL);
        TEST_ASSERT(model_owner(&m, 0) == cases[i].owner && why(&m, 0) == cases[i].why);
        TEST_STR(model_order(&m, 0), cases[i].order);
        /* it comes back to where it is in force */
        model_change(&m, 0, 0);
        (void)model_run(&m, SIZE_MAX, NULL);
        TEST_STR(model_order(&m, 0), cases[i].order);
        model_change(&m, 0, cases[i].eligible);
        (void)model_run(&m, SIZE_MAX, NULL);
        TEST_STR(model_order(&m, 0), cases[i].order);
        model_done(&m);
    }
}

/* A node that dies is left in orders in which it is a backup among others. */
static void test_few_writes(void)
{
    struct model m;
    model_init(&m, 8, 0);
    add_many(&m, 40);
    TEST_ASSERT(model_run(&m, SIZE_MAX, NULL) == 40);
    size_t owned = 0, first = 0;
    for (size_t i = 0; i < 40; i++) {
        struct place_result result = place_get(m.place, m.units[i]);
        owned += result.order[0] == 5;
        first += result.order[1] == 5;
    }
    place_set_state(m.place, 5, PLACE_DEAD);
    size_t written = model_run(&m, SIZE_MAX, NULL);
    TEST_ASSERT(owned == 5 && written >= owned && written <= owned + 2 * first);
    place_set_state(m.place, 5, PLACE_HELD);
    TEST_ASSERT(model_run(&m, SIZE_MAX, NULL) == 0);
    model_done(&m);
}

static void test_epochs(void)
{
    struct model m;
    model_init(&m, 2, 0);
    model_add(&m, 3, 1);
    (void)model_run(&m, SIZE_MAX, NULL);
    TEST_STR(model_order(&m, 0), "6 n01 n00"); /* it had no backup */
    (void)model_run(&m, SIZE_MAX, NULL);
    TEST_STR(model_order(&m, 0), "6 n01 n00");
    place_raise(m.place, m.units[0], 17); /* somebody else wrote that */
    (void)model_run(&m, SIZE_MAX, NULL);
    TEST_STR(model_order(&m, 0), "18 n01 n00");
    place_raise(m.place, m.units[0], 3);
    (void)model_run(&m, SIZE_MAX, NULL);
    TEST_STR(model_order(&m, 0), "19 n01 n00");
    model_done(&m);
}

/* --- wishes, preferences, the hash ----------------------------------------------------------- */

static void change_wish(struct model *m, size_t number, uint32_t wish)
{
    struct place_unit unit = model_unit(m, number, m->eligible[number]);
    unit.wish = wish;
    place_change(m->place, m->units[number], &unit);
}

static void test_wish(void)
{
    struct model m;
    model_init(&m, 3, 0);
    add_many(&m, 9);
    (void)model_run(&m, SIZE_MAX, NULL);
    for (size_t i = 0; i < 4; i++)
        change_wish(&m, i, 2);
    struct place_pending pending;
    (void)model_run(&m, 0, &pending); /* at once, though nothing else may move */
    for (size_t i = 0; i < 4; i++)
        TEST_ASSERT(model_owner(&m, i) == 2 && why(&m, i) == PLACE_ASKED);
    (void)model_run(&m, SIZE_MAX, &pending);
    TEST_STR(model_sorted_loads(&m), "4,3,2"); /* of the others none has to move */
    place_set_state(m.place, 2, PLACE_DEAD);
    (void)model_run(&m, SIZE_MAX, NULL);
    for (size_t i = 0; i < 4; i++)
        TEST_ASSERT(model_owner(&m, i) != 2 && why(&m, i) == PLACE_TOOK_OVER);
    place_set_state(m.place, 2, PLACE_HELD);
    TEST_ASSERT(model_run(&m, SIZE_MAX, NULL) == 0);
    place_set_state(m.place, 2, PLACE_NORMAL);
    (void)model_run(&m, 0, NULL);
    for (size_t i = 0; i < 4; i++)
        TEST_ASSERT(model_owner(&m, i) == 2 && why(&m, i) == PLACE_ASKED);
    change_wish(&m, 0, PLACE_NONE);
    (void)model_run(&m, 0, NULL);
    TEST_ASSERT(model_owner(&m, 0) == 2 && why(&m, 0) == PLACE_KEPT);
    model_change(&m, 1, 3); /* asks for a node that may not answer for it */
    change_wish(&m, 1, 2);
    (void)model_run(&m, SIZE_MAX, NULL);
    TEST_ASSERT(model_owner(&m, 1) != 2);
    model_done(&m);
}

static void set_scores(struct model *m, size_t number, const int64_t *scores)
{
    struct place_unit unit = model_unit(m, number, m->eligible[number]);
    unit.scores = scores;
    place_change(m->place, m->units[number], &unit);
}

static void test_preferences(void)
{
    static const int64_t some[] = {5, 0, 5, 1}, none[] = {0, 0, 0, 0};
    struct model m;
    struct place_pending pending;
    model_init(&m, 4, 0);
    for (size_t i = 0; i < 8; i++) {
        model_add(&m, model_all(&m), PLACE_NONE);
        set_scores(&m, i, some);
    }
    (void)model_run(&m, SIZE_MAX, NULL);
    TEST_STR(model_loads(&m), "4,0,4,0");
    for (size_t i = 0; i < 8; i++) {
        struct place_result result = place_get(m.place, m.units[i]);
        TEST_ASSERT(result.order[0] + result.order[1] == 2); /* each the other's backup */
        TEST_ASSERT(result.count == 4 && result.order[2] == 3 && result.order[3] == 1);
    }
    place_set_state(m.place, 0, PLACE_DEAD);
    (void)model_run(&m, 0, &pending);
    TEST_STR(model_loads(&m), "0,0,8,0");
    place_set_state(m.place, 2, PLACE_DEAD);
    (void)model_run(&m, 0, &pending);
    TEST_STR(model_loads(&m), "0,0,0,8");
    /* back to the preferred one, a few at a time */
    place_set_state(m.place, 0, PLACE_NORMAL);
    (void)model_run(&m, 3, &pending);
    TEST_ASSERT(pending.moved == 3 && pending.left == 5);
    TEST_STR(model_loads(&m), "3,0,0,5");
    (void)model_run(&m, SIZE_MAX, &pending);
    TEST_STR(model_loads(&m), "8,0,0,0");
    for (size_t i = 0; i < 8; i++)
        set_scores(&m, i, none);
    place_set_state(m.place, 2, PLACE_NORMAL);
    (void)model_run(&m, SIZE_MAX, &pending);
    TEST_ASSERT(pending.moved == 6);
    TEST_STR(model_loads(&m), "2,2,2,2");
    model_done(&m);
}

static void set_hashed(struct model *m, size_t number, bool hashed)
{
    struct place_unit unit = model_unit(m, number, m->eligible[number]);
    unit.hashed = hashed;
    place_change(m->place, m->units[number], &unit);
}

/* Their owner is what the speakers elect among the live ones; the others go around them. */
static void test_hashed(void)
{
    struct model m;
    struct place_pending pending;
    model_init(&m, 4, 0);
    for (size_t i = 0; i < 20; i++) {
        model_add(&m, model_all(&m), PLACE_NONE);
        set_hashed(&m, i, true);
    }
    TEST_ASSERT(model_run(&m, SIZE_MAX, &pending) == 0 && pending.left == 0);
    static const unsigned live[] = {0xf, 0xd, 0x9, 0xf, 0x2, 0xf};
    for (size_t i = 0; i < TEST_COUNT(live); i++) {
        for (uint32_t node = 0; node < 4; node++)
            place_set_state(m.place, node, live[i] >> node & 1 ? PLACE_NORMAL : PLACE_DEAD);
        TEST_ASSERT(model_run(&m, SIZE_MAX, &pending) == 0);
        for (size_t j = 0; j < 20; j++) {
            TEST_ASSERT(model_owner(&m, j) == hash_winner(&m, j, live[i]));
            TEST_ASSERT(why(&m, j) == PLACE_HASHED);
            TEST_STR(model_order(&m, j), "0");
        }
    }
    for (size_t i = 0; i < 20; i++)
        model_change(&m, i, 0xf);
    for (size_t i = 0; i < 20; i++)
        set_hashed(&m, i, true);
    uint32_t most = 0;
    for (uint32_t node = 0; node < 4; node++)
        most = place_load(m.place, node) > most ? (uint32_t)place_load(m.place, node) : most;
    add_many(&m, 4 * most - 20);
    (void)model_run(&m, SIZE_MAX, NULL);
    for (uint32_t node = 0; node < 4; node++)
        TEST_ASSERT(place_load(m.place, node) == most);
    /* it is published where it is, and hashed again what is published goes */
    uint32_t owner = model_owner(&m, 0);
    set_hashed(&m, 0, false);
    TEST_ASSERT(model_run(&m, SIZE_MAX, NULL) == 1);
    TEST_ASSERT(model_owner(&m, 0) == owner && place_get(m.place, m.units[0]).count == 4);
    set_hashed(&m, 0, true);
    TEST_ASSERT(model_run(&m, SIZE_MAX, NULL) == 1);
    TEST_STR(model_order(&m, 0), "2");
    model_done(&m);
}

/* With all that is left held or leaving, those serve. */
static void test_states(void)
{
    static const struct {
        enum place_state states[3];
        const char *loads;
    } cases[] = {
        {{PLACE_NORMAL, PLACE_NORMAL, PLACE_NORMAL}, "2,2,2"},
        {{PLACE_HELD, PLACE_NORMAL, PLACE_NORMAL}, "0,3,3"},
        {{PLACE_HELD, PLACE_HELD, PLACE_LEAVING}, "3,3,0"},
        {{PLACE_DEAD, PLACE_LEAVING, PLACE_DEAD}, "0,6,0"},
        {{PLACE_DEAD, PLACE_DEAD, PLACE_DEAD}, "0,0,0"},
        {{PLACE_NORMAL, PLACE_DEAD, PLACE_LEAVING}, "6,0,0"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct model m;
        model_init(&m, 3, 0);
        for (uint32_t node = 0; node < 3; node++)
            place_set_state(m.place, node, cases[i].states[node]);
        add_many(&m, 6);
        (void)model_run(&m, SIZE_MAX, NULL);
        TEST_STR(model_loads(&m), cases[i].loads);
        model_done(&m);
    }
}

static void test_no_nodes(void)
{
    struct model m;
    struct place_pending pending;
    model_init(&m, 0, 0);
    model_add(&m, 0, PLACE_NONE);
    TEST_ASSERT(model_run(&m, SIZE_MAX, &pending) == 0 && pending.left == 0);
    TEST_ASSERT(why(&m, 0) == PLACE_NOWHERE);
    model_done(&m);
}

TEST_MAIN("controller/place", TEST(test_spread), TEST(test_equals_by_hash),
          TEST(test_death_and_return), TEST(test_drain), TEST(test_more_choice),
          TEST(test_read_back), TEST(test_served_by_hash), TEST(test_order_in_force),
          TEST(test_few_writes), TEST(test_epochs), TEST(test_wish), TEST(test_preferences),
          TEST(test_hashed), TEST(test_states), TEST(test_no_nodes))
