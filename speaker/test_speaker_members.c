/* The plan as members come and go, are held or leave, and have interfaces or not. */
#include "speaker/plan.h"
#include "speaker/stations.h"
#include "speaker/test_objects.h"
#include "speaker/test_scene.h"

/* The hash order of 192.0.2.1 over n1, n2 and n3 is n2 n1 n3. */

enum { NODES_MAX = 4 };

/* One letter for each of n1, n2, n3: alive (a), suspect (s), dead (d), left (l), held (h), leaving
 * (L), both (B), an observer (o), no member (-). Behind it what interfaces it has: eth0 with both
 * families unless a digit says otherwise: 0 none, 4 IPv4 only, 6 IPv6 only, 9 eth9, t none that is
 * listed. */
static const struct gossip_member *members_of(const char *text, const char *self,
                                              struct arena *arena, size_t *ret_count)
{
    struct gossip_member *list = arena_array(arena, NODES_MAX, sizeof(*list));
    size_t count = 0;
    for (unsigned number = 1; *text; number++) {
        char letter = *text++, kind = strchr("0469ti", *text) && *text ? *text++ : 'e';
        if (letter == '-')
            continue;
        struct gossip_member *m = &list[count++];
        struct meta_interface *interface = arena_alloc(arena, sizeof(*interface));
        *interface = (struct meta_interface){.name = kind == '9' ? STR("eth9") : STR("eth0"),
                                             .mac = {{2, 0, 0, 0, 0, (uint8_t)number}},
                                             .ipv4 = kind != '6',
                                             .ipv6 = kind != '4'};
        m->name = arena_printf(arena, "n%u", number);
        m->self = str_eq(m->name, str_from(self));
        m->state = letter == 's'   ? GOSSIP_SUSPECT
                   : letter == 'd' ? GOSSIP_DEAD
                   : letter == 'l' ? GOSSIP_LEFT
                                   : GOSSIP_ALIVE;
        m->meta = (struct member_meta){.role = letter == 'o' ? GOSSIP_OBSERVER : GOSSIP_SPEAKER,
                                       .held = letter == 'h' || letter == 'B',
                                       .leaving = letter == 'L' || letter == 'B',
                                       .truncated = kind == 't',
                                       .starting = kind == 'i',
                                       .interfaces = interface,
                                       .count = strchr("0t", kind) ? 0 : 1};
    }
    *ret_count = count;
    return list;
}

struct member_case {
    const char *members, *node, *want; /* of default/web: "owner tier reason may-serve" */
};

static void check(const char *yaml, const struct member_case *cases, size_t count)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, yaml);
    for (size_t i = 0; i < count; i++) {
        const struct member_case *c = &cases[i];
        s.view.watches = true;
        s.view.members = members_of(c->members, c->node, s.arena, &s.view.member_count);
        const struct plan *plan = scene_plan(&s, c->node);
        struct plan_service web;
        struct plan_unit unit;
        TEST_ASSERT(plan_find(plan, STR("default/web"), &web));
        bool stands = plan_find_unit(plan, &web.ips[0], &unit);
        struct str got =
            arena_printf(s.arena, STR_FMT " %s %s %s",
                         STR_ARG(web.owner.len ? web.owner : STR("-")), plan_tier_name(web.tier),
                         reason_name(web.reason), stands && unit.may_serve ? "yes" : "no");
        if (!str_eq(got, str_from(c->want)))
            printf("\n%s on %s", c->members, c->node);
        TEST_STR(got, c->want);
    }
    scene_done(&s);
}
#define CHECK(yaml, cases) check((yaml), (cases), TEST_COUNT(cases))

static void test_who_lives(void)
{
    static const char hash[] = CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}");
    static const struct member_case cases[] = {
        {"aaa", "n2", "n2 normal announced yes"},
        {"aaa", "n1", "n2 normal notOwner yes"},
        {"asa", "n1", "n2 normal notOwner yes"}, /* suspect is alive */
        {"ada", "n1", "n1 normal announced yes"},
        {"ada", "n3", "n1 normal notOwner yes"},
        {"ala", "n1", "n1 normal announced yes"},
        {"a-a", "n1", "n1 normal announced yes"}, /* a node without a speaker */
        {"aoa", "n1", "n1 normal announced yes"}, /* of the controller's name, or so */
        {"dda", "n3", "n3 normal announced yes"},
        {"ddd", "n3", "n3 normal announced yes"}, /* whatever others think, we live */
    };
    CHECK(hash, cases);
}

