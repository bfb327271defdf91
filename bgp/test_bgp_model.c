#include "bgp/test_scene.h"

#define NODE(labels, status)                                                         \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {host: n1" labels \
    "}}\nstatus: {" status "}\n"
#define POOL(name, addresses)                                                          \
    "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: " name \
    ", namespace: metallb-system, labels: {zone: " name "}}\nspec: {addresses: " addresses "}\n"
#define ADV(name, spec)                                                                   \
    "---\napiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: " name \
    ", namespace: metallb-system}\nspec: {" spec "}\n"
#define PEER(name, address, more)                                                      \
    "---\napiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: " name       \
    ", namespace: metallb-system}\nspec: {myASN: 64512, peerASN: 64513, peerAddress: " \
    "\"" address "\"" more "}\n"
#define SERVICE(name, meta, spec, ingress)                                                   \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name ", namespace: default" meta \
    "}\nspec: {type: LoadBalancer, clusterIP: 198.18.0.1" spec                               \
    "}\nstatus: {loadBalancer: {ingress: [" ingress "]}}\n"
#define ENDPOINTS(name, endpoints)                                                      \
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: " name \
    ", namespace: default, labels: {kubernetes.io/service-name: " name                  \
    "}}\naddressType: IPv4\nendpoints: [" endpoints "]\n"
#define ON(node) "{addresses: [198.18.1.1], nodeName: " node "}"
#define SERVED(name, meta, spec, ingress) \
    SERVICE(name, meta, spec, ingress) ENDPOINTS(name, ON("n2"))
#define WEB SERVED("web", "", "", "{ip: 198.51.100.1}")
#define BASE NODE("", "") POOL("p", "[198.51.100.0/24]") PEER("tor", "192.0.2.1", "")
#define SELECT(key, value) "[{matchLabels: {" key ": " value "}}]"

#define NOTED(name, annotations, spec)                                                    \
    "---\napiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: " name \
    ", namespace: metallb-system, annotations: {" annotations "}}\nspec: {" spec "}\n"
#define MED(value) "stentor.io/bgp-med: \"" value "\""
#define PREPEND(value) "stentor.io/bgp-prepend: \"" value "\""
#define WEIGHTS "stentor.io/bgp-weights: endpoints"

struct model_case {
    const char *yaml, *want;
};

static void check(const struct model_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct scene s;
        scene_init(&s);
        scene_apply(&s, str_from(cases[i].yaml));
        (void)scene_model(&s);
        TEST_STR(scene_text(&s), cases[i].want);
        scene_done(&s);
    }
}
#define CHECK(cases) check((cases), TEST_COUNT(cases))

