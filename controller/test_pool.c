#include "common/base/test.h"

#include "common/base/sbuf.h"
#include "controller/test_pools.h"

/* "a: 192.0.2.0-192.0.2.9 @owner, …" of all segments in the order in which they are tried. */
static struct str describe(const struct pool_set *set, struct arena *arena)
{
    struct sbuf text = {0};
    for (uint32_t i = 0; i < set->segment_count; i++) {
        const struct pool_segment *segment = &set->segments[i];
        const struct range range = {.first = segment->first, .last = segment->last};
        sbuf_printf(&text, "%s" STR_FMT ":%s", i ? " " : "",
                    STR_ARG(set->pools[segment->pool].name), range_format(&range).text);
        if (segment->owner.len)
            sbuf_printf(&text, "@" STR_FMT, STR_ARG(segment->owner));
    }
    return sbuf_move(&text, arena);
}

static void test_segments(void)
{
    static const struct {
        struct text_pool pools[POOLS];
        struct text_reservation kept[RANGES];
        const char *segments;
        int64_t capacity[POOL_FAMILIES], open[POOL_FAMILIES]; /* of the first pool */
    } cases[] = {
        {.segments = ""},
        /* The order of spec.addresses stays; IPv4 and IPv6 are apart. */
        {.pools = {{.name = "a", .ranges = {"192.0.2.8/30", "2001:db8::/126", "192.0.2.1"}}},
         .segments = "a:192.0.2.8-192.0.2.11 a:192.0.2.1-192.0.2.1 a:2001:db8::-2001:db8::3",
         .capacity = {5, 4},
         .open = {5, 4}},
        /* Pools are sorted by name. */
        {.pools = {{.name = "b", .ranges = {"192.0.2.0/31"}},
                   {.name = "a", .ranges = {"192.0.2.2/31"}}},
         .segments = "a:192.0.2.2-192.0.2.3 b:192.0.2.0-192.0.2.1",
         .capacity = {2, 0},
         .open = {2, 0}},
        /* .0 and .255 are no part of the pool when they are to be avoided. */
        {.pools = {{.name = "a",
                    .ranges = {"192.0.2.0/23", "2001:db8::/120"},
                    .avoid_buggy = true}},
         .segments = "a:192.0.2.1-192.0.3.254 a:2001:db8::-2001:db8::ff",
         .capacity = {508, 256},
         .open = {508, 256}},
        {.pools = {{.name = "a",
                    .ranges = {"192.0.2.255-192.0.3.0", "192.0.2.254", "192.0.4.0/25"},
                    .avoid_buggy = true}},
         .segments = "a:192.0.2.254-192.0.2.254 a:192.0.4.1-192.0.4.127",
         .capacity = {128, 0},
         .open = {128, 0}},
        {.pools = {{.name = "a", .ranges = {"0.0.0.0/0"}, .avoid_buggy = true}},
         .segments = "a:0.0.0.1-255.255.255.254",
         .capacity = {INT64_C(254) << 24, 0},
         .open = {INT64_C(254) << 24, 0}},
        {.pools = {{.name = "a", .ranges = {"255.255.255.255", "0.0.0.0"}, .avoid_buggy = true}},
         .segments = ""},
        /* Exclusions: at the start, in the middle, at the end, nested, across ranges, of all. */
        {.pools = {{.name = "a",
                    .ranges = {"192.0.2.0/28", "192.0.2.16/30"},
                    .excluded = {"192.0.2.14-192.0.2.17", "192.0.2.0-192.0.2.1",
                                 "192.0.2.4-192.0.2.7", "192.0.2.5", "198.51.100.0/24"}}},
         .segments = "a:192.0.2.2-192.0.2.3 a:192.0.2.8-192.0.2.13 a:192.0.2.18-192.0.2.19",
         .capacity = {10, 0},
         .open = {10, 0}},
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/28"}, .excluded = {"192.0.0.0/16"}}},
         .segments = ""},
        {.pools = {{.name = "a",
                    .ranges = {"0.0.0.0/0", "::/0"},
                    .excluded = {"0.0.0.0/1", "8000::/1"}}},
         .segments = "a:128.0.0.0-255.255.255.255 "
                     "a:::-7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         .capacity = {INT64_C(1) << 31, INT64_MAX},
         .open = {INT64_C(1) << 31, INT64_MAX}},
        /* Reserved segments come first, by owner. */
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/29", "192.0.2.16/30"}}},
         .kept = {{"shop/web", "192.0.2.6-192.0.2.17"}, {"crm", "192.0.2.2"}},
         .segments = "a:192.0.2.2-192.0.2.2@crm a:192.0.2.6-192.0.2.7@shop/web "
                     "a:192.0.2.16-192.0.2.17@shop/web a:192.0.2.0-192.0.2.1 "
                     "a:192.0.2.3-192.0.2.5 a:192.0.2.18-192.0.2.19",
         .capacity = {12, 0},
         .open = {7, 0}},
        /* Capacity of IPv6 saturates, alone and in sum. */
        {.pools = {{.name = "a",
                    .ranges = {"2001:db8::/65", "2001:db8:1::/66", "2001:db8:2::/64"}}},
         .kept = {{"big", "2001:db8:1::/66"}},
         .segments = "a:2001:db8:1::-2001:db8:1:0:3fff:ffff:ffff:ffff@big "
                     "a:2001:db8::-2001:db8::7fff:ffff:ffff:ffff "
                     "a:2001:db8:2::-2001:db8:2:0:ffff:ffff:ffff:ffff",
         .capacity = {0, INT64_MAX},
         .open = {0, INT64_MAX}},
        {.pools = {{.name = "a", .ranges = {"2001:db8::/66", "2001:db8:1::/126"}}},
         .segments = "a:2001:db8::-2001:db8::3fff:ffff:ffff:ffff a:2001:db8:1::-2001:db8:1::3",
         .capacity = {0, (INT64_C(1) << 62) + 4},
         .open = {0, (INT64_C(1) << 62) + 4}},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct diag_list found = {.arena = arena};
        scoped_ptr(pool_set) struct pool_set *set =
            pools_of(cases[i].pools, cases[i].kept, arena, &found);
        TEST_ASSERT(found.found.len == 0);
        TEST_STR(describe(set, arena), cases[i].segments);
        for (unsigned slot = 0; set->count && slot < POOL_FAMILIES; slot++) {
            TEST_ASSERT(set->pools[0].families[slot].capacity == cases[i].capacity[slot]);
            TEST_ASSERT(set->pools[0].families[slot].open_capacity == cases[i].open[slot]);
        }
    }
}

