/* Neighbor solicitations and advertisements (RFC 4861 sections 4.3 and 4.4) over Ethernet, as whole
 * frames. Pure. */
#ifndef ARP_NDP_PACKET_H
#define ARP_NDP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "common/net/ip.h"
#include "common/net/mac.h"

enum {
    NDP_SIZE_BARE = 78, /* Ethernet, IPv6 and ICMPv6, no option */
    NDP_SIZE_FULL = 86, /* with a link-layer address */
};

enum ndp_type { NDP_SOLICITATION = 135, NDP_ADVERTISEMENT = 136 };

struct ndp_packet {
    struct mac ethernet_to, ethernet_from;
    struct ip source, destination, target; /* IPv6 */
    enum ndp_type type;
    bool router, solicited, override; /* of an advertisement */
    bool has_link;                    /* the option is there: source or target link-layer address */
    struct mac link;
};

/* Reads a frame; what follows the packet is padding, and options other than the link-layer address
 * are passed over. 0, ERR_TRUNCATED, or ERR_PROTOCOL when it is neither of the two, carries a VLAN
 * tag, or fails a test of RFC 4861 sections 7.1.1 and 7.1.2: hop limit, checksum, code, lengths,
 * target, and what goes with which source and destination. */
int ndp_packet_parse(const void *frame, size_t size, struct ndp_packet *ret)
    __attribute__((warn_unused_result));

/* Writes NDP_SIZE_FULL bytes, or NDP_SIZE_BARE without a link-layer address. Returns which. */
size_t ndp_packet_write(const struct ndp_packet *packet, uint8_t frame[NDP_SIZE_FULL]);

/* The group that whoever has the address listens to (RFC 4291 section 2.7.1). */
struct ip ndp_solicited_node(const struct ip *ip);

/* ff02::1, and the unspecified address ::. */
extern const struct ip ndp_all_nodes, ndp_unspecified;

/* The Ethernet group of an IPv6 multicast address (RFC 2464 section 7). */
struct mac ndp_group_mac(const struct ip *group);

bool ndp_is_multicast(const struct ip *ip);

/* An unasked advertisement of ip at mac to all nodes (RFC 4861 section 7.2.6). */
struct ndp_packet ndp_packet_announce(const struct ip *ip, const struct mac *mac);

/* A solicitation that finds out whether somebody has ip (RFC 4862 section 5.4.2). */
struct ndp_packet ndp_packet_probe(const struct ip *ip, const struct mac *mac);

#endif
