#include "common/base/test.h"

#include "arp/announce.h"
#include "arp/chaos.h"
#include "arp/defend.h"
#include "arp/probe.h"
#include "common/base/arena.h"

/* What is done when every millisecond is looked at, as text: "0 send, 90 send, … free". */
static struct str run(struct probe probe, uint64_t from, struct arena *arena)
{
    struct str text = STR("");
    for (uint64_t now = from; now <= from + 10000; now++) {
        enum probe_step step = probe_take(&probe, now);
        if (step != PROBE_WAIT)
            text = arena_printf(arena, STR_FMT "%s%d %s", STR_ARG(text), text.len ? ", " : "",
                                (int)(now - from), step == PROBE_SEND ? "send" : "free");
    }
    return text;
}

/* The times of full mode are chosen by the seed: which ones is of no interest, but they must not
 * change by themselves. */
static void test_schedules(void)
{
    static const struct {
        enum ip_family family;
        enum probe_mode mode;
        uint64_t seed;
        const char *want;
    } cases[] = {
        {IP_V4, PROBE_FAST, 1, "0 send, 90 send, 180 send, 270 free"},
        {IP_V6, PROBE_FAST, 2, "0 send, 90 send, 180 send, 270 free"},
        {IP_V4, PROBE_FULL, 1, "567 send, 2313 send, 4284 send, 6284 free"},
        {IP_V4, PROBE_FULL, 2, "591 send, 2340 send, 3936 send, 5936 free"},
        {IP_V6, PROBE_FULL, 1, "567 send, 1567 free"},
        {IP_V6, PROBE_FULL, 2, "591 send, 1591 free"},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_STR(run(probe_start(cases[i].family, cases[i].mode, cases[i].seed, 5000), 5000, arena),
                 cases[i].want);
}

/* RFC 5227 section 2.1.1 and RFC 4862 section 5.4.2, for a thousand seeds. */
static void test_bounds(void)
{
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct probe v4 = probe_start(IP_V4, PROBE_FULL, seed, 100);
        TEST_ASSERT(v4.next >= 100 && v4.next <= 1100); /* PROBE_WAIT */
        for (int i = 0; i < 3; i++) {                   /* PROBE_NUM */
            uint64_t now = v4.next;
            TEST_ASSERT(probe_take(&v4, now - 1) == PROBE_WAIT);
            TEST_ASSERT(probe_take(&v4, now) == PROBE_SEND);
            uint64_t apart = v4.next - now; /* PROBE_MIN and PROBE_MAX, at last ANNOUNCE_WAIT */
            TEST_ASSERT(i < 2 ? apart >= 1000 && apart <= 2000 : apart == 2000);
        }
        TEST_ASSERT(probe_take(&v4, v4.next) == PROBE_FREE);
        struct probe v6 = probe_start(IP_V6, PROBE_FULL, seed, 100);
        uint64_t first = v6.next;
        TEST_ASSERT(first >= 100 && first <= 1100); /* MAX_RTR_SOLICITATION_DELAY */
        TEST_ASSERT(probe_take(&v6, first) == PROBE_SEND && v6.next == first + 1000);
        TEST_ASSERT(probe_take(&v6, v6.next) == PROBE_FREE);
    }
}

/* A step that comes late does not crowd the next. */
static void test_late(void)
{
    struct probe probe = probe_start(IP_V4, PROBE_FAST, 1, 0);
    TEST_ASSERT(probe_take(&probe, 500) == PROBE_SEND && probe.next == 590);
    TEST_ASSERT(probe_take(&probe, 589) == PROBE_WAIT);
    TEST_ASSERT(probe_take(&probe, 600) == PROBE_SEND && probe.next == 690);
    TEST_ASSERT(probe_take(&probe, 700) == PROBE_SEND && probe.next == 790);
    TEST_ASSERT(probe_take(&probe, 800) == PROBE_FREE);
    TEST_ASSERT(probe_take(&probe, 900) == PROBE_WAIT);
}

static void test_chaos(void)
{
    uint64_t a = 7, b = 7, other = 8;
    unsigned seen[3] = {0}, different = 0;
    for (int i = 0; i < 3000; i++) {
        uint64_t value = chaos_between(&a, 10, 12);
        TEST_ASSERT(value >= 10 && value <= 12 && value == chaos_between(&b, 10, 12));
        seen[value - 10]++;
        different += value != chaos_between(&other, 10, 12);
    }
    TEST_ASSERT(seen[0] > 900 && seen[1] > 900 && seen[2] > 900 && different > 1800);
    TEST_ASSERT(chaos_between(&a, 5, 5) == 5);
}

