#include "common/base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/loop/loop.h"

/* What the callbacks of one test share: a trace of what ran, in order. */
struct scene {
    struct loop *loop;
    struct sbuf trace;
    struct loop_timer *a, *b;
    struct loop_fd *fd_a, *fd_b;
    struct loop_signal *signal;
    struct loop_child *child;
    int pipe[2];
    int other[2];
    unsigned count;
    int result;
};

static void scene_open(struct scene *s)
{
    *s = (struct scene){.loop = loop_new(), .pipe = {-1, -1}, .other = {-1, -1}};
}

static void scene_close(struct scene *s)
{
    (void)loop_free(s->loop);
    sbuf_done(&s->trace);
    for (int i = 0; i < 2; i++) {
        if (s->pipe[i] >= 0)
            (void)close(s->pipe[i]);
        if (s->other[i] >= 0)
            (void)close(s->other[i]);
    }
}

static void trace_a(void *ctx)
{
    struct scene *s = ctx;
    s->a = NULL;
    sbuf_putc(&s->trace, 'a');
}

static void trace_b(void *ctx)
{
    struct scene *s = ctx;
    s->b = NULL;
    sbuf_putc(&s->trace, 'b');
}

static void test_timers_run_in_order(void)
{
    struct scene s;
    scene_open(&s);
    uint64_t before = loop_clock_ns();
    s.b = loop_timer_start(s.loop, 20, 0, trace_b, &s);
    s.a = loop_timer_start(s.loop, 5, 0, trace_a, &s);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "ab");
    TEST_ASSERT(loop_clock_ns() - before >= 20 * 1000 * 1000);
    scene_close(&s);
}

static void trace_a_cancel_b(void *ctx)
{
    struct scene *s = ctx;
    trace_a(s);
    s->b = loop_timer_cancel(s->b);
}

static void trace_b_cancel_a(void *ctx)
{
    struct scene *s = ctx;
    trace_b(s);
    s->a = loop_timer_cancel(s->a);
}

/* Two timers due in the same turn, each cancelling the other: exactly one may run. */
static void test_timer_cancelled_while_due(void)
{
    struct scene s;
    scene_open(&s);
    s.a = loop_timer_start(s.loop, 0, 0, trace_a_cancel_b, &s);
    s.b = loop_timer_start(s.loop, 0, 0, trace_b_cancel_a, &s);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "a");
    TEST_ASSERT(s.a == NULL && s.b == NULL);
    scene_close(&s);
}

static void count_to_three(void *ctx)
{
    struct scene *s = ctx;
    if (++s->count == 3)
        s->a = loop_timer_cancel(s->a);
}

static void test_repeating_timer_cancels_itself(void)
{
    struct scene s;
    scene_open(&s);
    s.a = loop_timer_start(s.loop, 0, 1, count_to_three, &s);
    loop_run(s.loop);
    TEST_ASSERT(s.count == 3 && s.a == NULL);
    scene_close(&s);
}

static void test_cancel_before_run(void)
{
    struct scene s;
    scene_open(&s);
    s.a = loop_timer_start(s.loop, 0, 0, trace_a, &s);
    s.b = loop_defer(s.loop, trace_b, &s);
    TEST_ASSERT(loop_timer_cancel(s.a) == NULL);
    TEST_ASSERT(loop_timer_cancel(s.b) == NULL);
    TEST_ASSERT(loop_timer_cancel(NULL) == NULL);
    loop_run(s.loop);
    TEST_ASSERT(s.trace.len == 0);
    scene_close(&s);
}

static void defer_b(void *ctx)
{
    struct scene *s = ctx;
    trace_a(s);
    s->b = loop_defer(s->loop, trace_b, s);
}

static void trace_c(void *ctx)
{
    struct scene *s = ctx;
    sbuf_putc(&s->trace, 'c');
}

