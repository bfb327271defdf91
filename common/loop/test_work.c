#include "common/base/test.h"

#include "common/base/map.h"
#include "common/base/sbuf.h"
#include "common/loop/work.h"

static const struct work_limits limits = {
    .in_flight = 2, .backoff_min_ms = 10, .backoff_max_ms = 1000, .seed = 7};

/* The keys that can be taken at `now`, in order, joined. */
static struct str take_all(struct work *work, uint64_t now, struct sbuf *text)
{
    struct str key;
    sbuf_clear(text);
    while (work_take(work, now, &key))
        sbuf_put(text, key);
    return sbuf_str(text);
}

static void test_deduplicates_and_bounds(void)
{
    scoped_ptr(work) struct work *work = work_new(&limits);
    scoped_sbuf struct sbuf text = {0};
    work_add(work, STR("a"));
    work_add(work, STR("b"));
    work_add(work, STR("a"));
    work_add(work, STR("c"));
    TEST_STR(take_all(work, 0, &text), "ab");
    work_finish(work, STR("a"), WORK_DONE, 0, 0);
    TEST_STR(take_all(work, 0, &text), "c");
    work_finish(work, STR("b"), WORK_DONE, 0, 0);
    work_finish(work, STR("c"), WORK_DONE, 0, 0);
    TEST_STR(take_all(work, 1000000, &text), "");
    struct work_figures figures = work_figures(work);
    TEST_ASSERT(figures.ready == 0 && figures.waiting == 0 && figures.in_flight == 0);
    TEST_ASSERT(figures.added == 4 && figures.finished == 3 && figures.retried == 0);
}

static void test_serialised_by_key(void)
{
    scoped_ptr(work) struct work *work = work_new(&limits);
    scoped_sbuf struct sbuf text = {0};
    work_add(work, STR("a"));
    TEST_STR(take_all(work, 0, &text), "a");
    work_add(work, STR("a"));
    work_add(work, STR("a"));
    TEST_STR(take_all(work, 0, &text), "");
    work_finish(work, STR("a"), WORK_DONE, 0, 0);
    TEST_STR(take_all(work, 0, &text), "a");
    work_finish(work, STR("a"), WORK_DONE, 0, 0);
    TEST_STR(take_all(work, 0, &text), "");
}

static void test_backoff_doubles_with_jitter(void)
{
    scoped_ptr(work) struct work *work = work_new(&limits);
    scoped_sbuf struct sbuf text = {0};
    uint64_t now = 5000;
    work_add(work, STR("a"));
    for (unsigned failure = 1; failure <= 12; failure++) {
        TEST_STR(take_all(work, now, &text), "a");
        work_finish(work, STR("a"), WORK_ERROR, 0, now);
        uint64_t full = failure < 8 ? (uint64_t)10 << (failure - 1) : 1000;
        uint64_t due;
        TEST_ASSERT(work_next_due(work, &due));
        TEST_ASSERT(due - now >= full / 2 && due - now <= full);
        TEST_ASSERT(due - now == work_backoff(&limits, STR("a"), failure));
        TEST_STR(take_all(work, due - 1, &text), "");
        now = due;
    }
    TEST_STR(take_all(work, now, &text), "a");
    work_finish(work, STR("a"), WORK_LATER, 0, now); /* no error: the row of errors has ended */
    TEST_STR(take_all(work, now + 9, &text), "");
    TEST_STR(take_all(work, now + 10, &text), "a");
    work_finish(work, STR("a"), WORK_ERROR, 0, now);
    uint64_t due;
    TEST_ASSERT(work_next_due(work, &due) && due - now <= 10);
    TEST_ASSERT(work_figures(work).failed == 13 && work_figures(work).retried == 14);
}

static void test_jitter_differs_by_key_and_seed(void)
{
    struct work_limits other = limits;
    other.seed = 8;
    size_t by_key = 0, by_seed = 0;
    for (unsigned failure = 1; failure <= 12; failure++) {
        uint64_t delay = work_backoff(&limits, STR("a"), failure);
        by_key += delay != work_backoff(&limits, STR("b"), failure);
        by_seed += delay != work_backoff(&other, STR("a"), failure);
    }
    TEST_ASSERT(by_key >= 8 && by_seed >= 8);
}

