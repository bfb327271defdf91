/* Objects as such: kinds and paths, metadata, labels, annotations. */
#include <errno.h>

#include "common/base/err.h"
#include "crd/annotations.h"
#include "crd/announced.h"
#include "crd/configurationstate.h"
#include "crd/endpointslice.h"
#include "crd/ipaddresspool.h"
#include "crd/name.h"
#include "crd/node.h"
#include "crd/pod.h"
#include "crd/secret.h"
#include "crd/selector.h"
#include "crd/service.h"
#include "crd/test_support.h"

static void test_kinds(void)
{
    static const struct {
        const char *version, *name, *plural; /* NULL: none of ours */
    } cases[] = {
        {"v1", "Service", "services"},
        {"metallb.io/v1beta1", "IPAddressPool", "ipaddresspools"},
        {"metallb.io/v1beta2", "BGPPeer", "bgppeers"},
        {"metallb.io/v1beta1", "BGPPeer", "bgppeers"},
        {"stentor.io/v1alpha1", "IPReservation", "ipreservations"},
        {"stentor.io/v1alpha1", "AddressConflict", "addressconflicts"},
        {"stentor.io/v1alpha1", "BGPSessionStatus", "bgpsessionstatuses"},
        {"discovery.k8s.io/v1", "EndpointSlice", "endpointslices"},
        {"metallb.io/v1beta2", "IPAddressPool", NULL},
        {"v1beta1", "IPAddressPool", NULL},
        {"metallb.io/v1", "Service", NULL},
        {"v1", "service", NULL},
        {"", "", NULL},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        const struct kind *kind = kinds_find(str_from(cases[i].version), str_from(cases[i].name));
        TEST_ASSERT((kind != NULL) == (cases[i].plural != NULL));
        TEST_STR(str_from(kind ? kind->plural : ""), cases[i].plural ? cases[i].plural : "");
    }
    for (size_t i = 0; i < KIND_COUNT; i++)
        CU_ASSERT_EQUAL(kinds_get((enum kind_id)i)->id, i);
}

