/* What the engine does with texts, and with a BIRD that crashes or is found. */
#include "bgp/test_engine_bench.h"

static void test_start_and_change(void)
{
    struct bench b;
    bench_init(&b);
    TEST_ASSERT(engine_figures(b.engine).bird.state == LIFE_OFF);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    struct engine_figures figures = engine_figures(b.engine);
    TEST_ASSERT(figures.bird.state == LIFE_READY && figures.bird.starts == 1);
    TEST_ASSERT(figures.version[0] >= 2 && figures.refused == 0);
    apply(&b, MAIN(SESSION("a", "2") SESSION("b", "3")), "");
    await(&b, shows_a_and_b);
    TEST_ASSERT(engine_figures(b.engine).bird.pid == figures.bird.pid);
    /* no session is wanted: BIRD ends; and comes back */
    engine_apply(b.engine, NULL);
    await(&b, ended);
    b.ended = 0;
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    TEST_ASSERT(engine_figures(b.engine).bird.starts == 2);
    bench_done(&b);
}

static bool was_refused_once(struct bench *b)
{
    return b->refused.len > 0;
}

static void test_refused(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    apply(&b, MAIN("protocol static { ipv4; route 192.0.2.0/33 blackhole; }\n"), "");
    await(&b, was_refused_once);
    TEST_STR(sbuf_str(&b.refused), "main: Invalid prefix length 33\n");
    TEST_ASSERT(!current(&b) && engine_figures(b.engine).refused == 1);
    /* a crash now starts the last good one, and tries the newest again */
    sbuf_clear(&b.refused);
    TEST_ASSERT(kill(engine_figures(b.engine).bird.pid, SIGKILL) == 0);
    await(&b, was_refused_once);
    TEST_ASSERT(engine_figures(b.engine).bird.starts == 2);
    apply(&b, MAIN(SESSION("a", "2") SESSION("b", "3")), "");
    await(&b, shows_a_and_b);
    bench_done(&b);
}

static void test_bad_from_the_start(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, "nonsense;\n", "");
    apply(&b, MAIN(SESSION("a", "2")),
          ""); /* read by BIRD when it is started again, if not at once */
    await(&b, shows_a);
    bench_done(&b);
}

static bool restarted(struct bench *b)
{
    return engine_figures(b->engine).bird.starts == 2 && shows_a(b);
}

static void test_crash(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    TEST_ASSERT(kill(engine_figures(b.engine).bird.pid, SIGKILL) == 0);
    await(&b, restarted);
    TEST_ASSERT(engine_figures(b.engine).bird.crashes == 1);
    TEST_ASSERT(engine_figures(b.engine).bird.last_status == 128 + SIGKILL);
    bench_done(&b);
}

static void test_extras(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), SESSION("extra", "4"));
    await(&b, shows_a_and_extra);
    TEST_ASSERT(b.refused.len == 0);
    /* bad ones leave the good ones in force, and the rest goes on */
    apply(&b, MAIN(SESSION("a", "2")), "nonsense;\n");
    await(&b, was_refused_once);
    TEST_ASSERT(str_starts_with(sbuf_str(&b.refused), STR("extras: syntax error")));
    await(&b, shows_a_and_extra);
    TEST_ASSERT(engine_figures(b.engine).extras_are_refused);
    apply(&b, MAIN(SESSION("a", "2")), SESSION("extra", "4"));
    await(&b, current);
    TEST_ASSERT(!engine_figures(b.engine).extras_are_refused);
    /* good ones that a new main file makes bad are dropped */
    sbuf_clear(&b.refused);
    apply(&b, MAIN(SESSION("a", "2") SESSION("extra", "5")), SESSION("extra", "4"));
    await(&b, was_refused_once);
    await(&b, shows_a_and_extra);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    bench_done(&b);
}

/* What a killed speaker leaves behind goes on, under the next one. */
static void test_adoption(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    pid_t pid = engine_figures(b.engine).bird.pid;
    b.engine = engine_close(b.engine);
    open_engine(&b);
    TEST_ASSERT(engine_figures(b.engine).bird.pid == pid);
    apply(&b, MAIN(SESSION("a", "2") SESSION("b", "3")), "");
    await(&b, shows_a_and_b);
    TEST_ASSERT(engine_figures(b.engine).bird.starts == 0);
    TEST_ASSERT(engine_figures(b.engine).bird.pid == pid);
    /* its death is noticed as well */
    TEST_ASSERT(kill(pid, SIGKILL) == 0);
    b.engine = engine_close(b.engine);
    open_engine(&b); /* whether it is dead by now or not */
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    TEST_ASSERT(engine_figures(b.engine).bird.pid != pid);
    bench_done(&b);
}

/* A configuration of the process before is in force before anything else is known. */
static void test_saved(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    engine_end(b.engine, true);
    await(&b, ended);
    b.ended = 0;
    b.engine = engine_close(b.engine);
    open_engine(&b);
    await(&b, started);
    bench_done(&b);
}

TEST_MAIN_EACH("bgp/engine", bench_sweep, TEST(test_start_and_change), TEST(test_refused),
               TEST(test_bad_from_the_start), TEST(test_crash), TEST(test_extras),
               TEST(test_adoption), TEST(test_saved))
