#include "common/base/test.h"

#include "arp/ndp_answer.h"
#include "arp/test_frames.h"
#include "common/base/arena.h"
#include "common/base/err.h"

static const struct mac mac = {{2, 0, 0, 0, 0, 1}};

#define US "020000000001 "
#define CLIENT "0200000000c8 "
#define OTHER "0200000000ee "
#define GROUP_MAC "3333ff0000f0 "
#define ALL_MAC "333300000001 "

#define OURS "20010db80000000100000000000000f0 "     /* 2001:db8:0:1::f0 */
#define OURS_TOO "20010db80000000100000000000000f1 " /* same interface */
#define PROBED "20010db80000000100000000000000f3 "
#define STRANGE "20010db80000000100000000000000f9 "
#define CLIENT_IP "fe80000000000000000000fffe0000c8 "
#define NOBODY "00000000000000000000000000000000 "
#define GROUP "ff0200000000000000000001ff0000f0 "
#define GROUP_PROBED "ff0200000000000000000001ff0000f3 "
#define GROUP_STRANGE "ff0200000000000000000001ff0000f9 "
#define ALL "ff020000000000000000000000000001 "

#define IP6(size, from, to) "86dd 60000000 00" size " 3a ff " from to
#define NS(target) "8700 0000 00000000 " target
#define NA(flags, target) "8800 0000 " flags "000000 " target
#define SLLA "0101 " CLIENT
#define TLLA "0201 " CLIENT

/* The answers that we give. */
#define TO_CLIENT(target) CLIENT US IP6("20", target, CLIENT_IP) NA("60", target) "0201 " US
#define TO_EVERYBODY(target) ALL_MAC US IP6("20", target, ALL) NA("20", target) "0201 " US

struct frame_case {
    const char *name;
    const char *frame; /* checksums are filled in by the test, unless `broken` */
    enum reaction_verdict verdict;
    const char *answer;
    enum reaction_claim claim;
    const char *claimed;
    bool broken;
};

