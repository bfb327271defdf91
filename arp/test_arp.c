#include "common/base/test.h"

#include "arp/arp_answer.h"
#include "arp/test_frames.h"
#include "common/base/arena.h"
#include "common/base/err.h"

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};

#define TO_ALL "ffffffffffff "
#define TO_US "020000000001 "
#define TO_OTHER "0200000000ee "
#define CLIENT "0200000000c8 "
#define ARP "0806 0001 0800 06 04 "
#define ASKS "0001 "
#define CLIENT_IP "c00002c8 "
#define NOBODY "000000000000 "
#define OURS "c00002f0" /* 192.0.2.240 */
#define OURS_TOO "c00002f1"
#define NOT_OURS "c00002f2"
#define PROBED "c00002f3"

#define REPLY_TO_CLIENT CLIENT TO_US ARP "0002 " TO_US OURS CLIENT

struct frame_case {
    const char *name;
    const char *frame;
    enum reaction_verdict verdict;
    const char *reply;
    enum reaction_claim claim;
};

static const struct frame_case cases[] = {
    {"a broadcast request", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS, REACTION_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"a unicast request", TO_US CLIENT ARP ASKS CLIENT CLIENT_IP TO_US OURS, REACTION_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"padding", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS " 00000000", REACTION_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"a probe (RFC 5227)", TO_ALL CLIENT ARP ASKS CLIENT "00000000" NOBODY OURS, REACTION_ANSWERED,
     REPLY_TO_CLIENT "00000000"},
    {"the answer goes to the sender of the ARP packet",
     TO_ALL TO_OTHER ARP ASKS CLIENT CLIENT_IP NOBODY OURS, REACTION_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"an address that is not ours", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY NOT_OURS,
     REACTION_NOT_OURS, NULL},
    {"sent to another station", TO_OTHER CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS,
     REACTION_OTHER_STATION, NULL},
    {"sent to a group", "01005e000001" CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY OURS,
     REACTION_OTHER_STATION, NULL},
    {"a reply", TO_US CLIENT ARP "0002" CLIENT CLIENT_IP TO_US OURS, REACTION_NO_REQUEST, NULL},
    {"a reverse request", TO_ALL CLIENT ARP "0003" CLIENT CLIENT_IP NOBODY OURS,
     REACTION_NO_REQUEST, NULL},
    {"an announcement of our address", TO_ALL CLIENT ARP ASKS CLIENT OURS NOBODY OURS,
     REACTION_CLAIMED, NULL, CLAIM_ANNOUNCED},
    {"an announcement as a reply", TO_ALL CLIENT ARP "0002" CLIENT OURS TO_ALL OURS,
     REACTION_CLAIMED, NULL, CLAIM_ANNOUNCED},
    {"an announcement of another address", TO_ALL CLIENT ARP ASKS CLIENT NOT_OURS NOBODY NOT_OURS,
     REACTION_NOT_OURS, NULL},
    {"our address tells us", TO_US CLIENT ARP "0002" CLIENT OURS TO_US CLIENT_IP, REACTION_CLAIMED,
     NULL, CLAIM_ANSWERED},
    {"our address asks for another", TO_ALL CLIENT ARP ASKS CLIENT OURS NOBODY NOT_OURS,
     REACTION_CLAIMED, NULL, CLAIM_USED},
    {"our address asks for another of ours", TO_ALL CLIENT ARP ASKS CLIENT OURS_TOO NOBODY OURS,
     REACTION_ANSWERED, REPLY_TO_CLIENT OURS_TOO, CLAIM_USED},
    {"our address tells another station", TO_OTHER CLIENT ARP "0002" CLIENT OURS TO_OTHER CLIENT_IP,
     REACTION_OTHER_STATION, NULL},
    {"a claim of nobody", TO_ALL CLIENT ARP ASKS NOBODY OURS NOBODY OURS, REACTION_BAD_SENDER,
     NULL},
    {"a probe for an address that we probe", TO_ALL CLIENT ARP ASKS CLIENT "00000000" NOBODY PROBED,
     REACTION_CLAIMED, NULL, CLAIM_PROBED},
    {"a request for an address that we probe",
     TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY PROBED, REACTION_NOT_OURS, NULL},
    {"the address that we probe answers", TO_US CLIENT ARP "0002" CLIENT PROBED TO_US "00000000",
     REACTION_CLAIMED, NULL, CLAIM_ANSWERED},
    {"our own announcement comes back", TO_ALL TO_US ARP ASKS TO_US OURS TO_ALL OURS,
     REACTION_OWN_FRAME, NULL},
    {"our own probe, by way of a proxy", TO_ALL CLIENT ARP ASKS TO_US "00000000" NOBODY PROBED,
     REACTION_OWN_FRAME, NULL},
    {"VLAN 0, which is a priority only",
     TO_ALL CLIENT "8100 a000" ARP ASKS CLIENT CLIENT_IP NOBODY OURS, REACTION_ANSWERED,
     REPLY_TO_CLIENT CLIENT_IP},
    {"a sender that is everybody", TO_ALL CLIENT ARP ASKS TO_ALL CLIENT_IP NOBODY OURS,
     REACTION_BAD_SENDER, NULL},
    {"a sender that is a group", TO_ALL CLIENT ARP ASKS "01005e000001" CLIENT_IP NOBODY OURS,
     REACTION_BAD_SENDER, NULL},
    {"a sender that is nobody", TO_ALL CLIENT ARP ASKS NOBODY CLIENT_IP NOBODY OURS,
     REACTION_BAD_SENDER, NULL},
    {"a byte too short", TO_ALL CLIENT ARP ASKS CLIENT CLIENT_IP NOBODY "c00002",
     REACTION_MALFORMED, NULL},
    {"nothing", "", REACTION_MALFORMED, NULL},
    {"a VLAN tag", TO_ALL CLIENT "8100 0064" ARP ASKS CLIENT CLIENT_IP NOBODY OURS,
     REACTION_MALFORMED, NULL},
    {"no ARP", TO_ALL CLIENT "0800 0001 0800 06 04" ASKS CLIENT CLIENT_IP NOBODY OURS,
     REACTION_MALFORMED, NULL},
    {"other hardware", TO_ALL CLIENT "0806 0006 0800 06 04" ASKS CLIENT CLIENT_IP NOBODY OURS,
     REACTION_MALFORMED, NULL},
    {"another protocol", TO_ALL CLIENT "0806 0001 86dd 06 04" ASKS CLIENT CLIENT_IP NOBODY OURS,
     REACTION_MALFORMED, NULL},
    {"long hardware addresses",
     TO_ALL CLIENT "0806 0001 0800 08 04" ASKS CLIENT CLIENT_IP NOBODY OURS, REACTION_MALFORMED,
     NULL},
    {"long protocol addresses",
     TO_ALL CLIENT "0806 0001 0800 06 10" ASKS CLIENT CLIENT_IP NOBODY OURS, REACTION_MALFORMED,
     NULL},
};

