#include "common/base/test.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/net/ip_table.h"
#include "common/net/mac.h"
#include "common/net/range.h"
#include "common/net/wire.h"

static struct ip ip_of(const char *text)
{
    struct ip ip;
    TEST_ASSERT(ip_parse(str_from(text), &ip) == 0);
    return ip;
}

static void test_ip_text(void)
{
    static const struct {
        const char *text;
        const char *canonical; /* NULL: refused */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0db8:0000:0000:0000:0000:0000:0000", "2001:db8::"},
        {"::", "::"},
        {"::1", "::1"},
        {"0:0:0:0:0:0:0:1", "::1"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"fe80:0:0:1:0:0:0:1", "fe80:0:0:1::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
        {"::192.0.2.1", "::c000:201"},
        {"", NULL},
        {"192.0.2", NULL},
        {"192.0.2.1.1", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.01", NULL},
        {"192.0.2.1 ", NULL},
        {" 192.0.2.1", NULL},
        {"192.0.2.-1", NULL},
        {"0x7f.0.0.1", NULL},
        {"3221225985", NULL},
        {"2001:db8::1::2", NULL},
        {"2001:db8:1:2:3:4:5:6:7", NULL},
        {"2001:db8:1:2:3:4:5", NULL},
        {"2001:db8::12345", NULL},
        {"fe80::1%eth0", NULL},
        {"[2001:db8::1]", NULL},
        {":", NULL},
        {":::", NULL},
        {"2001:db8::g", NULL},
        {"2001:0db8:0000:0000:0000:0000:0000:00000000001", NULL},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct ip ip = {0};
        int r = ip_parse(str_from(cases[i].text), &ip);
        if (!cases[i].canonical) {
            TEST_ASSERT(r == ERR_SYNTAX && !ip_is_set(&ip));
            continue;
        }
        TEST_ASSERT(r == 0);
        TEST_STR(str_from(ip_format(&ip).text), cases[i].canonical);
        TEST_ASSERT((ip_bits(&ip) == 32) == !strchr(cases[i].canonical, ':'));
    }
    TEST_STR(str_from(ip_format(&(struct ip){0}).text), "none");
    TEST_ASSERT(ip_parse((struct str){.ptr = "1.2.3.4\0", .len = 8}, &(struct ip){0}) ==
                ERR_SYNTAX);
}

static void test_ip_mapped_bytes(void)
{
    /* An address that came from the wire as IPv6 stays IPv6 and prints with a dotted tail. */
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1};
    struct ip ip = ip_from_bytes(IP_V6, bytes);
    TEST_ASSERT(ip.family == IP_V6);
    TEST_STR(str_from(ip_format(&ip).text), "::ffff:192.0.2.1");
}

static void test_ip_order(void)
{
    static const char *const sorted[] = {
        "0.0.0.0", "9.255.255.255", "10.0.0.0",     "192.0.2.1",     "255.255.255.255",
        "::",      "::1",           "2001:db8::ff", "2001:db8::1:0",
    };
    struct ip ips[TEST_COUNT(sorted)];
    for (size_t i = 0; i < TEST_COUNT(sorted); i++)
        ips[TEST_COUNT(sorted) - 1 - i] = ip_of(sorted[i]);
    qsort(ips, TEST_COUNT(sorted), sizeof(ips[0]), ip_cmp_ptr);
    for (size_t i = 0; i < TEST_COUNT(sorted); i++)
        TEST_STR(str_from(ip_format(&ips[i]).text), sorted[i]);
    struct ip v4 = ip_v4(192, 0, 2, 1), v6 = ip_of("c000:201::");
    TEST_ASSERT(!ip_eq(&v4, &v6));
    TEST_ASSERT(!str_eq(ip_key(&v4), ip_key(&v6)));
    struct ip same = ip_of("192.0.2.1");
    TEST_ASSERT(ip_eq(&v4, &same) && str_eq(ip_key(&v4), ip_key(&same)));
}

static void test_ip_table(void)
{
    static struct {
        struct ip ip;
        int number;
    } entries[] = {{.number = 1}, {.number = 2}, {.number = 3}}, other;
    struct ip_table table = {.table.seed = 5};
    size_t cursor = 0;
    entries[0].ip = other.ip = ip_of("192.0.2.1");
    entries[1].ip = ip_of("c000:201::"); /* the same bytes */
    entries[2].ip = ip_of("192.0.2.2");
    for (size_t i = 0; i < TEST_COUNT(entries); i++)
        TEST_ASSERT(ip_table_put(&table, &entries[i].ip) == NULL);
    TEST_ASSERT(ip_table_count(&table) == 3);
    for (size_t i = 0; i < TEST_COUNT(entries); i++)
        TEST_ASSERT(ip_table_get(&table, &entries[i].ip) == &entries[i]);
    TEST_ASSERT(ip_table_put(&table, &other.ip) == &entries[0]);
    TEST_ASSERT(ip_table_get(&table, &entries[0].ip) == &other);
    TEST_ASSERT(ip_table_remove(&table, &entries[0].ip) == &other);
    TEST_ASSERT(ip_table_remove(&table, &entries[1].ip) == &entries[1]);
    TEST_ASSERT(ip_table_next(&table, &cursor) == &entries[2]);
    TEST_ASSERT(ip_table_next(&table, &cursor) == NULL);
    ip_table_done(&table);
    TEST_ASSERT(ip_table_count(&table) == 0 && table.table.seed == 5);
}

static void test_ip_arithmetic(void)
{
    static const struct {
        const char *from;
        uint64_t offset;
        const char *to; /* NULL: outside the family */
    } cases[] = {
        {"192.0.2.0", 0, "192.0.2.0"},
        {"192.0.2.255", 1, "192.0.3.0"},
        {"0.0.0.0", UINT32_MAX, "255.255.255.255"},
        {"0.0.0.1", UINT32_MAX, NULL},
        {"255.255.255.255", 1, NULL},
        {"2001:db8::ffff:ffff:ffff:ffff", 1, "2001:db8:0:1::"},
        {"::", UINT64_MAX, "::ffff:ffff:ffff:ffff"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct ip from = ip_of(cases[i].from), to = {0};
        TEST_ASSERT(ip_add(&from, cases[i].offset, &to) == (cases[i].to != NULL));
        if (!cases[i].to)
            continue;
        TEST_STR(str_from(ip_format(&to).text), cases[i].to);
        TEST_ASSERT(ip_distance(&from, &to) == cases[i].offset);
        struct ip back = ip_of_value((enum ip_family)to.family, ip_to_value(&to));
        TEST_ASSERT(ip_eq(&back, &to));
    }
    struct ip low = ip_of("::"), high = ip_of("2001:db8::");
    TEST_ASSERT(ip_distance(&low, &high) == UINT64_MAX);
    TEST_ASSERT(!ip_add(&(struct ip){0}, 0, &low));
}

static void test_prefix(void)
{
    static const struct {
        const char *text;
        int result;
        const char *canonical, *last;
    } cases[] = {
        {"192.0.2.0/24", 0, "192.0.2.0/24", "192.0.2.255"},
        {"198.51.100.10/24", 0, "198.51.100.0/24", "198.51.100.255"},
        {"192.0.2.7/32", 0, "192.0.2.7/32", "192.0.2.7"},
        {"192.0.2.7/0", 0, "0.0.0.0/0", "255.255.255.255"},
        {"2001:db8::1/64", 0, "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"},
        {"2001:db8::1/128", 0, "2001:db8::1/128", "2001:db8::1"},
        {"2001:db8::1/0", 0, "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"::ffff:192.0.2.0/24", 0, "192.0.2.0/24", "192.0.2.255"},
        {"192.0.2.0/33", ERR_TOO_LARGE, NULL, NULL},
        {"2001:db8::/129", ERR_TOO_LARGE, NULL, NULL},
        {"192.0.2.0/99999999999999999999", ERR_TOO_LARGE, NULL, NULL},
        {"::ffff:192.0.2.0/120", ERR_TOO_LARGE, NULL, NULL},
        {"192.0.2.0", ERR_SYNTAX, NULL, NULL},
        {"192.0.2.0/", ERR_SYNTAX, NULL, NULL},
        {"192.0.2.0/024", ERR_SYNTAX, NULL, NULL},
        {"192.0.2.0/-1", ERR_SYNTAX, NULL, NULL},
        {"192.0.2.0/24/24", ERR_SYNTAX, NULL, NULL},
        {"192.0.2.0/255.255.255.0", ERR_TOO_LARGE, NULL, NULL},
        {"/24", ERR_SYNTAX, NULL, NULL},
        {"", ERR_SYNTAX, NULL, NULL},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct prefix prefix = {0};
        TEST_ASSERT(prefix_parse(str_from(cases[i].text), &prefix) == cases[i].result);
        if (cases[i].result < 0)
            continue;
        TEST_STR(str_from(prefix_format(&prefix).text), cases[i].canonical);
        struct ip first = prefix_first(&prefix), last = prefix_last(&prefix);
        TEST_STR(str_from(ip_format(&last).text), cases[i].last);
        TEST_ASSERT(prefix_contains(&prefix, &first) && prefix_contains(&prefix, &last));
        struct ip behind;
        TEST_ASSERT(!ip_add(&last, 1, &behind) || !prefix_contains(&prefix, &behind));
    }
}

static void test_prefix_relations(void)
{
    struct prefix a, b;
    TEST_ASSERT(prefix_parse(STR("192.0.2.0/24"), &a) == 0);
    TEST_ASSERT(prefix_parse(STR("192.0.2.0/25"), &b) == 0);
    TEST_ASSERT(prefix_cmp(&a, &b) < 0 && prefix_cmp(&b, &a) > 0);
    TEST_ASSERT(!prefix_eq(&a, &b) && prefix_eq(&a, &a));
    struct ip v6 = ip_of("2001:db8::1");
    TEST_ASSERT(!prefix_contains(&a, &v6) && !prefix_contains(&a, &(struct ip){0}));
}

static void test_range(void)
{
    static const struct {
        const char *text;
        bool bare;
        int result;
        const char *canonical;
        uint64_t size;
    } cases[] = {
        {"192.0.2.10-192.0.2.19", false, 0, "192.0.2.10-192.0.2.19", 10},
        {" 192.0.2.10 -\t192.0.2.10 ", false, 0, "192.0.2.10-192.0.2.10", 1},
        {"192.0.2.9/24", false, 0, "192.0.2.0-192.0.2.255", 256},
        {"0.0.0.0/0", false, 0, "0.0.0.0-255.255.255.255", UINT64_C(1) << 32},
        {"2001:db8::/64", false, 0, "2001:db8::-2001:db8::ffff:ffff:ffff:ffff", INT64_MAX},
        {"2001:db8::/66", false, 0, "2001:db8::-2001:db8::3fff:ffff:ffff:ffff", UINT64_C(1) << 62},
        {"2001:db8::/65", false, 0, "2001:db8::-2001:db8::7fff:ffff:ffff:ffff", INT64_MAX},
        {"192.0.2.1", true, 0, "192.0.2.1-192.0.2.1", 1},
        {"192.0.2.1", false, ERR_SYNTAX, NULL, 0},
        {"192.0.2.19-192.0.2.10", false, ERR_ORDER, NULL, 0},
        {"192.0.2.19-2001:db8::", false, ERR_FAMILY, NULL, 0},
        {"2001:db8::-192.0.2.19", false, ERR_FAMILY, NULL, 0},
        {"192.0.2.0/33", false, ERR_TOO_LARGE, NULL, 0},
        {"192.0.2.1-", false, ERR_SYNTAX, NULL, 0},
        {"-192.0.2.1", false, ERR_SYNTAX, NULL, 0},
        {"192.0.2.1-192.0.2.2-192.0.2.3", false, ERR_SYNTAX, NULL, 0},
        {"192.0.2.0/24-192.0.3.0/24", false, ERR_SYNTAX, NULL, 0},
        {"192.0.2.1-9", false, ERR_SYNTAX, NULL, 0},
        {"pool", true, ERR_SYNTAX, NULL, 0},
        {"", true, ERR_SYNTAX, NULL, 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct range range = {0};
        TEST_ASSERT(range_parse(str_from(cases[i].text), cases[i].bare, &range) == cases[i].result);
        if (cases[i].result < 0)
            continue;
        TEST_STR(str_from(range_format(&range).text), cases[i].canonical);
        TEST_ASSERT(range_size(&range) == cases[i].size);
        TEST_ASSERT(range_contains(&range, &range.first) && range_contains(&range, &range.last));
    }
}

static void test_range_explain(void)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"192.0.2.1", "invalid CIDR \"192.0.2.1\": not an address and a length"},
        {"192.0.2.0/33", "invalid CIDR \"192.0.2.0/33\": prefix length out of range"},
        {"192.0.2.9-192.0.2.1", "invalid IP range \"192.0.2.9-192.0.2.1\": start IP "
                                "\"192.0.2.9\" is after the end IP \"192.0.2.1\""},
        {"x-192.0.2.1", "invalid IP range \"x-192.0.2.1\": invalid start IP \"x\""},
        {"192.0.2.1- y", "invalid IP range \"192.0.2.1- y\": invalid end IP \"y\""},
        {"192.0.2.1-::1", "invalid IP range \"192.0.2.1-::1\": start and end are of different IP "
                          "families"},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct range range;
        int r = range_parse(str_from(cases[i].text), false, &range);
        TEST_ASSERT(r < 0);
        TEST_STR(range_explain(arena, str_from(cases[i].text), r), cases[i].sentence);
    }
}

static void test_range_relations(void)
{
    static const struct {
        const char *a, *b;
        bool overlaps;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255/32", true},
        {"192.0.2.0/24", "192.0.3.0/24", false},
        {"192.0.2.0-192.0.2.9", "192.0.2.9-192.0.2.20", true},
        {"192.0.2.0-192.0.2.9", "192.0.2.10-192.0.2.20", false},
        {"0.0.0.0/0", "::/0", false},
        {"2001:db8::/32", "2001:db8:1::/48", true},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct range a, b;
        TEST_ASSERT(range_parse(str_from(cases[i].a), false, &a) == 0);
        TEST_ASSERT(range_parse(str_from(cases[i].b), false, &b) == 0);
        TEST_ASSERT(range_overlaps(&a, &b) == cases[i].overlaps);
        TEST_ASSERT(range_overlaps(&b, &a) == cases[i].overlaps);
        TEST_ASSERT(range_cmp(&a, &b) < 0 && range_cmp(&b, &a) > 0 && range_cmp(&a, &a) == 0);
    }
}

static void test_range_prefixes(void)
{
    static const struct {
        const char *range;
        const char *prefixes[6];
    } cases[] = {
        {"192.0.2.0-192.0.2.255", {"192.0.2.0/24"}},
        {"192.0.2.1-192.0.2.6", {"192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.6/32"}},
        {"192.0.2.10-192.0.2.10", {"192.0.2.10/32"}},
        {"0.0.0.0-255.255.255.255", {"0.0.0.0/0"}},
        {"255.255.255.254-255.255.255.255", {"255.255.255.254/31"}},
        {"::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", {"::/0"}},
        {"2001:db8::-2001:db8::2", {"2001:db8::/127", "2001:db8::2/128"}},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct range range;
        TEST_ASSERT(range_parse(str_from(cases[i].range), false, &range) == 0);
        struct prefix *prefixes;
        size_t count = range_prefixes(&range, arena, &prefixes);
        for (size_t p = 0; p < count; p++)
            TEST_STR(str_from(prefix_format(&prefixes[p]).text), cases[i].prefixes[p]);
        TEST_ASSERT(!cases[i].prefixes[count]);
    }
    struct range widest;
    struct prefix *prefixes;
    TEST_ASSERT(range_parse(STR("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"), false, &widest) ==
                0);
    TEST_ASSERT(range_prefixes(&widest, arena, &prefixes) == 254);
}

static void test_mac(void)
{
    static const struct {
        const char *text;
        const char *canonical; /* NULL: refused */
        bool broadcast, multicast;
    } cases[] = {
        {"02:00:5e:00:53:01", "02:00:5e:00:53:01", false, false},
        {"02-00-5E-00-53-AF", "02:00:5e:00:53:af", false, false},
        {"ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff", true, true},
        {"33:33:ff:00:00:01", "33:33:ff:00:00:01", false, true},
        {"02:00:5e:00:53", NULL, false, false},
        {"02:00-5e:00:53:01", NULL, false, false},
        {"02:00:5e:00:53:0g", NULL, false, false},
        {"02.00.5e.00.53.01", NULL, false, false},
        {"02:00:5e:00:53:01:", NULL, false, false},
        {"", NULL, false, false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct mac mac = {0};
        int r = mac_parse(str_from(cases[i].text), &mac);
        TEST_ASSERT(r == (cases[i].canonical ? 0 : ERR_SYNTAX));
        if (r < 0)
            continue;
        TEST_STR(str_from(mac_format(&mac).text), cases[i].canonical);
        TEST_ASSERT(mac_is_broadcast(&mac) == cases[i].broadcast);
        TEST_ASSERT(mac_is_multicast(&mac) == cases[i].multicast);
    }
}

static void test_wire_round_trip(void)
{
    uint8_t room[64];
    struct mac mac;
    TEST_ASSERT(mac_parse(STR("02:00:5e:00:53:01"), &mac) == 0);
    struct ip v4 = ip_of("192.0.2.1"), v6 = ip_of("2001:db8::1");
    struct wire w = wire_writer(room, sizeof(room));
    wire_put_u8(&w, 0x12);
    wire_put_u16(&w, 0);
    wire_put_u32(&w, 0x12345678);
    wire_put_u64(&w, UINT64_C(0x123456789abcdef0));
    wire_put_mac(&w, &mac);
    wire_put_ip(&w, &v4);
    wire_put_ip(&w, &v6);
    wire_put_zero(&w, 2);
    wire_put_bytes(&w, "xyz", 3);
    wire_patch_u16(&w, 1, 0xabcd);
    TEST_ASSERT(wire_ok(&w) && w.at == 46 && wire_left(&w) == 18);

    struct wire r = wire_reader(room, w.at);
    TEST_ASSERT(wire_get_u8(&r) == 0x12 && wire_get_u16(&r) == 0xabcd);
    TEST_ASSERT(wire_get_u32(&r) == 0x12345678);
    TEST_ASSERT(wire_get_u64(&r) == UINT64_C(0x123456789abcdef0));
    struct mac got_mac = wire_get_mac(&r);
    struct ip got_v4 = wire_get_ip(&r, IP_V4), got_v6 = wire_get_ip(&r, IP_V6);
    TEST_ASSERT(mac_eq(&got_mac, &mac) && ip_eq(&got_v4, &v4) && ip_eq(&got_v6, &v6));
    wire_skip(&r, 2);
    const uint8_t *bytes = wire_get_bytes(&r, 3);
    TEST_ASSERT(bytes && memcmp(bytes, "xyz", 3) == 0);
    TEST_ASSERT(wire_ok(&r) && wire_left(&r) == 0);
}

static void test_wire_sticky(void)
{
    static const uint8_t data[] = {1, 2, 3};
    struct wire r = wire_reader(data, sizeof(data));
    TEST_ASSERT(wire_get_u32(&r) == 0 && !wire_ok(&r) && r.error == ERR_TRUNCATED);
    /* The bytes that are there are not read after the first failure. */
    TEST_ASSERT(wire_get_u8(&r) == 0 && wire_left(&r) == 0 && !wire_get_bytes(&r, 0));

    uint8_t room[3] = {9, 9, 9};
    struct wire w = wire_writer(room, sizeof(room));
    wire_put_u16(&w, 0x0102);
    wire_put_u16(&w, 0x0304);
    wire_put_u8(&w, 5);
    wire_patch_u16(&w, 0, 0x0607);
    TEST_ASSERT(!wire_ok(&w) && room[0] == 1 && room[1] == 2 && room[2] == 9);

    struct wire none = wire_reader(NULL, 0);
    wire_skip(&none, 0);
    TEST_ASSERT(wire_ok(&none));
    wire_skip(&none, SIZE_MAX);
    TEST_ASSERT(!wire_ok(&none));
}

static void test_wire_checksum(void)
{
    /* RFC 1071 section 3: the words sum to ddf2, so the checksum is its complement. */
    static const uint8_t sample[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    TEST_ASSERT(wire_checksum_end(wire_checksum_add(0, sample, sizeof(sample))) == 0x220d);
    uint32_t halves = wire_checksum_add(0, sample, 4);
    TEST_ASSERT(wire_checksum_end(wire_checksum_add(halves, sample + 4, 4)) == 0x220d);
    TEST_ASSERT(wire_checksum_end(wire_checksum_add(0, sample, 3)) == (uint16_t)~0xf201);
    static const uint8_t ones[] = {0xff, 0xff, 0xff, 0xff};
    TEST_ASSERT(wire_checksum_end(wire_checksum_add(UINT32_MAX, ones, sizeof(ones))) == 0);
}

static void test_uses(void)
{
    static const struct {
        const char *text;
        bool unicast, link_local;
    } cases[] = {
        {"0.0.0.0", false, false},
        {"0.1.2.3", false, false},
        {"1.0.0.0", true, false},
        {"127.0.0.1", true, false},
        {"169.254.0.1", true, true},
        {"169.253.0.1", true, false},
        {"223.255.255.255", true, false},
        {"224.0.0.1", false, false},
        {"255.255.255.255", false, false},
        {"::", false, false},
        {"::1", true, false},
        {"2001:db8::1", true, false},
        {"fe80::1", true, true},
        {"febf::1", true, true},
        {"fec0::1", true, false},
        {"ff02::1", false, false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct ip ip;
        TEST_ASSERT(ip_parse(str_from(cases[i].text), &ip) == 0);
        TEST_ASSERT(ip_is_unicast(&ip) == cases[i].unicast);
        TEST_ASSERT(ip_is_link_local(&ip) == cases[i].link_local);
    }
    struct ip none = {0};
    TEST_ASSERT(!ip_is_unicast(&none) && !ip_is_link_local(&none));
}

TEST_MAIN("common/net", TEST(test_uses), TEST(test_ip_text), TEST(test_ip_mapped_bytes),
          TEST(test_ip_order), TEST(test_ip_table), TEST(test_ip_arithmetic), TEST(test_prefix),
          TEST(test_prefix_relations), TEST(test_range), TEST(test_range_explain),
          TEST(test_range_relations), TEST(test_range_prefixes), TEST(test_mac),
          TEST(test_wire_round_trip), TEST(test_wire_sticky), TEST(test_wire_checksum))