/* Held nodes are chosen when there is no other, those that leave as the last. */
static void test_tiers(void)
{
    static const char hash[] = CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}");
    static const struct member_case cases[] = {
        {"aha", "n2", "n1 normal notOwner yes"},   {"aha", "n1", "n1 normal announced yes"},
        {"hhh", "n2", "n2 held announced yes"},    {"hhd", "n2", "n2 held announced yes"},
        {"LLh", "n3", "n3 held announced yes"},    {"LaL", "n1", "n2 normal notOwner yes"},
        {"LLL", "n2", "n2 leaving announced yes"}, {"LBL", "n2", "n2 leaving announced yes"},
        {"LdL", "n1", "n1 leaving announced yes"},
    };
    CHECK(hash, cases);
    static const char drained[] = CLUSTER
        "---\napiVersion: v1\nkind: Node\nmetadata: {name: n2, annotations: "
        "{stentor.io/drain: \"\"}}\n" L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}");
    static const struct member_case drain[] = {
        {"aaa", "n2", "n1 normal notOwner yes"},
        {"dad", "n2", "n2 leaving announced yes"},
        {"haL", "n2", "n1 held notOwner yes"},
    };
    CHECK(drained, drain);
}

/* What is published is an order among those that can. */
static void test_published_order(void)
{
    static const char placed[] =
        CLUSTER L2("all", "") SERVED("web", PLACED("7 n3 n1"), "", "{ip: 192.0.2.1}");
    static const struct member_case cases[] = {
        {"aaa", "n3", "n3 normal announced yes"}, {"aad", "n1", "n1 normal announced yes"},
        {"dad", "n2", "n2 normal announced yes"}, {"aah", "n1", "n1 normal announced yes"},
        {"haL", "n2", "n2 normal announced yes"}, {"dah", "n3", "n2 normal notOwner yes"},
        {"ddh", "n3", "n3 held announced yes"},
    };
    CHECK(placed, cases);
}

static void test_interfaces(void)
{
    static const char any[] = CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}");
    static const struct member_case cases[] = {
        {"aa0a", "n2", "n1 normal notOwner no"}, /* no carrier, or none that may be used */
        {"aa9a", "n2", "n2 normal announced yes"},
        {"aata", "n1", "n1 normal announced yes"}, /* it tells of none */
        {"aaia", "n1", "n1 normal announced yes"}, /* it knows of nothing yet */
        {"aa6a", "n1", "n1 normal announced yes"},
        {"aa4a", "n1", "n2 normal notOwner yes"},
        {"a0a0a0", "n2", "n2 noInterface noInterface no"}, /* somebody says what is missing */
        {"a0a0a0", "n1", "n2 noInterface notOwner no"},
    };
    CHECK(any, cases);
    static const char named[] =
        CLUSTER L2("one", "interfaces: [eth9]") SERVED("web", "", "", "{ip: 192.0.2.1}");
    static const struct member_case only[] = {
        {"aaa9", "n3", "n3 normal noInterface yes"}, /* gone since it was told to the others */
        {"aaa9", "n1", "n3 normal notOwner no"},
        {"aata9", "n1", "n3 normal notOwner no"},
        {"aaa9d", "n1", "n3 normal notOwner no"},
        {"aad9", "n2", "n2 noInterface noInterface no"},
    };
    CHECK(named, only);
}

/* n2, the first in the order, has more interfaces than it can tell of, and eth0 is none of those
 * told: others pass it by, while it judges itself by what it has. So somebody announces in any
 * case; when it is two of them, their claims decide. */
