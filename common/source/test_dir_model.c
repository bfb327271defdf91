/* What is stored beside manifests, writes, apply, and the picture of the two directories. */
#include "common/base/test.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/json/fields.h"
#include "common/source/dir_apply.h"
#include "common/source/dir_model.h"
#include "common/source/dir_object.h"
#include "common/source/dir_path.h"

static json_t *tree_of(const char *text)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str error = {0};
    if (!text)
        return NULL;
    json_t *tree = fields_parse(str_from(text), arena, &error);
    TEST_STR(error, "");
    return tree;
}

/* The tree as JSON without its resourceVersion, "-" for NULL. */
static struct str text_of(struct arena *arena, const json_t *tree)
{
    if (!tree)
        return STR("-");
    json_t *copy = json_deep_copy(tree);
    (void)json_object_del(json_object_get(copy, "metadata"), "resourceVersion");
    scoped_heap char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(copy);
    return arena_str(arena, str_from(text));
}

static void test_merge(void)
{
    static const struct {
        const char *manifest, *stored, *want;
    } cases[] = {
        {NULL, NULL, "-"},
        {"{\"a\":1}", NULL, "{\"a\":1,\"metadata\":{}}"},
        {NULL, "{\"status\":{\"x\":1}}", "-"},
        {NULL, "[]", "-"},
        {NULL, "{\"kind\":\"K\",\"metadata\":{\"name\":\"n\"},\"managers\":{\"m\":{}}}",
         "{\"kind\":\"K\",\"metadata\":{\"name\":\"n\"}}"},
        {"{\"metadata\":{\"name\":\"n\",\"annotations\":{\"a\":\"1\",\"b\":\"2\"},"
         "\"resourceVersion\":\"9\",\"managedFields\":[]},\"status\":{\"x\":1}}",
         "{\"metadata\":{\"annotations\":{\"b\":null,\"c\":\"3\"}},\"status\":{\"y\":2}}",
         "{\"metadata\":{\"annotations\":{\"a\":\"1\",\"c\":\"3\"},\"name\":\"n\"},"
         "\"status\":{\"y\":2}}"},
        /* a manifest takes over what a program had made: only the status stays */
        {"{\"metadata\":{\"name\":\"n\"}}",
         "{\"kind\":\"K\",\"metadata\":{\"name\":\"n\",\"labels\":{}},\"status\":{\"y\":2}}",
         "{\"metadata\":{\"name\":\"n\"},\"status\":{\"y\":2}}"},
        {"{\"metadata\":{\"name\":\"n\"}}", "7", "{\"metadata\":{\"name\":\"n\"}}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        json_t *manifest = tree_of(cases[i].manifest), *stored = tree_of(cases[i].stored);
        json_t *got = dir_object_merge(manifest, stored);
        TEST_STR(text_of(arena, got), cases[i].want);
        TEST_ASSERT((got != NULL) == (dir_object_version(got).len > 0));
        json_decref(got);
        json_decref(manifest);
        json_decref(stored);
    }
}

#define MANIFEST                                                                \
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"," \
    "\"annotations\":{\"a\":\"1\"}},\"status\":{\"x\":1}}"
#define WHOLE                                                                            \
    "{\"apiVersion\":\"metallb.io/v1beta1\",\"kind\":\"ServiceL2Status\",\"metadata\":{" \
    "\"name\":\"s\",\"namespace\":\"n\"},\"status\":{\"node\":\"n1\"}}"

static void test_write(void)
{
    static const struct {
        enum source_verb verb;
        const char *manifest, *stored, *body;
        int result;
        const char *want; /* what is stored afterwards, or the message */
    } cases[] = {
        {SOURCE_PATCH_STATUS, MANIFEST, NULL,
         "{\"metadata\":{\"annotations\":{\"b\":\"2\"},\"labels\":{\"no\":\"no\"}},"
         "\"spec\":{\"no\":1},\"status\":{\"y\":2}}",
         0, "{\"metadata\":{\"annotations\":{\"b\":\"2\"}},\"status\":{\"x\":1,\"y\":2}}"},
        {SOURCE_PATCH_STATUS, MANIFEST, "{\"metadata\":{\"annotations\":{\"b\":\"2\"}}}",
         "{\"metadata\":{\"annotations\":{\"a\":null,\"b\":null}},\"status\":{\"x\":null}}", 0,
         "{\"metadata\":{\"annotations\":{\"a\":null}},\"status\":{}}"},
        {SOURCE_PATCH_STATUS, MANIFEST, "{\"status\":{\"x\":2}}", "{\"status\":{\"x\":1}}", 0, "-"},
        {SOURCE_PATCH_STATUS, MANIFEST, NULL, "{\"status\":null}", 0, "{\"status\":{}}"},
        {SOURCE_PATCH, MANIFEST, "{\"status\":{\"x\":2}}",
         "{\"metadata\":{\"labels\":{\"l\":\"1\"}},\"status\":{\"no\":1}}", 0,
         "{\"metadata\":{\"labels\":{\"l\":\"1\"}},\"status\":{\"x\":2}}"},
        {SOURCE_PATCH, NULL, WHOLE, "{\"spec\":{\"p\":1}}", 0,
         "{\"apiVersion\":\"metallb.io/v1beta1\",\"kind\":\"ServiceL2Status\",\"metadata\":{"
         "\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"p\":1},\"status\":{\"node\":\"n1\"}}"},
        {SOURCE_PATCH_STATUS, NULL, NULL, "{}", -ENOENT, "servicel2statuses \"s\" not found"},
        {SOURCE_PATCH_STATUS, MANIFEST, NULL, "{\"metadata\":{\"resourceVersion\":\"1\"}}",
         ERR_CONFLICT, "servicel2statuses \"s\" has been modified"},
        {SOURCE_PATCH_STATUS, MANIFEST, NULL, "[]", ERR_REMOTE,
         "servicel2statuses \"s\" is given no JSON object"},
        {SOURCE_CREATE, NULL, NULL, "{\"metadata\":{\"labels\":{\"l\":\"1\"}},\"status\":{}}", 0,
         "{\"apiVersion\":\"metallb.io/v1beta1\",\"kind\":\"ServiceL2Status\",\"metadata\":{"
         "\"labels\":{\"l\":\"1\"},\"name\":\"s\",\"namespace\":\"n\"},\"status\":{}}"},
        {SOURCE_CREATE, NULL, WHOLE, "{}", ERR_CONFLICT, "servicel2statuses \"s\" already exists"},
        {SOURCE_DELETE, NULL, WHOLE, NULL, 0, "-"},
        {SOURCE_DELETE, NULL, NULL, NULL, -ENOENT, "servicel2statuses \"s\" not found"},
        {SOURCE_DELETE, MANIFEST, NULL, NULL, ERR_REMOTE,
         "servicel2statuses \"s\" is defined in a manifest and stays"},
        {SOURCE_APPLY, NULL, NULL, "{\"metadata\":{\"labels\":{\"l\":\"1\"}},\"status\":{}}", 0,
         "{\"apiVersion\":\"metallb.io/v1beta1\",\"kind\":\"ServiceL2Status\",\"managers\":{\"m\":"
         "{\"metadata\":{\"labels\":{\"l\":\"1\"}}}},\"metadata\":{\"labels\":{\"l\":\"1\"},"
         "\"name\":\"s\",\"namespace\":\"n\"}}"},
        {SOURCE_APPLY_STATUS, NULL, NULL, "{}", -ENOENT, "servicel2statuses \"s\" not found"},
        {SOURCE_APPLY_STATUS, MANIFEST,
         "{\"managers\":{\"m/status\":{\"status\":{\"y\":1}},\"o\":{}},\"status\":{\"y\":1}}",
         "{\"status\":{\"z\":1}}", 0,
         "{\"managers\":{\"m/status\":{\"status\":{\"z\":1}},\"o\":{}},\"status\":{\"z\":1}}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        json_t *manifest = tree_of(cases[i].manifest), *stored = tree_of(cases[i].stored);
        json_t *body = tree_of(cases[i].body), *got = NULL;
        struct dir_object_write write = {
            .verb = cases[i].verb,
            .kind = kinds_get(KIND_SERVICE_L2_STATUS),
            .namespace = STR("n"),
            .name = STR("s"),
            .body = body,
            .manager = STR("m"),
        };
        struct str message = {0};
        int result = dir_object_write(&write, manifest, stored, arena, &got, &message);
        TEST_ASSERT(result == cases[i].result);
        TEST_STR(result == 0 ? text_of(arena, got) : message, cases[i].want);
        json_decref(got);
        json_decref(body);
        json_decref(manifest);
        json_decref(stored);
    }
}

/* The version seen by a reader is a precondition that holds once. */
static void test_precondition(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    json_t *manifest = tree_of(MANIFEST), *seen = dir_object_merge(manifest, NULL);
    struct str text =
        arena_printf(arena, "{\"metadata\":{\"resourceVersion\":\"" STR_FMT "\"},\"status\":{}}",
                     STR_ARG(dir_object_version(seen)));
    json_t *body = tree_of(text.ptr), *stored = NULL, *again = NULL;
    struct dir_object_write write = {.verb = SOURCE_PATCH_STATUS,
                                     .kind = kinds_get(KIND_SERVICE),
                                     .name = STR("s"),
                                     .body = body};
    json_t *change = tree_of("{\"status\":{\"x\":5}}");
    struct str message;
    TEST_ASSERT(dir_object_write(&write, manifest, NULL, arena, &stored, &message) == 0);
    json_decref(stored);
    TEST_ASSERT(dir_object_write(&write, manifest, change, arena, &again, &message) ==
                ERR_CONFLICT);
    json_decref(change);
    json_decref(body);
    json_decref(seen);
    json_decref(manifest);
}

static void test_generate_name(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    json_t *body = tree_of("{\"metadata\":{\"generateName\":\"l2-\",\"namespace\":\"n\"}}");
    struct dir_object_write write = {.verb = SOURCE_CREATE,
                                     .kind = kinds_get(KIND_SERVICE_L2_STATUS),
                                     .body = body,
                                     .suffix = STR("x7")};
    json_t *stored = NULL;
    struct str message = {0};
    write = dir_object_named(&write, arena);
    TEST_ASSERT(dir_object_write(&write, NULL, NULL, arena, &stored, &message) == 0);
    TEST_STR(text_of(arena, stored),
             "{\"apiVersion\":\"metallb.io/v1beta1\",\"kind\":\"ServiceL2Status\",\"metadata\":{"
             "\"name\":\"l2-x7\",\"namespace\":\"n\"}}");
    json_decref(stored);
    json_decref(body);
    body = tree_of("{}");
    write = (struct dir_object_write){.kind = write.kind, .verb = SOURCE_CREATE, .body = body};
    write = dir_object_named(&write, arena);
    TEST_ASSERT(dir_object_write(&write, NULL, NULL, arena, &stored, &message) == ERR_REMOTE);
    TEST_STR(message, "servicel2statuses \"\" has no name");
    json_decref(body);
}

static void test_apply(void)
{
    static const struct {
        const char *target, *last, *next, *want;
    } cases[] = {
        {"{}", NULL, "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
        {"{\"a\":{\"b\":1,\"o\":2}}", "{\"a\":{\"b\":1}}", "{}", "{\"a\":{\"o\":2}}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}", "{}", "{}"},
        {"{\"a\":1,\"o\":2}", "{\"a\":1}", "{\"b\":1}", "{\"b\":1,\"o\":2}"},
        {"{\"l\":[1,2]}", NULL, "{\"l\":[3]}", "{\"l\":[3]}"},
        {"{\"conditions\":[{\"type\":\"A\",\"s\":1},{\"type\":\"O\"}]}",
         "{\"conditions\":[{\"type\":\"A\",\"s\":1}]}",
         "{\"conditions\":[{\"type\":\"A\",\"s\":2},{\"type\":\"B\"}]}",
         "{\"conditions\":[{\"s\":2,\"type\":\"A\"},{\"type\":\"O\"},{\"type\":\"B\"}]}"},
        {"{\"conditions\":[{\"type\":\"A\"},{\"type\":\"O\"}]}",
         "{\"conditions\":[{\"type\":\"A\"}]}", "{\"conditions\":[]}",
         "{\"conditions\":[{\"type\":\"O\"}]}"},
        {"{\"conditions\":[{\"type\":\"A\"},{\"type\":\"O\"}]}",
         "{\"conditions\":[{\"type\":\"A\"}]}", "{}", "{\"conditions\":[{\"type\":\"O\"}]}"},
        {"{\"conditions\":[{\"type\":\"A\"}]}", "{\"conditions\":[{\"type\":\"A\"}]}", "{}", "{}"},
        {"{\"a\":1}", "{\"a\":1}", "{\"a\":{\"b\":2}}", "{\"a\":{\"b\":2}}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        json_t *target = tree_of(cases[i].target), *last = tree_of(cases[i].last);
        json_t *next = tree_of(cases[i].next);
        dir_apply(target, last, next);
        TEST_STR(text_of(arena, target), cases[i].want);
        json_decref(target);
        json_decref(last);
        json_decref(next);
    }
}

static void test_paths(void)
{
    static const struct {
        enum kind_id kind;
        const char *namespace, *name, *path; /* path NULL: none */
    } cases[] = {
        {KIND_SERVICE, "default", "web", "services/default/web.json"},
        {KIND_NODE, "", "n1.example", "nodes/n1.example.json"},
        {KIND_SERVICE, "default", "../web", NULL},
        {KIND_SERVICE, "default", "a/b", NULL},
        {KIND_SERVICE, "default", "", NULL},
        {KIND_SERVICE, "default", ".", NULL},
        {KIND_SERVICE, "..", "web", NULL},
        {KIND_SERVICE, "", "web", NULL},
        {KIND_NODE, "x", "n1", NULL},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct str path = {0};
        bool good = dir_path_make(kinds_get(cases[i].kind), str_from(cases[i].namespace),
                                  str_from(cases[i].name), arena, &path);
        TEST_ASSERT(good == (cases[i].path != NULL));
        TEST_STR(path, cases[i].path ? cases[i].path : "");
        struct str key;
        TEST_ASSERT(!good || dir_path_parse(path, &key) == kinds_get(cases[i].kind));
    }
    static const char *const strange[] = {"events.jsonl",
                                          "leader.lock",
                                          "services/web.json",
                                          "services/default/web",
                                          "things/default/a.json",
                                          "nodes/a/b.json",
                                          "services/default/x/y.json",
                                          ".json"};
    struct str key;
    for (size_t i = 0; i < TEST_COUNT(strange); i++)
        TEST_ASSERT(!dir_path_parse(str_from(strange[i]), &key));
    TEST_ASSERT(dir_path_parse(STR("services/default/web.json"), &key) != NULL);
    TEST_STR(key, "default/web");
}

/* Below, a model is told things, and what it tells is written down. */
struct story {
    struct dir_model *model;
    struct sbuf told;
    uint64_t version; /* of the findings, as asked for last */
};

static void tell(void *ctx, const struct kind *kind, struct str key, const json_t *tree,
                 struct str origin)
{
    struct story *story = ctx;
    const json_t *marks[] = {json_object_get(json_object_get(tree, "spec"), "mark"),
                             json_object_get(json_object_get(tree, "status"), "mark")};
    sbuf_printf(&story->told, "%s%s/" STR_FMT, tree ? "+" : "-", kind->name, STR_ARG(key));
    for (size_t i = 0; i < TEST_COUNT(marks); i++) {
        if (marks[i])
            sbuf_printf(&story->told, " %lld", (long long)json_integer_value(marks[i]));
    }
    if (tree)
        sbuf_printf(&story->told, " " STR_FMT, STR_ARG(origin));
    sbuf_putc(&story->told, '\n');
}

static void expect(struct story *story, const char *want)
{
    dir_model_update(story->model, tell, story);
    TEST_STR(sbuf_str(&story->told), want);
    sbuf_clear(&story->told);
}

static void expect_findings(const struct story *story, const char *want)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    scoped_sbuf struct sbuf text = {0};
    dir_model_findings(story->model, &found);
    for (size_t i = 0; i < found.found.len; i++)
        sbuf_printf(&text, STR_FMT ": " STR_FMT "\n", STR_ARG(found.found.items[i].object),
                    STR_ARG(found.found.items[i].message));
    TEST_STR(sbuf_str(&text), want);
    diag_done(&found);
}

/* The version as it was asked for last. */
static bool findings_may_differ(struct story *story)
{
    uint64_t before = story->version;
    story->version = dir_model_findings_version(story->model);
    return story->version > before;
}

static void expect_orphans(const struct story *story, const char *want)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    struct str *orphans = dir_model_orphans(story->model, arena, &count);
    TEST_ASSERT(count == (want ? 1 : 0));
    if (want)
        TEST_STR(orphans[0], want);
}

static void file(struct story *story, const char *name, const char *text)
{
    dir_model_file(story->model, str_from(name), manifest_parse(str_from(name), str_from(text)));
}

static void stored(struct story *story, const char *path, const char *text)
{
    TEST_ASSERT(dir_model_stored(story->model, str_from(path), tree_of(text)));
}

static void story_end(struct story *story)
{
    story->model = dir_model_free(story->model);
    sbuf_done(&story->told);
}

#define NODE(name, mark) \
    "---\n{apiVersion: v1, kind: Node, metadata: {name: " name "}, spec: {mark: " mark "}}\n"

static void test_files(void)
{
    struct story story = {.model = dir_model_new()};
    file(&story, "b.yaml", NODE("n1", "1") NODE("n2", "2"));
    expect(&story, "+Node/n1 1 b.yaml:2\n+Node/n2 2 b.yaml:4\n");
    expect(&story, "");
    file(&story, "b.yaml", NODE("n1", "1") NODE("n2", "2"));
    expect(&story, "");
    file(&story, "b.yaml", NODE("n1", "1") NODE("n2", "3"));
    expect(&story, "+Node/n2 3 b.yaml:4\n");
    file(&story, "b.yaml", NODE("n2", "3"));
    expect(&story, "-Node/n1\n+Node/n2 3 b.yaml:2\n");
    /* moved to another file in one go: not gone in between */
    file(&story, "c.yaml", NODE("n2", "3"));
    dir_model_file_gone(story.model, STR("b.yaml"));
    dir_model_file_gone(story.model, STR("never.yaml"));
    expect(&story, "+Node/n2 3 c.yaml:2\n");
    expect_findings(&story, "");
    dir_model_file_gone(story.model, STR("c.yaml"));
    expect(&story, "-Node/n2\n");
    story_end(&story);
}

static void test_duplicates(void)
{
    struct story story = {.model = dir_model_new()};
    file(&story, "b.yaml", NODE("n1", "1"));
    expect(&story, "+Node/n1 1 b.yaml:2\n");
    file(&story, "a.yaml", NODE("n1", "2") NODE("n1", "3"));
    expect(&story, "+Node/n1 2 a.yaml:2\n");
    expect_findings(&story, "a.yaml:4: Node/n1 is already defined at a.yaml:2; this one is not "
                            "used\nb.yaml:2: Node/n1 is already defined at a.yaml:2; this one is "
                            "not used\n");
    dir_model_file_gone(story.model, STR("a.yaml"));
    expect(&story, "+Node/n1 1 b.yaml:2\n");
    expect_findings(&story, "");
    story_end(&story);
}

/* Reading all findings is work that grows with the objects: it is asked for only with reason. */
static void test_findings_version(void)
{
    struct story story = {.model = dir_model_new()};
    file(&story, "b.yaml", NODE("n1", "1"));
    file(&story, "b.yaml", NODE("n1", "2"));
    stored(&story, "nodes/n1.json", "{\"status\":{\"mark\":8}}");
    TEST_ASSERT(!findings_may_differ(&story));
    file(&story, "a.yaml", NODE("n1", "2"));
    TEST_ASSERT(findings_may_differ(&story)); /* one too many */
    file(&story, "a.yaml", NODE("n2", "2"));
    TEST_ASSERT(findings_may_differ(&story)); /* and no longer */
    file(&story, "a.yaml", NODE("n1", "2"));
    TEST_ASSERT(findings_may_differ(&story));
    dir_model_file_gone(story.model, STR("a.yaml"));
    TEST_ASSERT(findings_may_differ(&story));
    file(&story, "b.yaml", "[");
    TEST_ASSERT(findings_may_differ(&story));
    dir_model_file_failed(story.model, STR("b.yaml"), "permission denied");
    TEST_ASSERT(findings_may_differ(&story));
    file(&story, "b.yaml", NODE("n1", "2"));
    TEST_ASSERT(findings_may_differ(&story));
    dir_model_file_failed(story.model, STR("c.yaml"), "permission denied");
    TEST_ASSERT(findings_may_differ(&story));
    dir_model_file_gone(story.model, STR("c.yaml"));
    TEST_ASSERT(findings_may_differ(&story));
    dir_model_stored_failed(story.model, STR("nodes/n1.json"), "line 1: end of file");
    TEST_ASSERT(findings_may_differ(&story));
    stored(&story, "nodes/n1.json", NULL);
    TEST_ASSERT(findings_may_differ(&story));
    dir_model_file_gone(story.model, STR("b.yaml"));
    TEST_ASSERT(!findings_may_differ(&story));
    story_end(&story);
}

static void test_broken(void)
{
    struct story story = {.model = dir_model_new()};
    file(&story, "a.yaml", NODE("n1", "1") NODE("n2", "2"));
    expect(&story, "+Node/n1 1 a.yaml:2\n+Node/n2 2 a.yaml:4\n");
    file(&story, "a.yaml", NODE("n1", "5") "---\n{apiVersion: v1, kind: No\n");
    expect(&story, "+Node/n1 5 a.yaml:2\n");
    expect_findings(&story,
                    "a.yaml:5: did not find expected ',' or '}' while parsing a flow mapping\n"
                    "a.yaml: 1 object of the file's earlier version stays in force\n");
    /* broken once more, elsewhere: both of the latest good versions stay */
    file(&story, "a.yaml", "---\n[\n" NODE("n2", "6"));
    expect(&story, "+Node/n2 6 a.yaml:4\n");
    file(&story, "a.yaml", "[");
    expect(&story, "");
    expect_findings(&story,
                    "a.yaml:2: did not find expected node content while parsing a flow node\n"
                    "a.yaml: 2 objects of the file's earlier version stay in force\n");
    TEST_ASSERT(!dir_model_is_whole(story.model));
    dir_model_file_failed(story.model, STR("a.yaml"), "permission denied");
    TEST_ASSERT(!dir_model_is_whole(story.model));
    expect(&story, "");
    expect_findings(&story, "a.yaml: permission denied\n"
                            "a.yaml: 2 objects of the file's earlier version stay in force\n");
    file(&story, "a.yaml", NODE("n2", "6"));
    expect(&story, "-Node/n1\n+Node/n2 6 a.yaml:2\n");
    expect_findings(&story, "");
    TEST_ASSERT(dir_model_is_whole(story.model));
    file(&story, "a.yaml", NODE("../n2", "6"));
    expect(&story, "");
    expect_findings(&story, "a.yaml:2: \"../n2\" is not a name (lower-case letters, digits, '-' "
                            "and '.'), or its namespace is none\n"
                            "a.yaml: 1 object of the file's earlier version stays in force\n");
    story_end(&story);
}

static void test_stored(void)
{
    struct story story = {.model = dir_model_new()};
    stored(&story, "nodes/n1.json", "{\"status\":{\"mark\":7}}");
    expect(&story, "");
    expect_orphans(&story, "nodes/n1.json");
    file(&story, "a.yaml", NODE("n1", "1"));
    expect(&story, "+Node/n1 1 7 a.yaml:2\n");
    expect_orphans(&story, NULL);
    stored(&story, "nodes/n1.json", "{\"status\":{\"mark\":8}}");
    expect(&story, "+Node/n1 1 8 a.yaml:2\n");
    dir_model_stored_failed(story.model, STR("nodes/n1.json"), "line 1: end of file");
    expect(&story, "");
    expect_findings(&story, "nodes/n1.json: line 1: end of file\n");
    stored(&story, "nodes/n1.json", "{\"status\":{\"mark\":8}}");
    expect_findings(&story, "");
    file(&story, "a.yaml", "");
    expect(&story, "-Node/n1\n");
    expect_orphans(&story, "nodes/n1.json");
    stored(&story, "nodes/n1.json", NULL);
    expect(&story, "");
    expect_orphans(&story, NULL);
    stored(&story, "nodes/n2.json",
           "{\"kind\":\"Node\",\"metadata\":{\"name\":\"n2\"},\"status\":{\"mark\":9}}");
    expect(&story, "+Node/n2 9 nodes/n2.json\n");
    expect_orphans(&story, NULL);
    size_t count;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    TEST_STR(dir_model_paths(story.model, arena, &count)[0], "nodes/n2.json");
    TEST_ASSERT(count == 1);
    stored(&story, "nodes/n2.json", NULL);
    expect(&story, "-Node/n2\n");
    TEST_ASSERT(!dir_model_stored(story.model, STR("events.jsonl"), json_object()));
    story_end(&story);
}

TEST_MAIN("common/source dir model", TEST(test_merge), TEST(test_write), TEST(test_precondition),
          TEST(test_generate_name), TEST(test_apply), TEST(test_paths), TEST(test_files),
          TEST(test_duplicates), TEST(test_findings_version), TEST(test_broken), TEST(test_stored))
