/* Probes under way, each with a timer. */
#include <stdlib.h>

#include "arp/arp_packet.h"
#include "arp/ndp_packet.h"
#include "arp/responder_internal.h"
#include "common/base/map.h"

struct responder_probe {
    struct responder *responder;
    struct ip ip;
    uint64_t number; /* counts up, so that a probe started from a call is told from older ones */
    struct probe schedule;
    struct loop_timer *timer;
    responder_probed *done;
    void *ctx;
};

static void unlist(struct responder_probe *probe)
{
    struct responder *responder = probe->responder;
    probe->timer = loop_timer_cancel(probe->timer);
    for (size_t i = 0; i < responder->probes.len; i++) {
        if (responder->probes.items[i] == probe) {
            vec_drop(&responder->probes, i);
            return;
        }
    }
}

static void release(struct responder_probe *probe)
{
    struct responder *responder = probe->responder;
    if (probe->ip.family == IP_V6)
        membership_leave(responder->membership, &probe->ip);
    if (owned_unwatch(responder->owned, &probe->ip))
        responder_table_shrank(responder, &probe->ip);
    free(probe);
}

struct responder_probe *responder_probe_cancel(struct responder_probe *probe)
{
    if (!probe)
        return NULL;
    unlist(probe);
    release(probe);
    return NULL;
}

/* The address is watched until after the call, so that whoever owns it there changes neither filter
 * nor group. */
static void finish(struct responder_probe *probe, const struct mac *taken_by)
{
    struct ip ip = probe->ip;
    unlist(probe);
    probe->done(probe->ctx, &ip, taken_by);
    release(probe);
}

static void send_probe(struct responder *responder, const struct ip *ip)
{
    uint8_t frame[REACTION_FRAME_MAX];
    size_t size = ARP_FRAME_SIZE;
    responder_widen_filters(responder);
    if (ip->family == IP_V4) {
        arp_packet_probe(ip, &responder->mac, frame);
    } else {
        struct ndp_packet packet = ndp_packet_probe(ip, &responder->mac);
        size = ndp_packet_write(&packet, frame);
    }
    if (responder_send(responder, responder_protocol_of(ip), frame, size) == 0)
        responder->figures.probes++;
}

static void due(void *ctx)
{
    struct responder_probe *probe = ctx;
    struct responder *responder = probe->responder;
    uint64_t now = loop_now(responder->loop);
    enum probe_step step = probe_take(&probe->schedule, now);
    probe->timer = NULL;
    if (step == PROBE_FREE) {
        finish(probe, NULL);
        return;
    }
    if (step == PROBE_SEND)
        send_probe(responder, &probe->ip);
    probe->timer = loop_timer_start(responder->loop, probe->schedule.next - now, 0, due, probe);
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
    if (owned_watch(responder->owned, ip))
        responder_table_grew(responder, ip);
    if (ip->family == IP_V6) /* RFC 4862 section 5.4.2: before the first solicitation */
        membership_join(responder->membership, ip);
    vec_push(&responder->probes, probe);
    probe->timer = loop_timer_start(responder->loop, probe->schedule.next - now, 0, due, probe);
    return probe;
}

/* A probe for ip among the first `started`, or NULL. */
static struct responder_probe *find(const struct responder *responder, const struct ip *ip,
                                    uint64_t started)
{
    for (size_t i = 0; i < responder->probes.len; i++) {
        struct responder_probe *probe = responder->probes.items[i];
        if (probe->number <= started && ip_eq(&probe->ip, ip))
            return probe;
    }
    return NULL;
}

void responder_probes_end(struct responder *responder, const struct ip *ip, const struct mac *mac)
{
    uint64_t started = responder->probes_started;
    for (struct responder_probe *probe; (probe = find(responder, ip, started));)
        finish(probe, mac);
}

void responder_probes_done(struct responder *responder)
{
    while (responder->probes.len)
        (void)responder_probe_cancel(responder->probes.items[0]);
    vec_done(&responder->probes);
}
