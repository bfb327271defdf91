/* ARP over Ethernet for IPv4 (RFC 826), as whole frames. Pure. */
#ifndef ARP_ARP_PACKET_H
#define ARP_ARP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "common/net/ip.h"
#include "common/net/mac.h"

enum { ARP_FRAME_SIZE = 42 }; /* Ethernet header and ARP packet, without padding */

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
    struct mac ethernet_to, ethernet_from;
    uint16_t operation; /* enum arp_operation, or another number */
    struct mac sender_mac, target_mac;
    struct ip sender_ip, target_ip; /* IPv4 */
};

/* Reads a frame; what follows the packet is padding. 0, ERR_TRUNCATED, or ERR_PROTOCOL when it is
 * no untagged ARP for IPv4 over Ethernet. */
int arp_packet_parse(const void *frame, size_t size, struct arp_packet *ret)
    __attribute__((warn_unused_result));

void arp_packet_write(const struct arp_packet *packet, uint8_t frame[ARP_FRAME_SIZE]);

/* A probe that finds out whether somebody has ip (RFC 5227 section 2.1.1): its sender address is
 * all zeros, so that it changes nobody's cache. */
void arp_packet_probe(const struct ip *ip, const struct mac *mac, uint8_t frame[ARP_FRAME_SIZE]);

/* An announcement of ip at mac (RFC 5227 section 3): a broadcast in which sender and target address
 * are the same. Some hosts believe only requests, some only replies; so both are sent. */
void arp_packet_announce(const struct ip *ip, const struct mac *mac, enum arp_operation operation,
                         uint8_t frame[ARP_FRAME_SIZE]);

#endif
