#include "common/base/test.h"

#include <stdlib.h>

#include "common/source/manifest.h"

/* What a file gives: "Kind/namespace/name@origin" for each object, then "! origin field: message"
 * for each error and "~ …" for each note, one a line. */
static struct str rendered(struct arena *arena, const char *file, struct str text)
{
    scoped_ptr(manifest) struct manifest *manifest = manifest_parse(str_from(file), text);
    struct sbuf out = {0};
    for (size_t i = 0; i < manifest->objects.len; i++) {
        const struct manifest_object *object = &manifest->objects.items[i];
        sbuf_printf(&out, "%s/" STR_FMT "/" STR_FMT "@" STR_FMT "\n", object->kind->name,
                    STR_ARG(object->namespace), STR_ARG(object->name), STR_ARG(object->origin));
    }
    for (size_t i = 0; i < manifest->findings.found.len; i++) {
        const struct diag *diag = &manifest->findings.found.items[i];
        sbuf_printf(&out, "%s " STR_FMT " " STR_FMT ": " STR_FMT "\n",
                    diag->severity == DIAG_ERROR ? "!" : "~", STR_ARG(diag->object),
                    STR_ARG(diag->field), STR_ARG(diag->message));
    }
    if (manifest->broken)
        sbuf_puts(&out, "broken\n");
    return sbuf_move(&out, arena);
}

#define POOL "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n"

static void test_documents(void)
{
    static const struct {
        const char *file, *text, *want;
    } cases[] = {
        {"a.yaml", "", ""},
        {"a.yaml", "# nothing\n---\n", ""},
        {"a.yaml", POOL "metadata: {name: p, namespace: metallb-system}\n",
         "IPAddressPool/metallb-system/p@a.yaml:1\n"},
        {"d/a.yml",
         "---\n" POOL "metadata: {name: p}\n---\napiVersion: v1\nkind: Node\n"
         "metadata: {name: n1, namespace: x}\n",
         "IPAddressPool/default/p@d/a.yml:2\nNode//n1@d/a.yml:6\n"},
        {"a.json", "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"}}",
         "Service/default/s@a.json:1\n"},
        /* the good documents of a file with bad ones */
        {"a.yaml", POOL "metadata: {name: p}\n---\na: [1\n---\n" POOL "metadata: {name: q}\n",
         "IPAddressPool/default/p@a.yaml:1\nIPAddressPool/default/q@a.yaml:7\n"
         "! a.yaml:6 : did not find expected ',' or ']' while parsing a flow sequence\nbroken\n"},
        {"a.yaml", "- 1\n", "! a.yaml:1 : is no object\nbroken\n"},
        {"a.yaml", "text\n", "! a.yaml:1 : is no object\nbroken\n"},
        {"a.yaml", "kind: Service\n",
         "! a.yaml:1 : is no object: apiVersion and kind are required\nbroken\n"},
        {"a.yaml", "apiVersion: [v1]\nkind: Service\n",
         "! a.yaml:1 : is no object: apiVersion and kind are required\nbroken\n"},
        {"a.yaml", POOL, "! a.yaml:1 metadata.name: is required\nbroken\n"},
        {"a.yaml", POOL "metadata: {name: 7}\n", "! a.yaml:1 metadata.name: is required\nbroken\n"},
        {"a.yaml", POOL "metadata: []\n", "! a.yaml:1 metadata.name: is required\nbroken\n"},
        {"a.json", "{\n\"a\": 1,\n\"a\": 2}",
         "! a.json:3 : duplicate object key near '\"a\"'\nbroken\n"},
        {"a.yaml", "a: 1\na: 2\n", "! a.yaml:2 : key is given twice\nbroken\n"},
        /* kinds that are not ours */
        {"a.yaml", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: d}\n",
         "~ a.yaml:1 kind: kind \"StatefulSet\" of \"apps/v1\" is not used here\n"},
        {"a.yaml", "apiVersion: serving.example.org/v1\nkind: Service\nmetadata: {name: d}\n",
         "~ a.yaml:1 kind: kind \"Service\" of \"serving.example.org/v1\" is not used here\n"},
        {"a.yaml", "apiVersion: v2\nkind: Service\nmetadata: {name: d}\n",
         "! a.yaml:1 kind: kind \"Service\" of \"v2\" is not served; did you mean "
         "\"v1\"?\nbroken\n"},
        {"a.yaml", "apiVersion: metallb.io/v1\nkind: IPAddressPool\nmetadata: {name: d}\n",
         "! a.yaml:1 kind: kind \"IPAddressPool\" of \"metallb.io/v1\" is not served; did you mean "
         "\"metallb.io/v1beta1\"?\nbroken\n"},
        {"a.yaml", "apiVersion: metallb.io/v1beta1\nkind: IPAdressPool\nmetadata: {name: d}\n",
         "! a.yaml:1 kind: kind \"IPAdressPool\" of \"metallb.io/v1beta1\" is unknown; did you "
         "mean "
         "\"IPAddressPool\"?\nbroken\n"},
        {"a.yaml", "apiVersion: metallb.io/v1beta1\nkind: AddressPool\nmetadata: {name: d}\n",
         "! a.yaml:1 kind: kind \"AddressPool\" of \"metallb.io/v1beta1\" is unknown; did you mean "
         "\"IPAddressPool\"?\nbroken\n"},
        {"a.yaml", "apiVersion: metallb.io/v1beta1\nkind: Elephant\nmetadata: {name: d}\n",
         "! a.yaml:1 kind: kind \"Elephant\" of \"metallb.io/v1beta1\" is unknown\nbroken\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        TEST_STR(rendered(arena, cases[i].file, str_from(cases[i].text)), cases[i].want);
    }
}