/* The rounds that are sent when every millisecond is looked at, as text. */
static struct str rounds(struct announce *announce, uint64_t from, uint64_t to, uint64_t refresh_ms,
                         uint64_t *chaos, struct arena *arena)
{
    struct str text = STR("");
    for (uint64_t now = from; now <= to; now++) {
        if (announce_take(announce, now, refresh_ms, chaos))
            text = arena_printf(arena, STR_FMT " %d", STR_ARG(text), (int)now);
    }
    return text;
}

static void test_announce(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct announce announce = {0};
    uint64_t next, chaos = 1;
    TEST_ASSERT(!announce_next(&announce, &next));
    announce_start(&announce, 1000);
    TEST_ASSERT(announce_next(&announce, &next) && next == 1000);
    TEST_STR(rounds(&announce, 0, 90000, 0, &chaos, arena), " 1000 2100 3200 4300 5400");
    TEST_ASSERT(!announce_next(&announce, &next));
    announce_start(&announce, 130000);
    TEST_STR(rounds(&announce, 130000, 131500, 0, &chaos, arena), " 130000 131100");
    announce_start(&announce, 131500); /* again while it runs: longer, not denser */
    TEST_STR(rounds(&announce, 131500, 190000, 0, &chaos, arena), " 132200 133300 134400 135500");
    announce_start(&announce, 260000);
    TEST_ASSERT(announce_take(&announce, 264000, 0, &chaos)); /* looked at late */
    TEST_ASSERT(!announce_next(&announce, &next));
    announce_start(&announce, 300000);
    announce_start(&announce, 390000); /* the first round was not taken; it still is one */
    TEST_STR(rounds(&announce, 390000, 490000, 0, &chaos, arena),
             " 390000 391100 392200 393300 394400");
    TEST_ASSERT(chaos == 1);
}

/* At whole seconds, 45 to 75 s apart, at other times on another node. */
static void test_refresh(void)
{
    static const struct {
        uint64_t seed, refresh_ms;
        const char *want;
    } cases[] = {
        {1, 60000, " 1234 2334 3434 4534 5634 67000 134000 208000"},
        {2, 60000, " 1234 2334 3434 4534 5634 68000 135000 197000"},
        {1, 1,
         " 1234 2334 3434 4534 5634 9000 13000 17000 20000 23000 27000"}, /* as often as can be */
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct announce announce = {0};
        uint64_t end = cases[i].refresh_ms == 1 ? 30000 : 250000, chaos = cases[i].seed;
        announce_start(&announce, 1234);
        TEST_STR(rounds(&announce, 1234, end, cases[i].refresh_ms, &chaos, arena), cases[i].want);
    }
}

/* The carrier comes back while a refresh is far away. */
static void test_announce_between_refreshes(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct announce announce = {0};
    uint64_t chaos = 1;
    announce_start(&announce, 0);
    TEST_STR(rounds(&announce, 0, 20000, 60000, &chaos, arena), " 0 1100 2200 3300 4400");
    announce_start(&announce, 20500);
    TEST_STR(rounds(&announce, 20500, 60000, 60000, &chaos, arena),
             " 20500 21600 22700 23800 24900");
}

static void test_refresh_bounds(void)
{
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct announce announce = {0};
        uint64_t next, chaos = seed;
        announce_start(&announce, 0);
        TEST_ASSERT(announce_take(&announce, 100000, 60000, &chaos)); /* late: the 5 s are over */
        TEST_ASSERT(announce_next(&announce, &next));
        TEST_ASSERT(next % 1000 == 0 && next >= 144000 && next <= 175000);
    }
}

static void test_defend(void)
{
    static const struct {
        uint64_t now;
        bool announces;
    } cases[] = {{0, true},      {1, false},     {9999, false}, {10000, true},
                 {10001, false}, {19999, false}, {50000, true}, {59999, false}};
    struct defend defend = {0};
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_ASSERT(defend_take(&defend, cases[i].now) == cases[i].announces);
}

static void test_names(void)
{
    TEST_STR(str_from(probe_mode_name(PROBE_FAST)), "fast");
    TEST_STR(str_from(probe_mode_name(PROBE_FULL)), "full");
}

TEST_MAIN("times", TEST(test_schedules), TEST(test_bounds), TEST(test_late), TEST(test_chaos),
          TEST(test_announce), TEST(test_refresh), TEST(test_refresh_bounds),
          TEST(test_announce_between_refreshes), TEST(test_defend), TEST(test_names))