static const struct frame_case cases[] = {
    {"a solicitation to the group", GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) SLLA,
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"a solicitation to us alone", US CLIENT IP6("20", CLIENT_IP, OURS) NS(OURS) SLLA,
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"to us alone without link-layer address (7.2.2)",
     US CLIENT IP6("18", CLIENT_IP, OURS) NS(OURS), REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"to the group without link-layer address",
     GROUP_MAC CLIENT IP6("18", CLIENT_IP, GROUP) NS(OURS), REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"to the group in a frame to us alone (RFC 6085)",
     US CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) SLLA, REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"the option counts, not the frame", GROUP_MAC OTHER IP6("20", CLIENT_IP, GROUP) NS(OURS) SLLA,
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"duplicate address detection (RFC 4862)", GROUP_MAC CLIENT IP6("18", NOBODY, GROUP) NS(OURS),
     REACTION_ANSWERED, TO_EVERYBODY(OURS)},
    {"the same with a nonce (RFC 7527)",
     GROUP_MAC CLIENT IP6("20", NOBODY, GROUP) NS(OURS) "0e01 010203040506", REACTION_ANSWERED,
     TO_EVERYBODY(OURS)},
    {"padding", GROUP_MAC CLIENT IP6("18", CLIENT_IP, GROUP) NS(OURS) "00000000", REACTION_ANSWERED,
     TO_CLIENT(OURS)},
    {"reserved bits are ignored (4.3)",
     GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) "8700 0000 ffffffff " OURS SLLA,
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"unknown options are passed over (4.3)",
     GROUP_MAC CLIENT IP6("30", CLIENT_IP, GROUP)
         NS(OURS) "fe02 000000000000 0000000000000000" SLLA,
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"the first of two link-layer addresses",
     GROUP_MAC CLIENT IP6("28", CLIENT_IP, GROUP) NS(OURS) SLLA "0101 " OTHER, REACTION_ANSWERED,
     TO_CLIENT(OURS)},
    {"traffic class and flow label",
     GROUP_MAC CLIENT "86dd 6ff12345 0018 3a ff " CLIENT_IP GROUP NS(OURS), REACTION_ANSWERED,
     TO_CLIENT(OURS)},
    {"VLAN 0, which is a priority only",
     GROUP_MAC CLIENT "8100 a000 " IP6("18", CLIENT_IP, GROUP) NS(OURS), REACTION_ANSWERED,
     TO_CLIENT(OURS)},
    {"a hop-by-hop header with router alert",
     GROUP_MAC CLIENT "86dd 60000000 0020 00 ff " CLIENT_IP GROUP "3a00 05020000 0100" NS(OURS),
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"an option that must be understood (RFC 8200 4.2)",
     GROUP_MAC CLIENT "86dd 60000000 0020 00 ff " CLIENT_IP GROUP "3a00 85020000 0100" NS(OURS),
     REACTION_MALFORMED},
    {"options that are all padding",
     GROUP_MAC CLIENT "86dd 60000000 0020 3c ff " CLIENT_IP GROUP "3a00 00000000 0000" NS(OURS),
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"an option to be skipped, and padding behind it",
     GROUP_MAC CLIENT "86dd 60000000 0020 3c ff " CLIENT_IP GROUP "3a00 1e02ffff 0000" NS(OURS),
     REACTION_ANSWERED, TO_CLIENT(OURS)},
    {"an option that must be understood behind one to be skipped",
     GROUP_MAC CLIENT "86dd 60000000 0020 3c ff " CLIENT_IP GROUP "3a00 1e01ff 450100" NS(OURS),
     REACTION_MALFORMED},
    {"a length of nothing",
     GROUP_MAC CLIENT "86dd 60000000 0020 3c ff " CLIENT_IP GROUP "3a00 00000000 001e" NS(OURS),
     REACTION_MALFORMED},
    {"headers of options, and then nothing",
     GROUP_MAC CLIENT "86dd 60000000 0010 00 ff " CLIENT_IP GROUP "3c00 00000000 0000"
                      "0000 00000000 0000",
     REACTION_MALFORMED},
    {"half a header of options",
     GROUP_MAC CLIENT "86dd 60000000 0004 00 ff " CLIENT_IP GROUP "0000 0000", REACTION_MALFORMED},
    {"an option that is longer than its header",
     GROUP_MAC CLIENT "86dd 60000000 0020 3c ff " CLIENT_IP GROUP "3a00 05200000 0100" NS(OURS),
     REACTION_MALFORMED},
    {"a fragment (RFC 6980)",
     GROUP_MAC CLIENT "86dd 60000000 0020 2c ff " CLIENT_IP GROUP "3a00 0000 00000000" NS(OURS),
     REACTION_MALFORMED},

    {"an address that is not ours",
     "3333ff0000f9" CLIENT IP6("20", CLIENT_IP, GROUP_STRANGE) NS(STRANGE) SLLA, REACTION_NOT_OURS},
    {"an address that we only probe",
     "3333ff0000f3" CLIENT IP6("20", CLIENT_IP, GROUP_PROBED) NS(PROBED) SLLA, REACTION_NOT_OURS},
    {"to the group of another address",
     "3333ff0000f9" CLIENT IP6("20", CLIENT_IP, GROUP_STRANGE) NS(OURS) SLLA,
     REACTION_OTHER_STATION},
    {"to all nodes (4.3)", ALL_MAC CLIENT IP6("20", CLIENT_IP, ALL) NS(OURS) SLLA,
     REACTION_OTHER_STATION},
    {"to another station", OTHER CLIENT IP6("20", CLIENT_IP, OURS) NS(OURS) SLLA,
     REACTION_OTHER_STATION},
    {"to us alone in a frame to a group", GROUP_MAC CLIENT IP6("20", CLIENT_IP, OURS) NS(OURS) SLLA,
     REACTION_OTHER_STATION},
    {"in a broadcast", "ffffffffffff" CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) SLLA,
     REACTION_OTHER_STATION},
    {"a sender that is a group",
     GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) "0101 333300000001",
     REACTION_BAD_SENDER},
    {"a sender that is nobody",
     GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) "0101 000000000000",
     REACTION_BAD_SENDER},
    {"a source that is a group", GROUP_MAC CLIENT IP6("20", ALL, GROUP) NS(OURS) SLLA,
     REACTION_BAD_SENDER},
    {"our own solicitation comes back", GROUP_MAC US IP6("18", NOBODY, GROUP) NS(OURS),
     REACTION_OWN_FRAME},
    {"by way of a proxy", GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) "0101" US,
     REACTION_OWN_FRAME},

    {"hop limit 254 (7.1.1)", GROUP_MAC CLIENT "86dd 60000000 0018 3a fe " CLIENT_IP GROUP NS(OURS),
     REACTION_MALFORMED},
    {"a wrong checksum (7.1.1)", GROUP_MAC CLIENT IP6("18", CLIENT_IP, GROUP) NS(OURS),
     REACTION_MALFORMED, .broken = true},
    {"code 1 (7.1.1)", GROUP_MAC CLIENT IP6("18", CLIENT_IP, GROUP) "8701 0000 00000000 " OURS,
     REACTION_MALFORMED},
    {"23 bytes (7.1.1)",
     GROUP_MAC CLIENT IP6("17", CLIENT_IP, GROUP) "8700 0000 00000000 "
                                                  "20010db80000000100000000000000",
     REACTION_MALFORMED},
    {"a target that is a group (7.1.1)", GROUP_MAC CLIENT IP6("18", CLIENT_IP, GROUP) NS(GROUP),
     REACTION_MALFORMED},
    {"an option of length 0 (7.1.1)",
     GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) "0100 " CLIENT, REACTION_MALFORMED},
    {"a link-layer address of another kind",
     GROUP_MAC CLIENT IP6("28", CLIENT_IP, GROUP) NS(OURS) "0102 " CLIENT "0000000000000000",
     REACTION_MALFORMED},
    {"an option that ends too early",
     GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS) "fe02 " CLIENT, REACTION_MALFORMED},
    {"half an option", GROUP_MAC CLIENT IP6("19", CLIENT_IP, GROUP) NS(OURS) "01",
     REACTION_MALFORMED},
    {"no source, but not to a group (7.1.1)", US CLIENT IP6("18", NOBODY, OURS) NS(OURS),
     REACTION_MALFORMED},
    {"no source, to all nodes (7.1.1)", ALL_MAC CLIENT IP6("18", NOBODY, ALL) NS(OURS),
     REACTION_MALFORMED},
    {"no source, but a link-layer address (7.1.1)",
     GROUP_MAC CLIENT IP6("20", NOBODY, GROUP) NS(OURS) SLLA, REACTION_MALFORMED},
    {"a frame that ends early", GROUP_MAC CLIENT IP6("20", CLIENT_IP, GROUP) NS(OURS),
     REACTION_MALFORMED},
    {"nothing", "", REACTION_MALFORMED},
    {"a VLAN tag", GROUP_MAC CLIENT "8100 0064 " IP6("18", CLIENT_IP, GROUP) NS(OURS),
     REACTION_MALFORMED},
    {"IPv4", GROUP_MAC CLIENT "0800 60000000 0018 3a ff " CLIENT_IP GROUP NS(OURS),
     REACTION_MALFORMED},
    {"version 4", GROUP_MAC CLIENT "86dd 40000000 0018 3a ff " CLIENT_IP GROUP NS(OURS),
     REACTION_MALFORMED},
    {"UDP", GROUP_MAC CLIENT "86dd 60000000 0018 11 ff " CLIENT_IP GROUP NS(OURS),
     REACTION_MALFORMED},
    {"an echo request", GROUP_MAC CLIENT IP6("18", CLIENT_IP, GROUP) "8000 0000 00000000 " OURS,
     REACTION_MALFORMED},

    {"our address is announced", ALL_MAC CLIENT IP6("20", OURS, ALL) NA("20", OURS) TLLA,
     REACTION_CLAIMED, .claim = CLAIM_ANNOUNCED, .claimed = OURS},
    {"the same without link-layer address", ALL_MAC CLIENT IP6("18", CLIENT_IP, ALL) NA("20", OURS),
     REACTION_CLAIMED, .claim = CLAIM_ANNOUNCED, .claimed = OURS},
    {"our address answers us", US CLIENT IP6("20", OURS, OURS_TOO) NA("60", OURS) TLLA,
     REACTION_CLAIMED, .claim = CLAIM_ANSWERED, .claimed = OURS},
    {"the probed address defends itself",
     ALL_MAC CLIENT IP6("20", PROBED, ALL) NA("20", PROBED) TLLA, REACTION_CLAIMED,
     .claim = CLAIM_ANNOUNCED, .claimed = PROBED},
    {"somebody else probes it too",
     "3333ff0000f3" CLIENT IP6("18", NOBODY, GROUP_PROBED) NS(PROBED), REACTION_CLAIMED,
     .claim = CLAIM_PROBED, .claimed = PROBED},
    {"our address asks for another",
     "3333ff0000f9" CLIENT IP6("20", OURS, GROUP_STRANGE) NS(STRANGE) SLLA, REACTION_CLAIMED,
     .claim = CLAIM_USED, .claimed = OURS},
    {"our address asks for itself", GROUP_MAC CLIENT IP6("20", OURS, GROUP) NS(OURS) SLLA,
     REACTION_CLAIMED, .claim = CLAIM_USED, .claimed = OURS},
    {"our address asks for another of ours",
     GROUP_MAC CLIENT IP6("20", OURS_TOO, GROUP) NS(OURS) SLLA, REACTION_ANSWERED,
     CLIENT US IP6("20", OURS, OURS_TOO) NA("60", OURS) "0201 " US, .claim = CLAIM_USED,
     .claimed = OURS_TOO},
    {"another address is announced", ALL_MAC CLIENT IP6("20", STRANGE, ALL) NA("20", STRANGE) TLLA,
     REACTION_NO_REQUEST},
    {"our own announcement comes back", ALL_MAC US IP6("20", OURS, ALL) NA("20", OURS) "0201 " US,
     REACTION_OWN_FRAME},
    {"solicited, but to a group (7.1.2)", ALL_MAC CLIENT IP6("20", OURS, ALL) NA("60", OURS) TLLA,
     REACTION_MALFORMED},
    {"hop limit 1 (7.1.2)", ALL_MAC CLIENT "86dd 60000000 0018 3a 01 " OURS ALL NA("20", OURS),
     REACTION_MALFORMED},
    {"a wrong checksum (7.1.2)", ALL_MAC CLIENT IP6("18", OURS, ALL) NA("20", OURS),
     REACTION_MALFORMED, .broken = true},
    {"code 1 (7.1.2)", ALL_MAC CLIENT IP6("18", OURS, ALL) "8801 0000 20000000 " OURS,
     REACTION_MALFORMED},
    {"a target that is a group (7.1.2)", ALL_MAC CLIENT IP6("18", OURS, ALL) NA("20", GROUP),
     REACTION_MALFORMED},
    {"an option of length 0 (7.1.2)", ALL_MAC CLIENT IP6("20", OURS, ALL) NA("20", OURS) "0200 " US,
     REACTION_MALFORMED},
    {"too short (7.1.2)", ALL_MAC CLIENT IP6("08", OURS, ALL) "8800 0000 20000000",
     REACTION_MALFORMED},
};

