#include <assert.h>

#include "common/loop/loop_internal.h"

struct loop_fd {
    uv_poll_t uv;
    struct loop *loop;
    unsigned events;
    void (*call)(void *ctx, unsigned events);
    void *ctx;
};

static void watch_ready(uv_poll_t *uv, int status, int events);

static void start(struct loop_fd *watch)
{
    int events = (watch->events & LOOP_READ ? UV_READABLE : 0) |
                 (watch->events & LOOP_WRITE ? UV_WRITABLE : 0);
    int result = events ? uv_poll_start(&watch->uv, events, watch_ready) : uv_poll_stop(&watch->uv);
    assert(result == 0);
}

static void watch_ready(uv_poll_t *uv, int status, int events)
{
    struct loop_fd *watch = (struct loop_fd *)uv;
    unsigned seen = (events & UV_READABLE ? (unsigned)LOOP_READ : 0) |
                    (events & UV_WRITABLE ? (unsigned)LOOP_WRITE : 0);
    if (status < 0) {
        /* libuv stops a watch whose descriptor reports an error; our contract does not. */
        start(watch);
        seen = LOOP_READ | LOOP_WRITE;
    }
    watch->call(watch->ctx, seen);
}

struct loop_fd *loop_fd_watch(struct loop *loop, int fd, unsigned events,
                              void (*call)(void *ctx, unsigned events), void *ctx)
{
    struct loop_fd *watch = heap_alloc(sizeof(*watch));
    watch->loop = loop;
    watch->events = events;
    watch->call = call;
    watch->ctx = ctx;
    int result = uv_poll_init(&loop->uv, &watch->uv, fd);
    assert(result == 0);
    start(watch);
    loop->live[LOOP_FD]++;
    return watch;
}

void loop_fd_change(struct loop_fd *watch, unsigned events)
{
    if (events == watch->events)
        return;
    watch->events = events;
    start(watch);
}

struct loop_fd *loop_fd_cancel(struct loop_fd *watch)
{
    if (!watch)
        return NULL;
    watch->loop->live[LOOP_FD]--;
    /* Takes the descriptor out of the kernel's set at once, so that the owner may close it. */
    loop_close_and_free((uv_handle_t *)&watch->uv);
    return NULL;
}
