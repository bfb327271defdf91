/* The event loop (libuv behind it; no other file includes uv.h).
 *
 * One thread, callbacks one after another. Every source is started with a callback and a context
 * and cancelled with its handle; once a cancel function has returned, the callback is never called
 * again. Cancel functions accept NULL and return NULL. A one-shot callback runs with its handle
 * already gone: the owner clears its pointer first. A loop makes the process ignore SIGPIPE. */
#ifndef COMMON_LOOP_LOOP_H
#define COMMON_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/scope.h"
#include "common/base/str.h"

struct loop;
struct loop_timer;
struct loop_fd;
struct loop_signal;
struct loop_child;

struct loop *loop_new(void);
/* All sources must have been cancelled; what is left is named in an assertion. */
struct loop *loop_free(struct loop *loop);
SCOPE_DEFINE(loop, struct loop, loop_free)

/* Runs until loop_stop, or until nothing is left to wait for. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Monotonic time in milliseconds, as of the start of this turn of the loop. */
uint64_t loop_now(const struct loop *loop);
/* Monotonic time in nanoseconds, read now: for latency figures. */
uint64_t loop_clock_ns(void);
/* Wall clock in nanoseconds since 1970, for timestamps that people see. */
int64_t loop_wall_ns(void);

/* Calls after delay_ms, and then each repeat_ms (0: once). */
struct loop_timer *loop_timer_start(struct loop *loop, uint64_t delay_ms, uint64_t repeat_ms,
                                    void (*call)(void *ctx), void *ctx);
struct loop_timer *loop_timer_cancel(struct loop_timer *timer);

/* Calls once at the end of this turn, after the callbacks that are due now: for work that several
 * events ask for and that should be done once. */
struct loop_timer *loop_defer(struct loop *loop, void (*call)(void *ctx), void *ctx);

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Watches a descriptor, which stays the caller's and which no other watch watches. It becomes
 * non-blocking and may be closed as soon as the watch is cancelled. events is a set of enum
 * loop_events. An error on the descriptor is reported as readable and writable, so that the next
 * call shows it. */
struct loop_fd *loop_fd_watch(struct loop *loop, int fd, unsigned events,
                              void (*call)(void *ctx, unsigned events), void *ctx);
void loop_fd_change(struct loop_fd *watch, unsigned events);
struct loop_fd *loop_fd_cancel(struct loop_fd *watch);

struct loop_signal *loop_signal_watch(struct loop *loop, int number,
                                      void (*call)(void *ctx, int number), void *ctx);
struct loop_signal *loop_signal_cancel(struct loop_signal *watch);

/* Starts a program found by PATH without a shell. arguments and environment end in NULL
 * (environment NULL: ours). Its standard output is collected, up to output_max bytes (more: the
 * program is killed and the result is ERR_TOO_LARGE); its standard error is ours, its standard
 * input is empty. When it has ended and closed its output, or after timeout_ms (0: never; killed,
 * -ETIMEDOUT), calls once with a negative result and no output, or with the exit status (128 +
 * signal when killed by one) and the output, borrowed for the call. What the program started in
 * its process group is killed with it. NULL and a negative errno in ret_error if it cannot start.
 */
struct loop_child *loop_child_start(struct loop *loop, char *const *arguments,
                                    char *const *environment, size_t output_max,
                                    uint64_t timeout_ms,
                                    void (*call)(void *ctx, int result, struct str output),
                                    void *ctx, int *ret_error);
/* Kills the program if it still runs. */
struct loop_child *loop_child_cancel(struct loop_child *child);

#endif
