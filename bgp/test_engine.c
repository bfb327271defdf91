/* The engine with a real BIRD, which speaks with nobody: its only neighbour is a closed port of
 * this host. */
#include "bgp/birdconf.h"
#include "bgp/engine.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/sbuf.h"
#include "common/base/test.h"

#ifndef BIRD
#error "BIRD is the path of the program"
#endif

#define SESSION(name, number)                                                                 \
    "protocol bgp p_" name " { local 127.0.0.1 port 17999 as 64512; neighbor 127.0.0." number \
    " port 1 as 64513; connect retry time 1; connect delay time 1; multihop; ipv4 { import "  \
    "none; export all; }; }\n"
#define MAIN(more)                                                         \
    "log stderr all;\ndebug protocols { states };\nrouter id 192.0.2.1;\n" \
    "timeformat protocol iso long;\nprotocol device { }\ninclude \"routes.conf\";\n" more
#define ROUTES "protocol static c_a_v4 { ipv4; route 192.0.2.1/32 blackhole; }\n"

struct bench {
    struct loop *loop;
    struct engine *engine;
    char directory[64];
    unsigned applied, ended;
    struct sbuf refused; /* what was, a line each */
    bool (*until)(struct bench *b);
    bool done;
};

static void look(void *ctx)
{
    struct bench *b = ctx;
    if (b->until && b->until(b)) {
        b->done = true;
        loop_stop(b->loop);
    }
}

static void was_refused(void *ctx, bool extras, struct str why)
{
    struct bench *b = ctx;
    struct str file, rest;
    (void)str_cut(why, ' ', &file, &rest); /* "/path/bird.conf:1:2 sentence" */
    sbuf_printf(&b->refused, "%s: " STR_FMT "\n", extras ? "extras" : "main", STR_ARG(rest));
    look(b);
}

static void was_applied(void *ctx, uint64_t duration_ns)
{
    struct bench *b = ctx;
    TEST_ASSERT(duration_ns > 0);
    b->applied++;
    look(b);
}

static void has_ended(void *ctx)
{
    struct bench *b = ctx;
    b->ended++;
    look(b);
}

static void too_late(void *ctx)
{
    loop_stop(((struct bench *)ctx)->loop);
}

/* Runs the loop until the condition holds; it is tried at each call of the engine's, and between.
 */
static void await(struct bench *b, bool (*until)(struct bench *b))
{
    b->until = until;
    b->done = until(b);
    struct loop_timer *limit = loop_timer_start(b->loop, 20000, 0, too_late, b);
    struct loop_timer *often = loop_timer_start(b->loop, 5, 5, look, b);
    if (!b->done)
        loop_run(b->loop);
    if (b->done)
        (void)loop_timer_cancel(limit);
    (void)loop_timer_cancel(often);
    b->until = NULL;
    TEST_ASSERT(b->done);
}

static void open_engine(struct bench *b)
{
    struct engine_options options = {.directory = str_from(b->directory), .program = STR(BIRD)};
    struct engine_calls calls = {.changed = look,
                                 .refused = was_refused,
                                 .applied = was_applied,
                                 .ended = has_ended,
                                 .ctx = b};
    int result = engine_open(b->loop, &options, &calls, &b->engine);
    TEST_ASSERT(result == 0);
}

static void bench_init(struct bench *b)
{
    *b = (struct bench){.loop = loop_new(), .directory = "/tmp/test_engine.XXXXXX"};
    TEST_ASSERT(mkdtemp(b->directory) != NULL);
    open_engine(b);
}

static bool ended(struct bench *b)
{
    return b->ended > 0;
}

static void bench_done(struct bench *b)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    engine_end(b->engine, false);
    await(b, ended);
    TEST_ASSERT(engine_figures(b->engine).bird.pid == 0);
    b->engine = engine_close(b->engine);
    struct str command = arena_printf(arena, "rm -r %s", b->directory);
    TEST_ASSERT(system(command.ptr) == 0);
    sbuf_done(&b->refused);
    (void)loop_free(b->loop);
}

static void apply(struct bench *b, const char *main, const char *extras)
{
    struct engine_texts texts = {
        .main = str_from(main), .routes = STR(ROUTES), .extras = str_from(extras)};
    engine_apply(b->engine, &texts);
}

static bool current(struct bench *b)
{
    return engine_figures(b->engine).is_current;
}

/* Names of the sessions as of the last poll. */
static bool shows(struct bench *b, const char *names)
{
    scoped_sbuf struct sbuf out = {0};
    const struct status *status = engine_status(b->engine);
    for (size_t i = 0; i < status->count; i++)
        sbuf_printf(&out, "%s" STR_FMT, i ? " " : "", STR_ARG(status->sessions[i].name));
    return str_eq(sbuf_str(&out), str_from(names));
}

