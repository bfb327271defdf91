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

static void test_states(void)
{
    struct iface cases[] = {sample("a"), sample("b"), sample("c"), sample("d"),
                            sample("e"), sample("f"), sample("g"), sample("h")};
    static const enum iface_verdict want[] = {IFACE_LOOPBACK, IFACE_ENSLAVED, IFACE_DOWN,
                                              IFACE_NO_ARP,   IFACE_NO_ARP,   IFACE_NO_ARP,
                                              IFACE_USED,     IFACE_EXCLUDED};
    cases[0].loopback = true;
    cases[1].enslaved = true;
    cases[2].up = false;
    cases[3].no_arp = true;
    cases[4].broadcast = false;
    cases[5].ethernet = false;
    cases[6].running = false;
    cases[7].excluded = true;
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_STR(str_from(iface_verdict_name(iface_judge(&cases[i]))), iface_verdict_name(want[i]));
}

static void test_usable(void)
{
    struct iface ifaces[] = {sample("eth1"), sample("docker0"), sample("eth0")};
    ifaces[1].excluded = true;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list names = iface_usable(ifaces, TEST_COUNT(ifaces), arena);
    TEST_ASSERT(names.count == 2);
    TEST_STR(names.items[0], "eth0");
    TEST_STR(names.items[1], "eth1");
    TEST_ASSERT(iface_usable(NULL, 0, arena).count == 0);
}

/* Whoever keeps a picture sees every difference. */
static void test_equal(void)
{
    struct iface base = sample("a"), others[] = {sample("a"), sample("a"), sample("b")};
    others[0].excluded = true;
    others[1].link_local = ip_from_bytes(IP_V6, (const uint8_t[16]){0xfe, 0x80, [15] = 1});
    TEST_ASSERT(iface_eq(&base, &base));
    for (size_t i = 0; i < TEST_COUNT(others); i++)
        TEST_ASSERT(!iface_eq(&base, &others[i]));
}

TEST_MAIN("speaker/iface", TEST(test_states), TEST(test_usable), TEST(test_equal))
