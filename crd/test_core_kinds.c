/* What the kinds of Kubernetes itself come to: Service, Node, EndpointSlice, Secret. */
#include <errno.h>

#include "common/base/err.h"
#include "crd/condition.h"
#include "crd/endpointslice.h"
#include "crd/node.h"
#include "crd/secret.h"
#include "crd/service.h"
#include "crd/test_support.h"

#define SERVICE(annotations, rest)                                                         \
    "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, annotations: " \
    "{" annotations "}}, " rest "}"

static void test_service_family(void)
{
    static const struct {
        const char *spec;
        enum service_family family;
    } cases[] = {
        {"", SERVICE_FAMILY_NONE},
        {"clusterIP: None", SERVICE_FAMILY_NONE},
        {"clusterIP: None, clusterIPs: [None]", SERVICE_FAMILY_NONE},
        {"clusterIP: 198.51.100.1", SERVICE_FAMILY_V4},
        {"clusterIPs: ['2001:db8::1']", SERVICE_FAMILY_V6},
        {"clusterIP: 198.51.100.1, clusterIPs: [198.51.100.1, '2001:db8::1']", SERVICE_FAMILY_DUAL},
        {"clusterIPs: ['2001:db8::1', 198.51.100.1]", SERVICE_FAMILY_DUAL},
        {"clusterIPs: [198.51.100.1, 198.51.100.2]", SERVICE_FAMILY_INVALID},
        {"clusterIPs: [198.51.100.1, '2001:db8::1', 198.51.100.2]", SERVICE_FAMILY_INVALID},
        {"clusterIP: web", SERVICE_FAMILY_INVALID},
        {"ipFamilies: [IPv4]", SERVICE_FAMILY_V4},
        {"ipFamilies: [IPv6], clusterIP: ''", SERVICE_FAMILY_V6},
        {"ipFamilies: [IPv6, IPv4]", SERVICE_FAMILY_DUAL},
        {"ipFamilies: [IPv6, IPv6]", SERVICE_FAMILY_INVALID},
        {"ipFamilies: [IPv7]", SERVICE_FAMILY_INVALID},
        {"ipFamilies: [IPv4], clusterIP: None", SERVICE_FAMILY_NONE},
        {"ipFamilies: [IPv4], clusterIP: '2001:db8::1'", SERVICE_FAMILY_V6},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(object) struct object *object =
            support_object(arena_printf(arena, SERVICE("", "spec: {%s}"), cases[i].spec).ptr);
        CU_ASSERT(!object->refused);
        CU_ASSERT_EQUAL(((struct service *)object)->family, cases[i].family);
    }
}

/* What a Service asks for, as text: addresses, or why they cannot be read. */
static struct str request_text(const struct service *service, struct arena *arena)
{
    const struct service_request *request = service->request;
    if (request->error.len)
        return request->count ? STR("addresses beside an error") : request->error;
    struct sbuf out = {0};
    for (size_t i = 0; i < request->count; i++)
        sbuf_printf(&out, "%s%s", i ? " " : "", ip_format(&request->ips[i]).text);
    return sbuf_move(&out, arena);
}

#define IPS "metallb.io/loadBalancerIPs: "

