/* What each kind checks of an object alone: all findings of a spec, word by word. The manifests
 * under testdata/refused show the same rules in the small. */
#include "crd/addressconflict.h"
#include "crd/bgppeer.h"
#include "crd/ipaddresspool.h"
#include "crd/ipreservation.h"
#include "crd/name.h"
#include "crd/test_support.h"

struct rule_case {
    const char *spec, *want;
};

static void judge(const char *head, const struct rule_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: metallb.io/%s, metadata: {name: x, "
                                       "namespace: ours}, spec: {%s}}",
                                       head, cases[i].spec);
        scoped_ptr(object) struct object *object = support_object(yaml.ptr);
        struct str got = support_findings(&object->source->findings, arena);
        TEST_STR(got, cases[i].want);
        CU_ASSERT_EQUAL(object->refused, str_contains(got, STR("error ")));
    }
}

static void test_pool(void)
{
    static const struct rule_case cases[] = {
        {"addresses: [192.0.2.0/24, 198.51.100.9/24]", ""},
        {"addresses: []", "error spec.addresses: pool has no prefixes defined\n"},
        {"addresses: [192.0.2.0/25, 192.0.2.64-192.0.2.200, 192.0.2.190-192.0.2.191]",
         "error spec.addresses[1]: CIDR \"192.0.2.64-192.0.2.200\" in pool \"x\" overlaps with "
         "already defined CIDR \"192.0.2.0/25\"\n"
         "error spec.addresses[2]: CIDR \"192.0.2.190-192.0.2.191\" in pool \"x\" overlaps with "
         "already defined CIDR \"192.0.2.64-192.0.2.200\"\n"},
        {"addresses: [192.0.2.128/25, 192.0.2.0/24]",
         "error spec.addresses[1]: CIDR \"192.0.2.0/24\" in pool \"x\" overlaps with already "
         "defined CIDR \"192.0.2.128/25\"\n"},
        {"addresses: [192.0.2.0/24, bad], excludeAddresses: [worse]",
         "error spec.addresses[1]: invalid CIDR \"bad\": not an address and a length\n"
         "error spec.excludeAddresses[0]: invalid CIDR \"worse\": not an address and a length\n"},
        {"addresses: [192.0.2.0/24], excludeAddresses: [192.0.2.1, 192.0.3.0/24]",
         "warning spec.excludeAddresses[1]: none of these addresses is in the pool\n"},
        {"addresses: [192.0.2.0/24], serviceAllocation: {namespaces: [a, b, a, a]}",
         "error spec.serviceAllocation.namespaces: duplicate definition of namespaces field "
         "\"a\"\n"},
        {"addresses: [192.0.2.0/24], serviceAllocation: {serviceSelectors: [{matchLabels: {a: b}}, "
         "{matchLabels: {a: b}}]}",
         "error spec.serviceAllocation.serviceSelectors: duplicate definition of serviceSelectors "
         "\"a=b\"\n"},
        {"addresses: [192.0.2.0/24], adresses: []",
         "error spec.adresses: unknown field \"adresses\"; did you mean \"addresses\"?\n"},
    };
    judge("v1beta1, kind: IPAddressPool", cases, TEST_COUNT(cases));
}

#define TERM(text) "nodeSelectors: [{matchExpressions: [" text "]}]"
#define AT_TERM "spec.nodeSelectors[0].matchExpressions[0]: "

