/* What is kept of objects that there are thousands of. */
#include "common/base/keep.h"
#include "crd/annotations.h"
#include "crd/announced.h"
#include "crd/endpointslice.h"
#include "crd/service.h"
#include "crd/test_support.h"

/* A reduced object, saved and read again, is the same; and it takes what it was given room for. */
static void check_kept(const struct object *object,
                       struct object *(*reduce)(struct object *, struct keep *))
{
    scoped_ptr(keep) struct keep *keep = keep_new();
    scoped_sbuf struct sbuf text = {0}, again = {0};
    object_encode(object, &text);
    json_t *tree = json_loadb(text.ptr, text.len, 0, NULL);
    TEST_ASSERT(tree != NULL);
    scoped_ptr(object) struct object *read =
        reduce(object_decode(object->kind, tree, STR("")), keep);
    json_decref(tree);
    object_encode(read, &again);
    TEST_STR(sbuf_str(&again), sbuf_cstr(&text));
    /* Headers, and what three arrays are rounded by; a second block would be 64 more. */
    TEST_ASSERT(!read->refused && arena_size(object->arena) < arena_used(object->arena) + 32 + 48);
}

/* Of a Service what its announcement follows from, of one without a load balancer its names. */
static void test_service_reduce(void)
{
    struct object *object = service_reduce(
        support_object(
            "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: default, uid: u, "
            "resourceVersion: '42', labels: {app: web, tier: x}, annotations: "
            "{stentor.io/placement: "
            "'1 n1 n2', stentor.io/handoff: local, metallb.universe.tf/allow-shared-ip: k, other: "
            "thing}}, spec: {type: LoadBalancer, loadBalancerClass: c/d, externalTrafficPolicy: "
            "Local, "
            "clusterIP: 198.18.0.1, ports: [{port: 80}], selector: {app: web}}, status: "
            "{loadBalancer: {ingress: [{ip: 192.0.2.1}, {hostname: h}, {ip: nonsense}]}, "
            "conditions: "
            "[{type: T, status: 'True', reason: R, message: m, lastTransitionTime: "
            "'2026-01-01T00:00:00Z'}]}}"),
        NULL);
    const struct service *service = (const struct service *)object;
    const struct service_ingress *ingress = service->status.ingress.items;
    struct ip ip = ip_v4(192, 0, 2, 1);
    TEST_STR(object_id(object), "Service/default/web");
    TEST_STR(object->uid, "u");
    TEST_STR(object->resource_version, "42");
    TEST_STR(object_label(object, STR("app"), NULL), "web");
    TEST_STR(object_label(object, STR("tier"), NULL), "x");
    TEST_ASSERT(object->labels.count == 2);
    TEST_ASSERT(object->annotations.count == 3);
    TEST_STR(annotations_read(object, ANNOTATION_PLACEMENT, NULL), "1 n1 n2");
    TEST_STR(annotations_read(object, ANNOTATION_HANDOFF, NULL), "local");
    TEST_STR(annotations_read(object, ANNOTATION_ALLOW_SHARED_IP, NULL), "k");
    TEST_ASSERT(service->is_load_balancer && service->is_local);
    TEST_ASSERT(service_is_of_class(service, STR("c/d")) && !service_is_of_class(service, STR("")));
    TEST_ASSERT(service->status.ingress.count == 2 && ip_eq(&ingress[0].address, &ip));
    TEST_STR(ingress[0].ip, "192.0.2.1");
    TEST_STR(ingress[1].ip, "nonsense");
    TEST_ASSERT(!ip_is_set(&ingress[1].address) && service->status.conditions.count == 0);
    check_kept(object, service_reduce);
    (void)object_unref(object);
    object = service_reduce(support_object("{apiVersion: v1, kind: Service, metadata: {name: db, "
                                           "namespace: default, labels: {a: b}}, "
                                           "spec: {type: ClusterIP, clusterIP: 198.18.0.1}}"),
                            NULL);
    service = (const struct service *)object;
    TEST_STR(object->key, "default/db");
    TEST_ASSERT(!service->is_load_balancer && object->labels.count == 0);
    check_kept(object, service_reduce);
    (void)object_unref(object);
}

