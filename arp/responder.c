/* Parts: a capture for each protocol (capture.h), whose frames are judged by the pure arp_answer.h
 * and ndp_answer.h against one table of addresses (owned.h); the groups on which IPv6 neighbours
 * ask (membership.h); probes under way, each with a timer (probe.h).
 *
 * A frame that claims an address ends the probes for it, and is told to the owner of the responder
 * last, since that call may change the table. Nothing here fails later than at the opening but the
 * capture, when the interface goes, and sending, which is counted. */
#include "arp/responder.h"

#include <errno.h>
#include <string.h>

#include "arp/arp_answer.h"
#include "arp/filter.h"
#include "arp/ndp_answer.h"
#include "arp/responder_internal.h"

enum { NARROWING_MS = 1000 };

/* More than a tagged ARP frame; more than any solicitation seen, and four fit in a page of the
 * ring. */
static const uint32_t snap[REACTION_PROTOCOLS] = {[REACTION_ARP] = 128, [REACTION_NDP] = 900};

enum reaction_protocol responder_protocol_of(const struct ip *ip)
{
    return ip->family == IP_V4 ? REACTION_ARP : REACTION_NDP;
}

int responder_send(struct responder *responder, enum reaction_protocol protocol,
                   const uint8_t *frame, size_t size)
{
    int result = capture_send(responder->captures[protocol], frame, size);
    responder->figures.send_errors += result < 0;
    return result;
}

/* --- filters --------------------------------------------------------------------------------- */

/* Fewer ranges make a shorter program. Without any, all frames of the protocol wake us, and are
 * judged here as they are anyway. */
static void renew_filter(struct responder *responder, enum reaction_protocol protocol)
{
    filter_program program = {0};
    int result = -ENOMEM;
    for (size_t ranges = FILTER_RANGES_MAX; ranges && result == -ENOMEM; ranges /= 2) {
        filter_make(protocol, responder->owned, ranges, snap[protocol], &program);
        result = capture_filter(responder->captures[protocol], program.items, program.len);
    }
    if (result < 0)
        capture_unfilter(responder->captures[protocol]);
    vec_done(&program);
    responder->filter_lacks[protocol] = responder->filter_has_more[protocol] = false;
}

void responder_widen_filters(struct responder *responder)
{
    responder->widening = loop_timer_cancel(responder->widening);
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++) {
        if (responder->filter_lacks[i])
            renew_filter(responder, (enum reaction_protocol)i);
    }
}

static void widening_due(void *ctx)
{
    struct responder *responder = ctx;
    responder->widening = NULL;
    responder_widen_filters(responder);
}

static void narrowing_due(void *ctx)
{
    struct responder *responder = ctx;
    responder->narrowing = NULL;
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++) {
        if (responder->filter_has_more[i])
            renew_filter(responder, (enum reaction_protocol)i);
    }
}

/* Once for all the changes of one turn, which may be thousands. */
void responder_table_grew(struct responder *responder, const struct ip *ip)
{
    responder->filter_lacks[responder_protocol_of(ip)] = true;
    if (!responder->widening)
        responder->widening = loop_defer(responder->loop, widening_due, responder);
}

/* Frames about an address that has gone do no harm for a while. */
void responder_table_shrank(struct responder *responder, const struct ip *ip)
{
    responder->filter_has_more[responder_protocol_of(ip)] = true;
    if (!responder->narrowing)
        responder->narrowing =
            loop_timer_start(responder->loop, NARROWING_MS, 0, narrowing_due, responder);
}

/* --- frames ---------------------------------------------------------------------------------- */

static void answer(struct responder *responder, enum reaction_protocol protocol,
                   const struct reaction *reaction)
{
    reaction->asked->received++;
    responder->figures.received++;
    if (responder_send(responder, protocol, reaction->frame, reaction->frame_size) < 0)
        return;
    reaction->asked->answered++;
    responder->figures.answered++;
}

static void claim_heard(struct responder *responder, const struct ip *ip, const struct mac *mac,
                        enum reaction_claim claim)
{
    const struct owned_address *address = owned_get(responder->owned, ip);
    bool is_owned = address && address->is_owned;
    responder->figures.claims++;
    responder_probes_end(responder, ip, mac);
    if (is_owned && responder->calls->heard)
        responder->calls->heard(responder->ctx, ip, mac, claim);
}

static void react(struct responder *responder, enum reaction_protocol protocol,
                  struct reaction *reaction)
{
    struct responder_figures *figures = &responder->figures;
    if (reaction->verdict == REACTION_ANSWERED && !responder->may_answer)
        reaction->verdict = REACTION_STALLED;
    figures->verdicts[protocol][reaction->verdict]++;
    if (reaction->verdict == REACTION_ANSWERED)
        answer(responder, protocol, reaction);
    else
        figures->dropped++;
    if (reaction->claim != CLAIM_NONE)
        claim_heard(responder, &reaction->claimed, &reaction->claimant, reaction->claim);
}