/* Each reason, and that it comes before those behind it. */
static void test_reasons(void)
{
    static const struct model_case cases[] = {
        {BASE ADV("a", "") WEB, "default/web 198.51.100.1/32 to tor\n"},
        {BASE ADV("a", "") SERVICE("web", "", "", ""), "default/web noIPAllocated\n"},
        {BASE ADV("a", "") SERVICE("web", "", "", "{ip: x}"), "default/web invalidIP\n"},
        {BASE ADV("a", "") SERVICE("web", "", "", "{ip: 198.51.101.1}"),
         "default/web ipNotAllowed\n"},
        {BASE WEB, "default/web notOwner\n"},
        {BASE ADV("a", "nodeSelectors: " SELECT("host", "n2")) WEB, "default/web notOwner\n"},
        {BASE ADV("a", "ipAddressPools: [q]") WEB, "default/web notOwner\n"},
        {BASE ADV("a", "serviceSelectors: " SELECT("app", "mail")) WEB,
         "default/web noMatchingAdvertisement\n"},
        {BASE NODE(", node.kubernetes.io/exclude-from-external-load-balancers: \"\"",
                   "conditions: [{type: NetworkUnavailable, status: \"True\"}]") ADV("a", "")
             SERVICE("web", "", "", "{ip: 198.51.100.1}"),
         "default/web nodeNetworkUnavailable\n"},
        {BASE NODE(", node.kubernetes.io/exclude-from-external-load-balancers: \"\"", "")
             ADV("a", "") SERVICE("web", "", "", "{ip: 198.51.100.1}"),
         "default/web nodeLabeledExcludeBalancers\n"},
        {BASE ADV("a", "")
             SERVED("web", "", ", externalTrafficPolicy: Local", "{ip: 198.51.100.1}"),
         "default/web noLocalEndpoints\n"},
        {BASE ADV("a", "")
             SERVICE("web", "", ", externalTrafficPolicy: Local", "{ip: 198.51.100.1}"),
         "default/web noLocalEndpoints\n"},
        {BASE ADV("a", "") SERVICE("web", "", ", externalTrafficPolicy: Local",
                                   "{ip: 198.51.100.1}") ENDPOINTS("web", ON("n2") ", " ON("n1")),
         "default/web 198.51.100.1/32 to tor\n"},
        {BASE ADV("a", "") SERVICE("web", "", "", "{ip: 198.51.100.1}"),
         "default/web noEndpoints\n"},
        {BASE ADV("a", "") SERVICE("web", "", "", "{ip: 198.51.100.1}")
             ENDPOINTS("web", "{addresses: [198.18.1.1], conditions: {ready: false}}"),
         "default/web noEndpoints\n"},
        {BASE ADV("a", "") SERVICE("web", "", "", "{ip: 198.51.100.1}")
             ENDPOINTS("web", "{addresses: [198.18.1.1], conditions: {ready: false, serving: true, "
                              "terminating: true}}"),
         "default/web 198.51.100.1/32 to tor\n"},
        /* no concern of ours */
        {BASE ADV("a", "") SERVED("web", "", ", loadBalancerClass: other", "{ip: 198.51.100.1}"),
         ""},
        {BASE ADV("a", "") "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: "
                           "default}\nspec: {type: ClusterIP}\n",
         ""},
        /* a node that is not known yet has no labels, and nothing against it */
        {POOL("p", "[198.51.100.0/24]") PEER("tor", "192.0.2.1", "") ADV("a", "") WEB,
         "default/web 198.51.100.1/32 to tor\n"},
        /* nobody to tell: it is announced all the same */
        {NODE("", "") POOL("p", "[198.51.100.0/24]") ADV("a", "") WEB,
         "default/web 198.51.100.1/32\n"},
    };
    CHECK(cases);
}

static void test_switches(void)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, STR(BASE NODE(", node.kubernetes.io/exclude-from-external-load-balancers: \"\"",
                                  "") ADV("a", "") WEB SERVED("named", "", ", loadBalancerClass: x",
                                                              "{ip: 198.51.100.2}")));
    s.input.ignore_excluded = true;
    (void)scene_model(&s);
    TEST_STR(scene_text(&s), "default/web 198.51.100.1/32 to tor\n");
    s.input.lb_class = STR("x");
    (void)scene_model(&s);
    TEST_STR(scene_text(&s), "default/named 198.51.100.2/32 to tor\n");
    s.input.drain = MODEL_DRAINED;
    (void)scene_model(&s);
    TEST_STR(scene_text(&s), "default/named nodeDrained\n");
    TEST_ASSERT(model_find(s.model, STR("default/named")) == &s.model->services[0]);
    TEST_ASSERT(!model_find(s.model, STR("default/other")) && !model_find(NULL, STR("a")));
    scene_done(&s);
}

static void test_peers(void)
{
    static const char two[] = NODE("", "") POOL("p", "[198.51.100.0/24, \"2001:db8:100::/64\"]")
        PEER("four", "192.0.2.1", "") PEER("six", "2001:db8::1", "")
            PEER("both", "192.0.2.2", ", dualStackAddressFamily: true")
                PEER("elsewhere", "192.0.2.3", ", nodeSelectors: " SELECT("host", "n2"));
    struct scene s;
    scene_init(&s);
    scene_apply(&s, STR(two));
    scene_apply(&s, STR(ADV("a", "") SERVED("v4", "", "", "{ip: 198.51.100.1}")
                            SERVED("v6", "", "", "{ip: \"2001:db8:100::1\"}") SERVED(
                                "dual", "", "", "{ip: 198.51.100.2}, {ip: \"2001:db8:100::2\"}")));
    (void)scene_model(&s);
    TEST_STR(scene_text(&s), "default/dual 198.51.100.2/32 2001:db8:100::2/128 to both,four,six\n"
                             "default/v4 198.51.100.1/32 to both,four\n"
                             "default/v6 2001:db8:100::1/128 to both,six\n");
    scene_apply(&s, STR(ADV("a", "peers: [four, none]")));
    (void)scene_model(&s);
    TEST_STR(scene_text(&s), "default/dual 198.51.100.2/32 2001:db8:100::2/128 to four\n"
                             "default/v4 198.51.100.1/32 to four\n"
                             "default/v6 2001:db8:100::1/128\n");
    scene_done(&s);
}

