/* Every field of the four kinds changes what is written for BIRD, or what is said about it; a new
 * field without a case here fails. And what a change costs. */
#include "bgp/reconf.h"
#include "bgp/test_scene.h"

#define OBJECT(kind, version, name, spec)                                             \
    "---\napiVersion: metallb.io/" version "\nkind: " kind "\nmetadata: {name: " name \
    ", namespace: metallb-system}\nspec: " spec "\n"

static const char cluster[] =
    "apiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {host: n1}}\n"
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: pw, namespace: metallb-system}\n"
    "type: kubernetes.io/basic-auth\nstringData: {password: secret}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: default}\n"
    "spec: {type: LoadBalancer, clusterIP: 198.18.0.1}\n"
    "status: {loadBalancer: {ingress: [{ip: 198.51.100.1}, {ip: \"2001:db8:100::1\"}]}}\n"
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web, namespace: "
    "default, labels: {kubernetes.io/service-name: web}}\naddressType: IPv4\n"
    "endpoints: [{addresses: [198.18.1.1], nodeName: n1}]\n" OBJECT(
        "IPAddressPool", "v1beta1", "pool", "{addresses: [198.51.100.0/24, \"2001:db8:100::/64\"]}")
        OBJECT("BFDProfile", "v1beta1", "other", "{}");

/* An object of each kind, without and with the field. */
struct field_case {
    const char *field;
    const char *without, *with;
};

#define PEER "myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.1"
#define HERE "[{matchLabels: {host: n1}}]"
#define THERE "[{matchLabels: {host: n2}}]"

static const struct field_case peer_cases[] = {
    {"myASN", "{" PEER "}", "{myASN: 64514, peerASN: 64513, peerAddress: 192.0.2.1}"},
    {"peerASN", "{" PEER "}", "{myASN: 64512, peerASN: 64514, peerAddress: 192.0.2.1}"},
    {"dynamicASN", "{" PEER "}", "{myASN: 64512, dynamicASN: external, peerAddress: 192.0.2.1}"},
    {"localASN", "{" PEER "}", "{" PEER ", localASN: 64999}"},
    {"peerAddress", "{" PEER "}", "{myASN: 64512, peerASN: 64513, peerAddress: 192.0.2.2}"},
    {"interface", "{" PEER "}", "{myASN: 64512, peerASN: 64513, interface: eth1}"},
    {"sourceAddress", "{" PEER "}", "{" PEER ", sourceAddress: 192.0.2.11}"},
    {"peerPort", "{" PEER "}", "{" PEER ", peerPort: 1790}"},
    {"routerID", "{" PEER "}", "{" PEER ", routerID: 10.1.2.3}"},
    {"holdTime", "{" PEER "}", "{" PEER ", holdTime: 30s}"},
    {"keepaliveTime", "{" PEER "}", "{" PEER ", keepaliveTime: 10s}"},
    {"connectTime", "{" PEER "}", "{" PEER ", connectTime: 10s}"},
    {"nodeSelectors", "{" PEER "}", "{" PEER ", nodeSelectors: " THERE "}"},
    {"password", "{" PEER "}", "{" PEER ", password: secret}"},
    {"passwordSecret", "{" PEER "}", "{" PEER ", passwordSecret: {name: pw}}"},
    {"bfdProfile", "{" PEER "}", "{" PEER ", bfdProfile: other}"},
    {"enableGracefulRestart", "{" PEER "}", "{" PEER ", enableGracefulRestart: true}"},
    {"ebgpMultiHop", "{" PEER "}", "{" PEER ", ebgpMultiHop: true}"},
    {"vrf", "{" PEER "}", "{" PEER ", vrf: red}"},
    {"disableMP", "{" PEER "}", "{" PEER ", disableMP: true}"}, /* a warning */
    {"dualStackAddressFamily", "{" PEER "}", "{" PEER ", dualStackAddressFamily: true}"},
};

static const struct field_case advertisement_cases[] = {
    {"aggregationLength", "{}", "{aggregationLength: 24}"},
    {"aggregationLengthV6", "{}", "{aggregationLengthV6: 64}"},
    {"localPref", "{}", "{localPref: 150}"},
    {"communities", "{}", "{communities: [\"64512:1\"]}"},
    {"ipAddressPools", "{}", "{ipAddressPools: [none]}"},
    {"ipAddressPoolSelectors", "{}", "{ipAddressPoolSelectors: [{matchLabels: {no: one}}]}"},
    {"nodeSelectors", "{}", "{nodeSelectors: " THERE "}"},
    {"peers", "{}", "{peers: [none]}"},
    {"serviceSelectors", "{}", "{serviceSelectors: [{matchLabels: {no: one}}]}"},
};

static const struct field_case profile_cases[] = {
    {"receiveInterval", "{}", "{receiveInterval: 50}"},
    {"transmitInterval", "{}", "{transmitInterval: 50}"},
    {"detectMultiplier", "{}", "{detectMultiplier: 5}"},
    {"echoInterval", "{}", "{echoInterval: 50}"}, /* a warning, as the other two of echo */
    {"echoMode", "{}", "{echoMode: true}"},
    {"passiveMode", "{}", "{passiveMode: true}"},
    {"minimumTtl", "{}", "{minimumTtl: 10}"},
};

static const struct field_case community_cases[] = {
    {"communities", "{communities: [{name: alias, value: \"64512:1\"}]}",
     "{communities: [{name: alias, value: \"64512:2\"}]}"},
};

enum sort { PEERS, ADVERTISEMENTS, PROFILES, COMMUNITIES };

