/* Parts: a capture for each protocol (capture.h), whose frames are judged by the pure arp_answer.h
 * and ndp_answer.h against one table of addresses (owned.h); the groups on which IPv6 neighbours
 * ask (membership.h); probes under way, each with a timer (probe.h).
 *
 * A frame that claims an address ends the probes for it, and is told to the owner of the responder
 * last, since that call may change the table. Nothing here fails later than at the opening but the
 * capture, when the interface goes, and sending, which is counted. */
#include "arp/responder.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "arp/arp_answer.h"
#include "arp/capture.h"
#include "arp/filter.h"
#include "arp/membership.h"
#include "arp/ndp_answer.h"
#include "common/base/map.h"
#include "common/base/vec.h"

/* More than a tagged ARP frame; more than any solicitation seen, and four fit in a page of the
 * ring. */
static const uint32_t snap[REACTION_PROTOCOLS] = {[REACTION_ARP] = 128, [REACTION_NDP] = 900};

struct responder_probe {
    struct responder *responder;
    struct ip ip;
    uint64_t number; /* counts up, so that a probe started from a call is told from older ones */
    struct probe schedule;
    struct loop_timer *timer;
    responder_probed *done;
    void *ctx;
};

struct responder {
    struct loop *loop;
    struct mac mac;
    uint64_t seed;
    const struct responder_calls *calls;
    void *ctx;
    struct owned *owned;
    struct membership *membership;
    struct capture *captures[REACTION_PROTOCOLS];
    VEC(struct responder_probe *) probes;
    uint64_t probes_started;
    bool may_answer;                        /* in this turn */
    bool filter_is_old[REACTION_PROTOCOLS]; /* the table has changed since it was made */
    struct loop_timer *renewal;             /* of such filters, at the end of the turn */
    char name[IF_NAMESIZE];
    struct responder_figures figures;
};

static enum reaction_protocol protocol_of(const struct ip *ip)
{
    return ip->family == IP_V4 ? REACTION_ARP : REACTION_NDP;
}

static int send_frame(struct responder *responder, enum reaction_protocol protocol,
                      const uint8_t *frame, size_t size)
{
    int result = capture_send(responder->captures[protocol], frame, size);
    responder->figures.send_errors += result < 0;
    return result;
}

/* --- filters --------------------------------------------------------------------------------- */

/* Fewer ranges make a shorter program. One that cannot be attached at all leaves the old one. */
static void renew_filter(struct responder *responder, enum reaction_protocol protocol)
{
    filter_program program = {0};
    int result = -ENOMEM;
    for (size_t ranges = FILTER_RANGES_MAX; ranges && result == -ENOMEM; ranges /= 2) {
        filter_make(protocol, responder->owned, ranges, snap[protocol], &program);
        result = capture_filter(responder->captures[protocol], program.items, program.len);
    }
    vec_done(&program);
    responder->filter_is_old[protocol] = false;
}

static void renew_filters(struct responder *responder)
{
    responder->renewal = loop_timer_cancel(responder->renewal);
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++) {
        if (responder->filter_is_old[i])
            renew_filter(responder, (enum reaction_protocol)i);
    }
}

static void renewal_due(void *ctx)
{
    struct responder *responder = ctx;
    responder->renewal = NULL;
    renew_filters(responder);
}

/* Once for all the changes of one turn, which may be thousands. */
static void table_changed(struct responder *responder, const struct ip *ip)
{
    responder->filter_is_old[protocol_of(ip)] = true;
    if (!responder->renewal)
        responder->renewal = loop_defer(responder->loop, renewal_due, responder);
}

/* --- probes ---------------------------------------------------------------------------------- */

struct responder_probe *responder_probe_cancel(struct responder_probe *probe)
{
    if (!probe)
        return NULL;
    struct responder *responder = probe->responder;
    for (size_t i = 0; i < responder->probes.len; i++) {
        if (responder->probes.items[i] == probe) {
            vec_drop(&responder->probes, i);
            break;
        }
    }
    if (probe->ip.family == IP_V6)
        membership_leave(responder->membership, &probe->ip);
    owned_unwatch(responder->owned, &probe->ip);
    table_changed(responder, &probe->ip);
    (void)loop_timer_cancel(probe->timer);
    free(probe);
    return NULL;
}

static void finish_probe(struct responder_probe *probe, const struct mac *taken_by)
{
    responder_probed *done = probe->done;
    void *ctx = probe->ctx;
    struct ip ip = probe->ip;
    (void)responder_probe_cancel(probe);
    done(ctx, &ip, taken_by);
}

/* A probe for ip among the first `started`, or NULL. */
static struct responder_probe *find_probe(const struct responder *responder, const struct ip *ip,
                                          uint64_t started)
{
    for (size_t i = 0; i < responder->probes.len; i++) {
        struct responder_probe *probe = responder->probes.items[i];
        if (probe->number <= started && ip_eq(&probe->ip, ip))
            return probe;
    }
    return NULL;
}

