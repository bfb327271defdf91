#include "arp/arp_answer.h"

#include <assert.h>

static void write_reply(const struct arp_packet *request, const struct mac *mac,
                        struct reaction *reaction)
{
    const struct arp_packet packet = {
        .ethernet_to = request->sender_mac,
        .ethernet_from = *mac,
        .operation = ARP_REPLY,
        .sender_mac = *mac,
        .sender_ip = request->target_ip,
        .target_mac = request->sender_mac,
        .target_ip = request->sender_ip,
    };
    static_assert((int)ARP_FRAME_SIZE <= (int)REACTION_FRAME_MAX, "an answer has room");
    arp_packet_write(&packet, reaction->frame);
    reaction->frame_size = ARP_FRAME_SIZE;
}

/* RFC 5227 section 2.4: any ARP packet whose sender address is ours and whose sender hardware
 * address is not. */
static void note_claim(const struct arp_packet *packet, const struct owned *owned,
                       struct reaction *reaction)
{
    if (!owned_get(owned, &packet->sender_ip))
        return;
    if (ip_eq(&packet->sender_ip, &packet->target_ip))
        reaction->claim = CLAIM_ANNOUNCED;
    else
        reaction->claim = packet->operation == ARP_REPLY ? CLAIM_ANSWERED : CLAIM_USED;
    reaction->claimed = packet->sender_ip;
}

/* What is wrong with the frame before it is looked at whom it is about; REACTION_ANSWERED: nothing.
 */
static enum reaction_verdict screen(const struct arp_packet *packet, const struct mac *mac)
{
    if (packet->operation != ARP_REQUEST && packet->operation != ARP_REPLY)
        return REACTION_NO_REQUEST;
    if (mac_eq(&packet->sender_mac, mac) || mac_eq(&packet->ethernet_from, mac))
        return REACTION_OWN_FRAME;
    if (!mac_is_broadcast(&packet->ethernet_to) && !mac_eq(&packet->ethernet_to, mac))
        return REACTION_OTHER_STATION;
    return reaction_is_station(&packet->sender_mac) ? REACTION_ANSWERED : REACTION_BAD_SENDER;
}

static void judge_request(const struct arp_packet *packet, const struct owned *owned,
                          const struct mac *mac, struct reaction *reaction)
{
    struct owned_address *address = owned_get(owned, &packet->target_ip);
    static const struct ip unspecified = {.family = IP_V4};
    if (address && address->is_owned && reaction->claim != CLAIM_ANNOUNCED) {
        reaction->verdict = REACTION_ANSWERED;
        reaction->asked = address;
        write_reply(packet, mac, reaction);
        return;
    }
    if (address &&
        ip_eq(&packet->sender_ip, &unspecified)) { /* RFC 5227 section 2.1.1: both want it */
        reaction->claim = CLAIM_PROBED;
        reaction->claimed = packet->target_ip;
    }
    reaction->verdict = reaction->claim == CLAIM_NONE ? REACTION_NOT_OURS : REACTION_CLAIMED;
}

struct reaction arp_answer(const void *frame, size_t size, const struct owned *owned,
                           const struct mac *mac)
{
    struct arp_packet packet;
    struct reaction reaction = {.verdict = REACTION_MALFORMED};
    if (arp_packet_parse(frame, size, &packet) < 0)
        return reaction;
    reaction.verdict = screen(&packet, mac);
    if (reaction.verdict != REACTION_ANSWERED)
        return reaction;
    reaction.claimant = packet.sender_mac;
    note_claim(&packet, owned, &reaction);
    if (packet.operation == ARP_REQUEST)
        judge_request(&packet, owned, mac, &reaction);
    else
        reaction.verdict = reaction.claim == CLAIM_NONE ? REACTION_NO_REQUEST : REACTION_CLAIMED;
    return reaction;
}
