#include "arp/ndp_answer.h"

#include <assert.h>

/* Who speaks: RFC 4861 leaves the option out where the frame's sender is meant. */
static struct mac speaker_of(const struct ndp_packet *packet)
{
    return packet->has_link ? packet->link : packet->ethernet_from;
}

/* RFC 2464 section 7 maps groups to Ethernet; RFC 6085 also allows one station's address. */
static bool is_for_us(const struct ndp_packet *packet, const struct mac *mac)
{
    if (mac_eq(&packet->ethernet_to, mac))
        return true;
    struct mac group = ndp_group_mac(&packet->destination);
    return ndp_is_multicast(&packet->destination) && mac_eq(&packet->ethernet_to, &group);
}

/* RFC 4861 section 4.3: a solicitation goes to the target or to its group. */
static bool is_aimed(const struct ndp_packet *packet)
{
    struct ip group = ndp_solicited_node(&packet->target);
    return ip_eq(&packet->destination, &packet->target) || ip_eq(&packet->destination, &group);
}

/* What is wrong with the packet before it is looked at whom it is about; REACTION_ANSWERED:
 * nothing.
 */
static enum reaction_verdict screen(const struct ndp_packet *packet, const struct mac *mac)
{
    struct mac speaker = speaker_of(packet);
    if (mac_eq(&packet->ethernet_from, mac) || mac_eq(&speaker, mac))
        return REACTION_OWN_FRAME;
    if (!is_for_us(packet, mac) || (packet->type == NDP_SOLICITATION && !is_aimed(packet)))
        return REACTION_OTHER_STATION;
    if (!reaction_is_station(&speaker) || ndp_is_multicast(&packet->source))
        return REACTION_BAD_SENDER;
    return REACTION_ANSWERED;
}

static void write_answer(const struct ndp_packet *request, const struct mac *mac,
                         struct reaction *reaction)
{
    struct ndp_packet answer = ndp_packet_announce(&request->target, mac);
    if (!ip_eq(&request->source, &ndp_unspecified)) {
        answer.ethernet_to = speaker_of(request);
        answer.destination = request->source;
        answer.solicited = true;
    }
    static_assert((int)NDP_SIZE_FULL <= (int)REACTION_FRAME_MAX, "an answer has room");
    reaction->frame_size = ndp_packet_write(&answer, reaction->frame);
}

static void claim(struct reaction *reaction, enum reaction_claim kind, const struct ip *ip)
{
    reaction->claim = kind;
    reaction->claimed = *ip;
}

static void judge_advertisement(const struct ndp_packet *packet, const struct owned *owned,
                                struct reaction *reaction)
{
    reaction->verdict = REACTION_NO_REQUEST;
    if (!owned_get(owned, &packet->target))
        return;
    reaction->verdict = REACTION_CLAIMED;
    claim(reaction, packet->solicited ? CLAIM_ANSWERED : CLAIM_ANNOUNCED, &packet->target);
}

static void judge_solicitation(const struct ndp_packet *packet, const struct owned *owned,
                               const struct mac *mac, struct reaction *reaction)
{
    struct owned_address *address = owned_get(owned, &packet->target);
    if (owned_get(owned, &packet->source))
        claim(reaction, CLAIM_USED, &packet->source);
    if (address && address->is_owned && !ip_eq(&packet->source, &packet->target)) {
        reaction->verdict = REACTION_ANSWERED;
        reaction->asked = address;
        write_answer(packet, mac, reaction);
        return;
    }
    /* RFC 4862 section 5.4.3: both want the address. */
    if (address && ip_eq(&packet->source, &ndp_unspecified))
        claim(reaction, CLAIM_PROBED, &packet->target);
    reaction->verdict = reaction->claim == CLAIM_NONE ? REACTION_NOT_OURS : REACTION_CLAIMED;
}

struct reaction ndp_answer(const void *frame, size_t size, const struct owned *owned,
                           const struct mac *mac)
{
    struct ndp_packet packet;
    struct reaction reaction = {.verdict = REACTION_MALFORMED};
    if (ndp_packet_parse(frame, size, &packet) < 0)
        return reaction;
    reaction.verdict = screen(&packet, mac);
    if (reaction.verdict != REACTION_ANSWERED)
        return reaction;
    reaction.claimant = speaker_of(&packet);
    if (packet.type == NDP_ADVERTISEMENT)
        judge_advertisement(&packet, owned, &reaction);
    else
        judge_solicitation(&packet, owned, mac, &reaction);
    return reaction;
}