static void test_selectors(void)
{
    static const struct rule_case cases[] = {
        {TERM("{key: a, operator: In, values: [b]}, {key: a, operator: Exists}"), ""},
        {TERM("{key: a, operator: in, values: [b]}"),
         "error " AT_TERM "\"in\" is not a valid label selector operator\n"},
        {TERM("{key: a, operator: NotIn}"),
         "error " AT_TERM "invalid label selector: operator NotIn needs values\n"},
        {TERM("{key: a, operator: DoesNotExist, values: [b]}"),
         "error " AT_TERM
         "invalid label selector: values must be an empty set for operator DoesNotExist\n"},
        {TERM("{key: 'a b', operator: In, values: ['c d', -e]}"),
         "error " AT_TERM "invalid label selector: \"a b\" is no label key\n"
         "error " AT_TERM "invalid label selector: \"c d\" is no label value\n"
         "error " AT_TERM "invalid label selector: \"-e\" is no label value\n"},
        {TERM("{key: a, operator: In, values: [c, b, c]}"),
         "error " AT_TERM
         "duplicate definition of match expression value in label selector \"c\"\n"},
        {TERM("{key: a, operator: In, values: [c, b]}, {key: a, operator: In, values: [b, c]}"),
         "error spec.nodeSelectors[0]: duplicate definition of match expressions "
         "\"a In (b,c)\"\n"},
        {"nodeSelectors: [{matchLabels: {x/y/z: '1', a: b=c}}]",
         "error spec.nodeSelectors[0].matchLabels: invalid label selector: \"b=c\" is no label "
         "value\n"
         "error spec.nodeSelectors[0].matchLabels: invalid label selector: \"x/y/z\" is no label "
         "key\n"},
        {"nodeSelectors: [{matchLabels: {b: c}, matchExpressions: [{key: a, operator: Exists}]}, "
         "{matchExpressions: [{key: a, operator: Exists}], matchLabels: {b: c}}]",
         "error spec.nodeSelectors: duplicate definition of nodeSelectors \"b=c, a Exists ()\"\n"},
        {"preferredNodeSelectors: [{weight: 7, preference: {matchLabels: {a: '-'}}}]",
         "error spec.preferredNodeSelectors[0].preference.matchLabels: invalid label selector: "
         "\"-\" is no label value\n"},
        {"ipAddressPools: [a, b, a], interfaces: [a, a]",
         "error spec.ipAddressPools: duplicate definition of ipAddressPools \"a\"\n"},
    };
    judge("v1beta1, kind: L2Advertisement", cases, TEST_COUNT(cases));
}

static void test_advertisement(void)
{
    static const struct rule_case cases[] = {
        {"", ""},
        {"aggregationLength: 33, aggregationLengthV6: 129",
         "error spec.aggregationLength: invalid aggregation length 33 for IPv4: at most 32\n"
         "error spec.aggregationLengthV6: invalid aggregation length 129 for IPv6: at most 128\n"},
        {"aggregationLength: 0", "error spec.aggregationLength: must be between 1 and 2147483647, "
                                 "not 0\n"},
        {"serviceSelectors: [{}], aggregationLengthV6: 64",
         "error spec.serviceSelectors: serviceSelectors and aggregationLength are mutually "
         "exclusive: an aggregate cannot be limited to some Services\n"},
        {"communities: [alias, '1:2', 'a:b', '1:65536', 'large:1:2', 'small:1:2:3', ':']",
         "error spec.communities[2]: invalid community value: invalid section \"a\" of community "
         "\"a:b\": must be a number up to 65535\n"
         "error spec.communities[3]: invalid community value: invalid section \"65536\" of "
         "community \"1:65536\": must be a number up to 65535\n"
         "error spec.communities[4]: invalid community format: \"large:1:2\"\n"
         "error spec.communities[5]: invalid community value: expected community to be of format "
         "large:<number>:<number>:<number>, not \"small:1:2:3\"\n"
         "error spec.communities[6]: invalid community value: invalid section \"\" of community "
         "\":\": must be a number up to 65535\n"},
        {"peers: [a, a], communities: ['1:2', '1:2'], ipAddressPools: [p, p]",
         "error spec.ipAddressPools: duplicate definition of ipAddressPools \"p\"\n"
         "error spec.communities: duplicate definition of community \"1:2\"\n"
         "error spec.peers: duplicate definition of peers \"a\"\n"},
    };
    judge("v1beta1, kind: BGPAdvertisement", cases, TEST_COUNT(cases));
}

