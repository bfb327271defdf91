/* Filters are run by the kernel itself: attached to a socket, through which frames are sent. */
#include "common/base/test.h"

#include <sys/socket.h>

#include "arp/arp_packet.h"
#include "arp/chaos.h"
#include "arp/filter.h"
#include "arp/ndp_packet.h"

enum { SNAP = 900 };

static const struct mac us = {{2, 0, 0, 0, 0, 1}}, client = {{2, 0, 0, 0, 0, 0xc8}};

/* A pair of sockets; the second has the filter. */
struct wiring {
    int ends[2];
};

static struct wiring wire_up(enum reaction_protocol protocol, const struct owned *owned,
                             size_t ranges)
{
    struct wiring wiring;
    filter_program program = {0};
    filter_make(protocol, owned, ranges, SNAP, &program);
    const struct sock_fprog argument = {.len = (unsigned short)program.len,
                                        .filter = program.items};
    TEST_ASSERT(socketpair(AF_UNIX, SOCK_DGRAM, 0, wiring.ends) == 0);
    TEST_ASSERT(
        setsockopt(wiring.ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &argument, sizeof(argument)) == 0);
    vec_done(&program);
    return wiring;
}

static void cut(struct wiring *wiring)
{
    (void)close(wiring->ends[0]);
    (void)close(wiring->ends[1]);
}

/* Does the frame arrive? */
static bool passes(const struct wiring *wiring, const uint8_t *frame, size_t size)
{
    uint8_t got[2 * SNAP];
    if (send(wiring->ends[0], frame, size, MSG_DONTWAIT) < 0)
        return false;
    return recv(wiring->ends[1], got, sizeof(got), MSG_DONTWAIT) == (ssize_t)size;
}

static size_t arp_frame(const struct ip *sender, const struct ip *target, uint16_t operation,
                        uint8_t *frame)
{
    const struct arp_packet packet = {.ethernet_to = us,
                                      .ethernet_from = client,
                                      .operation = operation,
                                      .sender_mac = client,
                                      .sender_ip = *sender,
                                      .target_ip = *target};
    arp_packet_write(&packet, frame);
    return ARP_FRAME_SIZE;
}

static size_t ndp_frame(const struct ip *source, const struct ip *target, enum ndp_type type,
                        uint8_t *frame)
{
    const struct ndp_packet packet = {.ethernet_to = us,
                                      .ethernet_from = client,
                                      .source = *source,
                                      .destination = *target,
                                      .target = *target,
                                      .type = type,
                                      .has_link = true,
                                      .link = client};
    return ndp_packet_write(&packet, frame);
}

static struct ip v4(uint32_t number)
{
    return ip_of_value(IP_V4, number);
}

static struct ip v6(uint32_t number)
{
    static const ip_value prefix = (ip_value)0x20010db800000001 << 64;
    return ip_of_value(IP_V6, prefix | number);
}

/* Of every address near one of ours, the filter must pass exactly ours: as the one asked for, and
 * as the one that says something. */
static void check_exact(const uint32_t *numbers, size_t count)
{
    const struct ip other4 = v4(7), other6 = v6(7);
    scoped_ptr(owned) struct owned *owned = owned_new();
    for (size_t i = 0; i < count; i++) {
        const struct ip ours4 = v4(numbers[i]), ours6 = v6(numbers[i]);
        (void)owned_add(owned, &ours4);
        (void)owned_watch(owned, &ours6);
    }
    struct wiring arp = wire_up(REACTION_ARP, owned, FILTER_RANGES_MAX);
    struct wiring ndp = wire_up(REACTION_NDP, owned, FILTER_RANGES_MAX);
    for (size_t i = 0; i < 3 * count; i++) {
        uint8_t frame[128];
        uint32_t number = numbers[i / 3] + (uint32_t)(i % 3) - 1;
        const struct ip asked4 = v4(number), asked6 = v6(number);
        bool want4 = owned_get(owned, &asked4) != NULL, want6 = owned_get(owned, &asked6) != NULL;
        TEST_ASSERT(want4 == want6);
        TEST_ASSERT(passes(&arp, frame, arp_frame(&other4, &asked4, 1, frame)) == want4);
        TEST_ASSERT(passes(&arp, frame, arp_frame(&asked4, &other4, 2, frame)) == want4);
        TEST_ASSERT(passes(&ndp, frame, ndp_frame(&other6, &asked6, NDP_SOLICITATION, frame)) ==
                    want6);
        TEST_ASSERT(passes(&ndp, frame, ndp_frame(&asked6, &other6, NDP_SOLICITATION, frame)) ==
                    want6);
    }
    cut(&arp);
    cut(&ndp);
}

static void test_exact(void)
{
    static const uint32_t few[] = {0xc00002f0, 0xc00002f1, 0xc00002f3, 0xc0000300, 0xffffffff, 1};
    uint32_t numbers[2000];
    uint64_t chaos = 1;
    check_exact(few, 1);
    check_exact(few, TEST_COUNT(few));
    for (size_t i = 0; i < FILTER_RANGES_MAX; i++) /* as many ranges as there may be */
        numbers[i] = 0x0a000000 + 2 * (uint32_t)i;
    check_exact(numbers, FILTER_RANGES_MAX);
    for (size_t i = 0; i < TEST_COUNT(numbers); i++) /* two pools */
        numbers[i] = (i % 2 ? 0xc6336400 : 0x0a000000) + (uint32_t)i / 2;
    check_exact(numbers, TEST_COUNT(numbers));
    for (int round = 0; round < 20; round++) {
        size_t count = chaos_between(&chaos, 1, FILTER_RANGES_MAX);
        for (size_t i = 0; i < count; i++)
            numbers[i] = (uint32_t)chaos_between(&chaos, 1, UINT32_MAX - 1);
        check_exact(numbers, count);
    }
}

