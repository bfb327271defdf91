#include "speaker/test_objects.h"
#include "speaker/test_scene.h"

/* The hash orders of the addresses used here, over n1, n2 and n3:
 *     192.0.2.1  n2 n1 n3      192.0.2.2  n1 n2 n3      192.0.2.4  n3 n2 n1 */

struct plan_case {
    const char *yaml, *node, *want;
};

static void check_all(const struct plan_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct scene s;
        scene_init(&s);
        scene_step(&s, cases[i].yaml, cases[i].node, cases[i].want);
        scene_done(&s);
    }
}
#define CHECK(cases) check_all((cases), TEST_COUNT(cases))

/* One node announces, the others say who. */
static void test_hash_order(void)
{
    static const char cluster[] = CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}")
        SERVED("mail", "", "", "{ip: 192.0.2.2}");
    static const struct plan_case cases[] = {
        {cluster, "n1", "192.0.2.2 eth0,eth1 default/mail\ndefault/web notOwner n2\n"},
        {cluster, "n2", "192.0.2.1 eth0,eth1 default/web\ndefault/mail notOwner n1\n"},
        {cluster, "n3", "default/mail notOwner n1\ndefault/web notOwner n2\n"},
        {cluster, "n4",
         "default/mail noMatchingAdvertisement n1\ndefault/web noMatchingAdvertisement n2\n"},
    };
    CHECK(cases);
}

static void test_published_order(void)
{
    static const struct plan_case cases[] = {
        {CLUSTER L2("all", "") SERVED("web", PLACED("3 n3 n1"), "", "{ip: 192.0.2.1}"), "n3",
         "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("all", "") SERVED("web", PLACED("3 n3 n1"), "", "{ip: 192.0.2.1}")
             NODE("n3", "", "conditions: [{type: NetworkUnavailable, status: \"True\"}]"),
         "n1", "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("all", "") SERVED("web", PLACED("n3"), "", "{ip: 192.0.2.1}"), "n2",
         "192.0.2.1 eth0,eth1 default/web\n"},
    };
    CHECK(cases);
}

static void test_published_order_is_told(void)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, CLUSTER L2("all", "") SERVED("a", PLACED("3 n3"), "", "{ip: 192.0.2.1}")
                        SERVED("b", PLACED("x"), "", "{ip: 192.0.2.2}")
                            SERVED("c", "", "", "{ip: 192.0.2.4}"));
    const struct plan *plan = scene_plan(&s, "n1");
    static const struct {
        const char *key;
        enum placement_verdict verdict;
        uint64_t epoch;
    } want[] = {
        {"default/a", PLACEMENT_VALID, 3},
        {"default/b", PLACEMENT_BAD_EPOCH, 0},
        {"default/c", PLACEMENT_NOT_PUBLISHED, 0},
    };
    struct plan_service service;
    for (size_t i = 0; i < TEST_COUNT(want); i++) {
        TEST_ASSERT(plan_find(plan, str_from(want[i].key), &service));
        TEST_ASSERT(service.placement == want[i].verdict && service.epoch == want[i].epoch);
    }
    TEST_ASSERT(!plan_find(plan, STR("default/d"), &service));
    TEST_ASSERT(!plan_find(NULL, STR("default/a"), &service));
    scene_done(&s);
}