static void test_advertisement_annotations(void)
{
#define ABOUT(name) "metadata.annotations[stentor.io/bgp-" name "]: "
    static const struct rule_case cases[] = {
        {"stentor.io/bgp-med: '0', stentor.io/bgp-prepend: '16', stentor.io/bgp-weights: endpoints",
         ""},
        {"stentor.io/bgp-med: '4294967296', stentor.io/bgp-prepend: '17', "
         "stentor.io/bgp-weights: nodes",
         "error " ABOUT(
             "med") "must be a number from 0 to 4294967295, not \"4294967296\"\n"
                    "error " ABOUT(
                        "prepend") "must be a number from 0 to 16, not \"17\"\n"
                                   "error " ABOUT(
                                       "weights") "must be \"endpoints\", not \"nodes\"\n"},
        {"stentor.io/bgp-med: '-1', stentor.io/bgp-prepend: ''",
         "error " ABOUT("med") "must be a number from 0 to 4294967295, not \"-1\"\n"
                               "error " ABOUT(
                                   "prepend") "must be a number from 0 to 16, not \"\"\n"},
        {"stentor.io/bgp-med: '1; }'",
         "error " ABOUT("med") "must be a number from 0 to 4294967295, not \"1; }\"\n"},
        {"stentor.io/bgp-metric: '1', other: '2'",
         "warning " ABOUT("metric") "there is no such annotation\n"},
    };
#undef ABOUT
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: metallb.io/v1beta1, kind: BGPAdvertisement, "
                                       "metadata: {name: x, namespace: ours, annotations: {%s}}}",
                                       cases[i].spec);
        scoped_ptr(object) struct object *object = support_object(yaml.ptr);
        struct str got = support_findings(&object->source->findings, arena);
        TEST_STR(got, cases[i].want);
        CU_ASSERT_EQUAL(object->refused, str_contains(got, STR("error ")));
    }
}

static void test_community(void)
{
    static const struct rule_case cases[] = {
        {"communities: [{name: a, value: '0:65535'}, {name: b, value: 'large:0:0:4294967295'}]",
         ""},
        {"communities: [{name: a, value: b}, {name: a, value: 'large:1:2:4294967296'}]",
         "error spec.communities[0].value: parsing community \"a\": invalid community format: "
         "\"b\"\n"
         "error spec.communities[1].value: parsing community \"a\": invalid community value: "
         "invalid section \"4294967296\" of community \"large:1:2:4294967296\": must be a number "
         "up to 4294967295\n"
         "error spec.communities: duplicate definition of community \"a\"\n"},
    };
    judge("v1beta1, kind: Community", cases, TEST_COUNT(cases));
}

#define PEER "myASN: 64496, peerASN: 64497, peerAddress: 192.0.2.1, "

#define TEN "1234567890"
#define NAME_RULE "must be 1 to 15 letters, digits, '.', '_', '-', ':' or '@'"
#define PASSWORD_RULE                                                                         \
    "error spec.password: password contains invalid characters: must be at most 80 bytes of " \
    "UTF-8 without control characters and quotation marks\n"