static void test_refused(void)
{
    static const struct {
        struct text_pool pools[POOLS];
        struct text_reservation kept[RANGES];
        const char *segments, *object, *message;
    } cases[] = {
        /* The earlier input wins, whatever the names. */
        {.pools = {{.name = "b", .ranges = {"192.0.2.0/24"}},
                   {.name = "a", .ranges = {"198.51.100.1", "192.0.2.255-192.0.3.0"}},
                   {.name = "c", .ranges = {"198.51.100.1"}}},
         .segments = "b:192.0.2.0-192.0.2.255 c:198.51.100.1-198.51.100.1",
         .object = "IPAddressPool/a",
         .message = "CIDR \"192.0.2.255-192.0.3.0\" in pool \"a\" overlaps with already defined "
                    "CIDR \"192.0.2.0/24\""},
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/25", "192.0.2.127/32"}}},
         .segments = "",
         .object = "IPAddressPool/a",
         .message = "CIDR \"192.0.2.127/32\" in pool \"a\" overlaps with already defined CIDR "
                    "\"192.0.2.0/25\""},
        {.pools = {{.name = "a", .ranges = {"2001:db8:1::/64"}},
                   {.name = "b", .ranges = {"2001:db8::/32"}}},
         .segments = "a:2001:db8:1::-2001:db8:1:0:ffff:ffff:ffff:ffff",
         .object = "IPAddressPool/b",
         .message = "CIDR \"2001:db8::/32\" in pool \"b\" overlaps with already defined CIDR "
                    "\"2001:db8:1::/64\""},
        {.pools = {{.name = "a"}},
         .segments = "",
         .object = "IPAddressPool/a",
         .message = "pool has no prefixes defined"},
        {.pools = {{.name = "a", .ranges = {"192.0.2.1"}}, {.name = "a", .ranges = {"192.0.2.2"}}},
         .segments = "a:192.0.2.1-192.0.2.1",
         .object = "IPAddressPool/a",
         .message = "duplicate definition of pool \"a\""},
        /* Of two reservations the first has what both want. */
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/29"}}},
         .kept = {{"x/a", "192.0.2.2-192.0.2.3"}, {"x/b", "192.0.2.1-192.0.2.4"}},
         .segments = "a:192.0.2.2-192.0.2.3@x/a a:192.0.2.1-192.0.2.1@x/b "
                     "a:192.0.2.4-192.0.2.4@x/b a:192.0.2.0-192.0.2.0 a:192.0.2.5-192.0.2.7",
         .object = "IPReservation/r1",
         .message = "\"192.0.2.2/31\" is already reserved by IPReservation/r0"},
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/31"}}},
         .kept = {{"x/a", "198.51.100.0/24"}},
         .segments = "a:192.0.2.0-192.0.2.1",
         .object = "IPReservation/r0",
         .message = "\"198.51.100.0/24\" is in no address pool"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct diag_list found = {.arena = arena};
        scoped_ptr(pool_set) struct pool_set *set =
            pools_of(cases[i].pools, cases[i].kept, arena, &found);
        TEST_STR(describe(set, arena), cases[i].segments);
        TEST_ASSERT(found.found.len == 1);
        TEST_STR(found.found.items[0].object, cases[i].object);
        TEST_STR(found.found.items[0].message, cases[i].message);
        diag_done(&found);
    }
}