static void test_not_told(void)
{
    static const char named[] =
        CLUSTER L2("one", "interfaces: [eth0]") SERVED("web", "", "", "{ip: 192.0.2.1}");
    static const struct member_case cases[] = {
        {"a9ata9", "n1", "n2 noInterface notOwner no"}, {"a9aa9", "n2", "n2 normal announced yes"},
        {"a9ata9", "n3", "n2 noInterface notOwner no"}, {"a9ata", "n1", "n3 normal notOwner no"},
        {"a9ata", "n3", "n3 normal announced yes"},     {"a9aa", "n2", "n2 normal announced yes"},
    };
    CHECK(named, cases);
}

/* An address of each family wants an interface for each. */
static void test_families(void)
{
    static const char both[] =
        NODES POOL("both", "", "addresses: [192.0.2.0/29, \"2001:db8::/64\"]") L2("all", "")
            SERVED("web", "", "", "{ip: 192.0.2.1}, {ip: \"2001:db8::1\"}");
    static const struct member_case cases[] = {
        {"aaa", "n2", "n2 normal announced yes"},
        {"aa4a", "n2", "n1 normal notOwner no"},
        {"a4a6a", "n3", "n3 normal announced yes"},
        {"a4a6a4", "n2", "n2 noInterface noInterface no"},
    };
    CHECK(both, cases);
}

/* Our claim: the same numbers on every node, whoever lives. */
static void test_standing(void)
{
    static const struct {
        const char *meta, *members, *node;
        struct claim_standing want;
    } cases[] = {
        {"", "aaa", "n2", {0, 0, 0}},
        {"", "ada", "n1", {0, 0, 1}},
        {"", "ada", "n3", {0, 0, 2}},
        {"", "aha", "n2", {0, 1, 0}},
        {"", "aaL", "n3", {0, 2, 2}},
        {PLACED("7 n3"), "aaa", "n3", {7, 0, 0}},
        {PLACED("7 n3"), "aaa", "n2", {7, 0, 1}},
        {PLACED("7 n3"), "aaa", "n1", {7, 0, 2}},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct scene s;
        const struct ip ip = ip_v4(192, 0, 2, 1), other = ip_v4(192, 0, 2, 2);
        scene_init(&s);
        scene_apply(&s, CLUSTER L2("all", ""));
        struct str web = arena_printf(
            s.arena,
            "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default%s}\nspec: "
            "{type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}\n",
            cases[i].meta);
        scene_apply(&s, web.ptr);
        scene_apply(&s, ENDPOINTS("web", ON("n1")));
        s.view.watches = true;
        s.view.members = members_of(cases[i].members, cases[i].node, s.arena, &s.view.member_count);
        const struct plan *plan = scene_plan(&s, cases[i].node);
        struct claim_standing got = plan_standing(plan, s.elect, &ip);
        TEST_ASSERT(got.epoch == cases[i].want.epoch && got.tier == cases[i].want.tier &&
                    got.rank == cases[i].want.rank);
        got = plan_standing(plan, s.elect, &other); /* nobody's */
        TEST_ASSERT(got.epoch == 0 && got.rank == 0);
        TEST_ASSERT(plan_is_live(plan, STR("n1")) && !plan_is_live(plan, STR("n4")));
        struct plan_address address;
        TEST_ASSERT(!plan_find_address(plan, &other, &address));
        scene_done(&s);
    }
}

/* The stations that n1 knows of, in a cluster of n1, n2, n3 and n4, where n4 may announce nothing.
 */
static struct stations stations_of(struct scene *s, const char *members, bool watches)
{
    const struct basis *basis = scene_basis(s, "n1");
    s->view.watches = watches;
    s->view.members = members_of(members, "n1", s->arena, &s->view.member_count);
    return stations_make(basis, &s->view, s->arena);
}

