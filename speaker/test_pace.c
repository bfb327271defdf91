#include "common/base/test.h"
#include "speaker/pace.h"

static void test_delay(void)
{
    static const struct {
        uint64_t now, started, ended; /* microseconds */
        uint64_t delay_ms;
    } cases[] = {
        {5000, 0, 0, 0},                 /* the first */
        {1000100, 1000000, 1000100, 0},  /* 0.1 ms: nobody notices */
        {1010000, 1000000, 1010000, 90}, /* 10 ms: at most once in 100 ms */
        {1040000, 1000000, 1010000, 60},
        {1100000, 1000000, 1010000, 0},
        {9000000, 1000000, 1010000, 0},
        {3000000, 1000000, 3000000, PACE_LONGEST_MS}, /* a plan of 2 s is none to wait 18 s after */
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_ASSERT(pace_delay_ms(cases[i].now * 1000, cases[i].started * 1000,
                                  cases[i].ended * 1000) == cases[i].delay_ms);
}

TEST_MAIN("speaker/pace", TEST(test_delay))