static void test_peer(void)
{
    static const struct rule_case cases[] = {
        {PEER "holdTime: 0s, keepaliveTime: 0s", ""},
        {PEER "holdTime: 3s", ""},
        {PEER "keepaliveTime: 1s", ""},
        {PEER "holdTime: 999ms", ""}, /* less than a second counts as 0 */
        {PEER "holdTime: 2999ms", "error spec.holdTime: invalid hold time \"2.999s\": must be 0 or "
                                  ">=3s, and at most 65535s\n"},
        {PEER "keepaliveTime: 500ms", "error spec.holdTime: invalid hold time \"1.5s\": must be 0 "
                                      "or >=3s, and at most 65535s\n"},
        {PEER "holdTime: -1m",
         "error spec.holdTime: invalid hold time \"-1m0s\": must be 0 or >=3s, and at most 65535s\n"
         "error spec.keepaliveTime: invalid keepaliveTime \"-20s\", must be lower than holdTime "
         "\"-1m0s\"\n"},
        {PEER "holdTime: 30s, keepaliveTime: 30001ms",
         "error spec.keepaliveTime: invalid keepaliveTime \"30.001s\", must be lower than holdTime "
         "\"30s\"\n"},
        {PEER "holdTime: 65535s", ""},
        {PEER "holdTime: 65536s", "error spec.holdTime: invalid hold time \"18h12m16s\": must be 0 "
                                  "or >=3s, and at most 65535s\n"},
        /* three times that is more than fits */
        {PEER "keepaliveTime: 2000000h",
         "error spec.holdTime: invalid hold time \"2562047h47m16.854775807s\": must be 0 or >=3s, "
         "and at most 65535s\n"},
        {PEER "connectTime: 65535s", ""},
        {PEER "connectTime: 65536s", "error spec.connectTime: connect time should be between 1 "
                                     "second and 65535 seconds\n"},
        {PEER "connectTime: 1.5s",
         "error spec.connectTime: connect time should contain a whole number of seconds\n"},
        {"myASN: 0, peerAddress: router, routerID: a, sourceAddress: b",
         "error spec.myASN: missing local ASN\n"
         "error spec.peerASN: missing peer ASN and dynamicASN: one of them is needed\n"
         "error spec.peerAddress: invalid BGPPeer address \"router\"\n"
         "error spec.routerID: invalid router ID \"a\"\n"
         "error spec.sourceAddress: invalid source IP \"b\"\n"},
        {PEER "dynamicASN: internal, interface: eth0",
         "error spec.dynamicASN: both peer ASN and dynamicASN specified: only one may be set\n"
         "error spec.interface: peer has both Address and Interface specified: only one may be "
         "set\n"},
        {"myASN: 64496, dynamicASN: external",
         "error spec.peerAddress: peer has no Address or Interface specified: one of them is "
         "needed\n"},
        {"myASN: 1, peerASN: 1, interface: eth0, ebgpMultiHop: true",
         "error spec.ebgpMultiHop: invalid ebgp-multihop: peerASN and myASN are the same\n"},
        {PEER "password: a, passwordSecret: {name: b}",
         "error spec.passwordSecret: can not have both password and secret ref: set password or "
         "passwordSecret\n"},
        {PEER "password: \"a\\nb\", vrf: \"c\\r\"",
         "error spec.vrf: VRF name contains invalid characters: " NAME_RULE "\n" PASSWORD_RULE},
        {PEER "password: 'a\"b'", PASSWORD_RULE},
        {PEER "password: \"a\\x7f\"", PASSWORD_RULE},
        {PEER "password: 'a\\b $ {}; # é'", ""},
        {PEER "password: " TEN TEN TEN TEN TEN TEN TEN TEN, ""},
        {PEER "password: " TEN TEN TEN TEN TEN TEN TEN TEN "1", PASSWORD_RULE},
        {"myASN: 1, peerASN: 2, interface: 'eth0 { }'",
         "error spec.interface: interface contains invalid characters: " NAME_RULE "\n"},
        {"myASN: 1, peerASN: 2, interface: sixteen-letters-", /* one more than the kernel takes */
         "error spec.interface: interface contains invalid characters: " NAME_RULE "\n"},
        {"myASN: 1, peerASN: 2, interface: eth0.100, vrf: red", ""},
        {"myASN: 1, peerASN: 2, interface: eth0, sourceAddress: 192.0.2.7",
         "warning spec.sourceAddress: sourceAddress has no effect together with interface, where "
         "the session runs between link-local addresses\n"},
        {PEER "sourceAddress: \"2001:db8::1\"",
         "error spec.sourceAddress: invalid source IP \"2001:db8::1\": not of the family of "
         "peerAddress\n"},
        {PEER "sourceAddress: 0.0.0.0, routerID: \"2001:db8::1\"",
         "error spec.sourceAddress: invalid source IP \"0.0.0.0\": not the address of one host\n"
         "error spec.routerID: invalid router ID \"2001:db8::1\": must be written as an IPv4 "
         "address of one host\n"},
        {PEER "routerID: 0.0.0.0", "error spec.routerID: invalid router ID \"0.0.0.0\": must be "
                                   "written as an IPv4 address of one host\n"},
        {"myASN: 1, peerASN: 2, peerAddress: 224.0.0.5",
         "error spec.peerAddress: invalid BGPPeer address \"224.0.0.5\": not the address of one "
         "host\n"},
        {"myASN: 1, peerASN: 2, peerAddress: \"fe80::1\"",
         "error spec.peerAddress: invalid BGPPeer address \"fe80::1\": a link-local address names "
         "no host without an interface; set interface instead of peerAddress\n"},
        {PEER "disableMP: true", "warning spec.disableMP: disableMP has no effect any more; see "
                                 "dualStackAddressFamily\n"},
    };
    judge("v1beta2, kind: BGPPeer", cases, TEST_COUNT(cases));
    judge("v1beta1, kind: BGPPeer", cases, TEST_COUNT(cases));
}

