/* What this node does about addresses, with what the other members say about them: a plan is
 * carried out (apply.h), claims go to and fro (talk.h), and what is worth telling is counted,
 * logged and said in Events. */
#ifndef SPEAKER_DUTY_H
#define SPEAKER_DUTY_H

#include "speaker/apply.h"
#include "speaker/peers.h"
#include "speaker/speaker_metrics.h"
#include "speaker/talk.h"
#include "speaker/tell.h"

struct duty;

struct duty_calls {
    /* What is done about some address has changed without a plan. */
    void (*changed)(void *ctx);
    /* Has this node announced the Service before, as far as records tell? */
    bool (*has_status)(void *ctx, struct str service);
    /* A stranger has an address that was to be announced. */
    void (*conflict)(void *ctx, const struct ip *ip, const struct mac *mac, struct str interface);
};

/* All borrowed for life. */
struct duty_parts {
    struct loop *loop;
    struct peers *peers;
    const struct elect *elect;
    struct speaker_metrics *metrics;
    const struct tell *tell;
};

struct duty *duty_new(const struct duty_parts *parts, const struct apply_options *options,
                      const struct duty_calls *calls, void *ctx);
/* Stops to answer for everything. NULL is fine; returns NULL. */
struct duty *duty_free(struct duty *duty);

/* A plan, made from that view. The arena lives as long as the plan is the newest one, and takes
 * what is to be remembered with it. Returns how many addresses are answered for that were not. */
size_t duty_run(struct duty *duty, const struct iface *ifaces, size_t iface_count,
                const struct plan *plan, const struct plan_view *view, struct arena *arena);

/* The node was out of touch, perhaps, and is not any more (gossip_is_stalled): the next plan is the
 * first to know what has become of its addresses. */
void duty_back_in_touch(struct duty *duty);

/* A member sent these bytes. */
void duty_message(struct duty *duty, struct str from, struct str bytes);

const struct apply *duty_apply(const struct duty *duty);
struct talk_figures duty_talk(const struct duty *duty);

#endif
