/* The manifests under testdata, which also go to a real API server (integration-tests): what it
 * accepts we accept too, what it refuses we refuse, so that a directory of manifests
 * is judged like a cluster. */
#include "crd/test_support.h"

/* It comes back from its own text with the same members, which the text of all of them shows. */
static void check_encode(const struct object *object)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf text = {0}, again = {0};
    struct str error = {0};
    object_encode(object, &text);
    json_t *tree = fields_parse(sbuf_str(&text), arena, &error);
    TEST_STR(error, "");
    scoped_ptr(object) struct object *copy = object_decode(object->kind, tree, STR(""));
    json_decref(tree);
    struct str findings = support_findings(&object->source->findings, arena);
    TEST_STR(support_findings(&copy->source->findings, arena), findings.len ? findings.ptr : "");
    object_encode(copy, &again);
    TEST_STR(sbuf_str(&again), sbuf_cstr(&text));
}

static void check_samples(const char *path)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct yaml_documents documents = yaml_parse(support_read(arena, path), arena);
    TEST_ASSERT(documents.list.len > 0);
    for (size_t i = 0; i < documents.list.len; i++) {
        TEST_ASSERT(documents.list.items[i].tree != NULL);
        scoped_ptr(object) struct object *object = support_decode(documents.list.items[i].tree);
        struct str findings = support_findings(&object->source->findings, arena);
        if (object->refused)
            printf("\n%s: " STR_FMT "\n" STR_FMT, path, STR_ARG(object_id(object)),
                   STR_ARG(findings));
        TEST_ASSERT(!object->refused);
        check_encode(object);
    }
    yaml_done(&documents);
}

static void test_samples(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list paths = support_files(arena, "testdata/samples");
    for (size_t i = 0; i < paths.count; i++)
        check_samples(paths.items[i].ptr);
}

/* The text behind a comment "# NAME: " at the top of the file, or empty. */
static struct str comment(struct str text, struct str name)
{
    struct str line;
    while (str_next(&text, '\n', &line) && str_starts_with(line, STR("# "))) {
        struct str key, value;
        if (str_cut(str_slice(line, 2, line.len), ':', &key, &value) && str_eq(key, name))
            return str_trim(value);
    }
    return (struct str){0};
}

/* A file's "# check:" is what we say when the API server's schema says it in its own words
 * ("# expect:"); with "-" the table allows what the schema of one version does not. */
static void check_refused(const char *path)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str text = support_read(arena, path);
    struct str want = comment(text, STR("check"));
    if (want.len == 0)
        want = comment(text, STR("expect"));
    TEST_ASSERT(want.len > 0);
    struct yaml_documents documents = yaml_parse(text, arena);
    TEST_ASSERT(documents.list.len == 1);
    scoped_ptr(object) struct object *object = support_decode(documents.list.items[0].tree);
    struct str findings = support_findings(&object->source->findings, arena);
    bool right =
        str_eq(want, STR("-")) ? !object->refused : object->refused && str_contains(findings, want);
    if (!right)
        printf("\n%s: want \"" STR_FMT "\", got\n" STR_FMT, path, STR_ARG(want), STR_ARG(findings));
    CU_ASSERT(right);
    yaml_done(&documents);
}

static void test_refused(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list paths = support_files(arena, "testdata/refused");
    for (size_t i = 0; i < paths.count; i++)
        check_refused(paths.items[i].ptr);
}

TEST_MAIN("crd/samples", TEST(test_samples), TEST(test_refused))