static void test_reserved_twice_by_one(void)
{
    static const struct text_pool pools[POOLS] = {{.name = "a", .ranges = {"192.0.2.0/29"}}};
    static const struct text_reservation kept[RANGES] = {{"x/a", "192.0.2.2-192.0.2.3"},
                                                         {"x/a", "192.0.2.1-192.0.2.4"}};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    scoped_ptr(pool_set) struct pool_set *set = pools_of(pools, kept, arena, &found);
    TEST_ASSERT(found.found.len == 0 && set->pools[0].families[0].open_capacity == 4);
}

/* Every address of a range is in the segment that a walk over the ranges says, with its index. */
static void test_locate(void)
{
    static const struct text_pool pools[POOLS] = {
        {.name = "b", .ranges = {"192.0.2.250-192.0.3.6"}, .avoid_buggy = true},
        {.name = "a", .ranges = {"192.0.4.0/30", "192.0.3.8/29"}, .excluded = {"192.0.3.10/31"}},
    };
    static const struct text_reservation kept[RANGES] = {{"x/a", "192.0.3.1-192.0.3.9"}};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    scoped_ptr(pool_set) struct pool_set *set = pools_of(pools, kept, arena, &found);
    const struct ip start = ip_v4(192, 0, 2, 240);
    size_t counts[2] = {0};
    for (unsigned i = 0; i < 512; i++) {
        struct ip ip;
        TEST_ASSERT(ip_add(&start, i, &ip));
        const struct pool_segment *segment = pool_set_locate(set, &ip);
        if (!segment)
            continue;
        counts[segment->pool]++;
        TEST_ASSERT(ip_cmp(&segment->first, &ip) <= 0 && ip_cmp(&ip, &segment->last) <= 0);
        ip_value index = pool_segment_index(segment, &ip);
        TEST_ASSERT(index <= segment->last_index);
        struct ip back = pool_segment_ip(segment, index);
        TEST_ASSERT(ip_eq(&back, &ip));
        TEST_ASSERT(!ip_eq(&segment->first, &ip) || index == 0);
        TEST_ASSERT(!ip_eq(&segment->last, &ip) || index == segment->last_index);
    }
    TEST_ASSERT(counts[0] == 10 && counts[1] == 11);
    struct ip other = ip_of_value(IP_V6, ip_to_value(&start));
    TEST_ASSERT(!pool_set_locate(set, &other));
    TEST_STR(pool_set_find(set, STR("b"))->name, "b");
    TEST_ASSERT(!pool_set_find(set, STR("c")) && !pool_set_find(set, STR("")));
}