static bool shows_a(struct bench *b)
{
    return current(b) && shows(b, "p_a");
}

static bool shows_a_and_b(struct bench *b)
{
    return current(b) && shows(b, "p_a p_b");
}

static bool shows_a_and_extra(struct bench *b)
{
    return shows(b, "p_a p_extra");
}

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

static bool started(struct bench *b)
{
    return engine_figures(b->engine).bird.starts == 1;
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

/* The names in the directory, sorted. */
static struct str files(const struct bench *b, struct arena *arena)
{
    struct str names[16];
    size_t count = 0;
    struct sbuf out = {0};
    DIR *directory = opendir(b->directory);
    TEST_ASSERT(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) && count < TEST_COUNT(names);) {
        if (entry->d_name[0] != '.')
            names[count++] = arena_str(arena, str_from(entry->d_name));
    }
    (void)closedir(directory);
    qsort(names, count, sizeof(names[0]), str_cmp_ptr);
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&out, "%s" STR_FMT, i ? " " : "", STR_ARG(names[i]));
    return sbuf_move(&out, arena);
}

/* What is not wanted any more leaves nothing behind that the next process would start with. */
static void test_removed(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), SESSION("extra", "4"));
    await(&b, shows_a_and_extra);
    TEST_STR(files(&b, arena),
             "bird.conf bird.ctl extras.conf listen routes.conf trial.conf tried.conf");
    engine_apply(b.engine, NULL);
    await(&b, ended);
    TEST_STR(files(&b, arena), "listen");
    b.ended = 0;
    b.engine = engine_close(b.engine);
    open_engine(&b);
    TEST_ASSERT(engine_figures(b.engine).bird.state == LIFE_OFF);
    bench_done(&b);
}

/* A BIRD that is wanted again while it ends starts with all that it needs. */
static void test_removed_and_wanted_again(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    engine_apply(b.engine, NULL);
    apply(&b, MAIN(SESSION("a", "2")), SESSION("extra", "4"));
    await(&b, shows_a_and_extra);
    struct engine_figures figures = engine_figures(b.engine);
    TEST_ASSERT(figures.bird.starts == 2 && figures.bird.crashes == 0);
    bench_done(&b);
}

static void block(const struct bench *b, const char *name, bool blocked)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str path = arena_printf(arena, "%s/%s", b->directory, name);
    int result = blocked ? mkdir(path.ptr, 0700) : rmdir(path.ptr);
    TEST_ASSERT(result == 0);
}

/* A directory lies where a file is to be written, and goes away: nothing else needs to change for
 * the newest texts to come into force. */
static void test_written_later(void)
{
    struct bench b;
    bench_init(&b);
    block(&b, BIRDCONF_MAIN ".new", true);
    apply(&b, MAIN(SESSION("a", "2")), "");
    block(&b, BIRDCONF_MAIN ".new", false);
    await(&b, shows_a);
    block(&b, BIRDCONF_MAIN ".new", true);
    apply(&b, MAIN(SESSION("a", "2") SESSION("b", "3")), "");
    TEST_ASSERT(!current(&b));
    block(&b, BIRDCONF_MAIN ".new", false);
    await(&b, shows_a_and_b);
    block(&b, BIRDCONF_TRIAL ".new", true);
    apply(&b, MAIN(SESSION("a", "2")), SESSION("extra", "4"));
    await(&b, shows_a);
    block(&b, BIRDCONF_TRIAL ".new", false);
    await(&b, shows_a_and_extra);
    bench_done(&b);
}

static bool nothing_is_saved(struct bench *b)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    return str_eq(files(b, arena), STR("listen"));
}

/* What could not be taken away at once is taken away later, with what has come meanwhile. */
static void test_removed_later(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    block(&b, BIRDCONF_TRIAL, true);
    engine_apply(b.engine, NULL);
    await(&b, ended);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str path = arena_printf(arena, "%s/%s", b.directory, BIRDCONF_MAIN);
    FILE *file = fopen(path.ptr, "we");
    TEST_ASSERT(file != NULL && fclose(file) == 0);
    block(&b, BIRDCONF_TRIAL, false);
    await(&b, nothing_is_saved);
    bench_done(&b);
}

TEST_MAIN("bgp/engine", TEST(test_start_and_change), TEST(test_refused),
          TEST(test_bad_from_the_start), TEST(test_crash), TEST(test_extras), TEST(test_adoption),
          TEST(test_saved), TEST(test_removed), TEST(test_removed_and_wanted_again),
          TEST(test_written_later), TEST(test_removed_later))
