#include "common/loop/work_queue.h"

#include "common/base/arena.h"

struct work_queue {
    struct loop *loop;
    struct work *work;
    enum work_result (*run)(void *ctx, struct str key);
    void *ctx;
    struct loop_timer *timer; /* fires at timer_due */
    uint64_t timer_due;
    struct loop_timer *soon;
    bool *freed; /* set while run is called, so that it may free the queue */
};

static void plan_next(struct work_queue *queue);

/* Takes a bounded number of turns, so that a long queue does not keep the loop from its sockets. */
static void work_off(struct work_queue *queue)
{
    enum { TURNS_MAX = 64 };
    bool freed = false;
    queue->freed = &freed;
    struct str key;
    for (int i = 0; i < TURNS_MAX && work_take(queue->work, loop_now(queue->loop), &key); i++) {
        enum work_result result = queue->run(queue->ctx, key);
        if (freed)
            return;
        if (result != WORK_PENDING)
            work_finish(queue->work, key, result, 0, loop_now(queue->loop));
    }
    queue->freed = NULL;
    plan_next(queue);
}

static void run_soon(void *ctx)
{
    struct work_queue *queue = ctx;
    queue->soon = NULL;
    work_off(queue);
}

static void run_due(void *ctx)
{
    struct work_queue *queue = ctx;
    queue->timer = NULL;
    work_off(queue);
}

static void plan_next(struct work_queue *queue)
{
    uint64_t due;
    uint64_t now = loop_now(queue->loop);
    if (queue->freed || !work_next_due(queue->work, &due))
        return; /* work_off, or the next result, comes here again */
    if (due <= now) {
        if (!queue->soon)
            queue->soon = loop_defer(queue->loop, run_soon, queue);
    } else if (!queue->timer || due < queue->timer_due) {
        (void)loop_timer_cancel(queue->timer);
        queue->timer_due = due;
        queue->timer = loop_timer_start(queue->loop, due - now, 0, run_due, queue);
    }
}

struct work_queue *work_queue_new(struct loop *loop, const struct work_limits *limits,
                                  enum work_result (*run)(void *ctx, struct str key), void *ctx)
{
    struct work_queue *queue = heap_alloc(sizeof(*queue));
    queue->loop = loop;
    queue->work = work_new(limits);
    queue->run = run;
    queue->ctx = ctx;
    return queue;
}

struct work_queue *work_queue_free(struct work_queue *queue)
{
    if (!queue)
        return NULL;
    if (queue->freed)
        *queue->freed = true;
    (void)loop_timer_cancel(queue->timer);
    (void)loop_timer_cancel(queue->soon);
    (void)work_free(queue->work);
    free(queue);
    return NULL;
}

void work_queue_add(struct work_queue *queue, struct str key)
{
    work_add(queue->work, key);
    plan_next(queue);
}

void work_queue_add_after(struct work_queue *queue, struct str key, uint64_t delay_ms)
{
    work_add_at(queue->work, key, loop_now(queue->loop) + delay_ms);
    plan_next(queue);
}

void work_queue_forget(struct work_queue *queue, struct str key)
{
    work_forget(queue->work, key);
}

void work_queue_finish(struct work_queue *queue, struct str key, enum work_result result,
                       uint64_t retry_after_ms)
{
    work_finish(queue->work, key, result, retry_after_ms, loop_now(queue->loop));
    plan_next(queue);
}

struct work_figures work_queue_figures(const struct work_queue *queue)
{
    return work_figures(queue->work);
}