/* "NAME v4… v6… SESSION:LOCALPREF:COMMUNITIES" for each class with prefixes. */
static struct str routes_text(const struct scene *s)
{
    struct sbuf out = {0};
    const struct routes *routes = &s->model->routes;
    for (size_t i = 0; i < routes->class_count; i++) {
        const struct route_class *class = &routes->classes[i];
        if (class->v4_count + class->v6_count == 0)
            continue;
        for (size_t j = 0; j < class->v4_count; j++)
            sbuf_printf(&out, "%s ", prefix_format(&class->v4[j]).text);
        for (size_t j = 0; j < class->v6_count; j++)
            sbuf_printf(&out, "%s ", prefix_format(&class->v6[j]).text);
        for (size_t j = 0; j < class->export_count; j++) {
            const struct route_export *export = &class->exports[j];
            sbuf_printf(&out, STR_FMT ":%d", STR_ARG(s->model->sessions[export->session].peer),
                        (int)export->local_pref);
            for (size_t k = 0; k < export->community_count; k++)
                sbuf_printf(&out, "," STR_FMT,
                            STR_ARG(community_format(s->arena, &export->communities[k])));
            if (export->med >= 0)
                sbuf_printf(&out, " med %d", (int)export->med);
            if (export->prepend)
                sbuf_printf(&out, " prepend %d", (int)export->prepend);
            sbuf_putc(&out, ' ');
        }
        sbuf_puts(&out, "\n");
    }
    return sbuf_move(&out, s->arena);
}

static void check_routes(const char *yaml, const char *want)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, str_from(yaml));
    (void)scene_model(&s);
    TEST_STR(routes_text(&s), want);
    scene_done(&s);
}

#define LABELLED(name, app, ip) SERVED(name, ", labels: {app: " app "}", "", "{ip: " ip "}")
static void test_merging(void)
{
    /* two addresses make one aggregate; communities of two advertisements are united */
    check_routes(BASE ADV("a", "aggregationLength: 24, communities: [\"64512:2\", \"64512:1\"]")
                     ADV("b", "aggregationLength: 24, communities: [\"64512:1\", \"large:1:2:3\"]")
                         WEB SERVED("mail", "", "", "{ip: 198.51.100.7}"),
                 "198.51.100.0/24 tor:-1,64512:1,64512:2,large:1:2:3 \n");
    /* one address by two Services that different advertisements select */
    check_routes(BASE ADV("a", "communities: [\"64512:1\"], serviceSelectors: " SELECT("app", "a"))
                     ADV("b", "communities: [\"64512:2\"], serviceSelectors: " SELECT("app", "b"))
                         LABELLED("x", "a", "198.51.100.1") LABELLED("y", "b", "198.51.100.1"),
                 "198.51.100.1/32 tor:-1,64512:1,64512:2 \n");
    /* which may not agree: the higher preference counts */
    check_routes(BASE ADV("a", "localPref: 10, serviceSelectors: " SELECT("app", "a"))
                     ADV("b", "localPref: 20, serviceSelectors: " SELECT("app", "b"))
                         LABELLED("x", "a", "198.51.100.1") LABELLED("y", "b", "198.51.100.1"),
                 "198.51.100.1/32 tor:20 \n");
    /* so do the lower metric and the shorter path */
    check_routes(
        BASE NOTED("a", MED("7") ", " PREPEND("2"), "serviceSelectors: " SELECT("app", "a"))
            NOTED("b", MED("5") ", " PREPEND("3"), "serviceSelectors: " SELECT("app", "b"))
                LABELLED("x", "a", "198.51.100.1") LABELLED("y", "b", "198.51.100.1"),
        "198.51.100.1/32 tor:-1 med 5 prepend 2 \n");
    check_routes(
        BASE NOTED("a", MED("7") ", " PREPEND("2"), "serviceSelectors: " SELECT("app", "a"))
            ADV("b", "serviceSelectors: " SELECT("app", "b")) LABELLED("x", "a", "198.51.100.1")
                LABELLED("y", "b", "198.51.100.1"),
        "198.51.100.1/32 tor:-1 med 7 \n");
    /* prefixes of different lengths are different prefixes */
    check_routes(BASE ADV("a", "localPref: 10") ADV("b", "localPref: 20, aggregationLength: 24")
                     WEB,
                 "198.51.100.0/24 tor:20 \n198.51.100.1/32 tor:10 \n");
    /* each peer gets what is for it */
    check_routes(BASE PEER("tor2", "192.0.2.2", "")
                     ADV("a", "localPref: 10, peers: [tor], communities: [\"64512:1\"]")
                         ADV("b", "localPref: 20, peers: [tor2]") WEB,
                 "198.51.100.1/32 tor:10,64512:1 tor2:20 \n");
}

