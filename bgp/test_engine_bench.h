/* What the tests of the engine share: one with a real BIRD, which speaks with nobody: its only
 * neighbour is a closed port of this host. */
#ifndef BGP_TEST_ENGINE_BENCH_H
#define BGP_TEST_ENGINE_BENCH_H

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
#define BIRD "/usr/sbin/bird" /* the build says where it is */
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
    unsigned applied, ended, failed;
    struct sbuf refused; /* what was, a line each */
    bool (*until)(struct bench *b);
    bool done;
};

/* What a test that fails leaves behind: it does not come to its bench_done(). */
static struct {
    char directory[64]; /* empty: nothing is left */
    pid_t bird;         /* 0: none */
} left;

static inline void look(void *ctx)
{
    struct bench *b = ctx;
    left.bird = engine_figures(b->engine).bird.pid;
    if (b->until && b->until(b)) {
        b->done = true;
        loop_stop(b->loop);
    }
}

static inline void was_refused(void *ctx, bool extras, struct str why)
{
    struct bench *b = ctx;
    struct str file, rest;
    (void)str_cut(why, ' ', &file, &rest); /* "/path/bird.conf:1:2 sentence" */
    sbuf_printf(&b->refused, "%s: " STR_FMT "\n", extras ? "extras" : "main", STR_ARG(rest));
    look(b);
}

static inline void was_applied(void *ctx, uint64_t duration_ns)
{
    struct bench *b = ctx;
    TEST_ASSERT(duration_ns > 0);
    b->applied++;
    look(b);
}

static inline void has_ended(void *ctx)
{
    struct bench *b = ctx;
    b->ended++;
    look(b);
}

static inline void has_failed(void *ctx)
{
    struct bench *b = ctx;
    b->failed++;
    look(b);
}

static inline void too_late(void *ctx)
{
    loop_stop(((struct bench *)ctx)->loop);
}

/* Runs the loop until the condition holds; it is tried at each call of the engine's, and between.
 */
static inline void await(struct bench *b, bool (*until)(struct bench *b))
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

static inline void open_engine(struct bench *b)
{
    struct engine_options options = {.directory = str_from(b->directory), .program = STR(BIRD)};
    struct engine_calls calls = {.changed = look,
                                 .refused = was_refused,
                                 .applied = was_applied,
                                 .ended = has_ended,
                                 .failed = has_failed,
                                 .ctx = b};
    int result = engine_open(b->loop, &options, &calls, &b->engine);
    TEST_ASSERT(result == 0);
}

static inline void bench_init(struct bench *b)
{
    *b = (struct bench){.loop = loop_new(), .directory = "/tmp/test_engine.XXXXXX"};
    TEST_ASSERT(mkdtemp(b->directory) != NULL);
    left.bird = 0;
    memcpy(left.directory, b->directory, sizeof(left.directory));
    open_engine(b);
}

static inline bool remove_left(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str command = arena_printf(arena, "rm -r %s", left.directory);
    left.directory[0] = 0;
    return system(command.ptr) == 0;
}

/* After each test: ends a BIRD that outlived it, and removes its directory. */
static inline void bench_sweep(void)
{
    if (!left.directory[0])
        return;
    if (left.bird > 0)
        (void)kill(left.bird, SIGKILL); /* its launcher ends with it */
    (void)remove_left();                /* the test has failed already */
}

static inline bool ended(struct bench *b)
{
    return b->ended > 0;
}

static inline void bench_done(struct bench *b)
{
    engine_end(b->engine, false);
    await(b, ended);
    TEST_ASSERT(engine_figures(b->engine).bird.pid == 0);
    b->engine = engine_close(b->engine);
    TEST_ASSERT(remove_left());
    sbuf_done(&b->refused);
    (void)loop_free(b->loop);
}

static inline void apply(struct bench *b, const char *main, const char *extras)
{
    struct engine_texts texts = {
        .main = str_from(main), .routes = STR(ROUTES), .extras = str_from(extras)};
    engine_apply(b->engine, &texts);
}

static inline bool current(struct bench *b)
{
    return engine_figures(b->engine).is_current;
}

/* Names of the sessions as of the last poll. */
static inline bool shows(struct bench *b, const char *names)
{
    scoped_sbuf struct sbuf out = {0};
    const struct status *status = engine_status(b->engine);
    for (size_t i = 0; i < status->count; i++)
        sbuf_printf(&out, "%s" STR_FMT, i ? " " : "", STR_ARG(status->sessions[i].name));
    return str_eq(sbuf_str(&out), str_from(names));
}

static inline bool shows_a(struct bench *b)
{
    return current(b) && shows(b, "p_a");
}

static inline bool shows_a_and_b(struct bench *b)
{
    return current(b) && shows(b, "p_a p_b");
}

static inline bool shows_a_and_extra(struct bench *b)
{
    return shows(b, "p_a p_extra");
}

static inline bool started(struct bench *b)
{
    return engine_figures(b->engine).bird.starts == 1;
}

/* The names in the directory, sorted. */
static inline struct str files(const struct bench *b, struct arena *arena)
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

#endif
