#include "common/base/test.h"
#include "common/json/yaml.h"
#include "speaker/shown.h"

#define BODY(version, interfaces)                                                               \
    "{\"metadata\":{\"resourceVersion\":\"" version                                             \
    "\"},\"status\":{\"node\":\"n1\",\"serviceName\":\"web\",\"serviceNamespace\":\"default\"," \
    "\"interfaces\":[" interfaces "]}}"
#define OBJECT(name, status)                                                                  \
    "apiVersion: metallb.io/v1beta1\nkind: ServiceL2Status\nmetadata: {name: " name           \
    ", namespace: metallb-system, resourceVersion: \"7\", labels: {metallb.io/node: n1, "     \
    "metallb.io/service-name: web, metallb.io/service-namespace: default}}\nstatus: {" status \
    "}\n"
#define SHOWN "node: n1, serviceName: web, serviceNamespace: default"
#define NEW(owner, interfaces)                                                              \
    "{\"apiVersion\":\"metallb.io/v1beta1\",\"kind\":\"ServiceL2Status\",\"metadata\":{"    \
    "\"generateName\":\"l2-\",\"labels\":{\"metallb.io/node\":\"n1\",\"metallb.io/"         \
    "service-name\":\"web\",\"metallb.io/service-namespace\":\"default\"}" owner "},"       \
    "\"status\":{\"node\":\"n1\",\"serviceName\":\"web\",\"serviceNamespace\":\"default\"," \
    "\"interfaces\":[" interfaces "]}}"

static struct object *object_of(const char *yaml, struct arena *arena)
{
    struct yaml_documents documents = yaml_parse(str_from(yaml), arena);
    TEST_ASSERT(documents.list.len == 1 && documents.list.items[0].error.len == 0);
    struct object *object =
        object_decode(kinds_get(KIND_SERVICE_L2_STATUS), documents.list.items[0].tree, STR(""));
    yaml_done(&documents);
    return object;
}

struct status_case {
    bool announced, owned;
    const char *interface; /* NULL: all */
    const char *ours[2];
    int verb; /* -1: nothing to do */
    const char *name, *body;
};

static void check(const struct status_case *c)
{
    static const struct owner_ref pod = {STR_INIT("v1"), STR_INIT("Pod"), STR_INIT("speaker-x"),
                                         STR_INIT("u-1")};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str interface = str_from(c->interface);
    struct shown_want want = {.kind = KIND_SERVICE_L2_STATUS,
                              .node = STR("n1"),
                              .service_namespace = STR("default"),
                              .service_name = STR("web"),
                              .announced = c->announced,
                              .names = {.items = &interface, .count = c->interface != NULL},
                              .owner = c->owned ? &pod : NULL};
    const struct object *ours[2];
    size_t count = 0;
    for (; count < 2 && c->ours[count]; count++)
        ours[count] = object_of(c->ours[count], arena);
    struct shown_write write = {0};
    bool due = shown_next(&want, ours, count, arena, &write);
    TEST_ASSERT(due == (c->verb >= 0));
    if (due) {
        TEST_ASSERT((int)write.verb == c->verb);
        TEST_STR(write.name, c->name);
        TEST_STR(write.body, c->body);
    }
    for (size_t i = 0; i < count; i++)
        (void)object_unref((struct object *)(uintptr_t)ours[i]);
}

static void test_writes(void)
{
    static const struct status_case cases[] = {
        {false, false, NULL, {NULL}, -1, "", ""},
        {true, false, NULL, {NULL}, SOURCE_CREATE, "", NEW("", "")},
        {true,
         true,
         "eth0",
         {NULL},
         SOURCE_CREATE,
         "",
         NEW(",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"speaker-x\","
             "\"uid\":\"u-1\"}]",
             "{\"name\":\"eth0\"}")},
        /* an API server leaves the status out of what it makes */
        {true, false, NULL, {OBJECT("l2-a", "")}, SOURCE_PATCH_STATUS, "l2-a", BODY("7", "")},
        {true, false, NULL, {OBJECT("l2-a", SHOWN)}, -1, "", ""},
        {true, false, "eth0", {OBJECT("l2-a", SHOWN ", interfaces: [{name: eth0}]")}, -1, "", ""},
        {true,
         false,
         "eth1",
         {OBJECT("l2-a", SHOWN ", interfaces: [{name: eth0}]")},
         SOURCE_PATCH_STATUS,
         "l2-a",
         BODY("7", "{\"name\":\"eth1\"}")},
        {true,
         false,
         NULL,
         {OBJECT("l2-a", SHOWN), OBJECT("l2-b", SHOWN)},
         SOURCE_DELETE,
         "l2-b",
         ""},
        {false, false, NULL, {OBJECT("l2-a", SHOWN)}, SOURCE_DELETE, "l2-a", ""},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        check(&cases[i]);
}

static void test_labels(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(object) struct object *object = object_of(OBJECT("l2-a", SHOWN), arena);
    struct shown_want want = {
        .node = STR("n1"), .service_namespace = STR("default"), .service_name = STR("web")};
    scoped_sbuf struct sbuf service = {0};
    announced_service(object, &service);
    TEST_STR(sbuf_str(&service), "default/web");
    struct shown_write write = shown_clear(&want, arena);
    TEST_ASSERT(write.verb == SOURCE_DELETE_ALL);
    TEST_STR(write.labels, "metallb.io/service-namespace=default,metallb.io/service-name=web,"
                           "metallb.io/node!=n1");
}

static void test_bgp(void)
{
    static const char shown[] =
        "apiVersion: metallb.io/v1beta1\nkind: ServiceBGPStatus\nmetadata: {name: bgp-a, "
        "namespace: "
        "metallb-system, resourceVersion: \"7\"}\nstatus: {" SHOWN ", peers: [a, b]}\n";
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct yaml_documents documents = yaml_parse(STR(shown), arena);
    scoped_ptr(object) struct object *object =
        object_decode(kinds_get(KIND_SERVICE_BGP_STATUS), documents.list.items[0].tree, STR(""));
    const struct object *ours[] = {object};
    struct str peers[] = {STR_INIT("a"), STR_INIT("b")};
    struct shown_want want = {.kind = KIND_SERVICE_BGP_STATUS,
                              .node = STR("n1"),
                              .service_namespace = STR("default"),
                              .service_name = STR("web"),
                              .announced = true,
                              .names = {.items = peers, .count = 2}};
    struct shown_write write;
    yaml_done(&documents);
    TEST_ASSERT(!shown_next(&want, ours, 1, arena, &write));
    want.names.count = 1;
    TEST_ASSERT(shown_next(&want, ours, 1, arena, &write) && write.verb == SOURCE_PATCH_STATUS);
    TEST_STR(write.body,
             "{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"node\":\"n1\","
             "\"serviceName\":\"web\",\"serviceNamespace\":\"default\",\"peers\":[\"a\"]}}");
    TEST_ASSERT(shown_next(&want, NULL, 0, arena, &write) && write.verb == SOURCE_CREATE);
    TEST_ASSERT(str_contains(write.body, STR("\"kind\":\"ServiceBGPStatus\"")));
    TEST_ASSERT(str_contains(write.body, STR("\"generateName\":\"bgp-\"")));
    want.announced = false;
    TEST_ASSERT(shown_next(&want, ours, 1, arena, &write) && write.verb == SOURCE_DELETE);
}

TEST_MAIN("speaker/shown", TEST(test_writes), TEST(test_labels), TEST(test_bgp))