static void send_probe(struct responder *responder, const struct ip *ip)
{
    uint8_t frame[REACTION_FRAME_MAX];
    size_t size = ARP_FRAME_SIZE;
    if (ip->family == IP_V4) {
        arp_packet_probe(ip, &responder->mac, frame);
    } else {
        struct ndp_packet packet = ndp_packet_probe(ip, &responder->mac);
        size = ndp_packet_write(&packet, frame);
    }
    if (send_frame(responder, protocol_of(ip), frame, size) == 0)
        responder->figures.probes++;
}

static void probe_due(void *ctx)
{
    struct responder_probe *probe = ctx;
    struct responder *responder = probe->responder;
    uint64_t now = loop_now(responder->loop);
    renew_filters(responder); /* answers are to be heard */
    enum probe_step step = probe_take(&probe->schedule, now);
    probe->timer = NULL;
    if (step == PROBE_FREE) {
        finish_probe(probe, NULL);
        return;
    }
    if (step == PROBE_SEND)
        send_probe(responder, &probe->ip);
    probe->timer =
        loop_timer_start(responder->loop, probe->schedule.next - now, 0, probe_due, probe);
}

struct responder_probe *responder_probe_start(struct responder *responder, const struct ip *ip,
                                              enum probe_mode mode, responder_probed *done,
                                              void *ctx)
{
    struct responder_probe *probe = heap_alloc(sizeof(*probe));
    uint64_t now = loop_now(responder->loop);
    uint64_t seed = map_hash(responder->seed, ip_key(ip));
    *probe = (struct responder_probe){
        .responder = responder,
        .ip = *ip,
        .number = ++responder->probes_started,
        .schedule = probe_start((enum ip_family)ip->family, mode, seed, now),
        .done = done,
        .ctx = ctx,
    };
    owned_watch(responder->owned, ip);
    table_changed(responder, ip);
    if (ip->family == IP_V6) /* RFC 4862 section 5.4.2: before the first solicitation */
        membership_join(responder->membership, ip);
    vec_push(&responder->probes, probe);
    probe->timer =
        loop_timer_start(responder->loop, probe->schedule.next - now, 0, probe_due, probe);
    return probe;
}

/* --- frames ---------------------------------------------------------------------------------- */

static void answer(struct responder *responder, enum reaction_protocol protocol,
                   const struct reaction *reaction)
{
    reaction->asked->received++;
    responder->figures.received++;
    if (send_frame(responder, protocol, reaction->frame, reaction->frame_size) < 0)
        return;
    reaction->asked->answered++;
    responder->figures.answered++;
}

static void claim_heard(struct responder *responder, const struct ip *ip, const struct mac *mac,
                        enum reaction_claim claim)
{
    const struct owned_address *address = owned_get(responder->owned, ip);
    bool is_owned = address && address->is_owned;
    uint64_t started = responder->probes_started;
    responder->figures.claims++;
    for (struct responder_probe *probe; (probe = find_probe(responder, ip, started));)
        finish_probe(probe, mac);
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
    responder->membership = membership_new(if_nametoindex(responder->name));
    *ret = take_ptr(responder);
    return 0;
}

struct responder *responder_close(struct responder *responder)
{
    if (!responder)
        return NULL;
    while (responder->probes.len)
        (void)responder_probe_cancel(responder->probes.items[0]);
    vec_done(&responder->probes);
    (void)loop_timer_cancel(responder->renewal);
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
    owned_add(responder->owned, ip);
    table_changed(responder, ip);
    if (ip->family == IP_V6)
        membership_join(responder->membership, ip);
}

void responder_disown(struct responder *responder, const struct ip *ip)
{
    if (!responder_get(responder, ip))
        return;
    owned_remove(responder->owned, ip);
    table_changed(responder, ip);
    if (ip->family == IP_V6)
        membership_leave(responder->membership, ip);
}

static int announce_frame(struct responder *responder, const struct ip *ip, const uint8_t *frame,
                          size_t size)
{
    int result = send_frame(responder, protocol_of(ip), frame, size);
    if (result < 0)
        return result;
    struct owned_address *address = owned_get(responder->owned, ip);
    if (address)
        address->announced++;
    responder->figures.announced++;
    return 0;
}

static int announce_v6(struct responder *responder, const struct ip *ip)
{
    uint8_t frame[NDP_SIZE_FULL];
    struct ndp_packet packet = ndp_packet_announce(ip, &responder->mac);
    membership_retry(responder->membership);
    return announce_frame(responder, ip, frame, ndp_packet_write(&packet, frame));
}

int responder_announce(struct responder *responder, const struct ip *ip)
{
    static const enum arp_operation operations[] = {ARP_REQUEST, ARP_REPLY};
    renew_filters(responder); /* what neighbours say to it is to be heard */
    if (ip->family == IP_V6)
        return announce_v6(responder, ip);
    int result = 0;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        uint8_t frame[ARP_FRAME_SIZE];
        arp_packet_announce(ip, &responder->mac, operations[i], frame);
        int sent = announce_frame(responder, ip, frame, sizeof(frame));
        if (sent < 0)
            result = sent;
    }
    return result;
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