/* What stands before any question of advertisement. */
static void test_addresses(void)
{
    static const struct plan_case cases[] = {
        {CLUSTER L2("all", "") SERVED("web", "", "", ""), "n2", "default/web noIPAllocated -\n"},
        {CLUSTER L2("all", "") SERVED("web", "", "", "{hostname: web.example}"), "n2",
         "default/web noIPAllocated -\n"},
        {CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}, {hostname: web.example}"),
         "n2", "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.256}"), "n2",
         "default/web invalidIP -\n"},
        {CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.9}"), "n2",
         "default/web ipNotAllowed -\n"},
        {CLUSTER L2("all",
                    "") "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: "
                        "default}\nspec: {type: ClusterIP}\nstatus: {loadBalancer: {ingress: "
                        "[{ip: 192.0.2.1}]}}\n",
         "n2", ""},
        {NODES L2("all", "") POOL("office", "", "addresses: [192.0.2.0/29], avoidBuggyIPs: true")
             SERVED("web", "", "", "{ip: 192.0.2.0}"),
         "n2", "default/web ipNotAllowed -\n"},
        {NODES L2("all", "")
             POOL("office", "", "addresses: [192.0.2.0/29], excludeAddresses: [192.0.2.1]")
                 SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "default/web ipNotAllowed -\n"},
    };
    CHECK(cases);
}

/* An address that stands there twice is one, which the Service has once. */
static void test_address_twice(void)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, CLUSTER L2("all", "")
                        SERVED("web", "", "", "{ip: 192.0.2.1}, {ip: 192.0.2.2}, {ip: 192.0.2.1}"));
    const struct plan *plan = scene_plan(&s, "n2");
    struct plan_service service;
    TEST_ASSERT(plan_find(plan, STR("default/web"), &service) && service.ip_count == 2);
    TEST_ASSERT(plan->basis->address_count == 2);
    for (size_t i = 0; i < 2; i++) {
        const struct basis_address *address = &plan->basis->addresses[i];
        struct ip want = ip_v4(192, 0, 2, (uint8_t)(i + 1));
        TEST_ASSERT(ip_eq(&address->ip, &want) && ip_eq(&service.ips[i], &want));
        TEST_ASSERT(address->service_count == 1 && address->services[0] == 0);
    }
    scene_done(&s);
}

static void test_families(void)
{
    static const char cluster[] =
        NODES L2("all", "") POOL("both", "", "addresses: [192.0.2.0/29, \"2001:db8::/64\"]");
    struct scene s;
    scene_init(&s);
    scene_apply(&s, cluster);
    scene_step(&s, SERVED("six", "", "", "{ip: \"2001:db8::1\"}"), "n2",
               "2001:db8::1 eth0,eth1 default/six\n");
    scene_step(&s, SERVED("six", "", "", "{ip: 192.0.2.1}, {ip: \"2001:db8::1\"}"), "n2",
               "192.0.2.1 eth0,eth1 default/six\n2001:db8::1 eth0,eth1 default/six\n");
    scene_done(&s);
}

static void test_classes(void)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, CLUSTER L2("all", "") SERVED("plain", "", "", "{ip: 192.0.2.1}") SERVED(
                        "named", "", ", loadBalancerClass: stentor.io/l2", "{ip: 192.0.2.3}"));
    scene_step(&s, NULL, "n2", "192.0.2.1 eth0,eth1 default/plain\n");
    s.snapshot.lb_class = STR("stentor.io/l2");
    scene_step(&s, NULL, "n2", "192.0.2.3 eth0,eth1 default/named\n");
    scene_done(&s);
}

#define SELECT(key, value) "[{matchLabels: {" key ": " value "}}]"

