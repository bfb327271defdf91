#include "common/base/test.h"

#include "common/base/scope.h"
#include "common/json/patch.h"

static void test_builder(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_patch struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_open(&patch, "metadata");
    patch_str(&patch, "resourceVersion", STR("7"));
    patch_open(&patch, "annotations");
    patch_null(&patch, "a/b");
    patch_str(&patch, "quote\"", STR("x\n\"\\"));
    patch_close(&patch);
    patch_close(&patch);
    patch_list(&patch, "list");
    patch_int(&patch, NULL, -9223372036854775807 - 1);
    patch_open(&patch, NULL);
    patch_close(&patch);
    patch_list(&patch, NULL);
    patch_close(&patch);
    patch_bool(&patch, NULL, true);
    patch_close(&patch);
    patch_raw(&patch, "raw", STR("[1,2]"));
    patch_bool(&patch, "off", false);
    patch_close(&patch);
    TEST_STR(patch_text(&patch),
             "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"a/b\":null,"
             "\"quote\\\"\":\"x\\n\\\"\\\\\"}},\"list\":[-9223372036854775808,{},[],true],"
             "\"raw\":[1,2],\"off\":false}");
    TEST_ASSERT(patch_move(&patch, arena).len > 0);
    patch_open(&patch, NULL);
    patch_close(&patch);
    TEST_STR(patch_text(&patch), "{}");
    scoped_sbuf struct sbuf given = {0};
    patch_give(&patch, &given);
    TEST_STR(sbuf_str(&given), "{}");
    patch_list(&patch, NULL);
    patch_close(&patch);
    TEST_STR(patch_text(&patch), "[]");
}

static json_t *tree_of(const char *text)
{
    json_t *tree = json_loads(text, JSON_DECODE_ANY, NULL);
    TEST_ASSERT(tree != NULL);
    return tree;
}

/* RFC 7396 appendix A, whole. */
static void test_merge(void)
{
    static const struct {
        const char *target, *change, *result;
    } cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        json_t *change = tree_of(cases[i].change), *want = tree_of(cases[i].result);
        json_t *got = patch_merge(tree_of(cases[i].target), change);
        TEST_ASSERT(json_equal(got, want));
        json_decref(got);
        json_decref(want);
        json_decref(change);
    }
    json_t *change = tree_of("{\"a\":{\"b\":null,\"c\":1}}");
    json_t *want = tree_of("{\"a\":{\"c\":1}}"), *got = patch_merge(NULL, change);
    TEST_ASSERT(json_equal(got, want));
    json_decref(got);
    json_decref(want);
    json_decref(change);
}

static void test_diff(void)
{
    static const struct {
        const char *before, *after, *change; /* change NULL: equal */
    } cases[] = {
        {"{}", "{}", NULL},
        {"{\"a\":1,\"b\":[1]}", "{\"b\":[1],\"a\":1}", NULL},
        {"{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
        {"{\"a\":1}", "{}", "{\"a\":null}"},
        {"{}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
        {"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":3}}", "{\"a\":{\"c\":3}}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":null}}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":[]}", "{\"a\":[]}"},
        {"{\"a\":[1,2]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"{\"a\":1}", "{\"a\":null}", "{\"a\":null}"},
        {"{}", "{\"a\":null}", NULL},
        {"{}", "{\"a\":{\"b\":null,\"c\":1}}", "{\"a\":{\"c\":1}}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        json_t *before = tree_of(cases[i].before), *after = tree_of(cases[i].after);
        json_t *got = patch_diff(before, after);
        TEST_ASSERT((got != NULL) == (cases[i].change != NULL));
        if (got) {
            json_t *want = tree_of(cases[i].change);
            TEST_ASSERT(json_equal(got, want));
            json_decref(want);
        }
        json_decref(got);
        json_decref(before);
        json_decref(after);
    }
}

TEST_MAIN("common/json patch", TEST(test_builder), TEST(test_merge), TEST(test_diff))