static void test_paths(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    static const struct {
        enum kind_id kind;
        const char *namespace, *name, *path;
    } cases[] = {
        {KIND_SERVICE, "shop", "web", "/api/v1/namespaces/shop/services/web"},
        {KIND_SERVICE, "", "", "/api/v1/services"},
        {KIND_NODE, "ignored", "n1", "/api/v1/nodes/n1"},
        {KIND_BGP_PEER, "ours", "a", "/apis/metallb.io/v1beta2/namespaces/ours/bgppeers/a"},
        {KIND_SERVICE, "a/b", "c d?", "/api/v1/namespaces/a%2Fb/services/c%20d%3F"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_STR(kinds_path(kinds_get(cases[i].kind), str_from(cases[i].namespace),
                            str_from(cases[i].name), arena),
                 cases[i].path);
    TEST_STR(kinds_api_version(kinds_get(KIND_NODE), arena), "v1");
    TEST_STR(kinds_api_version(kinds_get(KIND_BGP_PEER), arena), "metallb.io/v1beta2");
}

static void test_metadata(void)
{
    scoped_ptr(object) struct object *object = support_object(
        "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, uid: u-1, "
        "resourceVersion: '17', generation: 3, creationTimestamp: '1970-01-01T00:01:00Z', "
        "deletionTimestamp: '1970-01-01T00:02:00Z', labels: {b: '2', a: '1'}, annotations: {c: d}, "
        "managedFields: [{manager: x}], ownerReferences: [{apiVersion: v1, kind: Pod, name: p, "
        "uid: u-2}]}}");
    CU_ASSERT(!object->refused);
    TEST_STR(object_id(object), "Service/shop/web");
    TEST_STR(object->key, "shop/web");
    TEST_STR(object->source->origin, "test.yaml:1");
    TEST_STR(object->uid, "u-1");
    TEST_STR(object->resource_version, "17");
    CU_ASSERT_EQUAL(object->meta->generation, 3);
    CU_ASSERT_EQUAL(object->meta->created, 60);
    CU_ASSERT_EQUAL(object->meta->deleted, 120);
    bool present;
    TEST_STR(object_label(object, STR("a"), &present), "1");
    CU_ASSERT(present);
    TEST_STR(object_label(object, STR("c"), &present), "");
    CU_ASSERT(!present);
    TEST_STR(object_annotation(object, STR("c"), NULL), "d");
    TEST_ASSERT(object->meta->owners.count == 1);
    TEST_STR(((struct owner_ref *)object->meta->owners.items)->uid, "u-2");
}

/* Whatever is decoded is an object with a name to call it by, and findings when it is wrong. */
static void test_broken_objects(void)
{
    static const struct {
        const char *json, *id, *findings;
    } cases[] = {
        {"{\"metadata\":{\"name\":\"a\"}}", "IPAddressPool/a", "error spec: is required\n"},
        {"{}", "IPAddressPool/",
         "error metadata: is required\nerror spec: is required\n"
         "error metadata.name: missing IPAddressPool name\n"},
        {"[]", "IPAddressPool/",
         "error : must be an object, not a list\n"
         "error metadata.name: missing IPAddressPool name\n"},
        {"7", "IPAddressPool/",
         "error : must be an object, not a number\n"
         "error metadata.name: missing IPAddressPool name\n"},
        {"{\"metadata\":{\"name\":\"../a\",\"namespace\":\"b/c\"},\"spec\":{\"addresses\":[\"192.0."
         "2.0/24\"]}}",
         "IPAddressPool/b/c/../a",
         "error metadata.name: must be lower-case letters, digits, '-' and '.', at most 253, not "
         "\"../a\"\n"
         "error metadata.namespace: must be lower-case letters, digits and '-', at most 63, not "
         "\"b/c\"\n"},
        {"{\"metadata\":{\"name\":7},\"spec\":{\"addresses\":[\"192.0.2.0/24\"]},\"x\":1}",
         "IPAddressPool/",
         "error metadata.name: must be a string, not a number\n"
         "error x: unknown field \"x\"\n"
         "error metadata.name: missing IPAddressPool name\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str error = {0};
        json_t *tree = fields_parse(str_from(cases[i].json), arena, &error);
        TEST_ASSERT(tree != NULL);
        scoped_ptr(object) struct object *object =
            object_decode(kinds_get(KIND_IP_ADDRESS_POOL), tree, STR(""));
        json_decref(tree);
        CU_ASSERT(object->refused);
        TEST_STR(object_id(object), cases[i].id);
        TEST_STR(support_findings(&object->source->findings, arena), cases[i].findings);
    }
}

static void test_references(void)
{
    struct object *object =
        support_object("{apiVersion: v1, kind: Namespace, metadata: {name: a}}");
    struct object *again = object_ref(object);
    CU_ASSERT_PTR_EQUAL(again, object);
    CU_ASSERT_PTR_NULL(object_unref(object));
    TEST_STR(object_id(again), "Namespace/a"); /* still there: a sanitizer would tell */
    CU_ASSERT_PTR_NULL(object_unref(again));
    CU_ASSERT_PTR_NULL(object_unref(NULL));
}

static void test_names(void)
{
    static const struct {
        const char *text;
        bool label, subdomain, key, value;
    } cases[] = {
        {"", false, false, false, true},
        {"a", true, true, true, true},
        {"a-b", true, true, true, true},
        {"a.b", false, true, true, true},
        {"a..b", false, false, true, true},
        {"a.-b", false, false, true, true},
        {"-a", false, false, false, false},
        {"a-", false, false, false, false},
        {"A_b", false, false, true, true},
        {"example.org/App", false, false, true, false},
        {"Example.org/app", false, false, false, false},
        {"example.org/", false, false, false, false},
        {"/app", false, false, false, false},
        {"a/b/c", false, false, false, false},
        {"a b", false, false, false, false},
        {"\xc3\xa4", false, false, false, false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct str text = str_from(cases[i].text);
        CU_ASSERT_EQUAL(name_is_label(text), cases[i].label);
        CU_ASSERT_EQUAL(name_is_subdomain(text), cases[i].subdomain);
        CU_ASSERT_EQUAL(name_is_label_key(text), cases[i].key);
        CU_ASSERT_EQUAL(name_is_label_value(text), cases[i].value);
    }
    char text[300];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = 'a';
    CU_ASSERT(name_is_label((struct str){text, 63}) && !name_is_label((struct str){text, 64}));
    CU_ASSERT(name_is_subdomain((struct str){text, 253}));
    CU_ASSERT(!name_is_subdomain((struct str){text, 254}));
    CU_ASSERT(name_is_label_value((struct str){text, 63}));
    CU_ASSERT(!name_is_label_value((struct str){text, 64}));
}

static void test_selector_matches(void)
{
    static const struct {
        const char *selector, *labels;
        bool matches;
    } cases[] = {
        {"{}", "{}", true},
        {"{}", "{a: b}", true},
        {"{matchLabels: {a: b}}", "{a: b, c: d}", true},
        {"{matchLabels: {a: b}}", "{a: c}", false},
        {"{matchLabels: {a: ''}}", "{}", false},
        {"{matchLabels: {a: b, c: d}}", "{a: b}", false},
        {"{matchExpressions: [{key: a, operator: In, values: [b, c]}]}", "{a: c}", true},
        {"{matchExpressions: [{key: a, operator: In, values: [b, c]}]}", "{a: d}", false},
        {"{matchExpressions: [{key: a, operator: In, values: ['']}]}", "{}", false},
        {"{matchExpressions: [{key: a, operator: NotIn, values: [b]}]}", "{a: b}", false},
        {"{matchExpressions: [{key: a, operator: NotIn, values: [b]}]}", "{a: c}", true},
        {"{matchExpressions: [{key: a, operator: NotIn, values: [b]}]}", "{}", true},
        {"{matchExpressions: [{key: a, operator: Exists}]}", "{a: ''}", true},
        {"{matchExpressions: [{key: a, operator: Exists}]}", "{b: c}", false},
        {"{matchExpressions: [{key: a, operator: DoesNotExist}]}", "{b: c}", true},
        {"{matchExpressions: [{key: a, operator: DoesNotExist}]}", "{a: c}", false},
        {"{matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}, {key: d, operator: "
         "DoesNotExist}]}",
         "{a: b, c: x}", true},
        {"{matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}, {key: d, operator: "
         "DoesNotExist}]}",
         "{a: b, c: x, d: y}", false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(object) struct object *pool = support_object(
            arena_printf(arena,
                         "{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: "
                         "p, labels: %s}, spec: {addresses: [192.0.2.0/24], serviceAllocation: "
                         "{serviceSelectors: [%s]}}}",
                         cases[i].labels, cases[i].selector)
                .ptr);
        TEST_ASSERT(!pool->refused);
        const struct list *selectors =
            &((struct ipaddresspool *)pool)->spec.service_allocation->service_selectors;
        CU_ASSERT_EQUAL(selectors_match(selectors, &pool->labels), cases[i].matches);
        CU_ASSERT_EQUAL(selectors_match_or_none(selectors, &pool->labels), cases[i].matches);
        struct str_list named = {.items = &(struct str)STR_INIT("q"), .count = 1};
        CU_ASSERT_EQUAL(selector_has_pool(&named, selectors, pool), cases[i].matches);
        named.items[0] = STR("p");
        CU_ASSERT(selector_has_pool(&named, selectors, pool));
    }
    static const struct list none = {0};
    static const struct str_list no_names = {0};
    static const struct object any = {0};
    CU_ASSERT(!selectors_match(&none, &any.labels));
    CU_ASSERT(selectors_match_or_none(&none, &any.labels));
    CU_ASSERT(selector_has_pool(&no_names, &none, &any));
}

#define SERVICE(annotations, rest)                                                         \
    "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, annotations: " \
    "{" annotations "}}, " rest "}"

static void test_annotations(void)
{
    static const struct {
        const char *yaml, *value, *deprecated;
        bool present;
    } cases[] = {
        {SERVICE("", "spec: {}"), "", "", false},
        {SERVICE("metallb.io/address-pool: a", "spec: {}"), "a", "", true},
        {SERVICE("metallb.universe.tf/address-pool: b", "spec: {}"), "b",
         "metallb.universe.tf/address-pool", true},
        {SERVICE("metallb.universe.tf/address-pool: b, metallb.io/address-pool: ''", "spec: {}"),
         "", "metallb.universe.tf/address-pool", true},
        {SERVICE("metallb.universe.tf/ip-allocated-from-pool: b", "spec: {}"), "", "", false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(object) struct object *object = support_object(cases[i].yaml);
        bool present;
        TEST_STR(annotations_read(object, ANNOTATION_ADDRESS_POOL, &present), cases[i].value);
        CU_ASSERT_EQUAL(present, cases[i].present);
        size_t cursor = 0;
        TEST_STR(annotations_deprecated(object, &cursor), cases[i].deprecated);
        TEST_STR(annotations_deprecated(object, &cursor), "");
        TEST_STR(annotations_read(object, ANNOTATION_ALLOCATED_FROM_POOL, NULL), "");
    }
    for (size_t i = 0; i < ANNOTATION_COUNT; i++) {
        const struct annotation *row = annotations_get((enum annotation_id)i);
        CU_ASSERT(row->key.len > 0 && strlen(row->help) > 0);
        bool borrowed = str_starts_with(row->key, STR("metallb.io/"));
        CU_ASSERT_EQUAL(row->deprecated.len > 0, borrowed && row->use == ANNOTATION_IN);
    }
}

static void test_pool_counters(void)
{
    scoped_ptr(object) struct object *fresh = support_object(
        "{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: a}, spec: "
        "{addresses: [192.0.2.0/24]}, status: {conditions: []}}");
    scoped_ptr(object) struct object *counted = support_object(
        "{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: a}, spec: "
        "{addresses: [192.0.2.0/24]}, status: {assignedIPv4: 1, assignedIPv6: 2, availableIPv4: 3, "
        "availableIPv6: 4}}");
    const struct ipaddresspool_status *status = &((struct ipaddresspool *)counted)->status;
    CU_ASSERT(!((struct ipaddresspool *)fresh)->status.counted);
    CU_ASSERT(status->counted && status->assigned_ipv4 == 1 && status->assigned_ipv6 == 2);
    CU_ASSERT(status->available_ipv4 == 3 && status->available_ipv6 == 4);
}

static void test_other_kinds(void)
{
    scoped_ptr(object) struct object *pod = support_object(
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ours}, spec: {nodeName: n1}, "
        "status: {phase: Running, hostIP: 192.0.2.11, podIP: 198.51.100.7}}");
    TEST_STR(((struct pod *)pod)->node_name, "n1");
    TEST_STR(((struct pod *)pod)->pod_ip, "198.51.100.7");
    scoped_ptr(object) struct object *map = support_object(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: ours}, data: {a: b}}");
    TEST_STR(str_map_get(&((struct configmap *)map)->data, STR("a"), NULL), "b");
    scoped_ptr(object) struct object *l2 = support_object(
        "{apiVersion: metallb.io/v1beta1, kind: ServiceL2Status, metadata: {name: l2-a, namespace: "
        "ours}, spec: {}, status: {node: n1, serviceName: web, serviceNamespace: shop, interfaces: "
        "[{name: eth0}]}}");
    const struct servicel2status *announced = (struct servicel2status *)l2;
    CU_ASSERT(!l2->refused);
    TEST_STR(announced->status.service_namespace, "shop");
    TEST_STR(((struct announced_interface *)announced->status.interfaces.items)->name, "eth0");
    scoped_ptr(object) struct object *state = support_object(
        "{apiVersion: metallb.io/v1beta1, kind: ConfigurationState, metadata: {name: controller, "
        "namespace: ours}, status: {result: Invalid, errorSummary: x}}");
    CU_ASSERT(!state->refused);
    TEST_STR(((struct configurationstate *)state)->status.result, "Invalid");
}

static void test_same_labels(void)
{
    static const char *const labels[] = {"{}", "{a: b}", "{a: c}", "{b: b}", "{a: b, c: d}"};
    for (size_t i = 0; i < TEST_COUNT(labels); i++) {
        for (size_t j = 0; j < TEST_COUNT(labels); j++) {
            char texts[2][160];
            (void)snprintf(texts[0], sizeof(texts[0]),
                           "{apiVersion: v1, kind: Node, metadata: {name: n, labels: %s}}",
                           labels[i]);
            (void)snprintf(texts[1], sizeof(texts[1]),
                           "{apiVersion: v1, kind: Node, metadata: {name: m, labels: %s}}",
                           labels[j]);
            scoped_ptr(object) struct object *a = support_object(texts[0]);
            scoped_ptr(object) struct object *b = support_object(texts[1]);
            TEST_ASSERT(object_same_labels(a, b) == (i == j));
        }
    }
}

TEST_MAIN("crd/objects", TEST(test_kinds), TEST(test_paths), TEST(test_metadata),
          TEST(test_broken_objects), TEST(test_references), TEST(test_names),
          TEST(test_selector_matches), TEST(test_annotations), TEST(test_pool_counters),
          TEST(test_same_labels), TEST(test_other_kinds))
