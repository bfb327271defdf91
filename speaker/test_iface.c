#include "common/base/test.h"
#include "speaker/iface.h"

static struct iface sample(const char *name)
{
    return (struct iface){.index = 2,
                          .name = str_from(name),
                          .ethernet = true,
                          .up = true,
                          .running = true,
                          .broadcast = true};
}

static void test_names(void)
{
    static const struct {
        const char *name;
        enum iface_verdict verdict;
    } cases[] = {
        {"eth0", IFACE_USED},           {"eth0.100", IFACE_USED},
        {"bond0", IFACE_USED},          {"br0", IFACE_USED},
        {"lo", IFACE_EXCLUDED},         {"lo2", IFACE_USED},
        {"docker0", IFACE_EXCLUDED},    {"mydocker0", IFACE_USED},
        {"cali12ab", IFACE_EXCLUDED},   {"veth12ab", IFACE_EXCLUDED},
        {"kube-ipvs0", IFACE_EXCLUDED}, {"cni0", IFACE_EXCLUDED},
        {"lxc_health", IFACE_EXCLUDED}, {"flannel.1", IFACE_EXCLUDED},
        {"dummy0", IFACE_EXCLUDED},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct iface iface = sample(cases[i].name);
        TEST_STR(str_from(iface_verdict_name(iface_judge(&iface))),
                 iface_verdict_name(cases[i].verdict));
    }
}

static void test_states(void)
{
    struct iface cases[] = {sample("a"), sample("b"), sample("c"), sample("d"),
                            sample("e"), sample("f"), sample("g")};
    static const enum iface_verdict want[] = {IFACE_LOOPBACK, IFACE_ENSLAVED, IFACE_DOWN,
                                              IFACE_NO_ARP,   IFACE_NO_ARP,   IFACE_NO_ARP,
                                              IFACE_USED};
    cases[0].loopback = true;
    cases[1].enslaved = true;
    cases[2].up = false;
    cases[3].no_arp = true;
    cases[4].broadcast = false;
    cases[5].ethernet = false;
    cases[6].running = false;
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_STR(str_from(iface_verdict_name(iface_judge(&cases[i]))), iface_verdict_name(want[i]));
}

static void test_usable(void)
{
    struct iface ifaces[] = {sample("eth1"), sample("lo"), sample("eth0")};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list names = iface_usable(ifaces, TEST_COUNT(ifaces), arena);
    TEST_ASSERT(names.count == 2);
    TEST_STR(names.items[0], "eth0");
    TEST_STR(names.items[1], "eth1");
    TEST_ASSERT(iface_usable(NULL, 0, arena).count == 0);
}

TEST_MAIN("speaker/iface", TEST(test_names), TEST(test_states), TEST(test_usable))
