/* What programs do to the directory source: writes, the lead, Events. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/scope.h"
#include "common/json/fields.h"
#include "common/source/dir_file.h"
#include "common/source/dir_world.h"

static bool is_leading(struct program *program, const char *text)
{
    return program->leading == (text[0] == 'y');
}

static bool is_answered(struct program *program, const char *text)
{
    (void)text;
    return program->result <= 0;
}

static bool is_missing(struct program *program, const char *path)
{
    scoped_sbuf struct sbuf text = {0};
    return dir_file_read(program->world->status, str_from(path), 1 << 20, &text) == -ENOENT;
}

static void on_done(void *ctx, int result, struct str message, struct str version)
{
    struct program *program = ctx;
    program->result = result;
    sbuf_clear(&program->message);
    sbuf_put(&program->message, message);
    sbuf_clear(&program->version);
    sbuf_put(&program->version, version);
}

static struct source_request *start_write(struct program *program, enum source_verb verb,
                                          enum kind_id kind, const char *name, const char *body)
{
    bool namespaced = kinds_get(kind)->namespaced;
    program->result = 1;
    return source_write(program->source, &(struct source_write){
                                             .verb = verb,
                                             .kind = kind,
                                             .namespace = namespaced ? STR("default") : STR(""),
                                             .name = str_from(name),
                                             .body = str_from(body),
                                             .done = on_done,
                                             .ctx = program,
                                         });
}

static int write_to(struct program *program, enum source_verb verb, enum kind_id kind,
                    const char *name, const char *body)
{
    (void)start_write(program, verb, kind, name, body);
    TEST_ASSERT(program->result == 1); /* never from inside source_write */
    await(program, is_answered, "write");
    return program->result;
}

#define ASSIGNED                                                                   \
    "{\"metadata\":{\"annotations\":{\"a\":\"1\"}},\"status\":{\"loadBalancer\":{" \
    "\"ingress\":[{\"ip\":\"192.0.2.1\"}]}}}"

/* The object's annotation "a". */
static bool has_annotation(struct program *program, const char *text)
{
    const struct object *web =
        source_get(program->source, KIND_SERVICE, STR("default"), STR("web"));
    return web && str_eq(object_annotation(web, STR("a"), NULL), str_from(text));
}