static struct ip ip_of(const char *hex)
{
    struct ip ip = {.family = IP_V6};
    (void)test_from_hex(hex, ip.bytes, sizeof(ip.bytes));
    return ip;
}

/* A checksum for what the frame says about itself, where ICMPv6 follows at offset `message`. Made
 * here anew, over the pseudo-header of RFC 8200 section 8.1. */
static void put_checksum(uint8_t *frame, size_t size, size_t ip, size_t message)
{
    size_t end = ip + 40 + ((size_t)frame[ip + 4] << 8 | frame[ip + 5]);
    if (end > size || message + 4 > end)
        return;
    uint32_t sum = 58 + (uint32_t)(end - message);
    for (size_t i = ip + 8; i < ip + 40; i++)
        sum += (uint32_t)frame[i] << (i % 2 == ip % 2 ? 8 : 0);
    for (size_t i = message; i < end; i++)
        sum += (uint32_t)frame[i] << (i % 2 == message % 2 ? 8 : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    frame[message + 2] = (uint8_t)(~sum >> 8);
    frame[message + 3] = (uint8_t)~sum;
}

static size_t make_frame(const struct frame_case *c, const char *hex, uint8_t *frame, size_t room)
{
    size_t size = test_from_hex(hex, frame, room);
    size_t ip = size > 18 && frame[12] == 0x81 ? 18 : 14;
    bool has_header = size > ip + 48 && frame[ip + 6] != 58;
    if (size > ip + 44)
        put_checksum(frame, size, ip, ip + 40 + (has_header ? 8 : 0));
    if (c->broken)
        frame[ip + 43]++;
    return size;
}

static struct owned *make_owned(void)
{
    struct owned *owned = owned_new();
    const struct ip one = ip_of(OURS), too = ip_of(OURS_TOO), probed = ip_of(PROBED);
    (void)owned_add(owned, &one);
    (void)owned_add(owned, &too);
    (void)owned_watch(owned, &probed);
    return owned;
}

static struct str describe(const char *name, enum reaction_verdict verdict, const struct ip *asked,
                           enum reaction_claim claim, const struct ip *claimed,
                           const struct mac *by, struct arena *arena)
{
    return arena_printf(arena, "%s: %s %s, %s %s %s", name, reaction_verdict_name(verdict),
                        ip_format(asked).text, reaction_claim_name(claim), ip_format(claimed).text,
                        claim ? mac_format(by).text : "nobody");
}

static void test_answers(void)
{
    static const struct mac client = {{2, 0, 0, 0, 0, 0xc8}};
    static const struct ip none = {0};
    scoped_ptr(owned) struct owned *owned = make_owned();
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        const struct frame_case *c = &cases[i];
        uint8_t frame[256] = {0}, answer[REACTION_FRAME_MAX] = {0};
        size_t size = make_frame(c, c->frame, frame, sizeof(frame));
        size_t answer_size = 0;
        if (c->answer)
            answer_size = make_frame(&(struct frame_case){0}, c->answer, answer, sizeof(answer));
        struct reaction got = ndp_answer(frame, size, owned, &mac);
        struct ip asked = c->answer ? ip_of(OURS) : none;
        struct ip claimed = c->claimed ? ip_of(c->claimed) : none;
        struct str want = describe(c->name, c->verdict, &asked, c->claim, &claimed, &client, arena);
        TEST_STR(describe(c->name, got.verdict, got.asked ? &got.asked->ip : &none, got.claim,
                          &got.claimed, &got.claimant, arena),
                 arena_cstr(arena, want));
        TEST_ASSERT(got.frame_size == answer_size);
        TEST_ASSERT(memcmp(got.frame, answer, sizeof(answer)) == 0);
    }
}