static void test_orders(void)
{
    static const struct text_pool first[POOLS] = {
        {.name = "d", .ranges = {"192.0.2.1"}, .pinned = true, .priority = 0},
        {.name = "c", .ranges = {"192.0.2.2"}, .pinned = true, .priority = 20},
        {.name = "b", .ranges = {"192.0.2.3"}, .pinned = true, .priority = 3},
        {.name = "a", .ranges = {"192.0.2.4"}, .pinned = true, .priority = -5},
    };
    static const struct text_pool second[POOLS] = {
        {.name = "d", .ranges = {"192.0.2.1"}},
        {.name = "c", .ranges = {"192.0.2.2"}, .no_auto = true},
        {.name = "b", .ranges = {"192.0.2.3"}, .no_auto = true, .pinned = true, .priority = 1},
        {.name = "a", .ranges = {"192.0.2.4"}},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    scoped_ptr(pool_set) struct pool_set *pinned = pools_of(first, NULL, arena, &found);
    static const uint32_t by_priority[] = {1, 2, 0, 3}; /* b, c, a, d */
    TEST_ASSERT(pinned->pinned_count == 4 && pinned->unpinned_count == 0);
    for (size_t i = 0; i < 4; i++)
        TEST_ASSERT(pinned->pinned[i] == by_priority[i]);
    scoped_ptr(pool_set) struct pool_set *open = pools_of(second, NULL, arena, &found);
    TEST_ASSERT(open->pinned_count == 0 && open->unpinned_count == 2);
    TEST_ASSERT(open->unpinned[0] == 0 && open->unpinned[1] == 3);
}

static void test_admits(void)
{
    static const struct {
        struct text_pool pool;
        const char *namespace, *labels;
        bool admitted;
    } cases[] = {
        {{.pinned = false}, "x", "blue", true},
        {{.pinned = true}, "x", "blue", true}, /* only a priority: for everybody */
        {{.pinned = true, .namespaces = {"web", "crm"}}, "crm", "blue", true},
        {{.pinned = true, .namespaces = {"web", "crm"}}, "web", "blue", true},
        {{.pinned = true, .namespaces = {"web", "crm"}}, "x", "blue", false},
        {{.pinned = true, .namespaces = {"web", "crm"}}, "we", "blue", false},
        /* Namespace selectors that match nothing let nobody in. */
        {{.pinned = true, .no_namespace = true}, "x", "blue", false},
        {{.pinned = true, .selector = "red"}, "x", "red", true},
        {{.pinned = true, .selector = "red"}, "x", "blue", false},
        {{.pinned = true, .namespaces = {"web"}, .selector = "red"}, "web", "red", true},
        {{.pinned = true, .namespaces = {"web"}, .selector = "red"}, "web", "blue", false},
        {{.pinned = true, .namespaces = {"web"}, .selector = "red"}, "x", "red", false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct text_pool pools[POOLS] = {cases[i].pool};
        pools[0].name = "a";
        pools[0].ranges[0] = "192.0.2.1";
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct diag_list found = {.arena = arena};
        scoped_ptr(pool_set) struct pool_set *set = pools_of(pools, NULL, arena, &found);
        TEST_ASSERT(pool_admits(&set->pools[0], str_from(cases[i].namespace),
                                labels_of(cases[i].labels)) == cases[i].admitted);
    }
}

TEST_MAIN("controller/pool", TEST(test_segments), TEST(test_refused),
          TEST(test_reserved_twice_by_one), TEST(test_locate), TEST(test_orders), TEST(test_admits))