static void test_lists(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"apiVersion: v1\nkind: List\nitems:\n"
         "- {apiVersion: v1, kind: Node, metadata: {name: a}}\n"
         "- {apiVersion: apps/v1, kind: StatefulSet}\n"
         "- 7\n"
         "- {apiVersion: v1, kind: Node, metadata: {name: b}}\n",
         "Node//a@a.yaml:1 items[0]\nNode//b@a.yaml:1 items[3]\n"
         "~ a.yaml:1 items[1] kind: kind \"StatefulSet\" of \"apps/v1\" is not used here\n"
         "! a.yaml:1 items[2] : is no object\nbroken\n"},
        {"apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: a, namespace: n}\n",
         "Service/n/a@a.yaml:1 items[0]\n"},
        {"apiVersion: v1\nkind: List\nitems: []\n", ""},
        {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n"
         "  - {apiVersion: v1, kind: Node, metadata: {name: a}}\n",
         "Node//a@a.yaml:1 items[0] items[0]\n"},
        {"apiVersion: v1\nkind: List\n",
         "~ a.yaml:1 kind: kind \"List\" of \"v1\" is not used here\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        TEST_STR(rendered(arena, "a.yaml", str_from(cases[i].text)), cases[i].want);
    }
}

static void test_too_large(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_heap char *text = heap_alloc(MANIFEST_SIZE_MAX + 1);
    for (size_t i = 0; i <= MANIFEST_SIZE_MAX; i++)
        text[i] = '\n';
    TEST_STR(rendered(arena, "a.yaml", (struct str){.ptr = text, .len = MANIFEST_SIZE_MAX}), "");
    TEST_STR(rendered(arena, "a.yaml", (struct str){.ptr = text, .len = MANIFEST_SIZE_MAX + 1}),
             "! a.yaml:1 : is larger than 16 MiB\nbroken\n");
}

