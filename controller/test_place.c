#include "common/base/test.h"

#include "controller/place.h"

static void test_units(void)
{
    static const struct str nodes[] = {STR_INIT("node-a"), STR_INIT("node-b"), STR_INIT("node-c")};
    static const struct place_candidate all[] = {{0, 0}, {1, 0}, {2, 0}};
    static const struct place_candidate some[] = {{2, 0}, {0, 0}};
    static const struct place_candidate preferred[] = {{0, 1}, {1, 0}, {2, 7}};
    const struct place_unit units[] = {
        {.ip = ip_v4(10, 0, 0, 1), .candidates = all, .candidate_count = 3},
        {.ip = ip_v4(10, 0, 0, 2), .candidates = all, .candidate_count = 3},
        {.ip = ip_v4(10, 0, 0, 1), .candidates = some, .candidate_count = 2},
        {.ip = ip_v4(10, 0, 0, 1), .candidates = preferred, .candidate_count = 3},
        {.ip = ip_v4(10, 0, 0, 1)},
    };
    static const struct {
        size_t count;
        uint32_t nodes[3];
    } want[] = {{3, {1, 0, 2}}, {3, {1, 2, 0}}, {2, {0, 2}}, {3, {2, 0, 1}}, {0, {0}}};

    scoped_ptr(arena) struct arena *arena = arena_new(0);
    const struct place_order *orders = place_units(
        &(struct place_input){
            .nodes = nodes,
            .node_count = TEST_COUNT(nodes),
            .units = units,
            .unit_count = TEST_COUNT(units),
        },
        arena);
    for (size_t i = 0; i < TEST_COUNT(units); i++) {
        TEST_ASSERT(orders[i].count == want[i].count);
        for (size_t n = 0; n < want[i].count; n++)
            TEST_ASSERT(orders[i].nodes[n] == want[i].nodes[n]);
    }
}

TEST_MAIN("controller/place", TEST(test_units))
