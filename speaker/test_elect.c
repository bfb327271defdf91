#include "common/base/test.h"
#include "speaker/elect.h"

static struct str nodes[] = {STR_INIT("node-a"), STR_INIT("node-b"), STR_INIT("node-c")};
enum { NODES = sizeof(nodes) / sizeof(nodes[0]) };

struct owner_case {
    const char *published; /* "" for none */
    const char *eligible;  /* letters */
    int64_t scores[NODES]; /* all 0: none */
    const char *owner;     /* "": none */
};

static struct str owner_of(struct elect *elect, const struct owner_case *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct placement placement;
    struct elect_unit unit = {.nodes = nodeset_new(NODES, arena), .ip = ip_v4(10, 0, 0, 1)};
    if (placement_parse(str_from(c->published), arena, &placement) == PLACEMENT_VALID)
        unit.published = &placement;
    if (c->scores[0] || c->scores[1] || c->scores[2])
        unit.scores = c->scores;
    for (const char *letter = c->eligible; *letter; letter++)
        nodeset_add(&unit.nodes, (size_t)(*letter - 'a'));
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
    {"1 node-c node-a", "abc", {0}, "node-c"},
    {"1 node-c node-a", "ab", {0}, "node-a"}, /* a backup steps in */
    {"1 node-c", "ab", {0}, "node-b"},        /* then those that are not named */
    {"1 gone", "", {0}, ""},
    {"1 node-c node-c", "abc", {0}, "node-b"}, /* malformed: as if none */
    {"", "abc", {1, 0, 5}, "node-c"},          /* preference before the hash */
    {"", "ab", {1, 0, 5}, "node-a"},
    {"1 node-b", "abc", {1, 0, 5}, "node-b"}, /* what is published before preference */
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

TEST_MAIN("speaker/elect", TEST(test_owner), TEST(test_memory_never_shows),
          TEST(test_memory_against_a_fresh_election))
