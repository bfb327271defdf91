#include "common/base/test.h"
#include "controller/rebalance.h"

/* Moves whenever it may, asked each `step` microseconds for `span`; never more than the rate in any
 * second. */
static size_t count_moves(uint64_t rate, uint64_t step, uint64_t span)
{
    struct rebalance r = {.rate = rate};
    size_t total = 0;
    enum { KEPT = 4096 };
    static uint64_t times[KEPT];
    for (uint64_t now = 5; now < 5 + span; now += step) {
        size_t moves = rebalance_allowed(&r, now);
        TEST_ASSERT((moves > 0) == (rebalance_wait(&r, now) == 0));
        for (size_t i = 0; i < moves; i++) {
            if (total >= rate)
                TEST_ASSERT(now - times[(total - rate) % KEPT] >= 1000000);
            times[total++ % KEPT] = now;
        }
        if (moves)
            rebalance_spend(&r, now, moves);
    }
    return total;
}

static void test_rate(void)
{
    TEST_ASSERT(count_moves(10, 1000, 10000000) == 100);
    TEST_ASSERT(count_moves(1, 100000, 10000000) == 10);
    TEST_ASSERT(count_moves(1000, 100, 2000000) == 2000);
    TEST_ASSERT(count_moves(3, 1, 1000000) == 3);
    TEST_ASSERT(count_moves(10, 5000000, 50000000) == 10); /* one each time it looks */
}

/* A long rest does not allow a burst. */
static void test_nothing_is_saved_up(void)
{
    struct rebalance r = {.rate = 10};
    TEST_ASSERT(rebalance_allowed(&r, 60000000) == 1);
    rebalance_spend(&r, 60000000, 1);
    TEST_ASSERT(rebalance_allowed(&r, 60099999) == 0 && rebalance_wait(&r, 60099999) == 1);
    TEST_ASSERT(rebalance_allowed(&r, 60100000) == 1);
    rebalance_spend(&r, 60100000, 3); /* three at once are waited for */
    TEST_ASSERT(rebalance_wait(&r, 60100000) == 300000);
}

static void test_frozen(void)
{
    struct rebalance r = {.rate = 10, .frozen = true};
    TEST_ASSERT(rebalance_allowed(&r, 1000000) == 0 && rebalance_wait(&r, 1000000) == UINT64_MAX);
    r.frozen = false;
    TEST_ASSERT(rebalance_allowed(&r, 1000000) == 1);
}

TEST_MAIN("controller/rebalance", TEST(test_rate), TEST(test_nothing_is_saved_up),
          TEST(test_frozen))
