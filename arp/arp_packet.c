#include "arp/arp_packet.h"

#include <assert.h>

#include "arp/ethernet.h"
#include "common/base/err.h"

enum {
    HARDWARE_ETHERNET = 1, /* RFC 826 "ares_hrd$Ethernet" */
    MAC_SIZE = 6,
    IPV4_SIZE = 4,
};

static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

int arp_packet_parse(const void *frame, size_t size, struct arp_packet *ret)
{
    struct wire in = wire_reader(frame, size);
    struct arp_packet packet;
    uint16_t ethertype = ethernet_get(&in, &packet.ethernet_to, &packet.ethernet_from);
    uint16_t hardware = wire_get_u16(&in);
    uint16_t protocol = wire_get_u16(&in);
    uint8_t hardware_size = wire_get_u8(&in);
    uint8_t protocol_size = wire_get_u8(&in);
    packet.operation = wire_get_u16(&in);
    packet.sender_mac = wire_get_mac(&in);
    packet.sender_ip = wire_get_ip(&in, IP_V4);
    packet.target_mac = wire_get_mac(&in);
    packet.target_ip = wire_get_ip(&in, IP_V4);
    if (!wire_ok(&in))
        return ERR_TRUNCATED;
    if (ethertype != ETHERNET_ARP || hardware != HARDWARE_ETHERNET || protocol != ETHERNET_IPV4 ||
        hardware_size != MAC_SIZE || protocol_size != IPV4_SIZE)
        return ERR_PROTOCOL;
    *ret = packet;
    return 0;
}

void arp_packet_write(const struct arp_packet *packet, uint8_t frame[ARP_FRAME_SIZE])
{
    struct wire out = wire_writer(frame, ARP_FRAME_SIZE);
    ethernet_put(&out, &packet->ethernet_to, &packet->ethernet_from, ETHERNET_ARP);
    wire_put_u16(&out, HARDWARE_ETHERNET);
    wire_put_u16(&out, ETHERNET_IPV4);
    wire_put_u8(&out, MAC_SIZE);
    wire_put_u8(&out, IPV4_SIZE);
    wire_put_u16(&out, packet->operation);
    wire_put_mac(&out, &packet->sender_mac);
    wire_put_ip(&out, &packet->sender_ip);
    wire_put_mac(&out, &packet->target_mac);
    wire_put_ip(&out, &packet->target_ip);
    assert(wire_ok(&out) && wire_left(&out) == 0);
}

void arp_packet_probe(const struct ip *ip, const struct mac *mac, uint8_t frame[ARP_FRAME_SIZE])
{
    const struct arp_packet packet = {
        .ethernet_to = broadcast,
        .ethernet_from = *mac,
        .operation = ARP_REQUEST,
        .sender_mac = *mac,
        .sender_ip = {.family = IP_V4},
        .target_ip = *ip,
    };
    arp_packet_write(&packet, frame);
}

void arp_packet_announce(const struct ip *ip, const struct mac *mac, enum arp_operation operation,
                         uint8_t frame[ARP_FRAME_SIZE])
{
    const struct arp_packet packet = {
        .ethernet_to = broadcast,
        .ethernet_from = *mac,
        .operation = (uint16_t)operation,
        .sender_mac = *mac,
        .sender_ip = *ip,
        .target_mac = broadcast,
        .target_ip = *ip,
    };
    arp_packet_write(&packet, frame);
}
