#include "common/base/test.h"
#include "speaker/elect.h"

static struct str nodes[] = {STR_INIT("node-a"), STR_INIT("node-b"), STR_INIT("node-c")};
enum { NODES = sizeof(nodes) / sizeof(nodes[0]) };

struct owner_case {
    const char *order;     /* that is published: letters; "" for none */
    const char *eligible;  /* letters */
    int64_t scores[NODES]; /* all 0: none */
    const char *owner;     /* "": none */
};

static struct elect_unit unit_of(const struct owner_case *c, struct arena *arena)
{
    uint32_t *order = arena_array(arena, NODES, sizeof(*order));
    struct elect_unit unit = {
        .order = order, .nodes = nodeset_new(NODES, arena), .ip = ip_v4(10, 0, 0, 1)};
    for (const char *letter = c->order; *letter; letter++)
        order[unit.order_count++] = (uint32_t)(*letter - 'a');
    if (c->scores[0] || c->scores[1] || c->scores[2])
        unit.scores = c->scores;
    for (const char *letter = c->eligible; *letter; letter++)
        nodeset_add(&unit.nodes, (size_t)(*letter - 'a'));
    return unit;
}

static struct str owner_of(struct elect *elect, const struct owner_case *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct elect_unit unit = unit_of(c, arena);
    elect_begin(elect, nodes, NODES);
    size_t owner = elect_owner(elect, &unit, arena);
    elect_end(elect);
    TEST_ASSERT(owner <= NODES);
    return owner < NODES ? nodes[owner] : STR("");
}

/* The hash order of 10.0.0.1 over these nodes is node-b, node-a, node-c. Every case is also asked
 * after every other one: what is remembered must never show. */
static const struct owner_case cases[] = {
    {"", "abc", {0}, "node-b"},
    {"", "ac", {0}, "node-a"},
    {"", "c", {0}, "node-c"},
    {"", "bc", {0}, "node-b"},
    {"", "", {0}, ""},
    {"ca", "abc", {0}, "node-c"},
    {"ca", "ab", {0}, "node-a"}, /* a backup steps in */
    {"c", "ab", {0}, "node-b"},  /* then those that are not named */
    {"c", "", {0}, ""},
    {"", "abc", {1, 0, 5}, "node-c"}, /* preference before the hash */
    {"", "ab", {1, 0, 5}, "node-a"},
    {"b", "abc", {1, 0, 5}, "node-b"}, /* what is published before preference */
};

static void test_owner(void)
{
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(elect) struct elect *fresh = elect_new(1);
        TEST_STR(owner_of(fresh, &cases[i]), cases[i].owner);
    }
}

static void test_memory_never_shows(void)
{
    scoped_ptr(elect) struct elect *elect = elect_new(1);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        for (size_t j = 0; j < TEST_COUNT(cases); j++) {
            TEST_STR(owner_of(elect, &cases[i]), cases[i].owner);
            TEST_STR(owner_of(elect, &cases[j]), cases[j].owner);
        }
    }
}

/* Random sets of many nodes, one after another, against an election without memory; now and then
 * a round over other names. */
static void test_memory_against_a_fresh_election(void)
{
    enum { MANY = 70, STEPS = 400, UNITS = 3 };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(elect) struct elect *elect = elect_new(1);
    struct str names[MANY];
    uint64_t random = 1;
    for (size_t i = 0; i < MANY; i++)
        names[i] = arena_printf(arena, "n%02zu", i);
    for (size_t step = 0; step < STEPS; step++) {
        scoped_ptr(elect) struct elect *fresh = elect_new(1);
        size_t count = step % 50 < 40 ? MANY : MANY - 3;
        elect_begin(elect, names, count);
        elect_begin(fresh, names, count);
        for (size_t i = 0; i < UNITS; i++) {
            struct elect_unit unit = {.nodes = nodeset_new(count, arena),
                                      .ip = ip_v4(192, 0, 2, (uint8_t)i)};
            for (size_t node = 0; node < count; node++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                if (random >> 61 < (step / 100) * 2 + 1) /* from few of them to nearly all */
                    nodeset_add(&unit.nodes, node);
            }
            if (i == 2 && step % 3 == 0)
                continue; /* a unit that is not there in every round */
            TEST_ASSERT(elect_owner(elect, &unit, arena) == elect_owner(fresh, &unit, arena));
        }
        elect_end(elect);
        elect_end(fresh);
    }
}

/* Every node knows the same order: how many are before one is what the winners are when they go one
 * after the other. */
static void test_rank(void)
{
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(elect) struct elect *elect = elect_new(1);
        struct owner_case c = cases[i];
        char left[NODES + 1] = {0};
        size_t rank = 0;
        for (const char *letter = c.eligible; *letter; letter++)
            left[letter - c.eligible] = *letter;
        c.eligible = left;
        while (left[0]) {
            struct str owner = owner_of(elect, &c);
            struct elect_unit unit = unit_of(&cases[i], arena);
            TEST_ASSERT(elect_rank(elect, &unit, (size_t)(owner.ptr[5] - 'a'), arena) == rank);
            rank++;
            char *gone = strchr(left, owner.ptr[5]);
            memmove(gone, gone + 1, strlen(gone));
        }
    }
}

TEST_MAIN("speaker/elect", TEST(test_owner), TEST(test_memory_never_shows), TEST(test_rank),
          TEST(test_memory_against_a_fresh_election))
