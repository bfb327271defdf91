/* Files that cannot be written or that stay behind, and the end of the launcher. */
#include "bgp/test_engine_bench.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

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

static pid_t parent_of(pid_t pid)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    FILE *file = fopen(arena_printf(arena, "/proc/%d/status", (int)pid).ptr, "re");
    char line[256];
    uint64_t parent = 0;
    TEST_ASSERT(file != NULL);
    while (fgets(line, sizeof(line), file)) {
        struct str key, value;
        if (str_cut(str_from(line), ':', &key, &value) && str_eq(key, STR("PPid")))
            TEST_ASSERT(str_to_u64(str_trim(value), INT32_MAX, &parent) == 0);
    }
    TEST_ASSERT(fclose(file) == 0 && parent > 1);
    return (pid_t)parent;
}

/* BIRD takes commands without its launcher, and ends when it is asked to. */
static void test_launcher_is_killed(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    pid_t pid = engine_figures(b.engine).bird.pid;
    TEST_ASSERT(kill(parent_of(pid), SIGKILL) == 0);
    apply(&b, MAIN(SESSION("a", "2") SESSION("b", "3")), "");
    await(&b, shows_a_and_b);
    TEST_ASSERT(engine_figures(b.engine).bird.pid == pid);
    engine_end(b.engine, true);
    await(&b, ended);
    TEST_STR(files(&b, arena), "bird.conf extras.conf listen routes.conf");
    TEST_ASSERT(engine_figures(b.engine).bird.crashes == 0 && b.failed == 0);
    b.ended = 0;
    bench_done(&b);
}

static bool failed(struct bench *b)
{
    return b->failed > 0;
}

/* A BIRD that ends then can only be started by the next process. */
static void test_both_are_killed(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    pid_t pid = engine_figures(b.engine).bird.pid;
    TEST_ASSERT(kill(parent_of(pid), SIGKILL) == 0 && kill(pid, SIGKILL) == 0);
    await(&b, failed);
    struct engine_figures figures = engine_figures(b.engine);
    TEST_ASSERT(figures.bird.crashes == 1 && figures.bird.starts == 1 && b.failed == 1);
    engine_end(b.engine, true);
    await(&b, ended);
    b.ended = 0;
    b.engine = engine_close(b.engine);
    open_engine(&b);
    await(&b, started);
    bench_done(&b);
}

/* Nor can one that was to be started only after the launcher's end. */
static void test_launcher_is_missed_later(void)
{
    struct bench b;
    bench_init(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, shows_a);
    TEST_ASSERT(kill(parent_of(engine_figures(b.engine).bird.pid), SIGKILL) == 0);
    engine_apply(b.engine, NULL);
    await(&b, ended);
    b.ended = 0;
    TEST_ASSERT(b.failed == 0);
    apply(&b, MAIN(SESSION("a", "2")), "");
    await(&b, failed);
    bench_done(&b);
}

/* Whatever hangs at the control socket, its queue full, does not keep this program from starting.
 * BIRD itself waits until it is gone. */
static void test_hung_at_the_socket(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct bench b;
    bench_init(&b);
    b.engine = engine_close(b.engine);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct str path = arena_printf(arena, "%s/bird.ctl", b.directory);
    for (size_t i = 0; i < path.len; i++)
        address.sun_path[i] = path.ptr[i];
    const struct sockaddr *to = (const struct sockaddr *)&address;
    scoped_fd int hung = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    scoped_fd int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    scoped_fd int second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    TEST_ASSERT(bind(hung, to, sizeof(address)) == 0 && listen(hung, 0) == 0);
    TEST_ASSERT(connect(first, to, sizeof(address)) == 0);
    TEST_ASSERT(connect(second, to, sizeof(address)) < 0 && errno == EAGAIN);
    open_engine(&b);
    apply(&b, MAIN(SESSION("a", "2")), "");
    (void)close(take_fd(&hung));
    await(&b, shows_a);
    TEST_ASSERT(engine_figures(b.engine).bird.starts == 1);
    bench_done(&b);
}

TEST_MAIN_EACH("bgp/engine_failures", bench_sweep, TEST(test_removed),
               TEST(test_removed_and_wanted_again), TEST(test_written_later),
               TEST(test_removed_later), TEST(test_launcher_is_killed), TEST(test_both_are_killed),
               TEST(test_launcher_is_missed_later), TEST(test_hung_at_the_socket))