/* With more ranges than there may be, all of ours pass, and only what lies between them besides. */
static void test_closed_gaps(void)
{
    enum { COUNT = 10000, STEP = 7 };
    scoped_ptr(owned) struct owned *owned = owned_new();
    for (uint32_t i = 0; i < COUNT; i++) { /* a wide gap behind every thousandth */
        const struct ip ours = v4(0x0a000000 + i * STEP + i / 1000 * 0x10000);
        (void)owned_add(owned, &ours);
    }
    struct wiring arp = wire_up(REACTION_ARP, owned, FILTER_RANGES_MAX);
    const struct ip other = v4(7);
    uint8_t frame[128];
    size_t cursor = 0;
    for (const struct owned_address *address; (address = owned_next(owned, &cursor));)
        TEST_ASSERT(passes(&arp, frame, arp_frame(&other, &address->ip, 1, frame)));
    for (uint32_t i = 0; i < COUNT / 1000; i++) {
        const struct ip before = v4(0x0a000000 - 1 + i * (STEP * 1000 + 0x10000));
        const struct ip behind = v4(0x0a000001 + (i * 1000 + 999) * STEP + i * 0x10000);
        TEST_ASSERT(!passes(&arp, frame, arp_frame(&other, &before, 1, frame)));
        TEST_ASSERT(!passes(&arp, frame, arp_frame(&other, &behind, 1, frame)));
    }
    cut(&arp);
}

/* One bit of a frame is changed: what the filter looks at beyond the addresses. */
static void test_other_frames(void)
{
    static const struct {
        enum reaction_protocol protocol;
        size_t at;
        uint8_t value;
        bool want;
    } cases[] = {
        {REACTION_ARP, 15, 6, false},    /* IEEE 802 hardware */
        {REACTION_ARP, 16, 0x86, false}, /* another protocol */
        {REACTION_ARP, 18, 8, false},    /* longer hardware addresses */
        {REACTION_ARP, 19, 16, false},   /* longer protocol addresses */
        {REACTION_ARP, 21, 2, true},     /* a reply */
        {REACTION_ARP, 21, 3, false},    /* a reverse request */
        {REACTION_NDP, 21, 254, false},  /* hop limit */
        {REACTION_NDP, 20, 0, true},     /* hop-by-hop options, which we look at */
        {REACTION_NDP, 20, 60, true},    /* destination options, too */
        {REACTION_NDP, 20, 44, false},   /* a fragment */
        {REACTION_NDP, 20, 17, false},   /* UDP */
        {REACTION_NDP, 54, 136, true},   /* an advertisement */
        {REACTION_NDP, 54, 134, false},  /* a router's */
        {REACTION_NDP, 54, 128, false},  /* an echo */
    };
    const struct ip ours4 = v4(0xc00002f0), other4 = v4(7), ours6 = v6(1), other6 = v6(7);
    scoped_ptr(owned) struct owned *owned = owned_new();
    (void)owned_add(owned, &ours4);
    (void)owned_add(owned, &ours6);
    struct wiring wirings[] = {wire_up(REACTION_ARP, owned, 1), wire_up(REACTION_NDP, owned, 1)};
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        uint8_t frame[128];
        size_t size = cases[i].protocol == REACTION_ARP
                          ? arp_frame(&other4, &ours4, 1, frame)
                          : ndp_frame(&other6, &ours6, NDP_SOLICITATION, frame);
        frame[cases[i].at] = cases[i].value;
        TEST_ASSERT(passes(&wirings[cases[i].protocol], frame, size) == cases[i].want);
        TEST_ASSERT(!passes(&wirings[cases[i].protocol], frame, cases[i].at));
    }
    cut(&wirings[0]);
    cut(&wirings[1]);
}

static void test_nothing_owned(void)
{
    const struct ip some = v4(7);
    uint8_t frame[128];
    scoped_ptr(owned) struct owned *owned = owned_new();
    struct wiring arp = wire_up(REACTION_ARP, owned, FILTER_RANGES_MAX);
    TEST_ASSERT(!passes(&arp, frame, arp_frame(&some, &some, 1, frame)));
    cut(&arp);
}

/* Long frames are cut. */
static void test_snap(void)
{
    const struct ip ours = v4(0xc00002f0), other = v4(7);
    uint8_t frame[2 * SNAP] = {0}, got[2 * SNAP];
    scoped_ptr(owned) struct owned *owned = owned_new();
    (void)owned_add(owned, &ours);
    struct wiring arp = wire_up(REACTION_ARP, owned, FILTER_RANGES_MAX);
    (void)arp_frame(&other, &ours, 1, frame);
    TEST_ASSERT(send(arp.ends[0], frame, sizeof(frame), MSG_DONTWAIT) == sizeof(frame));
    TEST_ASSERT(recv(arp.ends[1], got, sizeof(got), MSG_DONTWAIT) == SNAP);
    cut(&arp);
}

TEST_MAIN("filter", TEST(test_exact), TEST(test_closed_gaps), TEST(test_other_frames),
          TEST(test_nothing_owned), TEST(test_snap))
