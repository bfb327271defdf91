#include "common/base/test.h"

#include "common/election/election.h"

enum { NODES = 4 };

struct election_case {
    const char *ip;
    struct {
        const char *name;
        int64_t score;
    } nodes[NODES];
    const char *order[NODES];
};

static void check(const struct election_case *c, bool backwards)
{
    struct election_candidate candidates[NODES];
    size_t count = 0;
    while (count < NODES && c->nodes[count].name)
        count++;
    for (size_t i = 0; i < count; i++) {
        size_t from = backwards ? count - 1 - i : i;
        candidates[i] = (struct election_candidate){
            .name = str_from(c->nodes[from].name),
            .score = c->nodes[from].score,
        };
    }
    struct ip ip;
    TEST_ASSERT(ip_parse(str_from(c->ip), &ip) == 0);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    const uint32_t *order = election_order(candidates, count, &ip, arena);
    for (size_t i = 0; i < count; i++)
        TEST_STR(candidates[order[i]].name, c->order[i]);
    TEST_ASSERT(count == 0 || election_winner(candidates, count, &ip) == order[0]);
}

/* Orders that MetalLB's election gives, and what scores change about them. */
static void test_order(void)
{
    static const struct election_case cases[] = {
        {"10.0.0.1", {{"node-a", 0}, {"node-b", 0}, {"node-c", 0}}, {"node-b", "node-a", "node-c"}},
        {"10.0.0.2", {{"node-a", 0}, {"node-b", 0}, {"node-c", 0}}, {"node-b", "node-c", "node-a"}},
        {"10.20.30.1", {{"node-a", 0}, {"node-b", 0}}, {"node-b", "node-a"}},
        {"192.168.10.0",
         {{"kind-control-plane", 0}, {"kind-worker", 0}, {"kind-worker2", 0}},
         {"kind-worker2", "kind-worker", "kind-control-plane"}},
        {"fc00:f853:ccd:e799::",
         {{"kind-control-plane", 0}, {"kind-worker", 0}, {"kind-worker2", 0}},
         {"kind-worker", "kind-worker2", "kind-control-plane"}},
        {"FC00:F853:0CCD:E799:0:0:0:0",
         {{"kind-control-plane", 0}, {"kind-worker", 0}, {"kind-worker2", 0}},
         {"kind-worker", "kind-worker2", "kind-control-plane"}},
        {"10.0.0.1",
         {{"node-a", 10}, {"node-b", 0}, {"node-c", 50}},
         {"node-c", "node-a", "node-b"}},
        {"10.0.0.1", {{"node-a", 5}, {"node-b", 5}, {"node-c", 9}}, {"node-c", "node-b", "node-a"}},
        {"10.0.0.1",
         {{"node-a", -1}, {"node-b", INT64_MIN}, {"node-c", INT64_MAX}},
         {"node-c", "node-a", "node-b"}},
        {"10.0.0.1", {{"node-a", 0}}, {"node-a"}},
        {"10.0.0.1", {{NULL, 0}}, {NULL}},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        check(&cases[i], false);
        check(&cases[i], true);
    }
}

/* Taking any one candidate away leaves the others in their order. */
static void test_order_stable(void)
{
    static const char *const names[] = {"n1", "n2", "n3", "n4", "n5"};
    enum { COUNT = TEST_COUNT(names) };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (unsigned host = 0; host < 50; host++) {
        struct ip ip = ip_v4(198, 51, 100, (uint8_t)host);
        struct election_candidate all[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            all[i] = (struct election_candidate){.name = str_from(names[i])};
        const uint32_t *full = election_order(all, COUNT, &ip, arena);
        for (size_t gone = 0; gone < COUNT; gone++) {
            struct election_candidate rest[COUNT - 1];
            for (size_t i = 0, at = 0; i < COUNT; i++)
                if (i != gone)
                    rest[at++] = all[i];
            const uint32_t *order = election_order(rest, COUNT - 1, &ip, arena);
            for (size_t i = 0, at = 0; i < COUNT; i++)
                if (full[i] != gone)
                    TEST_ASSERT(str_eq(all[full[i]].name, rest[order[at++]].name));
        }
    }
}

TEST_MAIN("common/election", TEST(test_order), TEST(test_order_stable))
