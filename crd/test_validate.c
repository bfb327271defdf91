/* The rules between objects: each case is a set of manifests, and all that must come of it: the
 * findings, and what is in force. */
#include "crd/test_support.h"
#include "crd/validate.h"

enum { OBJECTS_MAX = 16, NOW = 1700000000 };

/* The manifests of one case. */
struct world {
    struct object *objects[OBJECTS_MAX];
    size_t count;
    struct validate_input input;
};

static int key_cmp(const void *a, const void *b)
{
    return str_cmp((*(const struct object *const *)a)->key,
                   (*(const struct object *const *)b)->key);
}

static void world_load(struct world *world, const char *yaml, struct arena *arena)
{
    struct yaml_documents documents = yaml_parse(str_from(yaml), arena);
    TEST_ASSERT(documents.list.len <= OBJECTS_MAX);
    world->input = (struct validate_input){.namespace = STR("ours"), .now = NOW};
    for (size_t i = 0; i < KIND_COUNT; i++)
        world->input.of[i].items = arena_array(arena, OBJECTS_MAX, sizeof(struct object *));
    for (size_t i = 0; i < documents.list.len; i++) {
        TEST_ASSERT(documents.list.items[i].tree != NULL);
        struct object *object = support_decode(documents.list.items[i].tree);
        struct objects *of = &world->input.of[object->kind->id];
        world->objects[world->count++] = object;
        of->items[of->count++] = object;
    }
    for (size_t i = 0; i < KIND_COUNT; i++)
        qsort(world->input.of[i].items, world->input.of[i].count, sizeof(struct object *), key_cmp);
    yaml_done(&documents);
}

static void world_done(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        (void)object_unref(world->objects[i]);
}

/* Findings, a line each, then the names of what is in force of our kinds. */
static struct str world_judge(const struct world *world, struct arena *arena)
{
    struct validated result;
    validate(&world->input, arena, &result);
    struct sbuf out = {0};
    for (size_t i = 0; i < result.found.found.len; i++) {
        const struct diag *diag = &result.found.found.items[i];
        sbuf_printf(&out, "%s " STR_FMT " " STR_FMT ": " STR_FMT "\n",
                    diag_severity_name(diag->severity), STR_ARG(diag->object), STR_ARG(diag->field),
                    STR_ARG(diag->message));
    }
    sbuf_puts(&out, "in force:");
    for (size_t i = KIND_IP_ADDRESS_POOL; i < KIND_COUNT; i++)
        for (size_t j = 0; j < result.of[i].count; j++)
            sbuf_printf(&out, " " STR_FMT, STR_ARG(object_name(result.of[i].items[j])));
    validate_done(&result);
    return sbuf_move(&out, arena);
}

struct rule_case {
    const char *yaml, *want;
    bool has_secrets;
    const char *stands; /* name of the object that was in force before; NULL: none was */
};

static bool stands(const void *ctx, const struct object *object)
{
    return str_eq(object_name(object), str_from(ctx));
}

static void judge_case(const struct rule_case *test)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct world world = {0};
    world_load(&world, test->yaml, arena);
    world.input.has_secrets = test->has_secrets;
    if (test->stands) {
        world.input.stands = stands;
        world.input.stands_ctx = test->stands;
    }
    TEST_STR(world_judge(&world, arena), test->want);
    world_done(&world);
}

static void judge_cases(const struct rule_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        judge_case(&cases[i]);
}

#define DOCUMENT(kind, name, spec)                                                 \
    "---\n{apiVersion: metallb.io/v1beta1, kind: " kind ", metadata: {name: " name \
    ", namespace: ours}, spec: {" spec "}}\n"
#define POOL(name, addresses) DOCUMENT("IPAddressPool", name, "addresses: [" addresses "]")
#define LABELLED_POOL(name, labels, addresses)                                          \
    "---\n{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: " name \
    ", namespace: ours, labels: {" labels "}}, spec: {addresses: [" addresses "]}}\n"
#define ADV(name, spec) DOCUMENT("BGPAdvertisement", name, spec)
#define PEER(name, spec) DOCUMENT("BGPPeer", name, "myASN: 64496, peerASN: 64497, " spec)
#define BFD(name, spec) DOCUMENT("BFDProfile", name, spec)
#define COMMUNITY(name, spec) DOCUMENT("Community", name, "communities: [" spec "]")
#define NODE(name, labels) \
    "---\n{apiVersion: v1, kind: Node, metadata: {name: " name ", labels: {" labels "}}}\n"