static void test_writes(void)
{
    struct world world = world_new();
    struct program writer, reader;
    world_put(&world, "a.yaml", SERVICE("web"));
    program_start(&writer, &world, world.status);
    program_start(&reader, &world, world.status);
    await_told(&writer, "+Service/default/web ");
    await_told(&reader, "+Service/default/web ");
    TEST_ASSERT(write_to(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED) == 0);
    await_told(&writer, "*Service/default/web ");
    const struct object *web = source_get(writer.source, KIND_SERVICE, STR("default"), STR("web"));
    TEST_ASSERT(str_eq(web->resource_version, sbuf_str(&writer.version)));
    scoped_sbuf struct sbuf text = {0};
    TEST_ASSERT(dir_file_read(world.status, STR("services/default/web.json"), 4096, &text) == 0);
    TEST_STR(sbuf_str(&text), "{\n  \"metadata\": {\n    \"annotations\": {\n      \"a\": \"1\"\n"
                              "    }\n  },\n  \"status\": {\n    \"loadBalancer\": {\n"
                              "      \"ingress\": [\n        {\n          \"ip\": \"192.0.2.1\"\n"
                              "        }\n      ]\n    }\n  }\n}");
    await_told(&reader, "*Service/default/web ");
    TEST_ASSERT(has_annotation(&reader, "1"));
    web = source_get(reader.source, KIND_SERVICE, STR("default"), STR("web"));
    TEST_ASSERT(str_eq(web->resource_version, sbuf_str(&writer.version)));

    /* the other program writes on top; an old version is refused; a new program sees it all */
    TEST_ASSERT(write_to(&reader, SOURCE_PATCH_STATUS, KIND_SERVICE, "web",
                         "{\"metadata\":{\"annotations\":{\"a\":\"2\"}}}") == 0);
    await(&writer, has_annotation, "2");
    const char *stale = arena_printf(world.arena, "{\"metadata\":{\"resourceVersion\":\"%s\"}}",
                                     sbuf_cstr(&writer.version))
                            .ptr;
    TEST_ASSERT(write_to(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", stale) == ERR_CONFLICT);
    TEST_STR(sbuf_str(&writer.message), "services \"web\" has been modified");
    TEST_ASSERT(write_to(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "no", "{}") == -ENOENT);
    TEST_ASSERT(write_to(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "../x", "{}") == ERR_REMOTE);
    TEST_ASSERT(write_to(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", "{") == ERR_REMOTE);
    TEST_ASSERT(write_to(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "web",
                         "{\"status\":{\"loadBalancer\":7}}") == ERR_REMOTE);
    TEST_STR(sbuf_str(&writer.message), "Service/default/web: status.loadBalancer must be an "
                                        "object, not a number");
    program_end(&reader);
    program_start(&reader, &world, world.status);
    await_told(&reader, "+Service/default/web ");
    TEST_ASSERT(has_annotation(&reader, "2"));
    struct source_request *request =
        start_write(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED);
    TEST_ASSERT(!source_cancel(request));
    TEST_ASSERT(write_to(&reader, SOURCE_PATCH_STATUS, KIND_SERVICE, "web",
                         "{\"metadata\":{\"annotations\":{\"b\":\"1\"}}}") == 0);
    TEST_ASSERT(has_annotation(&reader, "2") && writer.result == 1);
    program_end(&writer);
    program_end(&reader);
    world_done(&world);
}

#define MADE_FOR(name, value) \
    "{\"metadata\":{\"name\":\"" name "\",\"labels\":{\"node\":\"" value "\"}}}"

/* Only some objects of a kind are followed, and some are deleted. */
static void test_chosen(void)
{
    static const struct source_follow of_n1 = {.kind = KIND_SERVICE_L2_STATUS,
                                               .namespace = STR_INIT("default"),
                                               .labels = STR_INIT("node=n1")};
    static const struct source_follow named = {.kind = KIND_SERVICE_L2_STATUS,
                                               .name = STR_INIT("c")};
    struct world world = world_new();
    struct program program, other;
    program_follow(&program, &world, &of_n1);
    program_follow(&other, &world, &named);
    await(&program, is_synced, "*");
    static const char *const objects[] = {MADE_FOR("a", "n1"), MADE_FOR("b", "n2"),
                                          MADE_FOR("c", "n3"), MADE_FOR("d", "n1")};
    for (size_t i = 0; i < TEST_COUNT(objects); i++)
        TEST_ASSERT(write_to(&program, SOURCE_CREATE, KIND_SERVICE_L2_STATUS, "", objects[i]) == 0);
    await_told(&program, "+ServiceL2Status/default/a +ServiceL2Status/default/d ");
    await_told(&other, "+ServiceL2Status/default/c ");
    program.result = 1;
    (void)source_write(program.source, &(struct source_write){.verb = SOURCE_DELETE_ALL,
                                                              .kind = KIND_SERVICE_L2_STATUS,
                                                              .namespace = STR("default"),
                                                              .labels = STR("node!=n2,node!=n1"),
                                                              .done = on_done,
                                                              .ctx = &program});
    await(&program, is_answered, "delete");
    TEST_ASSERT(program.result == 0);
    await_told(&other, "-ServiceL2Status/default/c ");
    /* one that comes to have other labels is none of them any more */
    TEST_ASSERT(write_to(&other, SOURCE_PATCH, KIND_SERVICE_L2_STATUS, "a",
                         "{\"metadata\":{\"labels\":{\"node\":\"n2\"}}}") == 0);
    await_told(&program, "-ServiceL2Status/default/a ");
    scoped_sbuf struct sbuf text = {0};
    TEST_ASSERT(dir_file_read(world.status, STR("servicel2statuses/default/b.json"), 4096, &text) ==
                0);
    program_end(&other);
    program_end(&program);
    world_done(&world);
}

static bool has_only_node(struct program *program, const char *name)
{
    return source_count(program->source, KIND_NODE) == 1 &&
           source_get(program->source, KIND_NODE, STR(""), str_from(name));
}

/* Objects that programs make. */
static void test_made(void)
{
    struct world world = world_new();
    struct program program, other;
    program_start(&program, &world, world.status);
    await(&program, is_synced, "1");
    const char *body = "{\"metadata\":{\"generateName\":\"n-\",\"labels\":{\"l\":\"x\"}}}";
    TEST_ASSERT(write_to(&program, SOURCE_CREATE, KIND_NODE, "", body) == 0);
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 1);
    size_t count;
    const struct object *made = source_list(program.source, KIND_NODE, world.arena, &count)[0];
    TEST_ASSERT(object_name(made).len == 7 && str_starts_with(object_name(made), STR("n-")));
    const char *name = arena_cstr(world.arena, object_name(made));
    program_start(&other, &world, world.status);
    await(&other, is_synced, "1");
    TEST_ASSERT(source_count(other.source, KIND_NODE) == 1);
    TEST_ASSERT(write_to(&program, SOURCE_CREATE, KIND_NODE, name, "{}") == ERR_CONFLICT);
    TEST_ASSERT(write_to(&program, SOURCE_APPLY, KIND_NODE, "n1", "{}") == 0);
    TEST_ASSERT(write_to(&program, SOURCE_DELETE, KIND_NODE, name, "") == 0);
    TEST_ASSERT(write_to(&program, SOURCE_DELETE, KIND_NODE, name, "") == -ENOENT);
    await(&other, has_only_node, "n1");
    program_end(&program);
    program_end(&other);
    world_done(&world);
}

/* Without a status directory writes are seen and forgotten. */
static void test_dry(void)
{
    struct world world = world_new();
    struct program program;
    world_put(&world, "a.yaml", SERVICE("web"));
    program_start(&program, &world, STR(""));
    await_told(&program, "+Service/default/web ");
    TEST_ASSERT(write_to(&program, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED) == 0);
    TEST_ASSERT(has_annotation(&program, "1"));
    source_refresh(program.source);
    await(&program, is_synced, "11");
    TEST_ASSERT(has_annotation(&program, "1"));
    program_end(&program);
    program_start(&program, &world, STR(""));
    await(&program, is_synced, "1");
    TEST_ASSERT(has_annotation(&program, ""));
    program_end(&program);
    world_done(&world);
}

static void on_leading(void *ctx, enum source_lead lead)
{
    ((struct program *)ctx)->leading = lead == SOURCE_LEADS;
}

static void elect(struct program *program, const char *identity)
{
    source_elect(program->source, &(struct source_election){.identity = str_from(identity),
                                                            .retry_ms = 10,
                                                            .changed = on_leading,
                                                            .ctx = program});
}

static void on_resigned(void *ctx)
{
    ((struct program *)ctx)->leading = false;
}

static void test_leader(void)
{
    struct world world = world_new();
    struct program one, two, dry;
    program_start(&one, &world, world.status);
    program_start(&two, &world, world.status);
    program_start(&dry, &world, STR(""));
    elect(&one, "one");
    await(&one, is_leading, "yes");
    elect(&two, "two");
    elect(&dry, "dry");
    await(&dry, is_leading, "yes");
    TEST_ASSERT(!two.leading);
    scoped_sbuf struct sbuf text = {0};
    TEST_ASSERT(dir_file_read(world.status, STR("leader.lock"), 100, &text) == 0);
    TEST_STR(sbuf_str(&text), "one");
    source_resign(one.source, on_resigned, &one);
    await(&one, is_leading, "no");
    await(&two, is_leading, "yes");
    /* somebody takes the lock file away: the lead is lost, and got again on a new file */
    TEST_ASSERT(dir_file_remove(world.status, STR("leader.lock")) == 0);
    await(&two, is_leading, "no");
    await(&two, is_leading, "yes");
    program_end(&two);
    elect(&one, "one");
    await(&one, is_leading, "yes");
    program_end(&one);
    program_end(&dry);
    world_done(&world);
}

static void test_orphans(void)
{
    struct world world = world_new();
    struct program leader, reader;
    world_put(&world, "a.yaml", SERVICE("web"));
    world_put(&world, "b.yaml", NODE("n1"));
    program_start_with(&leader, &world, world.status, (struct source_dir_options){.orphan_ms = 30});
    program_start_with(&reader, &world, world.status, (struct source_dir_options){.orphan_ms = 30});
    await(&leader, is_synced, "1");
    TEST_ASSERT(write_to(&leader, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED) == 0);
    TEST_ASSERT(write_to(&leader, SOURCE_APPLY, KIND_NODE, "made", "{}") == 0);
    /* back within its time: nothing is lost */
    sbuf_clear(&leader.told);
    TEST_ASSERT(unlink(world_path(&world, "a.yaml")) == 0);
    await_told(&leader, "-Service/default/web ");
    world_put(&world, "a.yaml", SERVICE("web"));
    await_told(&leader, "+Service/default/web ");
    TEST_ASSERT(has_annotation(&leader, "1"));
    /* gone for good, but some file is broken: perhaps it is in there */
    elect(&leader, "leader");
    await(&leader, is_leading, "yes");
    world_put(&world, "b.yaml", "[");
    await(&leader, has_findings,
          "b.yaml:2: did not find expected node content while parsing a flow node | "
          "b.yaml: 1 object of the file's earlier version stays in force");
    TEST_ASSERT(unlink(world_path(&world, "a.yaml")) == 0);
    await_told(&leader, "-Service/default/web ");
    world_put(&world, "c.yaml", NODE("n2"));
    await_told(&leader, "+Node/n2 ");
    TEST_ASSERT(!is_missing(&leader, "services/default/web.json"));
    world_put(&world, "b.yaml", NODE("n1"));
    await(&leader, is_missing, "services/default/web.json");
    TEST_ASSERT(!is_missing(&leader, "nodes/made.json"));
    world_put(&world, "a.yaml", SERVICE("web"));
    await_told(&leader, "+Service/default/web ");
    TEST_ASSERT(has_annotation(&leader, ""));
    program_end(&leader);
    program_end(&reader);
    world_done(&world);
}

/* Another program in the middle of a write: ours waits for its turn. */
static void test_lock(void)
{
    struct world world = world_new();
    struct program program;
    world_put(&world, "a.yaml", SERVICE("web") NODE("n1"));
    program_start(&program, &world, world.status);
    await(&program, is_synced, "1");
    int lock = -1;
    TEST_ASSERT(dir_file_lock(world.status, STR("write.lock"), &lock) == 0);
    (void)start_write(&program, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED);
    sbuf_clear(&program.told);
    world_put(&world, "b.yaml", NODE("n2"));
    await_told(&program, "+Node/n2 ");
    TEST_ASSERT(program.result == 1);
    TEST_ASSERT(close(lock) == 0);
    await(&program, is_answered, "write");
    TEST_ASSERT(program.result == 0);
    program_end(&program);
    world_done(&world);
}

static void test_events(void)
{
    struct world world = world_new();
    struct program program;
    world_put(&world, "a.yaml", SERVICE("web"));
    program_start(&program, &world, world.status);
    await(&program, is_synced, "1");
    struct source_event event = {
        .about = source_get(program.source, KIND_SERVICE, STR("default"), STR("web")),
        .warning = true,
        .reason = STR("AllocationFailed"),
        .action = STR("Allocate"),
        .message = STR("no \"room\""),
    };
    source_event(program.source, &event);
    source_event(program.source, &event); /* told again: no news */
    scoped_sbuf struct sbuf text = {0};
    TEST_ASSERT(dir_file_read(world.status, STR("events.jsonl"), 4096, &text) == 0);
    struct str error, line = str_trim(sbuf_str(&text));
    json_t *tree = fields_parse(line, world.arena, &error);
    TEST_ASSERT(tree != NULL && json_object_del(tree, "time") == 0);
    scoped_heap char *got = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
    TEST_STR(str_from(got), "{\"action\":\"Allocate\",\"message\":\"no \\\"room\\\"\",\"object\":"
                            "\"Service/default/web\",\"reason\":\"AllocationFailed\",\"type\":"
                            "\"Warning\"}");
    json_decref(tree);
    program_end(&program);
    world_done(&world);
}

TEST_MAIN("common/source directory writes", TEST(test_writes), TEST(test_chosen), TEST(test_made),
          TEST(test_dry), TEST(test_leader), TEST(test_orphans), TEST(test_lock), TEST(test_events))
