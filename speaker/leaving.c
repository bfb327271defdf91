#include "speaker/leaving.h"

#include <stdlib.h>

#include "common/base/log.h"

struct leaving {
    struct loop *loop;
    struct peers *peers;
    const struct duty *duty;
    void (*done)(void *ctx);
    void *ctx;
    struct loop_timer *timer;
    uint64_t started;
    bool is_planned; /* the plan knows that this node leaves */
};

static void left(void *ctx)
{
    struct leaving *l = ctx;
    l->timer = NULL;
    l->done(l->ctx);
}

static void go(struct leaving *l, size_t waiting)
{
    l->timer = loop_timer_cancel(l->timer);
    log_info("leaving", kv_uint("waited_ms", loop_now(l->loop) - l->started),
             kv_uint("not_handed_over", waiting));
    if (peers_watch(l->peers))
        gossip_leave(peers_gossip(l->peers), left, l);
    else
        l->timer = loop_timer_start(l->loop, 0, 0, left, l);
}

/* What is owned still is so because nobody else may serve it. */
static void look(void *ctx)
{
    struct leaving *l = ctx;
    size_t waiting = apply_count(duty_apply(l->duty), TENURE_HANDING);
    bool is_late = loop_now(l->loop) - l->started >= LEAVING_MS;
    if ((l->is_planned && waiting == 0) || !peers_watch(l->peers) || is_late)
        go(l, waiting);
}

struct leaving *leaving_start(struct loop *loop, struct peers *peers, const struct duty *duty,
                              void (*done)(void *ctx), void *ctx)
{
    struct leaving *l = heap_alloc(sizeof(*l));
    *l = (struct leaving){.loop = loop,
                          .peers = peers,
                          .duty = duty,
                          .done = done,
                          .ctx = ctx,
                          .started = loop_now(loop)};
    if (peers_gossip(peers))
        gossip_set_leaving(peers_gossip(peers), true);
    l->timer = loop_timer_start(loop, 1, LEAVING_LOOK_MS, look, l);
    return l;
}

struct leaving *leaving_cancel(struct leaving *l)
{
    if (l)
        (void)loop_timer_cancel(l->timer);
    free(l);
    return NULL;
}

void leaving_planned(struct leaving *l, enum plan_tier tier)
{
    l->is_planned = tier == PLAN_LEAVING;
}
