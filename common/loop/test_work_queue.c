#include "common/base/test.h"

#include "common/base/sbuf.h"
#include "common/loop/work_queue.h"

struct scene {
    struct loop *loop;
    struct work_queue *queue;
    struct sbuf trace;
    unsigned runs;
};

static const struct work_limits limits = {
    .in_flight = 2, .backoff_min_ms = 1, .backoff_max_ms = 4, .seed = 1};

static void scene_open(struct scene *s, enum work_result (*run)(void *, struct str))
{
    *s = (struct scene){.loop = loop_new()};
    s->queue = work_queue_new(s->loop, &limits, run, s);
}

static void scene_close(struct scene *s)
{
    s->queue = work_queue_free(s->queue);
    (void)loop_free(s->loop);
    sbuf_done(&s->trace);
}

static enum work_result fail_twice(void *ctx, struct str key)
{
    struct scene *s = ctx;
    sbuf_put(&s->trace, key);
    return ++s->runs <= 2 ? WORK_ERROR : WORK_DONE;
}

static void test_retries_until_done(void)
{
    struct scene s;
    scene_open(&s, fail_twice);
    work_queue_add(s.queue, STR("a"));
    TEST_ASSERT(s.trace.len == 0); /* never from inside the call */
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "aaa");
    TEST_ASSERT(work_queue_figures(s.queue).retried == 2);
    scene_close(&s);
}

static void finish_b(void *ctx)
{
    struct scene *s = ctx;
    work_queue_finish(s->queue, STR("b"), WORK_DONE, 0);
}

/* "b" ends by a later call, "a" by a call from inside, the others by what run returns. */
static enum work_result run_mixed(void *ctx, struct str key)
{
    struct scene *s = ctx;
    sbuf_put(&s->trace, key);
    if (str_eq(key, STR("b"))) {
        (void)loop_timer_start(s->loop, 2, 0, finish_b, s);
        return WORK_PENDING;
    }
    if (str_eq(key, STR("a"))) {
        work_queue_finish(s->queue, STR("a"), WORK_DONE, 0);
        return WORK_PENDING;
    }
    return WORK_DONE;
}

static void test_pending_and_delayed(void)
{
    struct scene s;
    scene_open(&s, run_mixed);
    work_queue_add_after(s.queue, STR("z"), 40);
    work_queue_add_after(s.queue, STR("y"), 20);
    work_queue_add(s.queue, STR("b"));
    work_queue_add(s.queue, STR("a"));
    work_queue_add(s.queue, STR("c"));
    work_queue_add(s.queue, STR("d"));
    work_queue_forget(s.queue, STR("d"));
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "bacyz");
    TEST_ASSERT(work_queue_figures(s.queue).in_flight == 0);
    scene_close(&s);
}

static enum work_result free_queue(void *ctx, struct str key)
{
    struct scene *s = ctx;
    sbuf_put(&s->trace, key);
    s->queue = work_queue_free(s->queue);
    return WORK_DONE;
}

static void test_freed_from_inside(void)
{
    struct scene s;
    scene_open(&s, free_queue);
    work_queue_add(s.queue, STR("a"));
    work_queue_add(s.queue, STR("b"));
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "a");
    scene_close(&s);
}

static void test_freed_before_run(void)
{
    struct scene s;
    scene_open(&s, fail_twice);
    work_queue_add(s.queue, STR("a"));
    work_queue_add_after(s.queue, STR("b"), 5);
    s.queue = work_queue_free(s.queue);
    loop_run(s.loop);
    TEST_ASSERT(s.trace.len == 0);
    scene_close(&s);
}

static enum work_result run_all(void *ctx, struct str key)
{
    struct scene *s = ctx;
    (void)key;
    s->runs++;
    return WORK_DONE;
}

static void test_many(void)
{
    struct scene s;
    scene_open(&s, run_all);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (unsigned i = 0; i < 1000; i++)
        work_queue_add(s.queue, arena_printf(arena, "%u", i));
    loop_run(s.loop);
    TEST_ASSERT(s.runs == 1000);
    scene_close(&s);
}

TEST_MAIN("common/loop work_queue", TEST(test_retries_until_done), TEST(test_pending_and_delayed),
          TEST(test_freed_from_inside), TEST(test_freed_before_run), TEST(test_many))
