/* Which addresses a Service gets, may keep, and is refused. */
#include "controller/test_scenarios.h"

/* Addresses one after the other, in the order of spec.addresses, the network's first. */
static void test_first_fit(void)
{
    static const struct scenario scenarios[] = {
        {.pools = {{.name = "a", .ranges = {"192.0.2.8/31", "192.0.2.4/31"}}},
         .steps = {{FIND, "x/a", .got = "a: 192.0.2.8"},
                   {FIND, "x/b", .got = "a: 192.0.2.9"},
                   {FIND, "x/c", .got = "a: 192.0.2.4"},
                   {FIND, "x/d", .got = "a: 192.0.2.5"},
                   {FIND, "x/e", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a has no free IPv4 address"},
                   {RELEASE, "x/b", .freed = true},
                   {RELEASE, "x/d", .freed = true},
                   {FIND, "x/e", .got = "a: 192.0.2.9"},
                   {RELEASE, "x/none"},
                   /* A find gives up what is held; the freed address is the first again. */
                   {FIND, "x/a", .got = "a: 192.0.2.8", .freed = true},
                   {FIND, "x/c", .pool = "a", .got = "a: 192.0.2.4", .freed = true}}},
        {.pools = {{.name = "a", .ranges = {"192.0.2.254-192.0.3.1"}, .avoid_buggy = true}},
         .steps = {{FIND, "x/a", .got = "a: 192.0.2.254"},
                   {FIND, "x/b", .got = "a: 192.0.3.1"},
                   {FIND, "x/c", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a has no free IPv4 address"},
                   {FIND, "x/c", .ips = "192.0.2.255", .outcome = ALLOC_NOT_IN_ANY_POOL,
                    .message = "[\"192.0.2.255\"] is not allowed in config"}}},
        {.pools = {{.name = "a", .ranges = {"2001:db8::/64"}}},
         .steps = {{FIND, "x/a", .families = ALLOC_V6, .got = "a: 2001:db8::"},
                   {FIND, "x/b", .families = ALLOC_V6, .got = "a: 2001:db8::1"},
                   {FIND, "x/c", .families = ALLOC_V6, .ips = "2001:db8::ffff:ffff:ffff:ffff",
                    .got = "a: 2001:db8::ffff:ffff:ffff:ffff"},
                   {FIND, "x/d", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a has no IPv4 addresses"}}},
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/30"}, .excluded = {"192.0.2.1-192.0.2.2"}}},
         .steps = {{FIND, "x/a", .got = "a: 192.0.2.0"},
                   {FIND, "x/b", .got = "a: 192.0.2.3"},
                   {FIND, "x/c", .ips = "192.0.2.1", .outcome = ALLOC_NOT_IN_ANY_POOL,
                    .message = "[\"192.0.2.1\"] is not allowed in config"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_pool_choice(void)
{
    static const struct scenario scenarios[] = {
        {.steps = {{FIND, "x/a", .outcome = ALLOC_NO_POOL,
                    .message = "no available IPs: there are no address pools"}}},
        /* Unpinned pools by name; those without autoAssign only on request. */
        {.pools = {{.name = "c", .ranges = {"192.0.2.2"}},
                   {.name = "b", .ranges = {"192.0.2.1"}},
                   {.name = "a", .ranges = {"192.0.2.0"}, .no_auto = true}},
         .steps = {{FIND, "x/a", .got = "b: 192.0.2.1"},
                   {FIND, "x/b", .got = "c: 192.0.2.2"},
                   {FIND, "x/c", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a is only given on request, pool b has no "
                               "free IPv4 address, pool c has no free IPv4 address"},
                   {FIND, "x/c", .pool = "a", .got = "a: 192.0.2.0"},
                   {RELEASE, "x/c", .freed = true},
                   {FIND, "x/c", .ips = "192.0.2.0", .got = "a: 192.0.2.0"},
                   {FIND, "x/d", .pool = "a", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs in pool a: it has no free IPv4 address"},
                   {FIND, "x/d", .pool = "d", .outcome = ALLOC_UNKNOWN_POOL,
                    .message = "unknown pool \"d\""}}},
        /* Pinned pools that admit the Service come first, by priority; 0 is last. */
        {.pools = {{.name = "a", .ranges = {"192.0.2.0"}, .pinned = true},
                   {.name = "b", .ranges = {"192.0.2.1"}, .pinned = true, .priority = 9},
                   {.name = "c",
                    .ranges = {"192.0.2.2"},
                    .pinned = true,
                    .priority = 1,
                    .namespaces = {"web"}},
                   {.name = "d", .ranges = {"192.0.2.3"}}},
         .steps = {{FIND, "web/a", .got = "c: 192.0.2.2"},
                   {FIND, "web/b", .got = "b: 192.0.2.1"},
                   {FIND, "web/c", .got = "a: 192.0.2.0"},
                   {FIND, "web/d", .got = "d: 192.0.2.3"},
                   {RELEASE, "web/a", .freed = true},
                   {FIND, "x/a", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message =
                        "no available IPs: pool a has no free IPv4 address, pool b has no "
                        "free IPv4 address, pool c is for other Services and 1 more pools"}}},
        /* A pinned pool that does not match is never used, also when asked for. */
        {.pools = {{.name = "a",
                    .ranges = {"192.0.2.0/30"},
                    .pinned = true,
                    .namespaces = {"web"},
                    .selector = "red"}},
         .steps = {{FIND, "x/a", .labels = "red", .outcome = ALLOC_NO_POOL,
                    .message = "no available IPs: pool a is for other Services"},
                   {FIND, "web/a", .labels = "blue", .outcome = ALLOC_NO_POOL,
                    .message = "no available IPs: pool a is for other Services"},
                   {FIND, "web/a", .labels = "red", .got = "a: 192.0.2.0"},
                   {FIND, "x/a", .labels = "red", .pool = "a", .outcome = ALLOC_POOL_NOT_COMPATIBLE,
                    .message = "pool a not compatible for ip assignment: its serviceAllocation "
                               "does not admit x/a"},
                   {FIND, "x/a", .ips = "192.0.2.2", .outcome = ALLOC_POOL_NOT_COMPATIBLE,
                    .message = "pool a not compatible for ip assignment: its serviceAllocation "
                               "does not admit x/a"},
                   {CLAIM, "web/a", .labels = "blue", .ips = "192.0.2.0",
                    .outcome = ALLOC_POOL_NOT_COMPATIBLE,
                    .message = "pool a not compatible for ip assignment: its serviceAllocation "
                               "does not admit web/a"},
                   {CLAIM, "web/a", .labels = "red", .ips = "192.0.2.0", .got = "a: 192.0.2.0"}}},
        {.pools = {{.name = "a", .ranges = {"192.0.2.0"}, .pinned = true, .no_auto = true}},
         .steps = {{FIND, "x/a", .outcome = ALLOC_NO_POOL,
                    .message = "no available IPs: pool a is only given on request"},
                   {FIND, "x/a", .pool = "a", .got = "a: 192.0.2.0"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_asked(void)
{
    static const struct scenario scenarios[] = {
        {.pools = {DUAL_POOL, {.name = "b", .ranges = {"198.51.100.0/30", "2001:db8:1::/126"}}},
         .steps = {{FIND, "x/a", .ips = "192.0.2.3", .got = "a: 192.0.2.3"},
                   {FIND, "x/b", .ips = "192.0.2.3", .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/b\", address also in use by x/a"},
                   {FIND, "x/b", .ips = "203.0.113.1", .outcome = ALLOC_NOT_IN_ANY_POOL,
                    .message = "[\"203.0.113.1\"] is not allowed in config"},
                   {FIND, "x/b", .ips = "2001:db8::1", .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "requested loadBalancer IP(s) [\"2001:db8::1\"] does not match the "
                               "ipFamily of the service"},
                   {FIND, "x/b", .ips = "192.0.2.1,192.0.2.2", .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "requested loadBalancer IP(s) [\"192.0.2.1\" \"192.0.2.2\"] does "
                               "not match the ipFamily of the service"},
                   {FIND, "x/b", .ips = "192.0.2.1", .families = ALLOC_DUAL,
                    .policy = ALLOC_PREFER_DUAL, .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "requested loadBalancer IP(s) [\"192.0.2.1\"] does not match the "
                               "ipFamily of the service"},
                   /* Two addresses stay in the order asked for. */
                   {FIND, "x/b", .ips = "2001:db8::2,192.0.2.1", .families = ALLOC_DUAL,
                    .policy = ALLOC_REQUIRE_DUAL, .got = "a: 2001:db8::2,192.0.2.1"},
                   {FIND, "x/c", .ips = "2001:db8:1::2,192.0.2.2", .families = ALLOC_DUAL,
                    .policy = ALLOC_REQUIRE_DUAL, .outcome = ALLOC_POOLS_DIFFER,
                    .message = "[\"2001:db8:1::2\" \"192.0.2.2\"] is not allowed in config: the "
                               "addresses are in different pools"},
                   {FIND, "x/c", .ips = "192.0.2.2", .pool = "b", .outcome = ALLOC_POOL_MISMATCH,
                    .message = "[\"192.0.2.2\"] from pool a is not compatible with requested "
                               "address pool b"},
                   {FIND, "x/c", .ips = "192.0.2.2", .pool = "z", .outcome = ALLOC_UNKNOWN_POOL,
                    .message = "unknown pool \"z\""},
                   {FIND, "x/c", .ips = "192.0.2.2", .pool = "a", .got = "a: 192.0.2.2"},
                   /* A failed find leaves nothing behind, and frees what was held. */
                   {FIND, "x/c", .ips = "192.0.2.3", .outcome = ALLOC_SHARING_KEY, .freed = true,
                    .message = "can't change sharing key for \"x/c\", address also in use by x/a"},
                   {FIND, "x/d", .ips = "192.0.2.2", .got = "a: 192.0.2.2"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_claim(void)
{
    static const struct scenario scenarios[] = {
        {.pools = {DUAL_POOL},
         .steps = {{CLAIM, "x/a", .ips = "192.0.2.2", .got = "a: 192.0.2.2"},
                   {CLAIM, "x/a", .ips = "192.0.2.2", .got = "a: 192.0.2.2"},
                   {CLAIM, "x/b", .ips = "192.0.2.2", .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/b\", address also in use by x/a"},
                   /* A refused claim changes nothing. */
                   {CLAIM, "x/a", .ips = "192.0.2.9", .outcome = ALLOC_NOT_IN_ANY_POOL,
                    .message = "[\"192.0.2.9\"] is not allowed in config"},
                   {CLAIM, "x/a", .ips = "192.0.2.2", .got = "a: 192.0.2.2"},
                   /* Moving by claim gives up the old address. */
                   {CLAIM, "x/a", .ips = "192.0.2.3", .got = "a: 192.0.2.3", .freed = true},
                   {CLAIM, "x/b", .ips = "192.0.2.2", .got = "a: 192.0.2.2"},
                   {FIND, "x/c", .got = "a: 192.0.2.0"},
                   /* Ports that go are given up, ports that come are not. */
                   {CLAIM, "x/b", .ips = "192.0.2.2", .ports = "TCP/80,TCP/443",
                    .got = "a: 192.0.2.2"},
                   {CLAIM, "x/b", .ips = "192.0.2.2", .ports = "TCP/443,TCP/443",
                    .got = "a: 192.0.2.2", .freed = true},
                   {CLAIM, "x/b", .ips = "192.0.2.2", .pool = "b", .outcome = ALLOC_UNKNOWN_POOL,
                    .message = "unknown pool \"b\""}}},
        /* The families of what is claimed. */
        {.pools = {DUAL_POOL},
         .steps = {{CLAIM, "x/a", .ips = "192.0.2.2", .families = ALLOC_V6,
                    .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "assigned IP(s) [\"192.0.2.2\"] does not match the ipFamily of the "
                               "service"},
                   {CLAIM, "x/a", .ips = "192.0.2.2,2001:db8::", .families = ALLOC_V4,
                    .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "assigned IP(s) [\"192.0.2.2\" \"2001:db8::\"] does not match the "
                               "ipFamily of the service"},
                   {CLAIM, "x/a", .ips = "192.0.2.2", .families = ALLOC_DUAL,
                    .policy = ALLOC_REQUIRE_DUAL, .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "assigned IP(s) [\"192.0.2.2\"] does not match the ipFamily of the "
                               "service"},
                   {CLAIM, "x/a", .ips = "2001:db8::2", .families = ALLOC_DUAL,
                    .policy = ALLOC_PREFER_DUAL, .got = "a: 2001:db8::2"},
                   {CLAIM, "x/a", .ips = "2001:db8::2,192.0.2.2", .families = ALLOC_DUAL,
                    .policy = ALLOC_PREFER_DUAL, .got = "a: 2001:db8::2,192.0.2.2"},
                   {CLAIM, "x/a", .ips = "192.0.2.2,2001:db8::2", .families = ALLOC_DUAL,
                    .policy = ALLOC_REQUIRE_DUAL, .got = "a: 192.0.2.2,2001:db8::2"},
                   {FIND, "x/b", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
                    .got = "a: 192.0.2.0,2001:db8::"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_dual(void)
{
    static const struct scenario scenarios[] = {
        /* RequireDualStack needs one pool with both. */
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/30"}},
                   {.name = "b", .ranges = {"2001:db8::/126"}},
                   {.name = "c", .ranges = {"198.51.100.0", "2001:db8:1::/126"}}},
         .steps = {{FIND, "x/a", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
                    .got = "c: 198.51.100.0,2001:db8:1::"},
                   {FIND, "x/b", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
                    .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a has no free IPv4 address and no IPv6 "
                               "addresses, pool b has no IPv4 addresses and no free IPv6 address, "
                               "pool c has no free IPv4 address and no free IPv6 address"},
                   {FIND, "x/b", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL, .pool = "a",
                    .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs in pool a: it has no free IPv4 address and no "
                               "IPv6 addresses"},
                   /* PreferDualStack: both, else the primary family, else the other. */
                   {FIND, "x/b", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .got = "a: 192.0.2.0"},
                   {FIND, "x/c", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .primary = IP_V6, .got = "b: 2001:db8::"},
                   {FIND, "x/d", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL, .pool = "b",
                    .got = "b: 2001:db8::1"},
                   {RELEASE, "x/a", .freed = true},
                   {FIND, "x/b", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .got = "c: 198.51.100.0,2001:db8:1::", .freed = true},
                   {FIND, "x/e", .families = ALLOC_V4, .policy = ALLOC_PREFER_DUAL,
                    .got = "a: 192.0.2.0"},
                   {FIND, "x/f", .families = ALLOC_DUAL, .policy = ALLOC_SINGLE,
                    .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "the cluster IPs are of both families, which the ipFamilyPolicy "
                               "SingleStack does not allow"}}},
        /* A single-family Service takes the first pool that has the family. */
        {.pools = {{.name = "a", .ranges = {"2001:db8::/126"}},
                   {.name = "b", .ranges = {"192.0.2.0/30"}}},
         .steps = {{FIND, "x/a", .got = "b: 192.0.2.0"}}},
        /* Pinned pools are exhausted in every way before unpinned ones. */
        {.pools = {DUAL_POOL, {.name = "b", .ranges = {"198.51.100.0/30"}, .pinned = true}},
         .steps = {{FIND, "x/a", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .got = "b: 198.51.100.0"},
                   {FIND, "x/b", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
                    .got = "a: 192.0.2.0,2001:db8::"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_extend(void)
{
    static const struct scenario scenarios[] = {
        {.pools = {DUAL_POOL, {.name = "b", .ranges = {"2001:db8:1::/64"}}},
         .steps = {{CLAIM, "x/a", .ips = "192.0.2.2", .families = ALLOC_DUAL,
                    .policy = ALLOC_PREFER_DUAL, .got = "a: 192.0.2.2"},
                   {EXTEND, "x/a", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .got = "a: 192.0.2.2,2001:db8::"},
                   {EXTEND, "x/a", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .got = "a: 192.0.2.2,2001:db8::"},
                   /* IPv4 comes first, also when it comes later. */
                   {CLAIM, "x/b", .ips = "2001:db8::3", .families = ALLOC_DUAL,
                    .policy = ALLOC_PREFER_DUAL, .share = "s", .got = "a: 2001:db8::3"},
                   {EXTEND, "x/b", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .share = "s", .got = "a: 192.0.2.0,2001:db8::3"},
                   /* A Service of one family gets no second address. */
                   {FIND, "x/c", .got = "a: 192.0.2.1"},
                   {EXTEND, "x/c", .ips = "192.0.2.1", .policy = ALLOC_PREFER_DUAL,
                    .outcome = ALLOC_FAMILY_MISMATCH,
                    .message = "assigned IP(s) [\"192.0.2.1\"] does not match the ipFamily of the "
                               "service"},
                   /* Only from the same pool. */
                   {FIND, "x/d", .pool = "b", .families = ALLOC_V6, .got = "b: 2001:db8:1::"},
                   {EXTEND, "x/d", .families = ALLOC_DUAL, .policy = ALLOC_PREFER_DUAL,
                    .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs in pool b: it has no IPv4 addresses"},
                   {CLAIM, "x/d", .ips = "2001:db8:1::", .families = ALLOC_V6,
                    .got = "b: 2001:db8:1::"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_blockers(void)
{
    static const struct scenario scenarios[] = {
        {.pools = {DUAL_POOL},
         .steps = {{BLOCKERS, "x/a", .ips = "192.0.2.0"},
                   {FIND, "x/b", .share = "s", .got = "a: 192.0.2.0"},
                   {FIND, "x/c", .share = "s", .ports = "TCP/81", .got = "a: 192.0.2.0"},
                   /* Another key, or none: all are in the way; with the key only who has a port. */
                   {BLOCKERS, "x/a", .ips = "192.0.2.0", .got = "x/b,x/c"},
                   {BLOCKERS, "x/a", .ips = "192.0.2.0", .share = "t", .got = "x/b,x/c"},
                   {BLOCKERS, "x/a", .ips = "192.0.2.0", .share = "s", .got = "x/b"},
                   {BLOCKERS, "x/a", .ips = "192.0.2.0", .share = "s", .ports = "UDP/80"},
                   {BLOCKERS, "x/b", .ips = "192.0.2.0", .share = "s"},
                   {BLOCKERS, "x/b", .ips = "192.0.2.0", .got = "x/c"},
                   /* Who has both addresses counts once. */
                   {FIND, "x/d", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
                    .got = "a: 192.0.2.1,2001:db8::"},
                   {BLOCKERS, "x/a", .ips = "192.0.2.1,2001:db8::", .families = ALLOC_DUAL,
                    .got = "x/d"},
                   /* Refused for another reason than somebody's use: nobody is in the way. */
                   {BLOCKERS, "x/a", .ips = "192.0.2.1", .families = ALLOC_V6},
                   {BLOCKERS, "x/a", .ips = "192.0.2.1", .pool = "b"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_outcome_names(void)
{
    for (int i = 0; i < ALLOC_OUTCOME_COUNT; i++)
        for (int j = 0; j <= i; j++)
            TEST_ASSERT(strcmp(alloc_outcome_name((enum alloc_outcome)i),
                               j < i ? alloc_outcome_name((enum alloc_outcome)j) : "?") != 0);
    TEST_STR(str_from(alloc_outcome_name(ALLOC_POOL_EXHAUSTED)), "PoolExhausted");
}

TEST_MAIN("controller/alloc", TEST(test_first_fit), TEST(test_pool_choice), TEST(test_asked),
          TEST(test_claim), TEST(test_dual), TEST(test_extend), TEST(test_blockers),
          TEST(test_outcome_names))