static void test_peer_timers(void)
{
    static const struct {
        const char *spec;
        bool given;
        int64_t hold, keepalive; /* milliseconds */
    } cases[] = {
        {"", false, 0, 0},
        {"holdTime: 90s", true, 90000, 30000},
        {"keepaliveTime: 20s", true, 60000, 20000},
        {"holdTime: 90s, keepaliveTime: 7s", true, 90000, 7000},
        {"holdTime: 0s", true, 0, 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: metallb.io/v1beta2, kind: BGPPeer, metadata: "
                                       "{name: x, namespace: ours}, spec: {" PEER "%s}}",
                                       cases[i].spec);
        scoped_ptr(object) struct object *object = support_object(yaml.ptr);
        struct bgppeer *peer = (struct bgppeer *)object;
        int64_t hold = 0, keepalive = 0;
        CU_ASSERT_EQUAL(bgppeer_timers(&peer->spec, &hold, &keepalive), cases[i].given);
        CU_ASSERT_EQUAL(hold, cases[i].hold * 1000000);
        CU_ASSERT_EQUAL(keepalive, cases[i].keepalive * 1000000);
    }
}

static void test_bfd_profile(void)
{
    static const struct rule_case cases[] = {
        {"", ""},
        {"receiveInterval: 10, transmitInterval: 60000, detectMultiplier: 255, passiveMode: true",
         ""},
        {"echoMode: true, echoInterval: 50, minimumTtl: 254",
         "warning spec.echoMode: echo mode is not supported: sessions run without it, and detect "
         "failures by their control packets alone\n"
         "warning spec.echoInterval: echoInterval has no effect: echo mode is not supported\n"
         "warning spec.minimumTtl: minimumTtl is not supported: packets with any TTL are accepted "
         "from peers more than one hop away, and only those with a TTL of 255 from others\n"},
    };
    judge("v1beta1, kind: BFDProfile", cases, TEST_COUNT(cases));
}

static void test_reservation(void)
{
    static const struct rule_case cases[] = {
        {"address: 192.0.2.1", ""},
        {"", "error spec: exactly one of address and addresses must be set\n"},
        {"address: 192.0.2.1, addresses: []",
         "error spec: exactly one of address and addresses must be set\n"},
        {"addresses: []", "error spec.addresses: must not be empty\n"},
        {"address: 192.0.2.1, owner: {name: ''}",
         "error spec.owner.name: must be the name of a Service\n"},
        {"address: 192.0.2.1, owner: {name: web, namespace: a/b}",
         "error spec.owner.namespace: must be the name of a namespace\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: stentor.io/v1alpha1, kind: IPReservation, "
                                       "metadata: {name: x, namespace: shop}, spec: {%s}}",
                                       cases[i].spec);
        scoped_ptr(object) struct object *object = support_object(yaml.ptr);
        TEST_STR(support_findings(&object->source->findings, arena), cases[i].want);
    }
}

static void test_reservation_owner(void)
{
    static const struct {
        const char *owner, *namespace, *name;
        bool admitted;
    } cases[] = {
        {"", "shop", "web", true},
        {"", "other", "web", false},
        {", owner: {name: web}", "shop", "web", true},
        {", owner: {name: web}", "shop", "api", false},
        {", owner: {name: web}", "other", "web", false},
        {", owner: {name: web, namespace: other}", "other", "web", true},
        {", owner: {name: web, namespace: other}", "shop", "web", false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: stentor.io/v1alpha1, kind: IPReservation, "
                                       "metadata: {name: x, namespace: shop}, spec: {address: "
                                       "192.0.2.1, expiresAt: '1970-01-01T00:01:00Z'%s}}",
                                       cases[i].owner);
        scoped_ptr(object) struct object *object = support_object(yaml.ptr);
        const struct ipreservation *reservation = (const struct ipreservation *)object;
        CU_ASSERT_EQUAL(ipreservation_admits(reservation, str_from(cases[i].namespace),
                                             str_from(cases[i].name)),
                        cases[i].admitted);
        CU_ASSERT(!ipreservation_expired(reservation, 59) &&
                  ipreservation_expired(reservation, 60));
    }
}

static void test_conflict(void)
{
    static const struct {
        const char *spec, *want;
    } cases[] = {
        {"address: 192.0.2.1, node: n1, interface: eth0, mac: '02:00:00:00:00:01', seen: "
         "'1970-01-01T00:01:00Z'",
         ""},
        {"address: x, node: N, interface: a b, mac: y, seen: '1970-01-01T00:01:00Z'",
         "error spec.address: must be an IP address\n"
         "error spec.node: must be the name of a node\n"
         "error spec.interface: must be the name of an interface\n"
         "error spec.mac: must be an Ethernet address\n"},
        {"address: '2001:db8::1'", "error spec.node: is required\n"
                                   "error spec.interface: is required\n"
                                   "error spec.mac: is required\n"
                                   "error spec.seen: is required\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: stentor.io/v1alpha1, kind: AddressConflict, "
                                       "metadata: {name: x, namespace: ours}, spec: {%s}}",
                                       cases[i].spec);
        scoped_ptr(object) struct object *object = support_object(yaml.ptr);
        TEST_STR(support_findings(&object->source->findings, arena), cases[i].want);
        const struct addressconflict *conflict = (const struct addressconflict *)object;
        if (object->refused)
            continue;
        struct ip ip = ip_v4(192, 0, 2, 1);
        CU_ASSERT(ip_eq(&conflict->ip, &ip) && conflict->spec.seen == 60);
        TEST_STR(str_from(mac_format(&conflict->mac).text), "02:00:00:00:00:01");
    }
}

