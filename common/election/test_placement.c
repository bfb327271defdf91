#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "common/election/placement.h"

struct parse_case {
    const char *text;
    enum placement_verdict verdict;
    uint64_t epoch;
    const char *nodes; /* joined by commas */
};

static void check_parse(const struct parse_case *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct placement placement = {0};
    enum placement_verdict verdict = placement_parse(str_from(c->text), arena, &placement);
    TEST_STR(str_from(placement_verdict_name(verdict)), placement_verdict_name(c->verdict));
    struct sbuf nodes = {0};
    for (size_t i = 0; i < placement.nodes.count; i++)
        sbuf_printf(&nodes, "%s" STR_FMT, i ? "," : "", STR_ARG(placement.nodes.items[i]));
    TEST_STR(sbuf_move(&nodes, arena), c->nodes);
    TEST_ASSERT(placement.epoch == c->epoch);
    if (verdict == PLACEMENT_VALID)
        TEST_STR(placement_format(&placement, arena), c->text);
}

static void test_parse(void)
{
    static const struct parse_case texts[] = {
        {"7 n1", PLACEMENT_VALID, 7, "n1"},
        {"0 n1 n2 node-3.example", PLACEMENT_VALID, 0, "n1,n2,node-3.example"},
        {"18446744073709551615 n1", PLACEMENT_VALID, UINT64_MAX, "n1"},
        {"", PLACEMENT_NOT_PUBLISHED, 0, ""},
        {"18446744073709551616 n1", PLACEMENT_BAD_EPOCH, 0, ""},
        {"-1 n1", PLACEMENT_BAD_EPOCH, 0, ""},
        {" 7 n1", PLACEMENT_BAD_EPOCH, 0, ""},
        {"n1 n2", PLACEMENT_BAD_EPOCH, 0, ""},
        {"7", PLACEMENT_NO_OWNER, 0, ""},
        {"7 ", PLACEMENT_BAD_NODE, 0, ""},
        {"7  n1", PLACEMENT_BAD_NODE, 0, ""},
        {"7 n1 ", PLACEMENT_BAD_NODE, 0, ""},
        {"7 n1\tn2", PLACEMENT_BAD_NODE, 0, ""},
        {"7 N1", PLACEMENT_BAD_NODE, 0, ""},
        {"7 n1,n2", PLACEMENT_BAD_NODE, 0, ""},
        {"7 n1 n2 n1", PLACEMENT_DUPLICATE_NODE, 0, ""},
    };
    for (size_t i = 0; i < TEST_COUNT(texts); i++)
        check_parse(&texts[i]);
}

static void test_parse_is_bounded(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf text = {0};
    struct placement placement;
    sbuf_puts(&text, "1");
    for (unsigned i = 0; i < PLACEMENT_NODES_MAX; i++)
        sbuf_printf(&text, " n%u", i);
    TEST_ASSERT(placement_parse(sbuf_str(&text), arena, &placement) == PLACEMENT_VALID);
    TEST_ASSERT(placement.nodes.count == PLACEMENT_NODES_MAX);
    sbuf_puts(&text, " more");
    TEST_ASSERT(placement_parse(sbuf_str(&text), arena, &placement) == PLACEMENT_TOO_MANY_NODES);
}

TEST_MAIN("common/election/placement", TEST(test_parse), TEST(test_parse_is_bounded))
