#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "speaker/elect.h"

struct parse_case {
    const char *text;
    enum elect_verdict verdict;
    uint64_t epoch;
    const char *nodes; /* joined by commas */
};

static void check_parse(const struct parse_case *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct elect_placement placement = {0};
    enum elect_verdict verdict = elect_parse(str_from(c->text), arena, &placement);
    TEST_STR(str_from(elect_verdict_name(verdict)), elect_verdict_name(c->verdict));
    struct sbuf nodes = {0};
    for (size_t i = 0; i < placement.nodes.count; i++)
        sbuf_printf(&nodes, "%s" STR_FMT, i ? "," : "", STR_ARG(placement.nodes.items[i]));
    TEST_STR(sbuf_move(&nodes, arena), c->nodes);
    TEST_ASSERT(placement.epoch == c->epoch);
}

static void test_parse(void)
{
    static const struct parse_case cases[] = {
        {"7 n1", ELECT_VALID, 7, "n1"},
        {"0 n1 n2 node-3.example", ELECT_VALID, 0, "n1,n2,node-3.example"},
        {"18446744073709551615 n1", ELECT_VALID, UINT64_MAX, "n1"},
        {"", ELECT_NOT_PUBLISHED, 0, ""},
        {"18446744073709551616 n1", ELECT_BAD_EPOCH, 0, ""},
        {"-1 n1", ELECT_BAD_EPOCH, 0, ""},
        {" 7 n1", ELECT_BAD_EPOCH, 0, ""},
        {"n1 n2", ELECT_BAD_EPOCH, 0, ""},
        {"7", ELECT_NO_OWNER, 0, ""},
        {"7 ", ELECT_BAD_NODE, 0, ""},
        {"7  n1", ELECT_BAD_NODE, 0, ""},
        {"7 n1 ", ELECT_BAD_NODE, 0, ""},
        {"7 n1\tn2", ELECT_BAD_NODE, 0, ""},
        {"7 N1", ELECT_BAD_NODE, 0, ""},
        {"7 n1,n2", ELECT_BAD_NODE, 0, ""},
        {"7 n1 n2 n1", ELECT_DUPLICATE_NODE, 0, ""},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        check_parse(&cases[i]);
}

static void test_parse_is_bounded(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf text = {0};
    struct elect_placement placement;
    sbuf_puts(&text, "1");
    for (unsigned i = 0; i < ELECT_NODES_MAX; i++)
        sbuf_printf(&text, " n%u", i);
    TEST_ASSERT(elect_parse(sbuf_str(&text), arena, &placement) == ELECT_VALID);
    TEST_ASSERT(placement.nodes.count == ELECT_NODES_MAX);
    sbuf_puts(&text, " more");
    TEST_ASSERT(elect_parse(sbuf_str(&text), arena, &placement) == ELECT_TOO_MANY_NODES);
}

struct owner_case {
    const char *published; /* "" for none */
    const char *eligible;  /* blanks between */
    const char *owner;     /* NULL: none */
};

static void check_owner(const struct owner_case *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct elect_placement placement;
    struct election_candidate candidates[4];
    struct elect_unit unit = {.candidates = candidates, .ip = ip_v4(10, 0, 0, 1)};
    if (elect_parse(str_from(c->published), arena, &placement) == ELECT_VALID)
        unit.published = &placement;
    struct str rest = str_from(c->eligible), name;
    while (str_next(&rest, ' ', &name))
        candidates[unit.count++] = (struct election_candidate){.name = name};
    size_t owner = elect_owner(&unit, arena);
    if (c->owner)
        TEST_STR(candidates[owner].name, c->owner);
    else
        TEST_ASSERT(owner == unit.count);
}

/* The hash order of 10.0.0.1 over these nodes is node-b, node-a, node-c. */
static void test_owner(void)
{
    static const struct owner_case cases[] = {
        {"", "node-a node-b node-c", "node-b"},
        {"", "node-a node-c", "node-a"},
        {"", "", NULL},
        {"1 node-c node-a", "node-a node-b node-c", "node-c"},
        {"1 node-c node-a", "node-a node-b", "node-a"}, /* a backup steps in */
        {"1 node-c", "node-a node-b", "node-b"},        /* then those that are not named */
        {"1 gone", "", NULL},
        {"1 node-c node-c", "node-a node-b node-c", "node-b"}, /* malformed: as if none */
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        check_owner(&cases[i]);
}

TEST_MAIN("speaker/elect", TEST(test_parse), TEST(test_parse_is_bounded), TEST(test_owner))
