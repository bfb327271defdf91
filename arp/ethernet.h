/* The Ethernet header of a frame, behind which ARP or IPv6 follows. Pure. */
#ifndef ARP_ETHERNET_H
#define ARP_ETHERNET_H

#include "common/net/wire.h"

enum ethernet_type {
    ETHERNET_IPV4 = 0x0800,
    ETHERNET_ARP = 0x0806,
    ETHERNET_TAG = 0x8100, /* IEEE 802.1Q */
    ETHERNET_IPV6 = 0x86dd,
};

/* Reads it and returns the type of what follows. A tag with VLAN 0 only carries a priority
 * (IEEE 802.1Q section 6.9.1) and is passed over; any other belongs to a VLAN that is not this
 * interface's, and is returned as the type. */
uint16_t ethernet_get(struct wire *in, struct mac *ret_to, struct mac *ret_from);

void ethernet_put(struct wire *out, const struct mac *to, const struct mac *from,
                  enum ethernet_type type);

#endif
