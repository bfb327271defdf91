/* Shared by the files of common/loop only; the one header that includes uv.h. */
#ifndef COMMON_LOOP_LOOP_INTERNAL_H
#define COMMON_LOOP_LOOP_INTERNAL_H

#include <sys/queue.h>
#include <uv.h>

#include "common/base/arena.h"
#include "common/loop/loop.h"

enum loop_source { LOOP_TIMER, LOOP_DEFER, LOOP_FD, LOOP_SIGNAL, LOOP_CHILD, LOOP_SOURCES };

TAILQ_HEAD(loop_timers, loop_timer);

struct loop {
    uv_loop_t uv;
    uv_idle_t idle;              /* active while something is deferred: the poll must not block */
    uv_check_t check;            /* runs what is deferred, after the poll */
    struct loop_timers deferred; /* in order of loop_defer */
    uint64_t turn;               /* counts runs of `check` */
    size_t live[LOOP_SOURCES];   /* sources that are not cancelled, for loop_free's complaint */
};

/* Delay from now for a libuv timer. libuv counts from the start of the turn, so the time that
 * this turn has taken already is added: no timer fires early. 0 stays 0. */
uint64_t loop_delay(const struct loop *loop, uint64_t delay_ms);

/* uv_close for a handle that is the first member of a block of the heap: the block is freed once
 * libuv has let go of it. */
void loop_close_and_free(uv_handle_t *handle);

#endif