static void test_conflict_name(void)
{
    static const struct {
        const char *address, *name;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:db8::1", "2001-db8--1"},
        {"2001:DB8::", "2001-db8--0"},
        {"::1", "0--1"},
        {"::", "0--0"},
        {"2001:db8:1:2:3:4:5:6", "2001-db8-1-2-3-4-5-6"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct ip ip;
        TEST_ASSERT(ip_parse(str_from(cases[i].address), &ip) == 0);
        struct str name = addressconflict_name(&ip, arena);
        TEST_STR(name, cases[i].name);
        CU_ASSERT(name_is_subdomain(name));
    }
}

/* A pool whose counters are shown is told from one that has none yet. */
static void test_pool_counters(void)
{
    static const struct {
        const char *status;
        bool counted;
    } cases[] = {
        {"{}", false},
        {"{assignedIPv4: 1}", false},
        {"{assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 4, availableIPv6: 0}", true},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, "
                                       "metadata: {name: a, namespace: ours}, spec: {addresses: "
                                       "[192.0.2.0/30]}, status: %s}",
                                       cases[i].status);
        scoped_ptr(object) struct object *pool = support_object(yaml.ptr);
        CU_ASSERT(!pool->refused);
        CU_ASSERT_EQUAL(((struct ipaddresspool *)pool)->status.counted, cases[i].counted);
    }
}

/* Words that an API server would refuse are refused in a manifest, and in nothing else. */
static void test_service_words(void)
{
    static const struct {
        const char *spec, *want;
    } cases[] = {
        {"type: LoadBalancer, externalTrafficPolicy: Local, ipFamilyPolicy: SingleStack, "
         "ports: [{port: 80, protocol: UDP}]",
         ""},
        {"type: Loadbalancer",
         "error spec.type: must be one of ClusterIP, NodePort, LoadBalancer, ExternalName, not "
         "\"Loadbalancer\"\n"},
        {"type: LoadBalancer, externalTrafficPolicy: local",
         "error spec.externalTrafficPolicy: must be one of Cluster, Local, not \"local\"\n"},
        {"type: LoadBalancer, ipFamilyPolicy: RequireDualstack",
         "error spec.ipFamilyPolicy: must be one of SingleStack, PreferDualStack, "
         "RequireDualStack, not \"RequireDualstack\"\n"},
        {"type: LoadBalancer, ports: [{port: 80}, {port: 81, protocol: tpc}]",
         "error spec.ports[1].protocol: must be one of TCP, UDP, SCTP, not \"tpc\"\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str yaml = arena_printf(arena,
                                       "{apiVersion: v1, kind: Service, metadata: {name: x, "
                                       "namespace: ours}, spec: {%s}}",
                                       cases[i].spec);
        scoped_ptr(object) struct object *manifest = support_object(yaml.ptr);
        TEST_STR(support_findings(&manifest->source->findings, arena), cases[i].want);
        struct yaml_documents documents = yaml_parse(yaml, arena);
        scoped_ptr(object) struct object *seen =
            object_decode(kinds_get(KIND_SERVICE), documents.list.items[0].tree, STR(""));
        yaml_done(&documents);
        TEST_ASSERT(!seen->refused);
    }
}

TEST_MAIN("crd/rules", TEST(test_pool), TEST(test_pool_counters), TEST(test_selectors),
          TEST(test_advertisement), TEST(test_advertisement_annotations), TEST(test_community),
          TEST(test_peer), TEST(test_peer_timers), TEST(test_bfd_profile), TEST(test_reservation),
          TEST(test_reservation_owner), TEST(test_conflict), TEST(test_conflict_name),
          TEST(test_service_words))
