/* A frame from the network: whatever it holds, a reply is a well-formed one about our address. */
#include <assert.h>
#include <string.h>

#include "arp/arp_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mac mac = {{2, 0, 0, 0, 0, 1}};
    const struct ip ours = ip_v4(192, 0, 2, 240);
    scoped_ptr(owned) struct owned *owned = owned_new();
    (void)owned_add(owned, &ours);
    struct reaction reaction = arp_answer(data, size, owned, &mac);
    bool is_answered = reaction.verdict == REACTION_ANSWERED;
    assert(reaction.verdict < REACTION_VERDICTS && is_answered == (reaction.asked != NULL));
    assert(reaction.claim == CLAIM_NONE || ip_eq(&reaction.claimed, &ours));
    struct arp_packet packet;
    int result = arp_packet_parse(data, size, &packet);
    assert((result < 0) == (reaction.verdict == REACTION_MALFORMED));
    if (!is_answered)
        return 0;
    struct arp_packet answer;
    result = arp_packet_parse(reaction.frame, reaction.frame_size, &answer);
    assert(result == 0 && answer.operation == ARP_REPLY);
    assert(ip_eq(&answer.sender_ip, &ours) && mac_eq(&answer.sender_mac, &mac));
    assert(mac_eq(&answer.ethernet_to, &packet.sender_mac));
    assert(!mac_is_multicast(&answer.ethernet_to));
    return 0;
}