#define SECRET(name, rest) \
    "---\n{apiVersion: v1, kind: Secret, metadata: {name: " name ", namespace: ours}, " rest "}\n"
#define RESERVATION(name, created, spec)                                                 \
    "---\n{apiVersion: stentor.io/v1alpha1, kind: IPReservation, metadata: {name: " name \
    ", namespace: shop, creationTimestamp: '" created "'}, spec: {" spec "}}\n"

static void test_namespace(void)
{
    static const struct rule_case cases[] = {
        {"{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: a, namespace: "
         "other}, spec: {addresses: [192.0.2.0/24]}}\n" POOL("b", "192.0.2.0/24"),
         "error IPAddressPool/other/a metadata.namespace: resource must be created in ours "
         "namespace\nin force: b"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

/* Without a namespace of ours all count, but a name may be there only once. */
static void test_duplicate_names(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct world world = {0};
    world_load(&world,
               "{apiVersion: metallb.io/v1beta1, kind: BFDProfile, metadata: {name: fast, "
               "namespace: other}}\n" BFD("fast", ""),
               arena);
    world.input.namespace = STR("");
    TEST_STR(world_judge(&world, arena),
             "error BFDProfile/ours/fast metadata.name: duplicate definition of BFDProfile "
             "\"fast\", which BFDProfile/other/fast defines already\nin force: fast");
    world_done(&world);
}

static void test_pools(void)
{
    static const struct rule_case cases[] = {
        /* Neighbours do not overlap. */
        {POOL("a", "192.0.2.0/25, '2001:db8::/64'")
             POOL("b", "192.0.2.128/25, '2001:db8:0:1::/64'"),
         "in force: a b"},
        /* The later by name is refused alone, and what it holds is free for others. */
        {POOL("a", "192.0.2.0/24") POOL("b", "198.51.100.0/24, 192.0.2.7-192.0.2.9")
             POOL("c", "198.51.100.0/25"),
         "error IPAddressPool/ours/b spec.addresses[1]: CIDR \"192.0.2.7-192.0.2.9\" in pool \"b\" "
         "overlaps with already defined CIDR \"192.0.2.0/24\" of IPAddressPool/ours/a\n"
         "in force: a c"},
        /* A pool that is refused by itself takes nothing from others. */
        {POOL("a", "192.0.2.0/24, bad") POOL("b", "192.0.2.0/24"),
         "error IPAddressPool/ours/a spec.addresses[1]: invalid CIDR \"bad\": not an address and a "
         "length\nin force: b"},
        /* A range around the others, and one that begins inside one of them. */
        {POOL("a", "192.0.2.16/28, 192.0.2.64/28") POOL("b", "192.0.2.0-192.0.2.255")
             POOL("c", "192.0.2.70-192.0.2.90"),
         "error IPAddressPool/ours/b spec.addresses[0]: CIDR \"192.0.2.0-192.0.2.255\" in pool "
         "\"b\" overlaps with already defined CIDR \"192.0.2.16/28\" of IPAddressPool/ours/a\n"
         "error IPAddressPool/ours/c spec.addresses[0]: CIDR \"192.0.2.70-192.0.2.90\" in pool "
         "\"c\" overlaps with already defined CIDR \"192.0.2.64/28\" of IPAddressPool/ours/a\n"
         "in force: a"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

#define AGED_POOL(name, created)                                                        \
    "---\n{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: " name \
    ", namespace: ours, creationTimestamp: '" created "'}, spec: {addresses: [192.0.2.0/24]}}\n"
#define PUSHED_OUT(name, other)                                                                  \
    "error IPAddressPool/ours/" name " spec.addresses[0]: CIDR \"192.0.2.0/24\" in pool \"" name \
    "\" overlaps with already defined CIDR \"192.0.2.0/24\" of IPAddressPool/ours/" other "\n"

/* What was in force wins, then the older one, then the earlier name. */
static void test_precedence(void)
{
    static const struct rule_case cases[] = {
        {AGED_POOL("a", "2023-01-02T00:00:00Z") AGED_POOL("b", "2023-01-02T00:00:00Z"),
         PUSHED_OUT("b", "a") "in force: a"},
        {AGED_POOL("a", "2023-01-02T00:00:00Z") AGED_POOL("b", "2023-01-01T00:00:00Z"),
         PUSHED_OUT("a", "b") "in force: b"},
        {AGED_POOL("a", "2023-01-02T00:00:00Z") AGED_POOL("b", "2023-01-01T00:00:00Z"),
         PUSHED_OUT("b", "a") "in force: a", .stands = "a"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

static void test_communities(void)
{
    static const struct rule_case cases[] = {
        {COMMUNITY("a", "{name: x, value: '64496:1'}")
             COMMUNITY("b", "{name: y, value: '64496:2'}, {name: x, value: '64496:3'}")
                 COMMUNITY("c", "{name: y, value: '64496:4'}"),
         "error Community/ours/b spec.communities[1].name: duplicate definition of community "
         "\"x\"\nin force: a c"},
        {ADV("a", "communities: [x]") ADV("b", "communities: [unknown, '64496:5']")
             COMMUNITY("c", "{name: x, value: 'large:1:2:3'}"),
         "error BGPAdvertisement/ours/b spec.communities[0]: invalid community format: \"unknown\" "
         "is no community, and no Community object defines it\nin force: a c"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

static void test_community_of_text(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct world world = {0};
    world_load(&world, COMMUNITY("a", "{name: x, value: 'large:1:2:3'}"), arena);
    struct validated result;
    validate(&world.input, arena, &result);
    struct community_value value;
    TEST_ASSERT(validate_community(&result, STR("x"), &value) == 0);
    TEST_STR(community_format(arena, &value), "large:1:2:3");
    TEST_ASSERT(validate_community(&result, STR("64496:7"), &value) == 0);
    TEST_STR(community_format(arena, &value), "64496:7");
    TEST_ASSERT(validate_community(&result, STR("y"), &value) < 0);
    validate_done(&result);
    world_done(&world);
}

static void test_peers(void)
{
    static const struct rule_case cases[] = {
        {PEER("a", "peerAddress: 192.0.2.1, bfdProfile: fast")
             PEER("b", "peerAddress: 192.0.2.2, bfdProfile: slow") BFD("fast", ""),
         "error BGPPeer/ours/b spec.bfdProfile: peer b referencing non existing bfd profile slow\n"
         "in force: a fast"},
        /* A refused profile is as good as none. */
        {PEER("a", "peerAddress: 192.0.2.1, bfdProfile: fast") BFD("fast", "echoInterval: 1"),
         "error BGPPeer/ours/a spec.bfdProfile: peer a referencing non existing bfd profile fast\n"
         "error BFDProfile/ours/fast spec.echoInterval: must be between 10 and 60000, not 1\n"
         "in force:"},
        /* The same router twice; once more over another VRF; different router IDs and ASNs. */
        {PEER("a", "peerAddress: 192.0.2.1, routerID: 192.0.2.9")
             PEER("b", "peerAddress: '::ffff:192.0.2.1', holdTime: 30s")
                 PEER("c", "peerAddress: 192.0.2.1, vrf: red, routerID: 192.0.2.8"),
         "error BGPPeer/ours/b spec: peer b already exists: BGPPeer/ours/a speaks with the same "
         "router from the same node\nin force: a c"},
        /* Not from the same node. */
        {NODE("n1", "rack: a") NODE("n2", "rack: b")
             PEER("a", "interface: eth1, nodeSelectors: [{matchLabels: {rack: a}}]")
                 PEER("b", "interface: eth1, nodeSelectors: [{matchLabels: {rack: b}}]")
                     PEER("c", "interface: eth1"),
         "error BGPPeer/ours/c spec: peer c already exists: BGPPeer/ours/a speaks with the same "
         "router from the same node\nin force: a b"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

#define BASIC "type: kubernetes.io/basic-auth, "
#define PEER_WITH_SECRET PEER("a", "peerAddress: 192.0.2.1, passwordSecret: {name: pw}")
#define REFUSED_PEER "error BGPPeer/ours/a spec.passwordSecret: "

static void test_secrets(void)
{
    static const struct rule_case cases[] = {
        {PEER_WITH_SECRET SECRET("pw", BASIC "data: {password: eA==}"), "in force: a", true},
        {PEER_WITH_SECRET SECRET("pw", BASIC "stringData: {password: x}"), "in force: a", true},
        {PEER_WITH_SECRET,
         REFUSED_PEER "secret ref not found: there is no Secret \"pw\"\nin force:", true},
        /* Who does not follow Secrets cannot tell. */
        {PEER_WITH_SECRET, "in force: a", false},
        {PEER_WITH_SECRET SECRET("pw", "type: Opaque, data: {password: eA==}"),
         REFUSED_PEER "secret type mismatch on \"pw\", type \"kubernetes.io/basic-auth\" is "
                      "expected\nin force:",
         true},
        {PEER_WITH_SECRET SECRET("pw", BASIC "data: {username: eA==}"),
         REFUSED_PEER "password not specified in the secret \"pw\"\nin force:", true},
        {PEER_WITH_SECRET SECRET("pw", BASIC "data: {password: '!'}"),
         REFUSED_PEER "password in the secret \"pw\" is no base64\nin force:", true},
        {PEER_WITH_SECRET SECRET("pw", BASIC "stringData: {password: \"x\\ny\"}"),
         REFUSED_PEER "password in the secret \"pw\" contains invalid characters: must be 1 to 80 "
                      "bytes of UTF-8 without "
                      "control characters and quotation marks\nin force:",
         true},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

#define TOO_SPECIFIC(name, field, length, prefix, addresses, pool)                            \
    "error BGPAdvertisement/ours/" name " spec." field ": invalid aggregation length " length \
    ": prefix " prefix                                                                        \
    " in this pool is more specific than the aggregation length for addresses " addresses     \
    " of pool " pool "\n"

static void test_aggregation(void)
{
    static const struct rule_case cases[] = {
        {POOL("p", "192.0.2.0/24, '2001:db8::/64'") ADV("a", "aggregationLength: 24")
             ADV("b", "aggregationLength: 23") ADV("c", "aggregationLengthV6: 63"),
         TOO_SPECIFIC("b", "aggregationLength", "23", "24", "192.0.2.0/24", "p") TOO_SPECIFIC(
             "c", "aggregationLengthV6", "63", "64", "2001:db8::/64", "p") "in force: p a"},
        /* A range is judged by the largest prefix in it; another pool is no matter. */
        {POOL("p", "192.0.2.1-192.0.2.127") POOL("q", "198.51.100.0/30")
             ADV("a", "ipAddressPools: [p], aggregationLength: 26")
                 ADV("b", "ipAddressPools: [p], aggregationLength: 25"),
         TOO_SPECIFIC("b", "aggregationLength", "25", "26", "192.0.2.1-192.0.2.127",
                      "p") "in force: p q a"},
        /* No IPv6 pool, so its length does not matter. */
        {POOL("p", "192.0.2.0/24") ADV("a", "aggregationLengthV6: -1"), "in force: p a"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

#define CONFLICT(name, ours, theirs, other, pool)                                         \
    "error BGPAdvertisement/ours/" name " spec.localPref: invalid local preference " ours \
    ": local preference " theirs " was already set for the same type of BGP update by "   \
    "BGPAdvertisement/ours/" other " for pool " pool "\n"

static void test_local_preference(void)
{
    static const struct rule_case cases[] = {
        {NODE("n1", "") POOL("p", "192.0.2.0/24") ADV("a", "localPref: 100")
             ADV("b", "localPref: 200") ADV("c", "localPref: 100"),
         CONFLICT("b", "200", "100", "a", "p") "in force: p a c"},
        /* Other prefixes of all the pool holds: no conflict. */
        {NODE("n1", "") POOL("p", "192.0.2.0/24") POOL("q", "192.0.3.0/24, '2001:db8::/64'")
             ADV("a", "localPref: 100")
                 ADV("b", "localPref: 200, ipAddressPools: [p], aggregationLength: 24")
                     ADV("c", "localPref: 300, ipAddressPools: [q], aggregationLength: 24")
                         ADV("d", "localPref: 300, ipAddressPools: [q], aggregationLength: 24, "
                                  "aggregationLengthV6: 64"),
         CONFLICT("c", "300", "100", "a", "q") "in force: p q a b d"},
        {NODE("n1", "") POOL("p", "'2001:db8::/64'") ADV("a", "localPref: 100")
             ADV("b", "localPref: 200, aggregationLengthV6: 64") ADV("c", "localPref: 300, "
                                                                          "aggregationLength: 24"),
         CONFLICT("c", "300", "100", "a", "p") "in force: p a b"},
        /* Other peers, other nodes, other pools, or some Services only. */
        {NODE("n1", "rack: a") NODE("n2", "rack: b") LABELLED_POOL("p", "tier: one", "192.0.2.0/24")
             LABELLED_POOL("q", "tier: two", "192.0.3.0/24")
                 ADV("a", "localPref: 100, peers: [r1], ipAddressPools: [p]")
                     ADV("b", "localPref: 200, peers: [r2, r3], ipAddressPools: [p]")
                         ADV("c", "localPref: 300, nodeSelectors: [{matchLabels: {rack: c}}]")
                             ADV("d", "localPref: 400, ipAddressPoolSelectors: [{matchLabels: "
                                      "{tier: two}}]")
                                 ADV("e", "localPref: 500, serviceSelectors: [{}]")
                                     ADV("f", "localPref: 600, peers: [r3, r4], nodeSelectors: "
                                              "[{matchLabels: {rack: b}}], ipAddressPools: [p]"),
         CONFLICT("f", "600", "200", "b", "p") "in force: p q a b c d e"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

#define ECHO(name, peer)                                                                 \
    "error BGPAdvertisement/ours/" name " spec.peers: pool p has bgpadvertisement " name \
    " which references peer " peer                                                       \
    " which has bfd echo enabled, which is not possible with IPv6\n"

static void test_echo(void)
{
    static const struct rule_case cases[] = {
        {POOL("p", "'2001:db8::/64'") POOL("q", "192.0.2.0/24") BFD("echo", "echoMode: true")
             PEER("r1", "peerAddress: 192.0.2.1, bfdProfile: echo") PEER("r2", "interface: eth0")
                 ADV("a", "") ADV("b", "peers: [r2]") ADV("c", "ipAddressPools: [q]")
                     ADV("d", "peers: [r2, r1], ipAddressPools: [p]"),
         ECHO("a", "r1")
             ECHO("d", "r1") "warning BFDProfile/ours/echo spec.echoMode: echo mode is not "
                             "supported: sessions run "
                             "without it, and detect failures by their control packets alone\n"
                             "in force: p q b c r1 r2 echo"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

/* NOW is 2023-11-14T22:13:20Z. */
static void test_reservations(void)
{
    static const struct rule_case cases[] = {
        /* The older one wins, whatever the names; one that has ended takes nothing. */
        {RESERVATION("a", "2023-02-01T00:00:00Z", "address: 192.0.2.0/28")
             RESERVATION("b", "2023-01-01T00:00:00Z", "addresses: [198.51.100.1, 192.0.2.7]")
                 RESERVATION("c", "2020-01-01T00:00:00Z",
                             "address: 192.0.2.7, expiresAt: '2023-11-14T22:13:20Z'")
                     RESERVATION("d", "2023-03-01T00:00:00Z",
                                 "address: 198.51.100.2, expiresAt: '2023-11-14T22:13:21Z'"),
         "note IPReservation/shop/c spec.expiresAt: the reservation has ended\n"
         "error IPReservation/shop/a spec: overlaps with \"192.0.2.7\" of IPReservation/shop/b, "
         "which is older and stays in force\nin force: b d"},
        {RESERVATION("a", "2023-01-01T00:00:00Z", "addresses: [192.0.2.0/28, 192.0.2.3]"),
         "error IPReservation/shop/a spec.addresses[1]: CIDR \"192.0.2.3\" in reservation \"a\" "
         "overlaps with already defined CIDR \"192.0.2.0/28\"\nin force:"},
    };
    judge_cases(cases, TEST_COUNT(cases));
}

TEST_MAIN("crd/validate", TEST(test_namespace), TEST(test_duplicate_names), TEST(test_pools),
          TEST(test_precedence), TEST(test_communities), TEST(test_community_of_text),
          TEST(test_peers), TEST(test_secrets), TEST(test_aggregation), TEST(test_local_preference),
          TEST(test_echo), TEST(test_reservations))