/* Of what nodes show of Services the labels and the status. */
static void test_announced_reduce(void)
{
    struct object *object = announced_reduce(
        support_object("{apiVersion: metallb.io/v1beta1, kind: ServiceL2Status, metadata: {name: "
                       "l2-x, namespace: "
                       "default, uid: u, resourceVersion: '42', labels: {a: b}, ownerReferences: "
                       "[{apiVersion: "
                       "v1, kind: Pod, name: p, uid: q}]}, status: {node: n1, serviceName: web, "
                       "serviceNamespace: default, interfaces: [{name: eth0}, {name: eth1}]}}"),
        NULL);
    const struct servicel2status *l2 = (const struct servicel2status *)object;
    const struct announced_interface *interfaces = l2->status.interfaces.items;
    TEST_STR(object->key, "default/l2-x");
    TEST_STR(object->resource_version, "42");
    TEST_STR(object_label(object, STR("a"), NULL), "b");
    TEST_STR(l2->status.node, "n1");
    TEST_STR(l2->status.service_name, "web");
    TEST_STR(l2->status.service_namespace, "default");
    TEST_ASSERT(l2->status.interfaces.count == 2 && object->meta->owners.count == 0);
    TEST_STR(interfaces[0].name, "eth0");
    TEST_STR(interfaces[1].name, "eth1");
    check_kept(object, announced_reduce);
    (void)object_unref(object);
    object = announced_reduce(
        support_object(
            "{apiVersion: metallb.io/v1beta1, kind: ServiceBGPStatus, metadata: {name: bgp-x, "
            "namespace: default}, status: {node: n1, serviceName: web, serviceNamespace: default, "
            "peers: [p, q]}}"),
        NULL);
    const struct servicebgpstatus *bgp = (const struct servicebgpstatus *)object;
    TEST_ASSERT(bgp->status.peers.count == 2);
    TEST_STR(bgp->status.peers.items[1], "q");
    check_kept(object, announced_reduce);
    (void)object_unref(object);
}

/* Labels that only say again what the status says are not kept; others are, and are what counts. */
static void test_announced_labels(void)
{
    static const struct {
        const char *more, *name, *service;
        size_t kept;
    } cases[] = {
        {"", "web", "shop/web", 0},
        {"", "db", "shop/db", 3},
        {", a: b", "web", "shop/web", 4},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str text = arena_printf(
            arena,
            "{apiVersion: metallb.io/v1beta1, kind: ServiceL2Status, metadata: {name: l2-x, "
            "namespace: default, labels: {metallb.io/node: n1, metallb.io/service-name: %s, "
            "metallb.io/service-namespace: shop%s}}, status: {node: n1, serviceName: web, "
            "serviceNamespace: shop}}",
            cases[i].name, cases[i].more);
        scoped_ptr(object) struct object *object = announced_reduce(support_object(text.ptr), NULL);
        scoped_sbuf struct sbuf service = {0};
        announced_service(object, &service);
        TEST_STR(sbuf_str(&service), cases[i].service);
        TEST_ASSERT(object->labels.count == cases[i].kept);
        check_kept(object, announced_reduce);
    }
}

/* One that is kept in thousands: each node with an endpoint that can serve, and names. */
static void test_endpointslice_reduce(void)
{
    struct object *object = endpointslice_reduce(
        support_object(
            "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-1, "
            "namespace: "
            "default, uid: u, resourceVersion: '42', generation: 3, labels: "
            "{kubernetes.io/service-name: web, a: b}}, addressType: IPv4, ports: [{port: 80}], "
            "endpoints: [{addresses: [198.18.0.1], nodeName: n1}, {addresses: [198.18.0.2], "
            "nodeName: "
            "n2, conditions: {ready: false}}, {addresses: [198.18.0.3], nodeName: n1}, {addresses: "
            "[198.18.0.4]}, {addresses: [198.18.0.5], nodeName: n3, conditions: {ready: false, "
            "serving: true}}]}"),
        NULL);
    const struct endpointslice *slice = (const struct endpointslice *)object;
    const struct endpoint *all = slice->endpoints.items;
    static const char *const nodes[] = {"n1", "", "n3"};
    TEST_STR(object_id(object), "EndpointSlice/default/web-1");
    TEST_STR(object->key, "default/web-1");
    TEST_STR(object_namespace(object), "default");
    TEST_STR(object_name(object), "web-1");
    TEST_STR(object->resource_version, "42");
    TEST_STR(slice->service, "default/web");
    TEST_ASSERT(object->labels.count == 1);
    TEST_STR(object_label(object, STR("kubernetes.io/service-name"), NULL), "web");
    TEST_ASSERT(slice->endpoints.count == TEST_COUNT(nodes) && slice->ports.count == 0);
    for (size_t i = 0; i < TEST_COUNT(nodes); i++) {
        TEST_ASSERT(all[i].can_serve && all[i].addresses.count == 0);
        TEST_ASSERT(all[i].others == (i == 0)); /* two on n1 */
        TEST_STR(all[i].node_name, nodes[i]);
    }
    check_kept(object, endpointslice_reduce);
    (void)object_unref(object);
    struct object *bad = support_object("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, "
                                        "metadata: {name: web-1}, endpoints: 7}");
    TEST_ASSERT(bad->refused && endpointslice_reduce(bad, NULL) == bad);
    (void)object_unref(bad);
}

TEST_MAIN("crd/reduce", TEST(test_service_reduce), TEST(test_announced_reduce),
          TEST(test_announced_labels), TEST(test_endpointslice_reduce))