static struct owned *make_owned(void)
{
    struct owned *owned = owned_new();
    const struct ip one = ip_v4(192, 0, 2, 240), other = ip_v4(192, 0, 2, 241);
    const struct ip probed = ip_v4(192, 0, 2, 243);
    (void)owned_add(owned, &one);
    (void)owned_add(owned, &other);
    (void)owned_watch(owned, &probed);
    return owned;
}

static struct str describe(const struct reaction *reaction, struct arena *arena)
{
    struct ip none = {0};
    return arena_printf(arena, "%s %s, %s %s %s", reaction_verdict_name(reaction->verdict),
                        ip_format(reaction->asked ? &reaction->asked->ip : &none).text,
                        reaction_claim_name(reaction->claim), ip_format(&reaction->claimed).text,
                        reaction->claim ? mac_format(&reaction->claimant).text : "nobody");
}

/* The address that the frame claims is its sender's, or for a probe the one asked for. */
static struct str expected(const struct frame_case *c, const uint8_t *frame, struct arena *arena)
{
    struct ip none = {0}, sender = ip_from_bytes(IP_V4, frame + 28);
    struct ip target = ip_from_bytes(IP_V4, frame + 38);
    if (frame[12] == 0x81)
        target = ip_from_bytes(IP_V4, frame + 42);
    struct ip claimed = c->claim == CLAIM_NONE ? none : c->claim == CLAIM_PROBED ? target : sender;
    return arena_printf(arena, "%s %s, %s %s %s", reaction_verdict_name(c->verdict),
                        ip_format(c->reply ? &target : &none).text, reaction_claim_name(c->claim),
                        ip_format(&claimed).text, c->claim ? "02:00:00:00:00:c8" : "nobody");
}

static void test_answers(void)
{
    scoped_ptr(owned) struct owned *owned = make_owned();
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        uint8_t frame[128] = {0}, want[ARP_FRAME_SIZE] = {0};
        size_t size = test_from_hex(cases[i].frame, frame, sizeof(frame));
        struct reaction reaction = arp_answer(frame, size, owned, &mac);
        struct str text = expected(&cases[i], frame, arena);
        TEST_STR(
            arena_printf(arena, "%s: " STR_FMT, cases[i].name, STR_ARG(describe(&reaction, arena))),
            arena_cstr(arena, arena_printf(arena, "%s: " STR_FMT, cases[i].name, STR_ARG(text))));
        if (cases[i].reply)
            TEST_ASSERT(test_from_hex(cases[i].reply, want, sizeof(want)) == ARP_FRAME_SIZE);
        TEST_ASSERT(reaction.frame_size == (cases[i].reply ? ARP_FRAME_SIZE : 0));
        TEST_ASSERT(memcmp(reaction.frame, want, sizeof(want)) == 0);
    }
}

static void test_announcement_frames(void)
{
    const struct ip ip = ip_v4(192, 0, 2, 240);
    uint8_t frame[ARP_FRAME_SIZE], want[ARP_FRAME_SIZE] = {0};
    arp_packet_announce(&ip, &mac, ARP_REQUEST, frame);
    (void)test_from_hex(TO_ALL TO_US ARP "0001" TO_US OURS TO_ALL OURS, want, sizeof(want));
    TEST_ASSERT(memcmp(frame, want, sizeof(want)) == 0);
    arp_packet_announce(&ip, &mac, ARP_REPLY, frame);
    (void)test_from_hex(TO_ALL TO_US ARP "0002" TO_US OURS TO_ALL OURS, want, sizeof(want));
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
    (void)owned_add(owned, &ours);
    TEST_ASSERT(owned_get(owned, &ours) == address && address->answered == 5);
    (void)owned_remove(owned, &ours);
    (void)owned_remove(owned, &other);
    size_t cursor = 0, count = 0;
    while ((address = owned_next(owned, &cursor)))
        count += address->ip.bytes[3] == 241 || address->ip.bytes[3] == 243;
    TEST_ASSERT(count == 2 && !owned_get(owned, &ours));
}

TEST_MAIN("arp", TEST(test_answers), TEST(test_announcement_frames), TEST(test_parse_errors),
          TEST(test_owned))