static void test_advertisements(void)
{
    static const struct plan_case cases[] = {
        /* none, or none for this pool */
        {CLUSTER SERVED("web", "", "", "{ip: 192.0.2.1}"), "n2",
         "default/web noMatchingAdvertisement -\n"},
        {CLUSTER L2("other", "ipAddressPools: [lab]") SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "default/web noMatchingAdvertisement -\n"},
        /* by the pool's name, and by its labels */
        {CLUSTER L2("this", "ipAddressPools: [office]") SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth0,eth1 default/web\n"},
        {NODES POOL("office", "zone: a", "addresses: [192.0.2.0/29]")
             L2("zone", "ipAddressPoolSelectors: " SELECT("zone", "a"))
                 SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth0,eth1 default/web\n"},
        /* nodes: the winner of the hash is not named; who is not named says so */
        {CLUSTER L2("n3", "nodeSelectors: " SELECT("host", "n3"))
             SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n3", "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("n3", "nodeSelectors: " SELECT("host", "n3"))
             SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "default/web noMatchingAdvertisement n3\n"},
        /* nodes of two advertisements are taken together */
        {CLUSTER L2("n1", "nodeSelectors: " SELECT("host", "n1")) L2(
             "n3", "nodeSelectors: " SELECT("host", "n3")) SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n1", "192.0.2.1 eth0,eth1 default/web\n"},
        /* Services by label */
        {CLUSTER L2("labelled", "serviceSelectors: " SELECT("app", "web"))
             SERVED("web", ", labels: {app: web}", "", "{ip: 192.0.2.1}")
                 SERVED("mail", "", "", "{ip: 192.0.2.3}"),
         "n2", "192.0.2.1 eth0,eth1 default/web\ndefault/mail noMatchingAdvertisement -\n"},
        /* which a Service that may share its address must not meet */
        {CLUSTER L2("labelled", "serviceSelectors: " SELECT("app", "web"))
             SERVED("web", ", labels: {app: web}, annotations: {metallb.io/allow-shared-ip: k}", "",
                    "{ip: 192.0.2.1}"),
         "n2", "default/web sharedIPWithServiceSelector -\n"},
        {CLUSTER L2("labelled", "serviceSelectors: " SELECT("app", "web")) SERVED(
             "web",
             ", labels: {app: web}, "
             "annotations: {metallb.universe.tf/allow-shared-ip: \"\"}",
             "", "{ip: 192.0.2.1}"),
         "n2", "default/web sharedIPWithServiceSelector -\n"},
    };
    CHECK(cases);
}

/* Entries that are alike share what they have; the others do not. */
static void test_what_is_shared(void)
{
    struct scene s;
    scene_init(&s);
    const struct basis *b;
    scene_apply(
        &s, CLUSTER L2("all", "") L2("app", "serviceSelectors: " SELECT("app", "x"))
                SERVED("a", PLACED("3 n3 n1"), "", "{ip: 192.0.2.1}")
                    SERVED("b", PLACED("4 n3 n1"), "", "{ip: 192.0.2.2}")
                        SERVED("c", ", labels: {app: x}", "", "{ip: 192.0.2.3}, {ip: 192.0.2.4}")
                            SERVED("d", PLACED("4 n1 n3"), "", "{ip: 192.0.2.5}, {ip: 192.0.2.5}")
                                SERVED("e", "", "", "{ip: 192.0.2.9}"));
    b = scene_basis(&s, "n1");
    TEST_ASSERT(b->service_count == 5 && b->unit_count == 4 && b->address_count == 5);
    static const struct {
        uint64_t epoch;
        uint32_t unit, terms, nodes, order, ordered;
    } want[] = {{3, 0, 0, 0, 0, 2}, {4, 1, 0, 0, 0, 2}, {0, 2, 1, 0, 2, 0}, {4, 3, 0, 0, 2, 2}};
    for (size_t i = 0; i < TEST_COUNT(want); i++) {
        const struct basis_service *service = &b->services[i];
        const struct basis_unit *unit = &b->units[i];
        TEST_ASSERT(service->unit == want[i].unit && service->terms == want[i].terms);
        TEST_ASSERT(unit->epoch == want[i].epoch && unit->terms == want[i].terms &&
                    unit->nodes == want[i].nodes && unit->order == want[i].order &&
                    unit->ordered == want[i].ordered);
    }
    static const uint32_t orders[] = {2, 0, 0, 2};
    for (size_t i = 0; i < TEST_COUNT(orders); i++)
        TEST_ASSERT(b->orders[i] == orders[i]);
    TEST_ASSERT(b->services[4].unit == BASIS_NONE);
    struct sbuf ips = {0};
    for (size_t i = 0; i < b->service_count; i++) {
        for (size_t j = 0; j < b->services[i].ip_count; j++)
            sbuf_printf(&ips, "%s%s", j ? "," : " ", ip_format(&b->services[i].ips[j]).text);
    }
    TEST_STR(sbuf_str(&ips), " 192.0.2.1 192.0.2.2 192.0.2.3,192.0.2.4 192.0.2.5 192.0.2.9");
    sbuf_done(&ips);
    scene_done(&s);
}

static void test_preferred_nodes(void)
{
    static const struct plan_case cases[] = {
        {CLUSTER L2("prefer", "preferredNodeSelectors: [{weight: 5, preference: {matchLabels: "
                              "{host: n3}}}]") SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n3", "192.0.2.1 eth0,eth1 default/web\n"},
        /* weights add up; what stands in an advertisement that does not name the node is nothing */
        {CLUSTER L2("one", "preferredNodeSelectors: [{weight: 5, preference: {matchLabels: {host: "
                           "n3}}}, {weight: 3, preference: {matchLabels: {host: n1}}}]")
             L2("two",
                "preferredNodeSelectors: [{weight: 3, preference: {}}], nodeSelectors: " SELECT(
                    "host", "n1")) SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n1", "192.0.2.1 eth0,eth1 default/web\n"},
    };
    CHECK(cases);
}

static void test_interfaces(void)
{
    static const struct plan_case cases[] = {
        {CLUSTER L2("one", "interfaces: [eth1, wlan0]") SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth1 default/web\n"},
        {CLUSTER L2("one", "interfaces: [eth1]") L2("two", "interfaces: [eth0]")
             SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("one", "interfaces: [eth1]") L2("all", "")
             SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth0,eth1 default/web\n"},
        /* an advertisement for other nodes says nothing about interfaces here */
        {CLUSTER L2("one", "interfaces: [eth1]")
             L2("two", "interfaces: [eth0], nodeSelectors: " SELECT("host", "n1"))
                 SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth1 default/web\n"},
        /* those of all Services that have the address */
        {CLUSTER L2("one", "interfaces: [eth0], serviceSelectors: " SELECT("app", "a"))
             L2("two", "interfaces: [eth1], serviceSelectors: " SELECT("app", "b"))
                 SERVED("a", ", labels: {app: a}", "", "{ip: 192.0.2.1}")
                     SERVED("b", ", labels: {app: b}", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth0,eth1 default/a,default/b\n"},
        /* interfaces have no part in the election */
        {CLUSTER L2("one", "interfaces: [wlan0]") SERVED("web", "", "", "{ip: 192.0.2.1}"), "n2",
         "default/web noInterface n2\n"},
        {CLUSTER L2("one", "interfaces: [wlan0]") SERVED("web", "", "", "{ip: 192.0.2.1}"), "n1",
         "default/web notOwner n2\n"},
    };
    CHECK(cases);
}

#define UNAVAILABLE "conditions: [{type: NetworkUnavailable, status: \"True\"}]"
#define EXCLUDED ", node.kubernetes.io/exclude-from-external-load-balancers: \"\""

static void test_nodes(void)
{
    static const struct plan_case cases[] = {
        {CLUSTER NODE("n2", "", UNAVAILABLE) L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n1", "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER NODE("n2", "", UNAVAILABLE) L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "default/web notOwner n1\n"},
        {CLUSTER NODE("n2", EXCLUDED, "") L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n1", "192.0.2.1 eth0,eth1 default/web\n"},
        {NODE("n2", EXCLUDED, "") POOL("office", "", "addresses: [192.0.2.0/29]") L2("all", "")
             SERVED("web", "", "", "{ip: 192.0.2.1}"),
         "n2", "default/web notOwner -\n"},
    };
    CHECK(cases);
    struct scene s;
    scene_init(&s);
    s.snapshot.ignore_excluded = true;
    scene_step(
        &s, CLUSTER NODE("n2", EXCLUDED, "") L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}"),
        "n2", "192.0.2.1 eth0,eth1 default/web\n");
    scene_done(&s);
}

#define WEB(endpoints) SERVICE("web", "", "", "{ip: 192.0.2.1}") ENDPOINTS("web", endpoints)
#define LOCAL(endpoints)                                                    \
    SERVICE("web", "", ", externalTrafficPolicy: Local", "{ip: 192.0.2.1}") \
    ENDPOINTS("web", endpoints)

static void test_endpoints(void)
{
    static const struct plan_case cases[] = {
        {CLUSTER L2("all", "") SERVICE("web", "", "", "{ip: 192.0.2.1}"), "n2",
         "default/web notOwner -\n"},
        {CLUSTER L2("all", "") WEB("{addresses: [198.18.0.1], conditions: {ready: false}}"), "n2",
         "default/web notOwner -\n"},
        {CLUSTER L2("all", "") WEB("{addresses: [198.18.0.1], nodeName: n1, conditions: {ready: "
                                   "false, serving: true, terminating: true}}"),
         "n2", "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("all", "") WEB("{addresses: [198.18.0.1]}"), "n2",
         "192.0.2.1 eth0,eth1 default/web\n"},
        /* no endpoint comes before no advertisement */
        {CLUSTER SERVICE("web", "", "", "{ip: 192.0.2.1}"), "n2", "default/web notOwner -\n"},
        /* another Service's endpoints, and one of that name elsewhere */
        {CLUSTER L2("all", "") SERVICE("web", "", "", "{ip: 192.0.2.1}")
             ENDPOINTS("web2", ON("n2")),
         "n2", "default/web notOwner -\n"},
        /* Local: only nodes with an endpoint that serves */
        {CLUSTER L2("all", "") LOCAL(ON("n3")), "n3", "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("all", "") LOCAL(ON("n3")), "n2", "default/web notOwner n3\n"},
        {CLUSTER L2("all", "") LOCAL(ON("n3") ", " ON("n1")), "n1",
         "192.0.2.1 eth0,eth1 default/web\n"},
        {CLUSTER L2("all", "") LOCAL("{addresses: [198.18.0.1]}"), "n2",
         "default/web notOwner -\n"},
        {CLUSTER L2("all", "") LOCAL("{addresses: [198.18.0.1], nodeName: n2, conditions: {ready: "
                                     "false}}, " ON("n3")),
         "n3", "192.0.2.1 eth0,eth1 default/web\n"},
    };
    CHECK(cases);
}

/* Services of one address, and addresses of one Service, are never apart. */
static void test_units(void)
{
    static const char both[] =
        NODES L2("all", "") POOL("both", "", "addresses: [192.0.2.0/29, \"2001:db8::/64\"]")
            SERVED("a", SHARES "}", "", "{ip: 192.0.2.2}, {ip: \"2001:db8::1\"}")
                SERVED("b", SHARES "}", "", "{ip: \"2001:db8::1\"}");
    static const char placed[] = CLUSTER L2("all", "")
        SERVED("a", SHARES ", stentor.io/placement: 4 n1}", "", "{ip: 192.0.2.1}")
            SERVED("b", SHARES ", stentor.io/placement: 5 n3}", "", "{ip: 192.0.2.1}");
    static const char local[] = CLUSTER L2("all", "")
        SERVICE("a", SHARES "}", ", externalTrafficPolicy: Local", "{ip: 192.0.2.1}")
            ENDPOINTS("a", ON("n1") ", " ON("n2"))
                SERVICE("b", SHARES "}", ", externalTrafficPolicy: Local", "{ip: 192.0.2.1}")
                    ENDPOINTS("b", ON("n1") ", " ON("n3"));
    static const struct plan_case cases[] = {
        {CLUSTER L2("all", "") SERVED("a", SHARES "}", "", "{ip: 192.0.2.1}")
             SERVED("b", SHARES "}", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth0,eth1 default/a,default/b\n"},
        /* by itself "b" would go to n2 by its hash */
        {both, "n1", "192.0.2.2 eth0,eth1 default/a\n2001:db8::1 eth0,eth1 default/a,default/b\n"},
        {both, "n2", "default/a notOwner n1\ndefault/b notOwner n1\n"},
        /* the higher epoch counts */
        {placed, "n3", "192.0.2.1 eth0,eth1 default/a,default/b\n"},
        {placed, "n1", "default/a notOwner n3\ndefault/b notOwner n3\n"},
        /* a node that can serve both */
        {local, "n1", "192.0.2.1 eth0,eth1 default/a,default/b\n"},
        /* one that nobody serves does not hold the other back */
        {CLUSTER L2("all", "") SERVED("a", SHARES "}", "", "{ip: 192.0.2.1}")
             SERVICE("b", SHARES "}", "", "{ip: 192.0.2.1}"),
         "n2", "192.0.2.1 eth0,eth1 default/a\ndefault/b notOwner -\n"},
    };
    CHECK(cases);
}

/* A bad object is left out by itself; what was in force stays in its last good version. */
static void test_bad_configuration(void)
{
    struct scene s;
    scene_init(&s);
    scene_step(&s,
               CLUSTER L2("all", "") L2("bad", "nodeSelectors: 7")
                   SERVED("web", "", "", "{ip: 192.0.2.1}"),
               "n2", "192.0.2.1 eth0,eth1 default/web\n");
    TEST_ASSERT(diag_first_error(config_findings(s.config),
                                 STR("L2Advertisement/metallb-system/bad")) != NULL);
    scene_step(&s, L2("all", "interfaces: 7"), "n2", "192.0.2.1 eth0,eth1 default/web\n");
    scene_step(&s, POOL("office", "", "addresses: [nonsense]"), "n2",
               "192.0.2.1 eth0,eth1 default/web\n");
    /* refused only together with another pool, which stands already */
    scene_step(&s, POOL("lab", "", "addresses: [198.51.100.0/24]"), "n2",
               "192.0.2.1 eth0,eth1 default/web\n");
    scene_step(&s, POOL("office", "", "addresses: [198.51.100.0/28]"), "n2",
               "192.0.2.1 eth0,eth1 default/web\n");
    scene_step(&s, POOL("office", "", "addresses: [203.0.113.0/28]"), "n2",
               "default/web ipNotAllowed -\n");
    scene_step(&s, POOL("office", "", "addresses: [192.0.2.0/28]"), "n2",
               "192.0.2.1 eth0,eth1 default/web\n");
    scene_delete(&s, "IPAddressPool/metallb-system/office");
    scene_step(&s, NULL, "n2", "default/web ipNotAllowed -\n");
    scene_done(&s);
}

/* Configuration counts in our namespace only. */
static void test_namespace(void)
{
    struct scene s;
    scene_init(&s);
    scene_step(&s,
               CLUSTER SERVED(
                   "web", "", "",
                   "{ip: 192.0.2.1}") "---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n"
                                      "metadata: {name: all, namespace: default}\n",
               "n2", "default/web noMatchingAdvertisement -\n");
    scene_done(&s);
}

static void test_nothing(void)
{
    struct scene s;
    scene_init(&s);
    scene_step(&s, NULL, "n1", "");
    scene_step(&s, SERVED("web", "", "", "{ip: 192.0.2.1}"), "n1", "default/web ipNotAllowed -\n");
    scene_done(&s);
}

TEST_MAIN("speaker/plan", TEST(test_hash_order), TEST(test_published_order),
          TEST(test_published_order_is_told), TEST(test_addresses), TEST(test_address_twice),
          TEST(test_families), TEST(test_classes), TEST(test_advertisements),
          TEST(test_what_is_shared), TEST(test_preferred_nodes), TEST(test_interfaces),
          TEST(test_nodes), TEST(test_endpoints), TEST(test_units), TEST(test_bad_configuration),
          TEST(test_namespace), TEST(test_nothing))