/* A deferred call runs after everything that is due in its turn. */
static void test_defer_runs_last(void)
{
    struct scene s;
    scene_open(&s);
    s.a = loop_timer_start(s.loop, 0, 0, defer_b, &s);
    (void)loop_timer_start(s.loop, 0, 0, trace_c, &s);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "acb");
    scene_close(&s);
}

static void defer_again(void *ctx)
{
    struct scene *s = ctx;
    sbuf_putc(&s->trace, 'd');
    s->a = ++s->count < 3 ? loop_defer(s->loop, defer_again, s) : NULL;
    s->b = loop_timer_cancel(s->b);
}

/* Deferring from a deferred call is for the next turn; a deferred call can cancel another. */
static void test_defer_from_defer(void)
{
    struct scene s;
    scene_open(&s);
    s.a = loop_defer(s.loop, defer_again, &s);
    s.b = loop_defer(s.loop, trace_b, &s);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "ddd");
    scene_close(&s);
}

static void stop_loop(void *ctx)
{
    struct scene *s = ctx;
    loop_stop(s->loop);
}

static void test_stop(void)
{
    struct scene s;
    scene_open(&s);
    s.a = loop_timer_start(s.loop, 3600 * 1000, 0, trace_a, &s);
    (void)loop_defer(s.loop, stop_loop, &s);
    loop_run(s.loop);
    TEST_ASSERT(s.a != NULL);
    s.a = loop_timer_cancel(s.a);
    loop_stop(s.loop); /* also a stop that nothing is there to obey does not disturb loop_free */
    scene_close(&s);
}

/* A timer is not early although the turn was long when it was started. */
static void start_late(void *ctx)
{
    struct scene *s = ctx;
    uint64_t start = loop_clock_ns();
    while (loop_clock_ns() - start < 30 * 1000 * 1000)
        continue;
    s->a = loop_timer_start(s->loop, 20, 0, trace_a, s);
}

static void test_timer_is_not_early(void)
{
    struct scene s;
    scene_open(&s);
    uint64_t start = loop_clock_ns();
    s.b = loop_timer_start(s.loop, 0, 0, start_late, &s);
    loop_run(s.loop);
    TEST_ASSERT(loop_clock_ns() - start >= 50 * 1000 * 1000);
    scene_close(&s);
}

static void open_pipes(struct scene *s)
{
    TEST_ASSERT(pipe2(s->pipe, O_NONBLOCK | O_CLOEXEC) == 0);
    TEST_ASSERT(pipe2(s->other, O_NONBLOCK | O_CLOEXEC) == 0);
}

static void read_and_trace(void *ctx, unsigned events)
{
    struct scene *s = ctx;
    char byte;
    ssize_t len = read(s->pipe[0], &byte, 1);
    TEST_ASSERT(events & LOOP_READ);
    if (len == 1) {
        sbuf_putc(&s->trace, byte);
    } else {
        TEST_ASSERT(len == 0);
        sbuf_putc(&s->trace, '.');
        s->fd_a = loop_fd_cancel(s->fd_a);
    }
}

static void write_and_close(void *ctx, unsigned events)
{
    struct scene *s = ctx;
    TEST_ASSERT(events == LOOP_WRITE);
    TEST_ASSERT(write(s->pipe[1], "xy", 2) == 2);
    s->fd_b = loop_fd_cancel(s->fd_b);
    (void)close(take_fd(&s->pipe[1]));
}

static void test_fd_read_write(void)
{
    struct scene s;
    scene_open(&s);
    open_pipes(&s);
    s.fd_a = loop_fd_watch(s.loop, s.pipe[0], LOOP_READ, read_and_trace, &s);
    s.fd_b = loop_fd_watch(s.loop, s.pipe[1], 0, write_and_close, &s);
    loop_fd_change(s.fd_b, LOOP_WRITE);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "xy.");
    scene_close(&s);
}