static void test_file_names(void)
{
    static const struct {
        const char *name;
        bool is_file;
    } cases[] = {
        {"a.yaml", true},    {"a.yml", true},   {"a.json", true},   {"a.b.yaml", true},
        {".a.yaml", false},  {"a", false},      {"a.yaml~", false}, {".a.yaml.swp", false},
        {"#a.yaml#", false}, {"", false},       {"a.txt", false},   {".#a.yaml", false},
        {"#a.yaml", false},  {"a.YAML", false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_ASSERT(manifest_is_file(str_from(cases[i].name)) == cases[i].is_file);
}

/* spec as flow YAML → spec with defaults as compact JSON. */
static void test_service_defaults(void)
{
    static const struct {
        const char *spec, *want;
    } cases[] = {
        {"{}", "{\"type\":\"ClusterIP\",\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":"
               "\"SingleStack\"}"},
        {"{type: LoadBalancer, ports: [{port: 80}, {port: 53, protocol: UDP}]}",
         "{\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80,\"protocol\":\"TCP\"},{\"port\":53,"
         "\"protocol\":\"UDP\"}],\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\","
         "\"externalTrafficPolicy\":\"Cluster\"}"},
        {"{type: LoadBalancer, ipFamilyPolicy: RequireDualStack, externalTrafficPolicy: Local}",
         "{\"type\":\"LoadBalancer\",\"ipFamilyPolicy\":\"RequireDualStack\","
         "\"externalTrafficPolicy\":\"Local\",\"ipFamilies\":[\"IPv4\",\"IPv6\"]}"},
        {"{type: LoadBalancer, ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6]}",
         "{\"type\":\"LoadBalancer\",\"ipFamilyPolicy\":\"PreferDualStack\","
         "\"ipFamilies\":[\"IPv6\",\"IPv4\"],\"externalTrafficPolicy\":\"Cluster\"}"},
        {"{ipFamilies: [IPv6]}", "{\"ipFamilies\":[\"IPv6\"],\"type\":\"ClusterIP\","
                                 "\"ipFamilyPolicy\":\"SingleStack\"}"},
        {"{ipFamilies: [IPv6, IPv4]}", "{\"ipFamilies\":[\"IPv6\",\"IPv4\"],\"type\":"
                                       "\"ClusterIP\",\"ipFamilyPolicy\":\"RequireDualStack\"}"},
        {"{clusterIP: \"2001:db8::1\"}",
         "{\"clusterIP\":\"2001:db8::1\",\"type\":\"ClusterIP\",\"ipFamilies\":[\"IPv6\"],"
         "\"ipFamilyPolicy\":\"SingleStack\"}"},
        {"{clusterIPs: [\"2001:db8::1\", 192.0.2.1], ipFamilyPolicy: PreferDualStack}",
         "{\"clusterIPs\":[\"2001:db8::1\",\"192.0.2.1\"],\"ipFamilyPolicy\":\"PreferDualStack\","
         "\"type\":\"ClusterIP\",\"ipFamilies\":[\"IPv6\",\"IPv4\"]}"},
        {"{clusterIPs: [192.0.2.1], ipFamilyPolicy: PreferDualStack}",
         "{\"clusterIPs\":[\"192.0.2.1\"],\"ipFamilyPolicy\":\"PreferDualStack\","
         "\"type\":\"ClusterIP\",\"ipFamilies\":[\"IPv4\"]}"},
        {"{clusterIP: None, type: null, ports: 7}",
         "{\"clusterIP\":\"None\",\"type\":\"ClusterIP\",\"ports\":7,\"ipFamilies\":[\"IPv4\"],"
         "\"ipFamilyPolicy\":\"SingleStack\"}"},
        {"{type: ExternalName, externalName: example.org}",
         "{\"type\":\"ExternalName\",\"externalName\":\"example.org\"}"},
        {"7", "7"},
        {"{ipFamilies: yes}", "{\"ipFamilies\":true,\"type\":\"ClusterIP\"}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str text = arena_printf(
            arena, "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: %s\n", cases[i].spec);
        scoped_ptr(manifest) struct manifest *manifest = manifest_parse(STR("a.yaml"), text);
        TEST_ASSERT(manifest->objects.len == 1);
        scoped_heap char *got = json_dumps(json_object_get(manifest->objects.items[0].tree, "spec"),
                                           JSON_COMPACT | JSON_ENCODE_ANY);
        TEST_STR(str_from(got), cases[i].want);
    }
}

TEST_MAIN("common/source manifest", TEST(test_documents), TEST(test_lists), TEST(test_too_large),
          TEST(test_file_names), TEST(test_service_defaults))
