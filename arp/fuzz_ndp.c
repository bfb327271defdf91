/* A frame from the network: whatever it holds, an answer is a well-formed one about our address.
 *
 * Checksums are beyond a fuzzer's luck: each input is tried as it is, and once more with the
 * checksum put right, where the frame is long enough to have one. */
#include <assert.h>
#include <string.h>

#include "arp/ndp_answer.h"
#include "common/net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};
static const struct ip ours = {.family = IP_V6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 0xf0}};
static const struct ip probed = {.family = IP_V6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 0xf3}};

/* What is read and written again is read as the same. */
static void check_round_trip(const struct ndp_packet *packet)
{
    uint8_t again[NDP_SIZE_FULL];
    struct ndp_packet copy = {0};
    int result = ndp_packet_parse(again, ndp_packet_write(packet, again), &copy);
    assert(result == 0 && copy.type == packet->type && ip_eq(&copy.target, &packet->target));
    assert(ip_eq(&copy.source, &packet->source) && ip_eq(&copy.destination, &packet->destination));
    assert(mac_eq(&copy.ethernet_to, &packet->ethernet_to));
    assert(mac_eq(&copy.ethernet_from, &packet->ethernet_from));
    assert(copy.has_link == packet->has_link && mac_eq(&copy.link, &packet->link));
    assert(copy.router == packet->router && copy.solicited == packet->solicited &&
           copy.override == packet->override);
}

static void check_answer(const struct reaction *reaction, const struct ndp_packet *request)
{
    struct ndp_packet answer;
    int result = ndp_packet_parse(reaction->frame, reaction->frame_size, &answer);
    bool is_probe = ip_eq(&request->source, &ndp_unspecified);
    assert(result == 0 && answer.type == NDP_ADVERTISEMENT && request->type == NDP_SOLICITATION);
    assert(ip_eq(&answer.target, &ours) && ip_eq(&answer.source, &ours));
    assert(answer.has_link && mac_eq(&answer.link, &mac) && mac_eq(&answer.ethernet_from, &mac));
    assert(!answer.router && answer.override && answer.solicited == !is_probe);
    assert(mac_is_multicast(&answer.ethernet_to) == is_probe);
    assert(ip_eq(&answer.destination, is_probe ? &ndp_all_nodes : &request->source));
}

static void check(const uint8_t *data, size_t size, const struct owned *owned)
{
    struct reaction reaction = ndp_answer(data, size, owned, &mac);
    struct ndp_packet packet;
    bool is_parsed = ndp_packet_parse(data, size, &packet) == 0;
    assert(reaction.verdict < REACTION_VERDICTS);
    assert(is_parsed == (reaction.verdict != REACTION_MALFORMED));
    assert((reaction.verdict == REACTION_ANSWERED) == (reaction.asked != NULL));
    assert(reaction.claim == CLAIM_NONE || owned_get(owned, &reaction.claimed));
    if (is_parsed)
        check_round_trip(&packet);
    if (reaction.verdict == REACTION_ANSWERED)
        check_answer(&reaction, &packet);
}

/* The checksum of ICMPv6 right behind the IPv6 header, at whatever length that gives. */
static void repair(uint8_t *frame)
{
    enum { IP = 14, MESSAGE = IP + 40 };
    size_t size = (size_t)frame[IP + 4] << 8 | frame[IP + 5];
    const uint8_t tail[4] = {frame[IP + 4], frame[IP + 5], 0, 58};
    frame[MESSAGE + 2] = frame[MESSAGE + 3] = 0;
    uint32_t sum = wire_checksum_add(0, frame + IP + 8, 32);
    uint16_t checksum = wire_checksum_end(
        wire_checksum_add(wire_checksum_add(sum, tail, sizeof(tail)), frame + MESSAGE, size));
    frame[MESSAGE + 2] = (uint8_t)(checksum >> 8);
    frame[MESSAGE + 3] = (uint8_t)checksum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t copy[1024];
    scoped_ptr(owned) struct owned *owned = owned_new();
    (void)owned_add(owned, &ours);
    (void)owned_watch(owned, &probed);
    check(data, size, owned);
    if (size < 58 || size > sizeof(copy) || size < 54 + ((size_t)data[18] << 8 | data[19]) ||
        ((size_t)data[18] << 8 | data[19]) < 4)
        return 0;
    memcpy(copy, data, size);
    repair(copy);
    check(copy, size, owned);
    return 0;
}
