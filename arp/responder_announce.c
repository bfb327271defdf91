/* Announcements. A node that takes over thousands of addresses announces them all at once, which is
 * more than the queue of an interface may hold. What the kernel has no room for is sent some
 * milliseconds later, in order, rather than with the next round, which is a second away. */
#include <errno.h>

#include "arp/arp_packet.h"
#include "arp/ndp_packet.h"
#include "arp/responder_internal.h"

enum {
    RESEND_MS = 5,
    RESEND_TRIES = 200, /* without one that succeeds: then the next round is here */
    GROUPS_RETRY_MS = 1000,
};

static int send_announcement(struct responder *responder, const struct ip *ip, const uint8_t *frame,
                             size_t size)
{
    int result = responder_send(responder, responder_protocol_of(ip), frame, size);
    if (result < 0)
        return result;
    struct owned_address *address = owned_get(responder->owned, ip);
    if (address)
        address->announced++;
    responder->figures.announced++;
    return 0;
}

static int announce_v4(struct responder *responder, const struct ip *ip)
{
    static const enum arp_operation operations[] = {ARP_REQUEST, ARP_REPLY};
    int result = 0;
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]) && result == 0; i++) {
        uint8_t frame[ARP_FRAME_SIZE];
        arp_packet_announce(ip, &responder->mac, operations[i], frame);
        result = send_announcement(responder, ip, frame, sizeof(frame));
    }
    return result;
}

static int announce_v6(struct responder *responder, const struct ip *ip)
{
    uint8_t frame[NDP_SIZE_FULL];
    struct ndp_packet packet = ndp_packet_announce(ip, &responder->mac);
    return send_announcement(responder, ip, frame, ndp_packet_write(&packet, frame));
}

static int announce(struct responder *responder, const struct ip *ip)
{
    return ip->family == IP_V4 ? announce_v4(responder, ip) : announce_v6(responder, ip);
}

static bool is_short_of_room(int result)
{
    return result == -EAGAIN || result == -ENOBUFS;
}

/* Forgets the first `count` addresses that wait. */
static void drop_first(struct responder *responder, size_t count)
{
    size_t left = responder->unsent.len - count;
    for (size_t i = 0; i < count; i++) {
        struct owned_address *address = owned_get(responder->owned, &responder->unsent.items[i]);
        if (address)
            address->is_waiting = false;
    }
    for (size_t i = 0; i < left; i++)
        responder->unsent.items[i] = responder->unsent.items[i + count];
    responder->unsent.len = left;
}

static void resend(void *ctx)
{
    struct responder *responder = ctx;
    const struct responder_calls *calls = responder->calls;
    size_t sent = 0;
    if (calls->may_answer && !calls->may_answer(responder->ctx))
        return; /* others may have them by now; asked again soon */
    for (; sent < responder->unsent.len; sent++) {
        const struct ip *ip = &responder->unsent.items[sent];
        if (responder_get(responder, ip) && is_short_of_room(announce(responder, ip)))
            break;
    }
    responder->resend_tries = sent ? 0 : responder->resend_tries + 1;
    if (responder->resend_tries == RESEND_TRIES)
        sent = responder->unsent.len;
    drop_first(responder, sent);
    if (!responder->unsent.len)
        responder->resending = loop_timer_cancel(responder->resending);
}

static void send_later(struct responder *responder, struct owned_address *address)
{
    if (address->is_waiting)
        return;
    address->is_waiting = true;
    vec_push(&responder->unsent, address->ip);
    if (responder->resending)
        return;
    responder->resend_tries = 0;
    responder->resending =
        loop_timer_start(responder->loop, RESEND_MS, RESEND_MS, resend, responder);
}

/* IPv6 may have come to the interface; asked for once a second, however many addresses there are.
 */
static void retry_groups(struct responder *responder)
{
    uint64_t now = loop_now(responder->loop);
    if (now < responder->groups_retry)
        return;
    responder->groups_retry = now + GROUPS_RETRY_MS;
    membership_retry(responder->membership);
}

int responder_announce(struct responder *responder, const struct ip *ip)
{
    responder_widen_filters(responder); /* what neighbours say to it is to be heard */
    if (ip->family == IP_V6)
        retry_groups(responder);
    struct owned_address *address = owned_get(responder->owned, ip);
    int result = responder->unsent.len ? -EAGAIN : announce(responder, ip);
    if (!is_short_of_room(result) || !address)
        return result;
    send_later(responder, address);
    return 0;
}

void responder_unsent_done(struct responder *responder)
{
    (void)loop_timer_cancel(responder->resending);
    vec_done(&responder->unsent);
}
