#include "speaker/link_message.h"

#include <linux/if_addr.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

static const struct nla_policy link_policy[IFLA_MAX + 1] = {
    [IFLA_IFNAME] = {.type = NLA_STRING, .minlen = 1, .maxlen = IFNAMSIZ},
    [IFLA_MASTER] = {.type = NLA_U32},
    [IFLA_LINKINFO] = {.type = NLA_NESTED},
};

/* A bond or a bridge takes the frames of its parts; a VRF only chooses the routes. */
static bool is_vrf_member(struct nlattr *info)
{
    struct nlattr *attributes[IFLA_INFO_MAX + 1];
    if (!info || nla_parse_nested(attributes, IFLA_INFO_MAX, info, NULL) < 0)
        return false;
    const struct nlattr *kind = attributes[IFLA_INFO_SLAVE_KIND];
    return kind && nla_strcmp(kind, "vrf") == 0;
}

bool link_message_read(struct nlmsghdr *message, struct iface *ret)
{
    struct nlattr *attributes[IFLA_MAX + 1];
    if (nlmsg_parse(message, sizeof(struct ifinfomsg), attributes, IFLA_MAX, link_policy) < 0)
        return false;
    const struct ifinfomsg *info = nlmsg_data(message);
    /* Bridges tell about their ports in the same group with a family of their own; a port that
     * leaves its bridge is still an interface. */
    if (info->ifi_family != AF_UNSPEC)
        return false;
    const struct nlattr *address = attributes[IFLA_ADDRESS], *name = attributes[IFLA_IFNAME];
    struct mac mac = {0};
    bool ethernet =
        info->ifi_type == ARPHRD_ETHER && address && nla_len(address) == (int)sizeof(mac.bytes);
    for (size_t i = 0; ethernet && i < sizeof(mac.bytes); i++)
        mac.bytes[i] = ((const uint8_t *)nla_data(address))[i];
    ret->index = (uint32_t)info->ifi_index;
    ret->name = name ? str_from(nla_get_string(name)) : STR("");
    ret->mac = mac;
    ret->ethernet = ethernet;
    ret->loopback = info->ifi_flags & IFF_LOOPBACK;
    ret->up = info->ifi_flags & IFF_UP;
    ret->running = info->ifi_flags & IFF_RUNNING;
    ret->broadcast = info->ifi_flags & IFF_BROADCAST;
    ret->no_arp = info->ifi_flags & IFF_NOARP;
    ret->enslaved = attributes[IFLA_MASTER] && !is_vrf_member(attributes[IFLA_LINKINFO]);
    return true;
}

static const struct nla_policy address_policy[IFA_MAX + 1] = {
    [IFA_ADDRESS] = {.minlen = 4},
    [IFA_FLAGS] = {.type = NLA_U32},
};

bool link_message_address(struct nlmsghdr *message, struct link_address *ret)
{
    struct nlattr *attributes[IFA_MAX + 1];
    if (nlmsg_parse(message, sizeof(struct ifaddrmsg), attributes, IFA_MAX, address_policy) < 0)
        return false;
    const struct ifaddrmsg *info = nlmsg_data(message);
    const struct nlattr *address = attributes[IFA_ADDRESS];
    if (info->ifa_family != AF_INET6 || info->ifa_scope != RT_SCOPE_LINK || !address ||
        nla_len(address) != 16)
        return false;
    uint32_t flags = attributes[IFA_FLAGS] ? nla_get_u32(attributes[IFA_FLAGS]) : info->ifa_flags;
    ret->index = info->ifa_index;
    ret->ip = ip_from_bytes(IP_V6, nla_data(address));
    /* RFC 4862 section 5.4: nothing is sent from an address that may be another's, but RFC 4429
     * lets an optimistic one be used. */
    ret->usable = !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) || flags & IFA_F_OPTIMISTIC;
    return true;
}
