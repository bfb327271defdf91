#include "arp/ethernet.h"

enum { VLAN_MASK = 0x0fff };

uint16_t ethernet_get(struct wire *in, struct mac *ret_to, struct mac *ret_from)
{
    *ret_to = wire_get_mac(in);
    *ret_from = wire_get_mac(in);
    uint16_t type = wire_get_u16(in);
    if (type != ETHERNET_TAG || (wire_get_u16(in) & VLAN_MASK) != 0)
        return type;
    return wire_get_u16(in);
}

void ethernet_put(struct wire *out, const struct mac *to, const struct mac *from,
                  enum ethernet_type type)
{
    wire_put_mac(out, to);
    wire_put_mac(out, from);
    wire_put_u16(out, (uint16_t)type);
}