static void turn(void *ctx)
{
    struct responder *responder = ctx;
    const struct responder_calls *calls = responder->calls;
    responder->may_answer = !calls->may_answer || calls->may_answer(responder->ctx);
}

static void arp_came(void *ctx, const uint8_t *frame, size_t size)
{
    struct responder *responder = ctx;
    struct reaction reaction = arp_answer(frame, size, responder->owned, &responder->mac);
    react(responder, REACTION_ARP, &reaction);
}

static void ndp_came(void *ctx, const uint8_t *frame, size_t size)
{
    struct responder *responder = ctx;
    struct reaction reaction = ndp_answer(frame, size, responder->owned, &responder->mac);
    react(responder, REACTION_NDP, &reaction);
}

/* Both captures fail when the interface goes: the first tells. */
static void capture_failed(void *ctx, int error)
{
    struct responder *responder = ctx;
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++)
        capture_stop(responder->captures[i]);
    responder->calls->failed(responder->ctx, error);
}

void responder_catch_up(struct responder *responder)
{
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++) {
        if (!capture_catch_up(responder->captures[i]))
            return;
    }
}

/* --- lifetime -------------------------------------------------------------------------------- */

static const struct capture_calls arp_calls = {turn, arp_came, capture_failed};
static const struct capture_calls ndp_calls = {turn, ndp_came, capture_failed};

static int open_captures(struct responder *responder)
{
    int result = capture_open(responder->loop, responder->name, ETHERNET_ARP, snap[REACTION_ARP],
                              &arp_calls, responder, &responder->captures[REACTION_ARP]);
    if (result == 0)
        result = capture_open(responder->loop, responder->name, ETHERNET_IPV6, snap[REACTION_NDP],
                              &ndp_calls, responder, &responder->captures[REACTION_NDP]);
    return result;
}

int responder_open(struct loop *loop, const struct responder_interface *interface,
                   const struct responder_calls *calls, void *ctx, struct responder **ret)
{
    scoped_ptr(responder) struct responder *responder = heap_alloc(sizeof(*responder));
    if (interface->name.len >= sizeof(responder->name))
        return -ENODEV;
    *responder = (struct responder){.loop = loop,
                                    .mac = interface->mac,
                                    .seed = interface->seed,
                                    .calls = calls,
                                    .ctx = ctx,
                                    .owned = owned_new()};
    memcpy(responder->name, interface->name.ptr, interface->name.len);
    int result = open_captures(responder);
    if (result < 0)
        return result;
    responder->membership = membership_new(loop, if_nametoindex(responder->name));
    *ret = take_ptr(responder);
    return 0;
}

struct responder *responder_close(struct responder *responder)
{
    if (!responder)
        return NULL;
    responder_probes_done(responder);
    responder_unsent_done(responder);
    (void)loop_timer_cancel(responder->widening);
    (void)loop_timer_cancel(responder->narrowing);
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++)
        (void)capture_close(responder->captures[i]);
    (void)membership_free(responder->membership);
    (void)owned_free(responder->owned);
    free(responder);
    return NULL;
}

/* --- addresses ------------------------------------------------------------------------------- */

void responder_own(struct responder *responder, const struct ip *ip)
{
    if (responder_get(responder, ip))
        return;
    if (owned_add(responder->owned, ip))
        responder_table_grew(responder, ip);
    if (ip->family == IP_V6)
        membership_join(responder->membership, ip);
}

void responder_disown(struct responder *responder, const struct ip *ip)
{
    if (!responder_get(responder, ip))
        return;
    if (owned_remove(responder->owned, ip))
        responder_table_shrank(responder, ip);
    if (ip->family == IP_V6)
        membership_leave(responder->membership, ip);
}

/* --- figures --------------------------------------------------------------------------------- */

struct responder_figures responder_figures(const struct responder *responder)
{
    struct responder_figures figures = responder->figures;
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++)
        figures.lost += capture_lost(responder->captures[i]);
    return figures;
}

const struct owned_address *responder_get(const struct responder *responder, const struct ip *ip)
{
    const struct owned_address *address = owned_get(responder->owned, ip);
    return address && address->is_owned ? address : NULL;
}

const struct owned_address *responder_next(const struct responder *responder, size_t *cursor)
{
    const struct owned_address *address;
    do
        address = owned_next(responder->owned, cursor);
    while (address && !address->is_owned);
    return address;
}