static void test_conflicts(void)
{
#define PICK ", serviceSelectors: " SELECT("app", "web")
#define PICKED LABELLED("web", "web", "198.51.100.1")
    static const struct model_case cases[] = {
        {BASE ADV("a", "localPref: 10" PICK) ADV("b", "localPref: 20" PICK) PICKED,
         "default/web conflictingAdvertisements\n"},
        {BASE ADV("a", "localPref: 10" PICK) ADV("b", "localPref: 10" PICK) PICKED,
         "default/web 198.51.100.1/32 to tor\n"},
        {BASE ADV("a", "localPref: 10, peers: [tor]" PICK)
             ADV("b", "localPref: 20, peers: [x]" PICK) PICKED,
         "default/web 198.51.100.1/32 to tor\n"},
        {BASE ADV("a", "localPref: 10, peers: [tor]" PICK) ADV("b", "localPref: 20" PICK) PICKED,
         "default/web conflictingAdvertisements\n"},
        {BASE NOTED("a", MED("1"), "peers: [tor]" PICK) NOTED("b", MED("2"), "peers: [tor]" PICK)
             PICKED,
         "default/web conflictingAdvertisements\n"},
        {BASE NOTED("a", MED("1"), "peers: [tor]" PICK) NOTED("b", MED("2"), "peers: [x]" PICK)
             PICKED,
         "default/web 198.51.100.1/32 to tor\n"},
        {BASE NOTED("a", PREPEND("1"), "peers: [tor]" PICK) ADV("b", "peers: [tor]" PICK) PICKED,
         "default/web conflictingAdvertisements\n"},
        {BASE NOTED("a", WEIGHTS, "peers: [tor]" PICK) ADV("b", "peers: [tor]" PICK) PICKED,
         "default/web conflictingAdvertisements\n"},
        /* before the node and the endpoints */
        {BASE NODE("", "conditions: [{type: NetworkUnavailable, status: \"True\"}]")
             ADV("a", "localPref: 10" PICK) ADV("b", "localPref: 20" PICK)
                 SERVICE("web", ", labels: {app: web}", "", "{ip: 198.51.100.1}"),
         "default/web conflictingAdvertisements\n"},
    };
    CHECK(cases);
}

/* Names of classes depend on the advertisements' names and on nothing else. */
static void test_class_names(void)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, STR(BASE ADV("b", "") WEB));
    (void)scene_model(&s);
    TEST_ASSERT(s.model->routes.class_count == 1);
    struct str before = arena_str(s.arena, s.model->routes.classes[0].name);
    scene_apply(&s, STR(ADV("b", "communities: [\"64512:1\"]") ADV("a", "peers: [none]")));
    (void)scene_model(&s);
    TEST_ASSERT(s.model->routes.class_count == 3); /* a, b, and both */
    size_t found = 0;
    for (size_t i = 0; i < 3; i++)
        found += str_eq(s.model->routes.classes[i].name, before);
    TEST_ASSERT(found == 1);
    scene_done(&s);
}

static void test_too_many_communities(void)
{
    struct scene s;
    scoped_sbuf struct sbuf yaml = {0};
    scene_init(&s);
    sbuf_puts(&yaml, BASE WEB ADV("few", "aggregationLength: 24, communities: [\"1:1\"]"));
    sbuf_puts(&yaml,
              "---\napiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: "
              "many, namespace: metallb-system}\nspec:\n  communities:\n");
    for (int i = 0; i < 769; i++)
        sbuf_printf(&yaml, "  - \"64512:%d\"\n", i);
    scene_apply(&s, sbuf_str(&yaml));
    (void)scene_model(&s);
    TEST_STR(routes_text(&s), "198.51.100.1/32 \n198.51.100.0/24 tor:-1,1:1 \n");
    TEST_STR(
        scene_text(&s),
        "default/web 198.51.100.0/24 198.51.100.1/32 to tor\n"
        "error BGPAdvertisement/metallb-system/many spec.communities: not announced to peer "
        "tor: the communities of all advertisements of one prefix do not fit into a message\n");
    scene_done(&s);
}

TEST_MAIN("bgp/model", TEST(test_reasons), TEST(test_switches), TEST(test_peers),
          TEST(test_merging), TEST(test_conflicts), TEST(test_class_names),
          TEST(test_too_many_communities))
