#include "common/base/test.h"

#include "arp/announce.h"
#include "arp/arp_answer.h"
#include "common/base/arena.h"
#include "common/base/err.h"

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};

/* A frame as hexadecimal text; blanks are for the reader. */
static size_t from_hex(const char *text, uint8_t *out)
{
    size_t digits = 0;
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        uint8_t value = (uint8_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | value);
        digits++;
    }
    return digits / 2;
}

#define TO_ALL "ffffffffffff "
#define TO_US "020000000001 "
#define TO_OTHER "0200000000ee "
#define CLIENT "0200000000c8 "
#define ARP "0806 0001 0800 06 04 "
#define ASKS "0001 "
#define CLIENT_IP "c00002c8 "
#define NOBODY "000000000000 "
#define OURS "c00002f0" /* 192.0.2.240 */
#define NOT_OURS "c00002f2"

#define REPLY_TO_CLIENT CLIENT TO_US ARP "0002 " TO_US OURS CLIENT

struct frame_case {
    const char *name;
    const char *frame;
    enum arp_verdict verdict;
    const char *reply;
};

static const struct frame_case cases[] = {
    {"a broadcast request", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS, ARP_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"a unicast request", TO_US CLIENT ARP ASKS CLIENT CLIENT_IP TO_US OURS, ARP_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"padding", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS " 00000000", ARP_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"a probe (RFC 5227)", TO_ALL CLIENT ARP ASKS CLIENT "00000000" NOBODY OURS, ARP_ANSWERED,
     REPLY_TO_CLIENT "00000000"},
    {"the answer goes to the sender of the ARP packet",
     TO_ALL TO_OTHER ARP ASKS CLIENT CLIENT_IP NOBODY OURS, ARP_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"an address that is not ours", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY NOT_OURS,
     ARP_NOT_OURS, NULL},
    {"sent to another station", TO_OTHER CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS,
     ARP_OTHER_STATION, NULL},
    {"sent to a group", "01005e000001" CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS,
     ARP_OTHER_STATION, NULL},
    {"a reply", TO_US CLIENT ARP "0002" CLIENT CLIENT_IP TO_US OURS, ARP_NO_REQUEST, NULL},
    {"a reverse request", TO_ALL CLIENT ARP "0003" CLIENT CLIENT_IP NOBODY OURS, ARP_NO_REQUEST,
     NULL},
    {"an announcement of our address", TO_ALL CLIENT ARP ASKS CLIENT OURS NOBODY OURS,
     ARP_ANNOUNCEMENT, NULL},
    {"a sender that is everybody", TO_ALL CLIENT ARP ASKS TO_ALL CLIENT_IP NOBODY OURS,
     ARP_BAD_SENDER, NULL},
    {"a sender that is a group", TO_ALL CLIENT ARP ASKS "01005e000001" CLIENT_IP NOBODY OURS,
     ARP_BAD_SENDER, NULL},
    {"a sender that is nobody", TO_ALL CLIENT ARP ASKS NOBODY CLIENT_IP NOBODY OURS, ARP_BAD_SENDER,
     NULL},
    {"a byte too short", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY "c00002", ARP_MALFORMED,
     NULL},
    {"nothing", "", ARP_MALFORMED, NULL},
    {"a VLAN tag", TO_ALL CLIENT "8100 0064" ARP ASKS CLIENT CLIENT_IP NOBODY OURS, ARP_MALFORMED,
     NULL},
    {"no ARP", TO_ALL CLIENT "0800 0001 0800 06 04" ASKS CLIENT CLIENT_IP NOBODY OURS,
     ARP_MALFORMED, NULL},
    {"other hardware", TO_ALL CLIENT "0806 0006 0800 06 04" ASKS CLIENT CLIENT_IP NOBODY OURS,
     ARP_MALFORMED, NULL},
    {"another protocol", TO_ALL CLIENT "0806 0001 86dd 06 04" ASKS CLIENT CLIENT_IP NOBODY OURS,
     ARP_MALFORMED, NULL},
    {"long hardware addresses",
     TO_ALL CLIENT "0806 0001 0800 08 04" ASKS CLIENT CLIENT_IP NOBODY OURS, ARP_MALFORMED, NULL},
    {"long protocol addresses",
     TO_ALL CLIENT "0806 0001 0800 06 10" ASKS CLIENT CLIENT_IP NOBODY OURS, ARP_MALFORMED, NULL},
};

static struct owned *make_owned(void)
{
    struct owned *owned = owned_new();
    const struct ip one = ip_v4(192, 0, 2, 240), other = ip_v4(192, 0, 2, 241);
    owned_add(owned, &one);
    owned_add(owned, &other);
    return owned;
}