static void test_service_request(void)
{
    static const struct {
        const char *yaml, *want;
    } cases[] = {
        {SERVICE("", "spec: {}"), ""},
        {SERVICE("", "spec: {loadBalancerIP: 192.0.2.1}"), "192.0.2.1"},
        {SERVICE("", "spec: {loadBalancerIP: web}"),
         "invalid spec.loadBalancerIP \"web\": no IP address"},
        {SERVICE(IPS "192.0.2.1", "spec: {}"), "192.0.2.1"},
        {SERVICE(IPS "' 2001:db8::1 , 192.0.2.1 '", "spec: {}"), "2001:db8::1 192.0.2.1"},
        {SERVICE("metallb.universe.tf/loadBalancerIPs: 192.0.2.1", "spec: {}"), "192.0.2.1"},
        {SERVICE(IPS "'', metallb.universe.tf/loadBalancerIPs: 192.0.2.1", "spec: {}"), ""},
        {SERVICE(IPS "192.0.2.1", "spec: {loadBalancerIP: 192.0.2.1}"),
         "service can not have both metallb.io/loadBalancerIPs and spec.loadBalancerIP"},
        {SERVICE(IPS "'192.0.2.1,192.0.2.2'", "spec: {}"),
         "invalid metallb.io/loadBalancerIPs \"192.0.2.1,192.0.2.2\": two addresses must be of "
         "different IP families"},
        {SERVICE(IPS "'192.0.2.1,2001:db8::1,192.0.2.2'", "spec: {}"),
         "invalid metallb.io/loadBalancerIPs \"192.0.2.1,2001:db8::1,192.0.2.2\": more than two "
         "addresses"},
        {SERVICE(IPS "'192.0.2.1,'", "spec: {}"), "192.0.2.1"},
        {SERVICE(IPS "','", "spec: {}"),
         "invalid metallb.io/loadBalancerIPs \",\": \"\" is no IP address"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(object) struct object *object = support_object(cases[i].yaml);
        CU_ASSERT(!object->refused);
        TEST_STR(request_text((struct service *)object, arena), cases[i].want);
    }
}

static void test_service(void)
{
    scoped_ptr(object) struct object *object = support_object(SERVICE(
        "", "spec: {type: LoadBalancer, externalTrafficPolicy: Local, ipFamilyPolicy: "
            "PreferDualStack, ipFamilies: [IPv6, IPv4], loadBalancerClass: '', selector: {app: "
            "web}, ports: [{port: 80, targetPort: http}, {name: dns, protocol: UDP, port: 53, "
            "nodePort: 30053, targetPort: 5353}]}, status: {loadBalancer: {ingress: [{ip: "
            "192.0.2.1, ipMode: VIP}, {hostname: web.example.org}, {ip: broken}]}, conditions: "
            "[{type: a, status: 'True', reason: R, message: m, lastTransitionTime: "
            "'1970-01-01T00:00:01Z'}]}"));
    const struct service *service = (struct service *)object;
    CU_ASSERT(!object->refused && service->is_load_balancer && service->is_local);
    CU_ASSERT_EQUAL(service->policy, IP_FAMILY_PREFER_DUAL_STACK);
    CU_ASSERT(service->spec->has_load_balancer_class);
    TEST_STR(service->spec->ip_families.items[0], "IPv6");
    TEST_STR(str_map_get(&service->spec->selector, STR("app"), NULL), "web");
    TEST_ASSERT(service->spec->ports.count == 2);
    const struct service_port *ports = service->spec->ports.items;
    TEST_STR(ports[0].protocol, "TCP");
    TEST_STR(ports[0].target_port, "http");
    TEST_STR(ports[1].protocol, "UDP");
    TEST_STR(ports[1].target_port, "5353");
    CU_ASSERT(ports[0].port == 80 && ports[1].node_port == 30053);
    TEST_ASSERT(service->status.ingress.count == 3);
    const struct service_ingress *ingress = service->status.ingress.items;
    TEST_STR(str_from(ip_format(&ingress[0].address).text), "192.0.2.1");
    TEST_STR(ingress[1].hostname, "web.example.org");
    CU_ASSERT(!ip_is_set(&ingress[1].address) && !ip_is_set(&ingress[2].address));
    TEST_STR(ingress[2].ip, "broken");
    const struct condition *condition = condition_find(&service->status.conditions, STR("a"));
    TEST_ASSERT(condition != NULL && condition->since == 1);
    TEST_STR(condition->reason, "R");
    CU_ASSERT_PTR_NULL(condition_find(&service->status.conditions, STR("b")));
}

static void test_node(void)
{
    scoped_ptr(object) struct object *object = support_object(
        "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: "
        "{node.kubernetes.io/exclude-from-external-load-balancers: ''}}, spec: {unschedulable: "
        "true, podCIDR: 198.51.100.0/24}, status: {addresses: [{type: InternalIP, address: "
        "192.0.2.11}, {type: Hostname, address: n1}], conditions: [{type: Ready, status: 'True'}, "
        "{type: NetworkUnavailable, status: 'True'}]}}");
    const struct node *node = (struct node *)object;
    CU_ASSERT(!object->refused && node->ready && node->network_unavailable && node->excluded);
    CU_ASSERT(node->unschedulable);
    TEST_STR(object->key, "n1");
    const struct node_address *addresses = node->addresses.items;
    TEST_ASSERT(node->addresses.count == 2);
    TEST_STR(str_from(ip_format(&addresses[0].ip).text), "192.0.2.11");
    CU_ASSERT(!ip_is_set(&addresses[1].ip));
    scoped_ptr(object) struct object *plain = support_object(
        "{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {conditions: [{type: Ready, "
        "status: Unknown}, {type: NetworkUnavailable, status: 'False'}]}}");
    const struct node *other = (struct node *)plain;
    CU_ASSERT(!other->ready && !other->network_unavailable && !other->excluded);
}

static void test_endpointslice(void)
{
    scoped_ptr(object) struct object *object = support_object(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-x, namespace: "
        "shop, labels: {kubernetes.io/service-name: web}}, addressType: IPv4, ports: [{name: '', "
        "port: 8080}], endpoints: [{addresses: [198.51.100.1], nodeName: n1}, {conditions: {}}, "
        "{conditions: {ready: null}}, {conditions: {ready: true}}, {conditions: {ready: false}}, "
        "{conditions: {ready: false, serving: true, terminating: true}}, {conditions: {ready: "
        "false, serving: false}}]}");
    static const bool can_serve[] = {true, true, true, true, false, true, false};
    const struct endpointslice *slice = (struct endpointslice *)object;
    CU_ASSERT(!object->refused);
    TEST_STR(slice->service, "shop/web");
    TEST_STR(slice->address_type, "IPv4");
    const struct endpoint *endpoints = slice->endpoints.items;
    TEST_ASSERT(slice->endpoints.count == TEST_COUNT(can_serve));
    for (size_t i = 0; i < slice->endpoints.count; i++)
        CU_ASSERT_EQUAL(endpoints[i].can_serve, can_serve[i]);
    TEST_STR(endpoints[0].node_name, "n1");
    TEST_STR(((struct endpoint_port *)slice->ports.items)->protocol, "TCP");
}

static void test_secret(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(object) struct object *object = support_object(
        "{apiVersion: v1, kind: Secret, metadata: {name: pw, namespace: ours}, type: Opaque, data: "
        "{a: aGVsbG8=, b: '***', c: '', d: b2xk}, stringData: {d: new}}");
    const struct secret *secret = (struct secret *)object;
    struct str text;
    TEST_ASSERT(secret_read(secret, STR("a"), arena, &text) == 0);
    TEST_STR(text, "hello");
    CU_ASSERT_EQUAL(secret_read(secret, STR("b"), arena, &text), ERR_SYNTAX);
    TEST_ASSERT(secret_read(secret, STR("c"), arena, &text) == 0);
    TEST_STR(text, "");
    TEST_ASSERT(secret_read(secret, STR("d"), arena, &text) == 0);
    TEST_STR(text, "new");
    CU_ASSERT_EQUAL(secret_read(secret, STR("e"), arena, &text), -ENOENT);
}

TEST_MAIN("crd/core_kinds", TEST(test_service_family), TEST(test_service_request),
          TEST(test_service), TEST(test_node), TEST(test_endpointslice), TEST(test_secret))
