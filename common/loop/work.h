/* The decisions of a work queue: which key is worked on next, and when a failed one is tried again.
 *
 * Keys name what must be brought to its wished state ("status/default/web"); the queue carries no
 * payload, so a key that is added ten times before its turn is worked on once, with the newest
 * wish. One key is never worked on twice at a time: added meanwhile, it gets another turn after the
 * one under way. Pure: `now` is any monotonic time in milliseconds. */
#ifndef COMMON_LOOP_WORK_H
#define COMMON_LOOP_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/scope.h"
#include "common/base/str.h"

struct work;

struct work_limits {
    size_t in_flight; /* keys under way at a time; at least 1 */
    /* Delay after the first error in a row, and the most it doubles to. The last half of each
     * delay is random, so that what failed together does not come back together. */
    uint64_t backoff_min_ms, backoff_max_ms; /* not 0 */
    uint64_t seed;                           /* of that randomness */
};

enum work_result {
    WORK_DONE,    /* forget the key */
    WORK_LATER,   /* nothing is wrong, but it must be tried again */
    WORK_ERROR,   /* it must be tried again, ever later */
    WORK_PENDING, /* under way: the result comes by another call (work_queue.h) */
};

struct work_figures {
    size_t ready;      /* waiting for a free place */
    size_t waiting;    /* waiting for their time */
    size_t in_flight;  /* under way */
    uint64_t added;    /* calls of add */
    uint64_t finished; /* turns that ended, with any result */
    uint64_t retried;  /* of those, the ones to be tried again */
    uint64_t failed;   /* of those, the ones with WORK_ERROR */
};

struct work *work_new(const struct work_limits *limits);
struct work *work_free(struct work *work); /* NULL is fine; returns NULL */
SCOPE_DEFINE(work, struct work, work_free)

/* Makes key ready now, also when it was waiting for its time. The key is copied. */
void work_add(struct work *work, struct str key);

/* Makes key ready at `due`, or keeps an earlier time that it has already. */
void work_add_at(struct work *work, struct str key, uint64_t due);

/* Drops a key that is not under way; one that is gets no further turn, whatever its result. */
void work_forget(struct work *work, struct str key);

/* The next key to work on: true, with the key borrowed until its work_finish. False when nothing
 * is ready at `now` or in_flight is reached. */
bool work_take(struct work *work, uint64_t now, struct str *ret_key);

/* The turn of a key that was taken has ended. retry_after_ms (0: none) is the least delay that the
 * other side asked for; with WORK_LATER it is the delay, and 0 stands for backoff_min_ms. A key
 * that is not under way is ignored. */
void work_finish(struct work *work, struct str key, enum work_result result,
                 uint64_t retry_after_ms, uint64_t now);

/* When work_take may next succeed without another call: true and a time that may have passed, or
 * false when nothing waits or every place is taken. */
bool work_next_due(const struct work *work, uint64_t *ret_due);

struct work_figures work_figures(const struct work *work);

/* The delay before try number `failures` (1 is the first error). */
uint64_t work_backoff(const struct work_limits *limits, struct str key, unsigned failures);

#endif