static void test_retry_after(void)
{
    scoped_ptr(work) struct work *work = work_new(&limits);
    scoped_sbuf struct sbuf text = {0};
    work_add(work, STR("a"));
    TEST_STR(take_all(work, 0, &text), "a");
    work_add(work, STR("a")); /* a newer wish, but the server asked for patience */
    work_finish(work, STR("a"), WORK_ERROR, 3000, 0);
    TEST_STR(take_all(work, 2999, &text), "");
    TEST_STR(take_all(work, 3000, &text), "a");
    work_finish(work, STR("a"), WORK_LATER, 5, 3000);
    TEST_STR(take_all(work, 3005, &text), "a");
}

static void test_newer_wish_ends_backoff(void)
{
    scoped_ptr(work) struct work *work = work_new(&limits);
    scoped_sbuf struct sbuf text = {0};
    work_add(work, STR("a"));
    TEST_STR(take_all(work, 0, &text), "a");
    work_finish(work, STR("a"), WORK_ERROR, 0, 0);
    work_add(work, STR("a"));
    TEST_STR(take_all(work, 0, &text), "a");
    work_add(work, STR("a"));
    work_finish(work, STR("a"), WORK_ERROR, 0, 0);
    TEST_STR(take_all(work, 0, &text), "a");
}

static void test_add_at(void)
{
    scoped_ptr(work) struct work *work = work_new(&limits);
    scoped_sbuf struct sbuf text = {0};
    work_add_at(work, STR("a"), 50);
    work_add_at(work, STR("b"), 50);
    work_add_at(work, STR("b"), 40);
    work_add_at(work, STR("a"), 60);
    TEST_STR(take_all(work, 39, &text), "");
    TEST_STR(take_all(work, 100, &text), "ba");
    work_add_at(work, STR("a"), 500); /* under way: another turn follows */
    work_finish(work, STR("a"), WORK_DONE, 0, 100);
    TEST_STR(take_all(work, 100, &text), "a");
}

static void test_forget(void)
{
    scoped_ptr(work) struct work *work = work_new(&limits);
    scoped_sbuf struct sbuf text = {0};
    work_add(work, STR("a"));
    work_add_at(work, STR("b"), 10);
    work_forget(work, STR("a"));
    work_forget(work, STR("b"));
    work_forget(work, STR("never"));
    TEST_STR(take_all(work, 100, &text), "");
    work_add(work, STR("a"));
    TEST_STR(take_all(work, 100, &text), "a");
    work_add(work, STR("a"));
    work_forget(work, STR("a"));
    work_finish(work, STR("a"), WORK_ERROR, 0, 100);
    TEST_STR(take_all(work, 100000, &text), "");
    work_finish(work, STR("a"), WORK_DONE, 0, 100); /* not under way: ignored */
    TEST_ASSERT(work_figures(work).finished == 1);
    TEST_ASSERT(work_figures(work).in_flight == 0 && work_figures(work).waiting == 0);
}

/* Thousands of keys with scattered times come out by time; some are taken out of the middle. */
static void test_heap_order(void)
{
    enum { KEYS = 2000 };
    struct work_limits one = limits;
    one.in_flight = 1;
    scoped_ptr(work) struct work *work = work_new(&one);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (unsigned i = 0; i < KEYS; i++) {
        struct str key = arena_printf(arena, "%u", i);
        work_add_at(work, key, map_hash(1, key) % 500);
    }
    size_t expected = KEYS;
    for (unsigned i = 0; i < KEYS; i += 3, expected--)
        work_forget(work, arena_printf(arena, "%u", i));
    uint64_t last = 0;
    size_t taken = 0;
    uint64_t due;
    while (work_next_due(work, &due)) {
        struct str key;
        due = due ? due : last; /* 0: it came due together with the one before */
        TEST_ASSERT(due >= last);
        TEST_ASSERT(work_take(work, due, &key) && map_hash(1, key) % 500 == due);
        work_finish(work, key, WORK_DONE, 0, due);
        last = due;
        taken++;
    }
    TEST_ASSERT(taken == expected);
}

TEST_MAIN("common/loop work", TEST(test_deduplicates_and_bounds), TEST(test_serialised_by_key),
          TEST(test_backoff_doubles_with_jitter), TEST(test_jitter_differs_by_key_and_seed),
          TEST(test_retry_after), TEST(test_newer_wish_ends_backoff), TEST(test_add_at),
          TEST(test_forget), TEST(test_heap_order))
