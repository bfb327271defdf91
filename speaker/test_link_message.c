/* Messages of the kernel, built by libnl, as interfaces and addresses. */
#include <linux/if_addr.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "common/base/test.h"
#include "speaker/link_message.h"

/* What stands in a message about an interface. */
struct link_case {
    unsigned short type; /* ARPHRD_… */
    unsigned flags, master;
    const char *slave_kind; /* NULL: no IFLA_LINKINFO */
    unsigned char family;
    size_t address_len;
    const char *want;
};

static const uint8_t mac[20] = {2, 0, 0, 0, 0, 9};

static struct nl_msg *link_message(const struct link_case *c)
{
    struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWLINK, 0);
    struct ifinfomsg info = {
        .ifi_family = c->family, .ifi_type = c->type, .ifi_index = 7, .ifi_flags = c->flags};
    TEST_ASSERT(nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) == 0);
    TEST_ASSERT(nla_put_string(message, IFLA_IFNAME, "x0") == 0);
    TEST_ASSERT(nla_put(message, IFLA_ADDRESS, (int)c->address_len, mac) == 0);
    if (c->master)
        TEST_ASSERT(nla_put_u32(message, IFLA_MASTER, c->master) == 0);
    if (c->slave_kind) {
        struct nlattr *nested = nla_nest_start(message, IFLA_LINKINFO);
        TEST_ASSERT(nla_put_string(message, IFLA_INFO_KIND, "veth") == 0);
        TEST_ASSERT(nla_put_string(message, IFLA_INFO_SLAVE_KIND, c->slave_kind) == 0);
        TEST_ASSERT(nla_nest_end(message, nested) == 0);
    }
    return message;
}

static void test_links(void)
{
    static const unsigned up = IFF_UP | IFF_BROADCAST;
    static const struct link_case cases[] = {
        {ARPHRD_ETHER, up | IFF_RUNNING, .address_len = 6, .want = "used running"},
        {ARPHRD_ETHER, up, .address_len = 6, .want = "used"},
        {ARPHRD_ETHER, IFF_BROADCAST, .address_len = 6, .want = "down"},
        {ARPHRD_ETHER, up, 3, "bridge", .address_len = 6, .want = "enslaved"},
        {ARPHRD_ETHER, up, 3, "bond", .address_len = 6, .want = "enslaved"},
        {ARPHRD_ETHER, up, 3, "vrf", .address_len = 6, .want = "used"},
        {ARPHRD_ETHER, up, 3, NULL, .address_len = 6, .want = "enslaved"},
        {ARPHRD_ETHER, up | IFF_NOARP, .address_len = 6, .want = "noARP"},
        {ARPHRD_ETHER, IFF_UP, .address_len = 6, .want = "noARP"},
        {ARPHRD_ETHER, up, .address_len = 20, .want = "noARP"},
        {ARPHRD_INFINIBAND, up, .address_len = 20, .want = "noARP"},
        {ARPHRD_LOOPBACK, IFF_UP | IFF_LOOPBACK, .address_len = 6, .want = "loopback"},
        {ARPHRD_ETHER, up, .family = AF_BRIDGE, .address_len = 6, .want = "none"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct nl_msg *message = link_message(&cases[i]);
        struct iface iface = {0};
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        bool read = link_message_read(nlmsg_hdr(message), &iface);
        struct str text =
            arena_printf(arena, "%s%s", read ? iface_verdict_name(iface_judge(&iface)) : "none",
                         iface.running ? " running" : "");
        TEST_STR(text, cases[i].want);
        TEST_ASSERT(!read || iface.index == 7);
        TEST_STR(iface.name, read ? "x0" : "");
        if (iface.ethernet)
            TEST_STR(str_from(mac_format(&iface.mac).text), "02:00:00:00:00:09");
        nlmsg_free(message);
    }
}

static void test_addresses(void)
{
    static const struct {
        unsigned char family, scope;
        uint8_t flags;       /* of the header */
        uint32_t more_flags; /* IFA_FLAGS, which counts instead; 0: not there */
        int len;
        const char *want;
    } cases[] = {
        {AF_INET6, RT_SCOPE_LINK, IFA_F_PERMANENT, 0, 16, "usable"},
        {AF_INET6, RT_SCOPE_LINK, IFA_F_TENTATIVE, 0, 16, "not usable"},
        {AF_INET6, RT_SCOPE_LINK, IFA_F_DADFAILED, 0, 16, "not usable"},
        {AF_INET6, RT_SCOPE_LINK, IFA_F_TENTATIVE | IFA_F_OPTIMISTIC, 0, 16, "usable"},
        {AF_INET6, RT_SCOPE_LINK, 0, IFA_F_TENTATIVE | IFA_F_NOPREFIXROUTE, 16, "not usable"},
        {AF_INET6, RT_SCOPE_LINK, IFA_F_TENTATIVE, IFA_F_NOPREFIXROUTE, 16, "usable"},
        {AF_INET6, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT, 0, 16, "none"},
        {AF_INET, RT_SCOPE_LINK, IFA_F_PERMANENT, 0, 4, "none"},
        {AF_INET6, RT_SCOPE_LINK, IFA_F_PERMANENT, 0, 8, "none"},
    };
    static const uint8_t bytes[16] = {0xfe, 0x80, [15] = 5};
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct nl_msg *message = nlmsg_alloc_simple(RTM_NEWADDR, 0);
        struct ifaddrmsg info = {.ifa_family = cases[i].family,
                                 .ifa_scope = cases[i].scope,
                                 .ifa_flags = cases[i].flags,
                                 .ifa_index = 4};
        struct link_address address = {0};
        TEST_ASSERT(nlmsg_append(message, &info, sizeof(info), NLMSG_ALIGNTO) == 0);
        TEST_ASSERT(nla_put(message, IFA_ADDRESS, cases[i].len, bytes) == 0);
        if (cases[i].more_flags)
            TEST_ASSERT(nla_put_u32(message, IFA_FLAGS, cases[i].more_flags) == 0);
        bool read = link_message_address(nlmsg_hdr(message), &address);
        TEST_STR(str_from(!read            ? "none"
                          : address.usable ? "usable"
                                           : "not usable"),
                 cases[i].want);
        if (read) {
            TEST_ASSERT(address.index == 4);
            TEST_STR(str_from(ip_format(&address.ip).text), "fe80::5");
        }
        nlmsg_free(message);
    }
}

TEST_MAIN("speaker/link_message", TEST(test_links), TEST(test_addresses))
