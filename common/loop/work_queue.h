/* A work queue on the loop: keyed requests that are deduplicated, serialised by key, bounded in
 * flight and retried. The rules are work.h's; this adds the loop's time.
 *
 *     static enum work_result run(void *ctx, struct str key)
 *     {
 *         ... start to bring `key` to its newest wish ...
 *         return WORK_PENDING;   // work_queue_finish(queue, key, WORK_DONE, 0) when it is there
 *     }
 */
#ifndef COMMON_LOOP_WORK_QUEUE_H
#define COMMON_LOOP_WORK_QUEUE_H

#include "common/loop/loop.h"
#include "common/loop/work.h"

struct work_queue;

/* run is called from the loop, never from inside a function of this file. It may add, forget and
 * finish keys and free the queue. `key` is borrowed until its turn is finished. */
struct work_queue *work_queue_new(struct loop *loop, const struct work_limits *limits,
                                  enum work_result (*run)(void *ctx, struct str key), void *ctx);

/* No call comes afterwards. Requests under way are the owner's to cancel. */
struct work_queue *work_queue_free(struct work_queue *queue);
SCOPE_DEFINE(work_queue, struct work_queue, work_queue_free)

void work_queue_add(struct work_queue *queue, struct str key);
void work_queue_add_after(struct work_queue *queue, struct str key, uint64_t delay_ms);
void work_queue_forget(struct work_queue *queue, struct str key);

/* The result of a turn for which run returned WORK_PENDING. */
void work_queue_finish(struct work_queue *queue, struct str key, enum work_result result,
                       uint64_t retry_after_ms);

struct work_figures work_queue_figures(const struct work_queue *queue);

#endif