/* Everything about a cluster in which one object is as given: both files, Services, findings. */
static struct str outcome(enum sort sort, const char *spec, struct arena *arena)
{
    static const char *const defaults[] = {
        [PEERS] = "{" PEER ", bfdProfile: profile}",
        [ADVERTISEMENTS] = "{communities: [alias]}",
        [PROFILES] = "{}",
        [COMMUNITIES] = "{communities: [{name: alias, value: \"64512:1\"}]}",
    };
    static const char *const kinds[][3] = {
        [PEERS] = {"BGPPeer", "v1beta2", "peer"},
        [ADVERTISEMENTS] = {"BGPAdvertisement", "v1beta1", "advertisement"},
        [PROFILES] = {"BFDProfile", "v1beta1", "profile"},
        [COMMUNITIES] = {"Community", "v1beta1", "community"},
    };
    struct scene s;
    struct sbuf out = {0};
    struct render_options options = {0};
    scene_init(&s);
    scene_apply(&s, STR(cluster));
    for (size_t i = 0; i < TEST_COUNT(defaults); i++)
        scene_apply(&s,
                    arena_printf(s.arena, OBJECT("%s", "%s", "%s", "%s"), kinds[i][1], kinds[i][0],
                                 kinds[i][2], i == (size_t)sort ? spec : defaults[i]));
    struct model *model = scene_model(&s);
    render_main(model, &options, &model->findings, &out);
    sbuf_put(&out, scene_text(&s));
    scene_done(&s);
    return sbuf_move(&out, arena);
}

static const struct shape *spec_of(const struct shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (str_eq(str_from(shape->fields[i].name), STR("spec")))
            return shape->fields[i].nested;
    }
    return NULL;
}

static void check_fields(enum sort sort, const struct shape *shape, const struct field_case *cases,
                         size_t count)
{
    const struct shape *spec = spec_of(shape);
    TEST_ASSERT(spec != NULL);
    for (size_t i = 0; i < spec->count; i++) {
        size_t at = 0;
        while (at < count && strcmp(cases[at].field, spec->fields[i].name) != 0)
            at++;
        if (at == count)
            printf("\nfield %s has no case\n", spec->fields[i].name);
        TEST_ASSERT(at < count);
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str without = outcome(sort, cases[at].without, arena);
        struct str with = outcome(sort, cases[at].with, arena);
        if (str_eq(without, with))
            printf("\nfield %s changes nothing\n", cases[at].field);
        TEST_ASSERT(!str_eq(without, with));
    }
}

static void test_every_field_matters(void)
{
    check_fields(PEERS, &bgppeer_shape, peer_cases, TEST_COUNT(peer_cases));
    check_fields(ADVERTISEMENTS, kinds_get(KIND_BGP_ADVERTISEMENT)->shape, advertisement_cases,
                 TEST_COUNT(advertisement_cases));
    check_fields(PROFILES, kinds_get(KIND_BFD_PROFILE)->shape, profile_cases,
                 TEST_COUNT(profile_cases));
    check_fields(COMMUNITIES, kinds_get(KIND_COMMUNITY)->shape, community_cases,
                 TEST_COUNT(community_cases));
}

static struct object *peer_of(struct arena *arena, const char *spec)
{
    return support_object(
        arena_printf(arena, OBJECT("BGPPeer", "v1beta2", "peer", "%s"), spec).ptr);
}

static struct str compare(const char *before, const char *after, struct arena *arena)
{
    scoped_ptr(object) struct object *a = peer_of(arena, before), *b = peer_of(arena, after);
    struct reconf reconf =
        reconf_compare((const struct bgppeer *)a, (const struct bgppeer *)b, arena);
    struct sbuf out = {0};
    sbuf_puts(&out, reconf_cost_name(reconf.cost));
    for (size_t i = 0; i < reconf.fields.count; i++)
        sbuf_printf(&out, " " STR_FMT, STR_ARG(reconf.fields.items[i]));
    return sbuf_move(&out, arena);
}

static void test_costs(void)
{
    static const struct {
        const char *before, *after, *want;
    } cases[] = {
        {"{" PEER "}", "{" PEER "}", "nothing"},
        {"{" PEER ", holdTime: 90s}", "{" PEER ", holdTime: 1m30s}", "nothing"},
        {"{" PEER ", nodeSelectors: " HERE "}", "{" PEER ", nodeSelectors: " HERE "}", "nothing"},
        {"{" PEER "}", "{" PEER ", nodeSelectors: " HERE "}", "nothing nodeSelectors"},
        {"{" PEER ", nodeSelectors: " HERE "}", "{" PEER ", nodeSelectors: " THERE "}",
         "nothing nodeSelectors"},
        {"{" PEER "}", "{" PEER ", bfdProfile: other}", "in place bfdProfile"},
        {"{" PEER "}", "{" PEER ", holdTime: 30s, bfdProfile: other}",
         "restart holdTime bfdProfile"},
        {"{" PEER ", passwordSecret: {name: a}}", "{" PEER ", passwordSecret: {name: b}}",
         "restart passwordSecret"},
        {"{" PEER ", peerPort: 179}", "{" PEER "}", "nothing"},
        {"{" PEER "}", "{myASN: 1, dynamicASN: internal, interface: eth0}",
         "restart myASN peerASN dynamicASN peerAddress interface"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        TEST_STR(compare(cases[i].before, cases[i].after, arena), cases[i].want);
    }
}

TEST_MAIN("bgp/fields", TEST(test_every_field_matters), TEST(test_costs))