static void test_written_frames(void)
{
    const struct ip ours = ip_of(OURS);
    struct ndp_packet announcement = ndp_packet_announce(&ours, &mac);
    struct ndp_packet probe = ndp_packet_probe(&ours, &mac);
    const struct {
        const struct ndp_packet *packet;
        const char *want;
    } written[] = {
        {&announcement, TO_EVERYBODY(OURS)},
        {&probe, GROUP_MAC US IP6("18", NOBODY, GROUP) NS(OURS)},
    };
    for (size_t i = 0; i < TEST_COUNT(written); i++) {
        uint8_t frame[NDP_SIZE_FULL] = {0}, want[NDP_SIZE_FULL] = {0};
        size_t size = make_frame(&(struct frame_case){0}, written[i].want, want, sizeof(want));
        TEST_ASSERT(ndp_packet_write(written[i].packet, frame) == size);
        TEST_ASSERT(memcmp(frame, want, sizeof(want)) == 0);
    }
}

/* Every cut of a good frame is truncated, and every bit of it but those of the Ethernet header and
 * of what IPv6 and RFC 4861 want ignored is covered by the checksum or a test. */
static void test_damage(void)
{
    uint8_t frame[256] = {0};
    struct ndp_packet packet;
    size_t size = make_frame(&cases[0], cases[0].frame, frame, sizeof(frame));
    for (size_t cut = 14; cut < size; cut++)
        TEST_ASSERT(ndp_packet_parse(frame, cut, &packet) == ERR_TRUNCATED);
    for (size_t bit = 12 * 8; bit < size * 8; bit++) {
        size_t at = bit / 8;
        bool is_free = (at == 14 && bit % 8 < 4) || (at > 14 && at < 18); /* class, flow label */
        frame[at] ^= (uint8_t)(1u << bit % 8);
        TEST_ASSERT((ndp_packet_parse(frame, size, &packet) == 0) == is_free);
        frame[at] ^= (uint8_t)(1u << bit % 8);
    }
}

TEST_MAIN("ndp", TEST(test_answers), TEST(test_written_frames), TEST(test_damage))
