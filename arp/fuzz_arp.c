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
    owned_add(owned, &ours);
    uint8_t reply[ARP_FRAME_SIZE];
    struct owned_address *address = NULL;
    enum arp_verdict verdict = arp_answer(data, size, owned, &mac, reply, &address);
    assert(verdict < ARP_VERDICTS && (verdict == ARP_ANSWERED) == (address != NULL));
    struct arp_packet packet;
    if (arp_packet_parse(data, size, &packet) == 0) {
        uint8_t again[ARP_FRAME_SIZE];
        arp_packet_write(&packet, again);
        assert(memcmp(again, data, ARP_FRAME_SIZE) == 0);
    }
    if (verdict != ARP_ANSWERED)
        return 0;
    struct arp_packet answer;
    int result = arp_packet_parse(reply, sizeof(reply), &answer);
    assert(result == 0 && answer.operation == ARP_REPLY);
    assert(ip_eq(&answer.sender_ip, &ours) && mac_eq(&answer.sender_mac, &mac));
    assert(mac_eq(&answer.ethernet_to, &packet.sender_mac));
    assert(!mac_is_multicast(&answer.ethernet_to));
    return 0;
}