static void ready_a(void *ctx, unsigned events)
{
    struct scene *s = ctx;
    (void)events;
    sbuf_putc(&s->trace, 'r');
    s->fd_a = loop_fd_cancel(s->fd_a);
    s->fd_b = loop_fd_cancel(s->fd_b);
}

/* Both descriptors are ready in one turn; whichever is called first cancels both. */
static void test_fd_cancelled_while_ready(void)
{
    struct scene s;
    scene_open(&s);
    open_pipes(&s);
    TEST_ASSERT(write(s.pipe[1], "x", 1) == 1 && write(s.other[1], "x", 1) == 1);
    s.fd_a = loop_fd_watch(s.loop, s.pipe[0], LOOP_READ, ready_a, &s);
    s.fd_b = loop_fd_watch(s.loop, s.other[0], LOOP_READ, ready_a, &s);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "r");
    scene_close(&s);
}

/* The same number may be watched again at once, for another file. */
static void test_fd_number_reused(void)
{
    struct scene s;
    scene_open(&s);
    open_pipes(&s);
    int number = s.other[0];
    s.fd_a = loop_fd_watch(s.loop, number, LOOP_READ, ready_a, &s);
    s.fd_a = loop_fd_cancel(s.fd_a);
    TEST_ASSERT(dup3(s.pipe[0], number, O_CLOEXEC) == number);
    s.fd_a = loop_fd_watch(s.loop, number, LOOP_READ, ready_a, &s);
    TEST_ASSERT(write(s.pipe[1], "x", 1) == 1);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "r");
    scene_close(&s);
}

static void see_broken_pipe(void *ctx, unsigned events)
{
    struct scene *s = ctx;
    TEST_ASSERT(events == (LOOP_READ | LOOP_WRITE));
    TEST_ASSERT(write(s->pipe[1], "x", 1) < 0 && errno == EPIPE);
    if (++s->count == 2) /* it is reported again as long as it lasts */
        s->fd_a = loop_fd_cancel(s->fd_a);
}

/* An error on the descriptor is reported as both events, and a broken pipe is no signal. */
static void test_fd_error(void)
{
    struct scene s;
    scene_open(&s);
    open_pipes(&s);
    (void)close(take_fd(&s.pipe[0]));
    s.fd_a = loop_fd_watch(s.loop, s.pipe[1], LOOP_READ, see_broken_pipe, &s);
    loop_run(s.loop);
    TEST_ASSERT(s.count == 2);
    scene_close(&s);
}

static void signal_seen(void *ctx, int number)
{
    struct scene *s = ctx;
    TEST_ASSERT(number == SIGUSR1);
    sbuf_putc(&s->trace, 's');
    s->signal = loop_signal_cancel(s->signal);
}

static void test_signal(void)
{
    struct scene s;
    scene_open(&s);
    s.signal = loop_signal_watch(s.loop, SIGUSR1, signal_seen, &s);
    TEST_ASSERT(raise(SIGUSR1) == 0);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "s");
    scene_close(&s);
}

static void child_ended(void *ctx, int result, struct str output)
{
    struct scene *s = ctx;
    s->child = NULL;
    s->result = result;
    s->count++;
    sbuf_put(&s->trace, output);
}

struct child_case {
    const char *script;
    size_t output_max;
    uint64_t timeout_ms;
    int result;
    const char *output;
};

