/* The loop, its timers and its signals.
 *
 * libuv closes handles asynchronously: memory of a handle must stay until a callback says so. Here
 * that is hidden. Each source is one block of the heap whose libuv handle is the first member;
 * cancelling marks the block as nobody's and closes the handle, libuv never calls a closing
 * handle's callback again, and the close callback frees the block. So a source may be cancelled
 * anywhere, also inside its own callback, and loop_free only has to run the loop until the last
 * close callback has been made.
 *
 * Deferred calls are no libuv handles: they stand in a list that a "check" handle, which libuv
 * runs right after the poll, works off. An "idle" handle keeps the poll from blocking meanwhile. */
#include <assert.h>
#include <signal.h>
#include <time.h>

#include "common/base/log.h"
#include "common/loop/loop_internal.h"

struct loop_timer {
    uv_timer_t uv; /* unused when deferred */
    struct loop *loop;
    void (*call)(void *ctx);
    void *ctx;
    bool deferred;
    uint64_t turn; /* deferred: the run of `check` that must not call it yet */
    TAILQ_ENTRY(loop_timer) link;
};

struct loop_signal {
    uv_signal_t uv;
    struct loop *loop;
    void (*call)(void *ctx, int number);
    void *ctx;
};

static const char *const source_names[] = {
    [LOOP_TIMER] = "timer",   [LOOP_DEFER] = "deferred call", [LOOP_FD] = "descriptor watch",
    [LOOP_SIGNAL] = "signal", [LOOP_CHILD] = "child program",
};

static void must(int result)
{
    assert(result == 0);
}

static void free_closed(uv_handle_t *handle)
{
    free(handle);
}

void loop_close_and_free(uv_handle_t *handle)
{
    uv_close(handle, free_closed);
}

static struct loop_timer *release_deferred(struct loop_timer *timer)
{
    struct loop *loop = timer->loop;
    TAILQ_REMOVE(&loop->deferred, timer, link);
    loop->live[LOOP_DEFER]--;
    free(timer);
    if (TAILQ_EMPTY(&loop->deferred)) {
        must(uv_idle_stop(&loop->idle));
        must(uv_check_stop(&loop->check));
    }
    return NULL;
}

static void run_deferred(uv_check_t *check)
{
    struct loop *loop = check->data;
    loop->turn++;
    struct loop_timer *timer;
    while ((timer = TAILQ_FIRST(&loop->deferred)) && timer->turn != loop->turn) {
        void (*call)(void *) = timer->call;
        void *ctx = timer->ctx;
        release_deferred(timer);
        call(ctx);
    }
}

static void do_nothing(uv_idle_t *idle)
{
    (void)idle;
}

struct loop *loop_new(void)
{
    struct loop *loop = heap_alloc(sizeof(*loop));
    must(uv_loop_init(&loop->uv));
    must(uv_idle_init(&loop->uv, &loop->idle));
    must(uv_check_init(&loop->uv, &loop->check));
    loop->check.data = loop;
    TAILQ_INIT(&loop->deferred);
    (void)signal(SIGPIPE, SIG_IGN); /* cannot fail for this signal */
    return loop;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    size_t left = 0;
    for (size_t i = 0; i < LOOP_SOURCES; i++) {
        if (loop->live[i])
            log_error("source was not cancelled", kv_cstr("kind", source_names[i]),
                      kv_uint("count", loop->live[i]));
        left += loop->live[i];
    }
    assert(left == 0);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->check, NULL);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        continue; /* a stop asked for after the last run ends one run early */
    must(uv_loop_close(&loop->uv));
    free(loop);
    return NULL;
}

void loop_run(struct loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* whether sources remain is not our caller's affair */
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t loop_now(const struct loop *loop)
{
    return uv_now(&loop->uv);
}

uint64_t loop_clock_ns(void)
{
    return uv_hrtime();
}

int64_t loop_wall_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t loop_delay(const struct loop *loop, uint64_t delay_ms)
{
    enum { NS_PER_MS = 1000000 };
    if (delay_ms == 0)
        return 0;
    uint64_t now = (uv_hrtime() + NS_PER_MS - 1) / NS_PER_MS;
    uint64_t turn = uv_now(&loop->uv);
    return delay_ms + (now > turn ? now - turn : 0);
}

static void timer_due(uv_timer_t *uv)
{
    struct loop_timer *timer = (struct loop_timer *)uv;
    void (*call)(void *) = timer->call;
    void *ctx = timer->ctx;
    if (uv_timer_get_repeat(uv) == 0)
        (void)loop_timer_cancel(timer);
    call(ctx);
}

struct loop_timer *loop_timer_start(struct loop *loop, uint64_t delay_ms, uint64_t repeat_ms,
                                    void (*call)(void *ctx), void *ctx)
{
    struct loop_timer *timer = heap_alloc(sizeof(*timer));
    timer->loop = loop;
    timer->call = call;
    timer->ctx = ctx;
    must(uv_timer_init(&loop->uv, &timer->uv));
    must(uv_timer_start(&timer->uv, timer_due, loop_delay(loop, delay_ms), repeat_ms));
    loop->live[LOOP_TIMER]++;
    return timer;
}

struct loop_timer *loop_timer_cancel(struct loop_timer *timer)
{
    if (!timer)
        return NULL;
    if (timer->deferred)
        return release_deferred(timer);
    timer->loop->live[LOOP_TIMER]--;
    loop_close_and_free((uv_handle_t *)&timer->uv);
    return NULL;
}

struct loop_timer *loop_defer(struct loop *loop, void (*call)(void *ctx), void *ctx)
{
    struct loop_timer *timer = heap_alloc(sizeof(*timer));
    timer->loop = loop;
    timer->call = call;
    timer->ctx = ctx;
    timer->deferred = true;
    timer->turn = loop->turn;
    if (TAILQ_EMPTY(&loop->deferred)) {
        must(uv_idle_start(&loop->idle, do_nothing));
        must(uv_check_start(&loop->check, run_deferred));
    }
    TAILQ_INSERT_TAIL(&loop->deferred, timer, link);
    loop->live[LOOP_DEFER]++;
    return timer;
}

static void signal_came(uv_signal_t *uv, int number)
{
    struct loop_signal *watch = (struct loop_signal *)uv;
    watch->call(watch->ctx, number);
}

struct loop_signal *loop_signal_watch(struct loop *loop, int number,
                                      void (*call)(void *ctx, int number), void *ctx)
{
    struct loop_signal *watch = heap_alloc(sizeof(*watch));
    watch->loop = loop;
    watch->call = call;
    watch->ctx = ctx;
    must(uv_signal_init(&loop->uv, &watch->uv));
    must(uv_signal_start(&watch->uv, signal_came, number));
    loop->live[LOOP_SIGNAL]++;
    return watch;
}

struct loop_signal *loop_signal_cancel(struct loop_signal *watch)
{
    if (!watch)
        return NULL;
    watch->loop->live[LOOP_SIGNAL]--;
    loop_close_and_free((uv_handle_t *)&watch->uv);
    return NULL;
}