static void test_stations(void)
{
    static const struct {
        const char *members;
        bool incomplete;
    } cases[] = {
        {"aaa", false},
        {"aaaa", false},
        /* the dead and those that left have said what they have */
        {"ada", false},
        {"ald0", false},
        /* it may have more, and may be alive where it is not heard */
        {"ata", true},
        {"adt", true},
        {"alt", true},
        {"aaat", true},
        /* nodes without a speaker */
        {"aa", false},
        {"a-s", false},
        {"aao", false},
        /* nobody is heard: the nodes that never were may have one */
        {"add", false},
        {"a", true},
        {"ad", true},
        {"aoo", true},
        {"a--a", false},
    };
    struct scene s;
    scene_init(&s);
    scene_apply(
        &s, CLUSTER NODE("n4", ", node.kubernetes.io/exclude-from-external-load-balancers: x", "")
                L2("all", ""));
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        if (stations_of(&s, cases[i].members, true).incomplete != cases[i].incomplete)
            printf("\n%s", cases[i].members);
        TEST_ASSERT(stations_of(&s, cases[i].members, true).incomplete == cases[i].incomplete);
    }
    struct stations stations = stations_of(&s, "ada0", true);
    const struct station *n1 = stations_find(&stations, &(struct mac){{2, 0, 0, 0, 0, 1}});
    const struct station *n2 = stations_find(&stations, &(struct mac){{2, 0, 0, 0, 0, 2}});
    TEST_ASSERT(stations.count == 2);
    TEST_STR(n1->member, "n1");
    TEST_ASSERT(n1->live && n1->self);
    TEST_STR(n2->member, "n2");
    TEST_ASSERT(!n2->live && !n2->self);
    TEST_ASSERT(stations_find(&stations, &(struct mac){{2, 0, 0, 0, 0, 3}}) == NULL);
    stations = stations_of(&s, "", false);
    TEST_ASSERT(stations.incomplete && stations_find(&stations, &n1->mac) == NULL);
    scene_done(&s);
}

/* Whose stations become known; n1 is this node. */
static void test_stations_met(void)
{
    static const struct {
        const char *before, *now;
        bool met;
    } cases[] =
        {
            {"aaa", "aaa", false}, {"aa-", "aaa", true},
            {"ada", "aaa", true}, /* what answers may be what was started anew */
            {"aaa", "ada", false}, {"add", "add", false},
            {"aat", "aaa", true},  {"aaa", "aat", false},
            {"a", "aa", true},
        };
    struct scene s;
    scene_init(&s);
    scene_apply(&s, CLUSTER L2("all", ""));
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct stations before = stations_of(&s, cases[i].before, true);
        struct stations now = stations_of(&s, cases[i].now, true);
        if (stations_met(&before, &now) != cases[i].met)
            printf("\n%s, then %s", cases[i].before, cases[i].now);
        TEST_ASSERT(stations_met(&before, &now) == cases[i].met);
    }
    scene_done(&s);
}

/* A node that was installed anew under another name: the member that lives counts. */
static void test_stations_with_one_mac(void)
{
    static const struct {
        const char *members, *want;
        bool live;
    } cases[] = {{"ada", "n3", true}, {"aad", "n2", true}, {"add", NULL, false}};
    const struct mac mac = {{2, 0, 0, 0, 0, 3}};
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct scene s;
        scene_init(&s);
        scene_apply(&s, CLUSTER L2("all", ""));
        struct gossip_member members[3];
        (void)stations_of(&s, cases[i].members, true);
        TEST_ASSERT(s.view.member_count == TEST_COUNT(members));
        memcpy(members, s.view.members, sizeof(members));
        members[1].meta.interfaces = members[2].meta.interfaces;
        s.view.members = members;
        struct stations stations = stations_make(scene_basis(&s, "n1"), &s.view, s.arena);
        const struct station *found = stations_find(&stations, &mac);
        TEST_ASSERT(stations.count == 2 && found && found->live == cases[i].live);
        if (cases[i].want)
            TEST_STR(found->member, cases[i].want);
        TEST_ASSERT(!stations_met(&stations, &stations));
        scene_done(&s);
    }
}

TEST_MAIN("speaker/members", TEST(test_who_lives), TEST(test_tiers), TEST(test_published_order),
          TEST(test_interfaces), TEST(test_not_told), TEST(test_families), TEST(test_standing),
          TEST(test_stations), TEST(test_stations_met), TEST(test_stations_with_one_mac))
