/* What Services have together, what is kept from them, and what becomes of it when pools change. */
#include "controller/holdings.h"
#include "controller/test_scenarios.h"

static void test_sharing(void)
{
    static const struct scenario scenarios[] = {
        /* Sharers are packed on the lowest address that has none of their ports. */
        {.pools = {V4_POOL},
         .steps = {{FIND, "x/a", .got = "a: 192.0.2.0"},
                   {FIND, "x/b", .share = "s", .ports = "TCP/80", .got = "a: 192.0.2.1"},
                   {FIND, "y/c", .share = "s", .ports = "TCP/443", .got = "a: 192.0.2.1"},
                   {FIND, "x/d", .share = "s", .ports = "TCP/80,UDP/80", .got = "a: 192.0.2.2"},
                   {FIND, "x/e", .share = "s", .ports = "UDP/80", .got = "a: 192.0.2.1"},
                   {FIND, "x/f", .share = "s", .ports = "TCP/443,SCTP/1", .got = "a: 192.0.2.2"},
                   {FIND, "x/g", .share = "s", .ports = "", .got = "a: 192.0.2.1"},
                   {RELEASE, "x/a", .freed = true},
                   /* A lower free address is taken rather than a higher shared one. */
                   {FIND, "x/h", .share = "s", .ports = "TCP/22", .got = "a: 192.0.2.0"},
                   {FIND, "x/i", .share = "t", .ports = "TCP/23", .got = "a: 192.0.2.3"},
                   {FIND, "x/j", .share = "u", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a has no free IPv4 address"}}},
        /* Ports by explicit request. */
        {.pools = {V4_POOL},
         .steps = {{FIND, "x/a", .share = "s", .ips = "192.0.2.1", .got = "a: 192.0.2.1"},
                   {FIND, "x/b", .share = "s", .ips = "192.0.2.1", .outcome = ALLOC_PORT_IN_USE,
                    .message = "port TCP/80 is already in use on \"192.0.2.1\" by x/a"},
                   {FIND, "x/b", .share = "s", .ips = "192.0.2.1", .ports = "UDP/80",
                    .got = "a: 192.0.2.1"},
                   {FIND, "x/c", .share = "s", .ips = "192.0.2.1", .ports = "SCTP/9,UDP/80",
                    .outcome = ALLOC_PORT_IN_USE,
                    .message = "port UDP/80 is already in use on \"192.0.2.1\" by x/b"},
                   /* Own ports are no obstacle; another's are. */
                   {CLAIM, "x/b", .share = "s", .ips = "192.0.2.1", .ports = "UDP/80,UDP/81",
                    .got = "a: 192.0.2.1"},
                   {CLAIM, "x/b", .share = "s", .ips = "192.0.2.1", .ports = "TCP/80",
                    .outcome = ALLOC_PORT_IN_USE,
                    .message = "port TCP/80 is already in use on \"192.0.2.1\" by x/a"},
                   {RELEASE, "x/a", .freed = true},
                   {CLAIM, "x/b", .share = "s", .ips = "192.0.2.1", .ports = "TCP/80",
                    .got = "a: 192.0.2.1", .freed = true},
                   {FIND, "x/c", .share = "s", .ips = "192.0.2.1", .ports = "UDP/80,UDP/81",
                    .got = "a: 192.0.2.1"}}},
        /* Keys: both must be there, equal, and with the same backends. */
        {.pools = {V4_POOL},
         .steps = {{FIND, "x/a", .share = "s", .backend = "app=a", .ports = "TCP/1",
                    .got = "a: 192.0.2.0"},
                   {FIND, "x/b", .share = "s", .ips = "192.0.2.0", .ports = "TCP/2",
                    .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/b\", address also in use by x/a"},
                   {FIND, "x/b", .share = "s", .backend = "app=b", .ips = "192.0.2.0",
                    .ports = "TCP/2", .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/b\", address also in use by x/a"},
                   {FIND, "x/b", .backend = "app=a", .ips = "192.0.2.0", .ports = "TCP/2",
                    .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/b\", address also in use by x/a"},
                   {FIND, "x/b", .share = "sa", .backend = "pp=a", .ips = "192.0.2.0",
                    .ports = "TCP/2", .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/b\", address also in use by x/a"},
                   {FIND, "z/b", .share = "s", .backend = "app=a", .ips = "192.0.2.0",
                    .ports = "TCP/2", .got = "a: 192.0.2.0"},
                   /* One of several may not change the key, the last one may. */
                   {CLAIM, "x/a", .share = "t", .backend = "app=a", .ips = "192.0.2.0",
                    .ports = "TCP/1", .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/a\", address also in use by z/b"},
                   {RELEASE, "z/b", .freed = true},
                   {CLAIM, "x/a", .share = "t", .ips = "192.0.2.0", .ports = "TCP/1",
                    .got = "a: 192.0.2.0", .freed = true},
                   {FIND, "x/b", .share = "t", .ips = "192.0.2.0", .ports = "TCP/2",
                    .got = "a: 192.0.2.0"},
                   {CLAIM, "x/c", .share = "t", .ips = "192.0.2.0", .ports = "TCP/2",
                    .outcome = ALLOC_PORT_IN_USE,
                    .message = "port TCP/2 is already in use on \"192.0.2.0\" by x/b"}}},
        /* Many users: the sentence names three. */
        {.pools = {V4_POOL},
         .steps = {{FIND, "x/e", .share = "s", .ports = "TCP/5", .got = "a: 192.0.2.0"},
                   {FIND, "x/d", .share = "s", .ports = "TCP/4", .got = "a: 192.0.2.0"},
                   {FIND, "x/c", .share = "s", .ports = "TCP/3", .got = "a: 192.0.2.0"},
                   {FIND, "x/b", .share = "s", .ports = "TCP/2", .got = "a: 192.0.2.0"},
                   {FIND, "x/a", .share = "s", .ports = "TCP/1", .got = "a: 192.0.2.0"},
                   {CLAIM, "x/a", .ips = "192.0.2.0", .ports = "TCP/1",
                    .outcome = ALLOC_SHARING_KEY,
                    .message = "can't change sharing key for \"x/a\", address also in use by "
                               "x/b,x/c,x/d and 1 more"}}},
        /* Dual stack and sharing: each address has its own users. */
        {.pools = {DUAL_POOL},
         .steps = {{FIND, "x/a", .share = "s", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
                    .got = "a: 192.0.2.0,2001:db8::"},
                   {FIND, "x/b", .share = "s", .families = ALLOC_V6, .ports = "TCP/81",
                    .got = "a: 2001:db8::"},
                   {FIND, "x/c", .share = "s", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
                    .ports = "TCP/81", .got = "a: 192.0.2.0,2001:db8::1"},
                   {FIND, "x/d", .share = "s",
                    .ips = "192.0.2.0,2001:db8::", .families = ALLOC_DUAL,
                    .policy = ALLOC_REQUIRE_DUAL, .ports = "TCP/81", .outcome = ALLOC_PORT_IN_USE,
                    .message = "port TCP/81 is already in use on \"192.0.2.0\" by x/c"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_reserved(void)
{
    static const struct scenario scenarios[] = {
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/29"}, .no_auto = false},
                   {.name = "b", .ranges = {"198.51.100.0/30"}, .no_auto = true}},
         .kept = {{"x/web", "192.0.2.0"}, {"crm", "192.0.2.1-192.0.2.2"}, {"x/db", "198.51.100.2"}},
         .steps =
             {/* Nobody else gets one by itself … */
              {FIND, "x/a", .got = "a: 192.0.2.3"},
              /* … or by asking, */
              {FIND, "x/b", .ips = "192.0.2.0", .outcome = ALLOC_RESERVED,
               .message = "[\"192.0.2.0\"] is reserved for x/web by IPReservation/r0"},
              {FIND, "x/b", .ips = "192.0.2.2", .outcome = ALLOC_RESERVED,
               .message = "[\"192.0.2.2\"] is reserved for crm by IPReservation/r1"},
              /* the owner does without asking, also from a pool that is only for requests, */
              {FIND, "x/web", .got = "a: 192.0.2.0"},
              {FIND, "x/db", .got = "b: 198.51.100.2"},
              /* and keeps it reserved after he goes. */
              {RELEASE, "x/web", .freed = true},
              {FIND, "x/c", .got = "a: 192.0.2.4"},
              {FIND, "x/web", .ips = "192.0.2.0", .got = "a: 192.0.2.0"},
              /* A namespace's addresses are for its Services, before open ones. */
              {FIND, "crm/a", .got = "a: 192.0.2.1"},
              {FIND, "crm/b", .ips = "192.0.2.2", .got = "a: 192.0.2.2"},
              {FIND, "crm/c", .got = "a: 192.0.2.5"}}},
        /* What is in the status when a reservation comes stays where it is. */
        {.pools = {V4_POOL},
         .kept = {{"x/web", "192.0.2.0-192.0.2.3"}},
         .steps = {{CLAIM, "x/a", .ips = "192.0.2.0", .got = "a: 192.0.2.0"},
                   {FIND, "x/b", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a has no free IPv4 address"},
                   {FIND, "x/web", .got = "a: 192.0.2.1"},
                   {FIND, "x/web", .ips = "192.0.2.0", .outcome = ALLOC_SHARING_KEY, .freed = true,
                    .message = "can't change sharing key for \"x/web\", address also in use by "
                               "x/a"},
                   {RELEASE, "x/a", .freed = true},
                   {FIND, "x/a", .ips = "192.0.2.0", .outcome = ALLOC_RESERVED,
                    .message = "[\"192.0.2.0\"] is reserved for x/web by IPReservation/r0"},
                   {FIND, "x/web", .got = "a: 192.0.2.0"}}},
        /* The owner may share what is his; strangers with the same key may not join by
         * themselves. */
        {.pools = {V4_POOL},
         .kept = {{"crm", "192.0.2.0-192.0.2.1"}},
         .steps = {{FIND, "crm/a", .share = "s", .ports = "TCP/1", .got = "a: 192.0.2.0"},
                   {FIND, "crm/b", .share = "s", .ports = "TCP/2", .got = "a: 192.0.2.0"},
                   {FIND, "x/a", .share = "s", .ports = "TCP/3", .got = "a: 192.0.2.2"},
                   {FIND, "crm/c", .share = "s", .ports = "TCP/1", .got = "a: 192.0.2.1"},
                   {FIND, "crm/d", .share = "s", .ports = "TCP/1", .got = "a: 192.0.2.2"},
                   {FIND, "crm/e", .pool = "a", .ports = "TCP/1", .got = "a: 192.0.2.3"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

static void test_quarantine(void)
{
    static const struct scenario scenarios[] = {
        {.pools = {V4_POOL},
         .steps = {{QUARANTINE, .ips = "192.0.2.0"},
                   {QUARANTINE, .ips = "203.0.113.1"}, /* in no pool: harmless */
                   {FIND, "x/a", .share = "s", .got = "a: 192.0.2.1"},
                   {FIND, "x/b", .ips = "192.0.2.0", .outcome = ALLOC_QUARANTINED,
                    .message = "[\"192.0.2.0\"] is in quarantine and not given to anybody for now"},
                   /* Who has the address keeps it, but nobody joins him. */
                   {QUARANTINE, .ips = "192.0.2.1"},
                   {CLAIM, "x/a", .share = "s", .ips = "192.0.2.1", .got = "a: 192.0.2.1"},
                   {FIND, "x/b", .share = "s", .ports = "TCP/81", .got = "a: 192.0.2.2"},
                   {RELEASE, "x/a", .freed = true},
                   {FIND, "x/c", .got = "a: 192.0.2.3"},
                   {FIND, "x/d", .outcome = ALLOC_POOL_EXHAUSTED,
                    .message = "no available IPs: pool a has no free IPv4 address "
                               "(2 in quarantine)"},
                   {ALLOW, .ips = "192.0.2.1"},
                   {ALLOW, .ips = "192.0.2.1"},
                   {FIND, "x/d", .got = "a: 192.0.2.1"}}},
    };
    run(scenarios, TEST_COUNT(scenarios));
}

/* Replaces pools under allocations; who loses, and what the others are called then. */
static void test_edits(void)
{
    static const struct step adopted[] = {
        {CLAIM, "x/a", .ips = "192.0.2.0", .got = "a: 192.0.2.0"},
        {CLAIM, "x/b", .ips = "192.0.2.9", .share = "s", .got = "a: 192.0.2.9"},
        {CLAIM, "x/c", .ips = "192.0.2.9", .share = "s", .ports = "TCP/81", .got = "a: 192.0.2.9"},
        {CLAIM, "x/d", .ips = "2001:db8::1,192.0.2.2", .families = ALLOC_DUAL,
         .policy = ALLOC_REQUIRE_DUAL, .got = "a: 2001:db8::1,192.0.2.2"},
        {QUARANTINE, .ips = "192.0.2.3"},
    };
    static const struct text_pool before[POOLS] = {
        {.name = "a", .ranges = {"192.0.2.0/28", "2001:db8::/126"}}};
    static const struct {
        struct text_pool pools[POOLS];
        const char *lost, *a, *b, *d;
        struct step next;
    } cases[] = {
        /* Rename. */
        {.pools = {{.name = "z", .ranges = {"192.0.2.0/28", "2001:db8::/126"}}},
         .lost = "",
         .a = "z: 192.0.2.0",
         .b = "z: 192.0.2.9",
         .d = "z: 2001:db8::1,192.0.2.2",
         .next = {FIND, "x/e", .got = "z: 192.0.2.1"}},
        /* Split: whoever is whole in one part stays. */
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/29"}},
                   {.name = "b", .ranges = {"192.0.2.8/29", "2001:db8::/126"}}},
         .lost = "x/d",
         .a = "a: 192.0.2.0",
         .b = "b: 192.0.2.9",
         .d = "",
         .next = {FIND, "x/e", .share = "s", .ports = "TCP/82", .pool = "b",
                  .got = "b: 192.0.2.8"}},
        /* Shrunk, excluded, avoided, gone. */
        {.pools = {{.name = "a", .ranges = {"192.0.2.0/29", "2001:db8::/126"}}},
         .lost = "x/b x/c",
         .a = "a: 192.0.2.0",
         .b = "",
         .d = "a: 2001:db8::1,192.0.2.2",
         .next = {FIND, "x/e", .got = "a: 192.0.2.1"}},
        {.pools = {{.name = "a",
                    .ranges = {"192.0.2.0/28", "2001:db8::/126"},
                    .excluded = {"192.0.2.8/29", "2001:db8::1"}}},
         .lost = "x/b x/c x/d",
         .a = "a: 192.0.2.0",
         .b = "",
         .d = "",
         .next = {FIND, "x/e", .got = "a: 192.0.2.1"}},
        {.pools = {{.name = "a",
                    .ranges = {"192.0.2.0/28", "2001:db8::/126"},
                    .avoid_buggy = true}},
         .lost = "x/a",
         .a = "",
         .b = "a: 192.0.2.9",
         .d = "a: 2001:db8::1,192.0.2.2",
         .next = {FIND, "x/e", .got = "a: 192.0.2.1"}},
        {.lost = "x/a x/b x/c x/d",
         .a = "",
         .b = "",
         .d = "",
         .next = {FIND, "x/e", .outcome = ALLOC_NO_POOL,
                  .message = "no available IPs: there are no address pools"}},
        /* Grown and turned to others: nothing moves. The quarantine stays, too. */
        {.pools = {{.name = "a",
                    .ranges = {"192.0.2.16", "192.0.2.3", "192.0.2.0-192.0.2.2",
                               "192.0.2.4-192.0.2.15", "2001:db8::/120"},
                    .no_auto = true,
                    .priority = 4}},
         .lost = "",
         .a = "a: 192.0.2.0",
         .b = "a: 192.0.2.9",
         .d = "a: 2001:db8::1,192.0.2.2",
         .next = {FIND, "x/e", .ips = "192.0.2.3", .outcome = ALLOC_QUARANTINED,
                  .message = "[\"192.0.2.3\"] is in quarantine and not given to anybody for now"}},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct diag_list found = {.arena = arena};
        struct str_list lost;
        scoped_ptr(alloc) struct alloc *alloc = alloc_new(i);
        alloc_set_pools(alloc, pools_of(before, NULL, arena, &found), arena, &lost);
        for (size_t s = 0; s < TEST_COUNT(adopted); s++)
            run_step(alloc, &adopted[s], arena);
        alloc_set_pools(alloc, pools_of(cases[i].pools, NULL, arena, &found), arena, &lost);

        struct sbuf keys = {0};
        for (size_t k = 0; k < lost.count; k++)
            sbuf_printf(&keys, "%s" STR_FMT, k ? " " : "", STR_ARG(lost.items[k]));
        TEST_STR(sbuf_move(&keys, arena), cases[i].lost);
        const char *const want[][2] = {
            {"x/a", cases[i].a}, {"x/b", cases[i].b}, {"x/c", cases[i].b}, {"x/d", cases[i].d}};
        for (size_t k = 0; k < TEST_COUNT(want); k++) {
            struct ip ips[ALLOC_IPS];
            struct str pool = {0};
            size_t count = alloc_get(alloc, str_from(want[k][0]), ips, &pool);
            TEST_STR(text_of(pool, ips, count, arena), want[k][1]);
        }
        run_step(alloc, &cases[i].next, arena);
    }
}

static void test_usage(void)
{
    static const struct text_pool pools[POOLS] = {
        {.name = "a", .ranges = {"192.0.2.0/28", "2001:db8::/64"}, .excluded = {"192.0.2.15"}}};
    static const struct text_reservation kept[RANGES] = {{"x/web", "192.0.2.0-192.0.2.1"}};
    static const struct {
        struct step step;
        struct alloc_usage v4, v6;
    } cases[] = {
        {{ALLOW, .ips = "192.0.2.9"}, {15, 0, 13}, {INT64_MAX, 0, INT64_MAX}},
        /* A shared address counts once. */
        {{FIND, "x/a", .share = "s", .got = "a: 192.0.2.2"},
         {15, 1, 12},
         {INT64_MAX, 0, INT64_MAX}},
        {{FIND, "x/b", .share = "s", .ports = "TCP/81", .got = "a: 192.0.2.2"},
         {15, 1, 12},
         {INT64_MAX, 0, INT64_MAX}},
        /* A reserved address was never available to others. */
        {{FIND, "x/web", .got = "a: 192.0.2.0"}, {15, 2, 12}, {INT64_MAX, 0, INT64_MAX}},
        {{FIND, "x/c", .families = ALLOC_DUAL, .policy = ALLOC_REQUIRE_DUAL,
          .got = "a: 192.0.2.3,2001:db8::"},
         {15, 3, 11},
         {INT64_MAX, 1, INT64_MAX - 1}},
        /* Quarantine: of a free address, of one in use, of a reserved one, of one in no pool. */
        {{QUARANTINE, .ips = "192.0.2.9"}, {15, 3, 10}, {INT64_MAX, 1, INT64_MAX - 1}},
        {{QUARANTINE, .ips = "192.0.2.3"}, {15, 3, 10}, {INT64_MAX, 1, INT64_MAX - 1}},
        {{QUARANTINE, .ips = "192.0.2.1"}, {15, 3, 10}, {INT64_MAX, 1, INT64_MAX - 1}},
        {{QUARANTINE, .ips = "192.0.2.15"}, {15, 3, 10}, {INT64_MAX, 1, INT64_MAX - 1}},
        {{RELEASE, "x/c", .freed = true}, {15, 2, 10}, {INT64_MAX, 0, INT64_MAX}},
        {{ALLOW, .ips = "192.0.2.3"}, {15, 2, 11}, {INT64_MAX, 0, INT64_MAX}},
        {{RELEASE, "x/a", .freed = true}, {15, 2, 11}, {INT64_MAX, 0, INT64_MAX}},
        {{RELEASE, "x/b", .freed = true}, {15, 1, 12}, {INT64_MAX, 0, INT64_MAX}},
        {{RELEASE, "x/web", .freed = true}, {15, 0, 12}, {INT64_MAX, 0, INT64_MAX}},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    struct str_list lost;
    scoped_ptr(alloc) struct alloc *alloc = alloc_new(0);
    alloc_set_pools(alloc, pools_of(pools, kept, arena, &found), arena, &lost);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        run_step(alloc, &cases[i].step, arena);
        const struct pool *pool = &alloc_pools(alloc)->pools[0];
        const struct alloc_usage *want[] = {&cases[i].v4, &cases[i].v6};
        for (unsigned slot = 0; slot < POOL_FAMILIES; slot++) {
            struct alloc_usage got = alloc_usage(alloc, pool, slot);
            TEST_ASSERT(got.capacity == want[slot]->capacity);
            TEST_ASSERT(got.assigned == want[slot]->assigned);
            TEST_ASSERT(got.available == want[slot]->available);
        }
    }
}

static void test_users(void)
{
    static const struct text_pool pools[POOLS] = {V4_POOL};
    static const struct step steps[] = {
        {FIND, "x/b", .share = "s", .ports = "TCP/2", .got = "a: 192.0.2.0"},
        {FIND, "x/a", .share = "s", .ports = "TCP/1", .got = "a: 192.0.2.0"},
        {FIND, "x/c", .got = "a: 192.0.2.1"},
        {QUARANTINE, .ips = "192.0.2.3"},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    struct str_list lost;
    scoped_ptr(alloc) struct alloc *alloc = alloc_new(0);
    alloc_set_pools(alloc, pools_of(pools, NULL, arena, &found), arena, &lost);
    for (size_t i = 0; i < TEST_COUNT(steps); i++)
        run_step(alloc, &steps[i], arena);
    struct ip ip = ip_v4(192, 0, 2, 0);
    struct str_list users = alloc_users(alloc, &ip, arena);
    TEST_ASSERT(users.count == 2 && alloc_count(alloc) == 3);
    TEST_STR(users.items[0], "x/a");
    TEST_STR(users.items[1], "x/b");
    static const uint8_t nobody[] = {2, 3, 4};
    for (size_t i = 0; i < TEST_COUNT(nobody); i++) {
        ip = ip_v4(192, 0, 2, nobody[i]);
        TEST_ASSERT(alloc_users(alloc, &ip, arena).count == 0);
    }
}

/* A sharing key is any text: where it differs behind a NUL only, it is another one. */
static void test_share_names(void)
{
    static const struct {
        struct str sharing, backend, want;
    } cases[] = {
        {STR_INIT("k"), STR_INIT(""), STR_INIT("1:k")},
        {STR_INIT("k"), STR_INIT("app=a"), STR_INIT("1:kapp=a")},
        {STR_INIT("k\0a"), STR_INIT("b"), STR_INIT("3:k\0ab")},
        {STR_INIT("k\0b"), STR_INIT("\0c"), STR_INIT("3:k\0b\0c")},
        {STR_INIT("\0"), STR_INIT(""), STR_INIT("1:\0")},
        {STR_INIT(""), STR_INIT("app=a"), STR_INIT("")},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        CU_ASSERT(
            str_eq(holdings_share_name(cases[i].sharing, cases[i].backend, arena), cases[i].want));
}

enum { SHARERS = 33, EACH = 6000 };

/* Every port up to the last is in use by the sharer whose turn it is, when that one is there. */
static void check_uses(const struct address *address, const bool *there, struct str keys[SHARERS])
{
    size_t at = 0;
    for (uint32_t port = 0; port < SHARERS * EACH; port++) {
        if (!there[port % SHARERS])
            continue;
        TEST_ASSERT(at < address->sharing->uses.len);
        const struct port_use *use = &address->sharing->uses.items[at++];
        TEST_ASSERT(use->port == port && str_eq(use->holder->key, keys[port % SHARERS]));
    }
    TEST_ASSERT(at == address->sharing->uses.len);
}

/* Thousands of ports that interleave: moved one by one, they would take minutes. */
static void test_many_ports(void)
{
    static const struct text_pool pools[POOLS] = {V4_POOL};
    static uint32_t items[SHARERS][EACH];
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    scoped_ptr(pool_set) struct pool_set *set = pools_of(pools, NULL, arena, &found);
    struct holdings books;
    struct str keys[SHARERS];
    struct ip ip = ip_v4(192, 0, 2, 0);
    bool there[SHARERS] = {false};
    holdings_init(&books, set, 0);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < SHARERS; i++) {
            struct port_list ports = {.items = items[i], .count = EACH};
            for (uint32_t k = 0; k < EACH; k++)
                items[i][k] = k * SHARERS + i;
            keys[i] = arena_printf(arena, "x/%02u", i);
            if (!there[i])
                (void)holdings_add(&books, keys[i], STR("1:s"), &ports, &ip, 1);
            there[i] = true;
        }
        check_uses(holdings_address(&books, &ip), there, keys);
        for (uint32_t i = 0; i < SHARERS; i += 2) {
            TEST_ASSERT(holdings_remove(&books, keys[i]));
            there[i] = false;
        }
        check_uses(holdings_address(&books, &ip), there, keys);
    }
    holdings_done(&books);
}

TEST_MAIN("controller/alloc: books", TEST(test_sharing), TEST(test_reserved), TEST(test_quarantine),
          TEST(test_edits), TEST(test_usage), TEST(test_users), TEST(test_share_names),
          TEST(test_many_ports))
