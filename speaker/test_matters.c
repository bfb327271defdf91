/* What of a Node matters to whom. */
#include "crd/test_support.h"
#include "speaker/matters.h"

#define NODE(labels, annotations, status)                                                       \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1, labels: {" labels "}, annotations: " \
    "{" annotations "}}\nstatus: {" status "}\n"
#define DRAINING "stentor.io/drain: \"\""
#define ADDRESS "addresses: [{type: InternalIP, address: 192.0.2.11}]"
#define UNAVAILABLE "conditions: [{type: NetworkUnavailable, status: \"True\"}]"

static struct object *node_of(const char *yaml)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct yaml_documents documents = yaml_parse(str_from(yaml), arena);
    struct object *object = support_decode(documents.list.items[0].tree);
    yaml_done(&documents);
    return object;
}

static bool no_service(void *ctx, struct str namespace, struct str name)
{
    return !ctx && !namespace.len && !name.len;
}

static void test_nodes(void)
{
    static const struct {
        const char *before, *after; /* NULL: none */
        enum matters matters;
        bool drains_alone;
    } cases[] = {
        {NODE("a: b", "", ADDRESS), NODE("a: b", "", ADDRESS), MATTERS_NOT, true},
        {NODE("a: b", "", ADDRESS), NODE("a: b", DRAINING, ADDRESS), MATTERS_PLAN, true},
        {NODE("a: b", DRAINING, ADDRESS), NODE("a: b", "", ADDRESS), MATTERS_PLAN, true},
        {NODE("a: b", "", ADDRESS), NODE("a: c", DRAINING, ADDRESS), MATTERS_CONFIG, false},
        {NODE("a: b", "", ADDRESS), NODE("a: b", DRAINING, ""), MATTERS_PLAN, false},
        {NODE("a: b", "", ADDRESS), NODE("a: b", DRAINING, ADDRESS ", " UNAVAILABLE), MATTERS_PLAN,
         false},
        {NULL, NODE("a: b", DRAINING, ADDRESS), MATTERS_CONFIG, false},
        {NODE("a: b", DRAINING, ADDRESS), NULL, MATTERS_CONFIG, false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(object) struct object *before =
            cases[i].before ? node_of(cases[i].before) : NULL;
        scoped_ptr(object) struct object *after = cases[i].after ? node_of(cases[i].after) : NULL;
        TEST_ASSERT(matters(before, after, no_service, NULL) == cases[i].matters);
        TEST_ASSERT(matters_drains_alone(before, after) == cases[i].drains_alone);
    }
}

TEST_MAIN("speaker/matters", TEST(test_nodes))