static void test_answers(void)
{
    scoped_ptr(owned) struct owned *owned = make_owned();
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        uint8_t frame[128] = {0}, want[ARP_FRAME_SIZE] = {0}, reply[ARP_FRAME_SIZE] = {0};
        struct owned_address *address = NULL;
        size_t size = from_hex(cases[i].frame, frame);
        enum arp_verdict verdict = arp_answer(frame, size, owned, &mac, reply, &address);
        if (verdict != cases[i].verdict)
            printf("\n%s: %s\n", cases[i].name, arp_verdict_name(verdict));
        TEST_ASSERT(verdict == cases[i].verdict);
        TEST_ASSERT((address != NULL) == (verdict == ARP_ANSWERED));
        if (cases[i].reply)
            TEST_ASSERT(from_hex(cases[i].reply, want) == ARP_FRAME_SIZE);
        TEST_ASSERT(memcmp(reply, want, sizeof(want)) == 0);
    }
}

static void test_announcement_frames(void)
{
    const struct ip ip = ip_v4(192, 0, 2, 240);
    uint8_t frame[ARP_FRAME_SIZE], want[ARP_FRAME_SIZE] = {0};
    arp_packet_announce(&ip, &mac, ARP_REQUEST, frame);
    (void)from_hex(TO_ALL TO_US ARP "0001" TO_US OURS TO_ALL OURS, want);
    TEST_ASSERT(memcmp(frame, want, sizeof(want)) == 0);
    arp_packet_announce(&ip, &mac, ARP_REPLY, frame);
    (void)from_hex(TO_ALL TO_US ARP "0002" TO_US OURS TO_ALL OURS, want);
    TEST_ASSERT(memcmp(frame, want, sizeof(want)) == 0);
}

static void test_parse_errors(void)
{
    struct arp_packet packet;
    uint8_t frame[ARP_FRAME_SIZE] = {0};
    TEST_ASSERT(arp_packet_parse(frame, ARP_FRAME_SIZE - 1, &packet) == ERR_TRUNCATED);
    TEST_ASSERT(arp_packet_parse(frame, ARP_FRAME_SIZE, &packet) == ERR_PROTOCOL);
}

static void test_owned(void)
{
    scoped_ptr(owned) struct owned *owned = make_owned();
    const struct ip ours = ip_v4(192, 0, 2, 240), other = ip_v4(192, 0, 2, 1);
    struct owned_address *address = owned_get(owned, &ours);
    TEST_ASSERT(address && ip_eq(&address->ip, &ours) && !owned_get(owned, &other));
    address->answered = 5;
    owned_add(owned, &ours);
    TEST_ASSERT(owned_get(owned, &ours) == address && address->answered == 5);
    owned_remove(owned, &ours);
    owned_remove(owned, &other);
    size_t cursor = 0, count = 0;
    while ((address = owned_next(owned, &cursor)))
        count += address->ip.bytes[3] == 241;
    TEST_ASSERT(count == 1 && !owned_get(owned, &ours));
}

/* The rounds that are sent when every millisecond is looked at, as text. */
static struct str rounds(struct announce *announce, uint64_t from, uint64_t to, struct arena *arena)
{
    struct str text = STR("");
    for (uint64_t now = from; now <= to; now++) {
        if (announce_take(announce, now))
            text = arena_printf(arena, STR_FMT " %d", STR_ARG(text), (int)now);
    }
    return text;
}

static void test_announce_schedule(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct announce announce = {0};
    uint64_t next;
    TEST_ASSERT(!announce_next(&announce, &next));
    announce_start(&announce, 1000);
    TEST_ASSERT(announce_next(&announce, &next) && next == 1000);
    TEST_STR(rounds(&announce, 0, 20000, arena), " 1000 2100 3200 4300 5400");
    TEST_ASSERT(!announce_next(&announce, &next));
    announce_start(&announce, 30000);
    TEST_STR(rounds(&announce, 30000, 31500, arena), " 30000 31100");
    announce_start(&announce, 31500); /* again while it runs: longer, not denser */
    TEST_STR(rounds(&announce, 31500, 50000, arena), " 32200 33300 34400 35500");
    announce_start(&announce, 60000);
    TEST_ASSERT(announce_take(&announce, 64000)); /* looked at late */
    TEST_ASSERT(!announce_take(&announce, 64500) && !announce_take(&announce, 70000));
}

TEST_MAIN("arp", TEST(test_answers), TEST(test_announcement_frames), TEST(test_parse_errors),
          TEST(test_owned), TEST(test_announce_schedule))