static void test_child_results(void)
{
    static const struct child_case cases[] = {
        {"printf hello", 100, 60000, 0, "hello"},
        {"printf hello", 5, 0, 0, "hello"},
        {"printf hello", 4, 60000, ERR_TOO_LARGE, ""},
        {"while :; do printf hello; done", 1000, 60000, ERR_TOO_LARGE, ""},
        {"printf out; exit 7", 100, 60000, 7, "out"},
        {"kill -TERM $$", 100, 60000, 128 + SIGTERM, ""},
        {"printf part; exec sleep 3600", 100, 20, -ETIMEDOUT, ""},
        {"sleep 3600 & printf part; wait", 100, 20, -ETIMEDOUT, ""},
        {"(printf late) & exit 3", 100, 60000, 3, "late"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct scene s;
        scene_open(&s);
        char *arguments[] = {"sh", "-c", (char *)cases[i].script, NULL};
        s.child = loop_child_start(s.loop, arguments, NULL, cases[i].output_max,
                                   cases[i].timeout_ms, child_ended, &s, &s.result);
        TEST_ASSERT(s.child != NULL);
        loop_run(s.loop);
        TEST_ASSERT(s.count == 1 && s.child == NULL);
        TEST_ASSERT(s.result == cases[i].result);
        TEST_STR(sbuf_str(&s.trace), cases[i].output);
        scene_close(&s);
    }
}

static void test_child_environment(void)
{
    struct scene s;
    scene_open(&s);
    char *arguments[] = {"/bin/sh", "-c", "printf \"$COLOUR\"", NULL};
    char *environment[] = {"COLOUR=green", NULL};
    s.child =
        loop_child_start(s.loop, arguments, environment, 100, 60000, child_ended, &s, &s.result);
    loop_run(s.loop);
    TEST_STR(sbuf_str(&s.trace), "green");
    scene_close(&s);
}

static void test_child_cannot_start(void)
{
    struct scene s;
    scene_open(&s);
    char *arguments[] = {"/nonexistent/program", NULL};
    s.child = loop_child_start(s.loop, arguments, NULL, 100, 0, child_ended, &s, &s.result);
    TEST_ASSERT(s.child == NULL && s.result == -ENOENT);
    loop_run(s.loop);
    TEST_ASSERT(s.count == 0);
    scene_close(&s);
}

static void child_ready(void *ctx, unsigned events)
{
    struct scene *s = ctx;
    (void)events;
    s->fd_a = loop_fd_cancel(s->fd_a);
    s->child = loop_child_cancel(s->child);
}

/* A cancelled child is dead and reaped when the loop is freed, and what it started dies with it:
 * the write end of the pipe, which both inherited, is closed in the end. */
static void test_child_cancelled(void)
{
    struct scene s;
    scene_open(&s);
    TEST_ASSERT(pipe2(s.pipe, 0) == 0);
    scoped_sbuf struct sbuf script = {0};
    sbuf_printf(&script, "sleep 3600 & printf x >/dev/fd/%d; wait", s.pipe[1]);
    char *arguments[] = {"sh", "-c", script.ptr, NULL};
    s.child = loop_child_start(s.loop, arguments, NULL, 100, 0, child_ended, &s, &s.result);
    TEST_ASSERT(s.child != NULL);
    (void)close(take_fd(&s.pipe[1]));
    s.fd_a = loop_fd_watch(s.loop, s.pipe[0], LOOP_READ, child_ready, &s);
    loop_run(s.loop);
    TEST_ASSERT(s.count == 0);
    (void)loop_free(take_ptr(s.loop));
    TEST_ASSERT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    char bytes[2];
    TEST_ASSERT(read(s.pipe[0], bytes, 2) == 1);
    struct pollfd end = {.fd = s.pipe[0], .events = POLLIN};
    TEST_ASSERT(poll(&end, 1, 30000) == 1 && read(s.pipe[0], bytes, 1) == 0);
    scene_close(&s);
}

TEST_MAIN("common/loop", TEST(test_timers_run_in_order), TEST(test_timer_cancelled_while_due),
          TEST(test_repeating_timer_cancels_itself), TEST(test_cancel_before_run),
          TEST(test_defer_runs_last), TEST(test_defer_from_defer), TEST(test_stop),
          TEST(test_timer_is_not_early), TEST(test_fd_read_write),
          TEST(test_fd_cancelled_while_ready), TEST(test_fd_number_reused), TEST(test_fd_error),
          TEST(test_signal), TEST(test_child_results), TEST(test_child_environment),
          TEST(test_child_cannot_start), TEST(test_child_cancelled))
