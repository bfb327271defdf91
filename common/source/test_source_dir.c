/* The directory source on real directories and a real loop. Nothing sleeps: the loop runs until
 * what is waited for is there, or until a bound. */
#include "common/base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/scope.h"
#include "common/json/fields.h"
#include "common/source/dir_file.h"
#include "common/source/dir_watch.h"
#include "common/source/source_dir.h"

enum { BOUND_MS = 10000, LOOK_MS = 2 };

static const struct source_follow follow[] = {{.kind = KIND_NODE}, {.kind = KIND_SERVICE}};

/* Two directories and a loop. */
struct world {
    char root[32];
    struct arena *arena;
    struct loop *loop;
    struct str manifests, status;
};

/* One program's source and what it was told. */
struct program {
    struct world *world;

    struct source *source;
    struct sbuf told; /* "+Kind/key" came, "*" changed, "-" went, each with a blank behind it */
    unsigned synced, findings;
    bool leading;
    int result; /* of the last write; 1: under way */
    struct sbuf message, version;
};

static struct world world_new(void)
{
    struct world world = {.root = "/tmp/stentor-source-XXXXXX", .arena = arena_new(0)};
    TEST_ASSERT(mkdtemp(world.root) != NULL);
    world.manifests = arena_printf(world.arena, "%s/manifests", world.root);
    world.status = arena_printf(world.arena, "%s/status/here", world.root);
    TEST_ASSERT(mkdir(world.manifests.ptr, 0755) == 0);
    world.loop = loop_new();
    return world;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about;
    (void)type;
    (void)walk;
    return remove(path);
}

static void world_done(struct world *world)
{
    (void)loop_free(world->loop);
    TEST_ASSERT(nftw(world->root, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
    (void)arena_free(world->arena);
}

static void on_changed(void *ctx, const struct object *before, const struct object *after)
{
    struct program *program = ctx;
    const struct object *object = after ? after : before;
    sbuf_printf(&program->told, "%s" STR_FMT " ",
                !before ? "+"
                : after ? "*"
                        : "-",
                STR_ARG(object->id));
}

static void on_synced(void *ctx)
{
    ((struct program *)ctx)->synced++;
}

static void on_findings(void *ctx)
{
    ((struct program *)ctx)->findings++;
}

static void program_start_with(struct program *program, struct world *world, struct str status,
                               struct source_dir_options options)
{
    *program = (struct program){.world = world};
    options.manifests = world->manifests;
    options.status = status;
    program->source = source_dir_new(world->loop, &options);
    const struct source_calls calls = {
        .changed = on_changed, .synced = on_synced, .findings = on_findings, .ctx = program};
    source_start(program->source, follow, TEST_COUNT(follow), &calls);
}

static void program_start(struct program *program, struct world *world, struct str status)
{
    program_start_with(program, world, status, (struct source_dir_options){0});
}

static void program_end(struct program *program)
{
    program->source = source_free(program->source);
    sbuf_done(&program->told);
    sbuf_done(&program->message);
    sbuf_done(&program->version);
}

/* Waiting: a condition on a program and a text, looked at every few milliseconds. */
typedef bool condition_fn(struct program *program, const char *text);

struct wait {
    struct program *program;
    condition_fn *condition;
    const char *text;
    uint64_t until;
    bool met;
};

static void look(void *ctx)
{
    struct wait *wait = ctx;
    wait->met = wait->condition(wait->program, wait->text);
    if (wait->met || loop_now(wait->program->world->loop) > wait->until)
        loop_stop(wait->program->world->loop);
}

/* The findings as "object: message" with " | " between. */
static void put_findings(struct sbuf *out, const struct program *program)
{
    const struct diag_list *list = source_findings(program->source);
    for (size_t i = 0; i < list->found.len; i++)
        sbuf_printf(out, "%s" STR_FMT ": " STR_FMT, i ? " | " : "",
                    STR_ARG(list->found.items[i].object), STR_ARG(list->found.items[i].message));
}

static void await_at(struct program *program, condition_fn *condition, const char *text, int line)
{
    struct loop *loop = program->world->loop;
    struct wait wait = {.program = program,
                        .condition = condition,
                        .text = text,
                        .until = loop_now(loop) + BOUND_MS};
    struct loop_timer *timer = loop_timer_start(loop, 0, LOOK_MS, look, &wait);
    loop_run(loop);
    (void)loop_timer_cancel(timer);
    if (!wait.met) {
        scoped_sbuf struct sbuf found = {0};
        put_findings(&found, program);
        printf("\nline %d: \"%s\" did not happen; told: %s; findings: %s\n", line, text,
               sbuf_cstr(&program->told), sbuf_cstr(&found));
    }
    TEST_ASSERT(wait.met);
}
#define await(program, condition, text) await_at((program), (condition), (text), __LINE__)

static bool has_told(struct program *program, const char *text)
{
    return str_eq(sbuf_str(&program->told), str_from(text));
}

/* Waits until exactly this has been told, and forgets it. */
static void await_told_at(struct program *program, const char *text, int line)
{
    await_at(program, has_told, text, line);
    sbuf_clear(&program->told);
}
#define await_told(program, text) await_told_at((program), (text), __LINE__)

static bool is_synced(struct program *program, const char *count)
{
    return program->synced == strlen(count);
}

static bool has_findings(struct program *program, const char *text)
{
    scoped_sbuf struct sbuf all = {0};
    put_findings(&all, program);
    return str_eq(sbuf_str(&all), str_from(text));
}

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

static const char *path_of(struct world *world, const char *name)
{
    return arena_printf(world->arena, STR_FMT "/%s", STR_ARG(world->manifests), name).ptr;
}

/* Writes the file in place, as an editor or a shell would. */
static void put(struct world *world, const char *name, const char *text)
{
    scoped_fd int fd = open(path_of(world, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    TEST_ASSERT(fd >= 0);
    TEST_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void move(struct world *world, const char *from, const char *to)
{
    TEST_ASSERT(rename(path_of(world, from), path_of(world, to)) == 0);
}

#define NODE(name) "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name "}\n"
#define LABELLED(name, label) \
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: " name ", labels: {l: " label "}}\n"
#define SERVICE(name)                                                  \
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: " name "}\n" \
    "spec: {type: LoadBalancer, ports: [{port: 80}]}\n"

static void test_files(void)
{
    struct world world = world_new();
    struct program program;
    put(&world, "a.yaml", NODE("n1") SERVICE("web"));
    put(&world, "notes.txt", NODE("no"));
    put(&world, ".hidden.yaml", NODE("no"));
    program_start(&program, &world, world.status);
    TEST_ASSERT(program.told.len == 0); /* never from inside source_start */
    await(&program, is_synced, "1");
    await_told(&program, "+Node/n1 +Service/default/web ");
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 1 && program.findings == 0);
    const struct object *web = source_get(program.source, KIND_SERVICE, STR("default"), STR("web"));
    TEST_STR(web->origin, "a.yaml:6");
    TEST_ASSERT(!web->refused && web->meta.resource_version.len > 0);

    put(&world, "b.yaml", NODE("n2"));
    await_told(&program, "+Node/n2 ");
    put(&world, "b.yaml", LABELLED("n2", "x"));
    await_told(&program, "*Node/n2 ");
    put(&world, "b.yaml", NODE("n3"));
    await_told(&program, "-Node/n2 +Node/n3 ");
    move(&world, "b.yaml", "c.yml");
    await_told(&program, "*Node/n3 "); /* its origin */
    TEST_ASSERT(unlink(path_of(&world, "c.yml")) == 0);
    await_told(&program, "-Node/n3 ");
    put(&world, "d.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n4\"}}");
    await_told(&program, "+Node/n4 ");
    TEST_ASSERT(symlink("a.yaml", path_of(&world, "e.yaml")) == 0);
    await(&program, has_findings,
          "e.yaml:2: Node/n1 is already defined at a.yaml:2; this one is not used | "
          "e.yaml:6: Service/default/web is already defined at a.yaml:6; this one is not used");
    program_end(&program);
    world_done(&world);
}

static void test_directories(void)
{
    struct world world = world_new();
    struct program program;
    program_start(&program, &world, STR(""));
    await(&program, is_synced, "1");
    TEST_ASSERT(mkdir(path_of(&world, "sub"), 0755) == 0);
    put(&world, "sub/a.yaml", NODE("n1"));
    await_told(&program, "+Node/n1 ");
    TEST_ASSERT(mkdir(path_of(&world, "sub/deep"), 0755) == 0);
    put(&world, "sub/deep/b.yaml", NODE("n2"));
    await_told(&program, "+Node/n2 ");
    put(&world, "sub/deep/b.yaml", LABELLED("n2", "x"));
    await_told(&program, "*Node/n2 ");
    TEST_ASSERT(rename(path_of(&world, "sub"),
                       arena_printf(world.arena, "%s/outside", world.root).ptr) == 0);
    await_told(&program, "-Node/n1 -Node/n2 ");

    /* the root itself: what is known stays until it is back */
    put(&world, "c.yaml", NODE("n3"));
    await_told(&program, "+Node/n3 ");
    const char *away = arena_printf(world.arena, "%s/away", world.root).ptr;
    TEST_ASSERT(rename(world.manifests.ptr, away) == 0);
    await(&program, has_findings,
          arena_printf(world.arena, "%s/.: No such file or directory", world.manifests.ptr).ptr);
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 1 && program.told.len == 0);
    TEST_ASSERT(rename(away, world.manifests.ptr) == 0);
    await(&program, has_findings, "");
    put(&world, "c.yaml", NODE("n4"));
    await_told(&program, "-Node/n3 +Node/n4 ");
    program_end(&program);
    world_done(&world);
}

/* The first list waits for a directory that is not there yet. */
static void test_late_root(void)
{
    struct world world = world_new();
    struct program program;
    TEST_ASSERT(rmdir(world.manifests.ptr) == 0);
    program_start(&program, &world, STR(""));
    await(&program, has_findings,
          arena_printf(world.arena, "%s/.: No such file or directory", world.manifests.ptr).ptr);
    TEST_ASSERT(program.synced == 0);
    TEST_ASSERT(mkdir(world.manifests.ptr, 0755) == 0);
    put(&world, "a.yaml", NODE("n1"));
    await(&program, is_synced, "1");
    await_told(&program, "+Node/n1 ");
    source_refresh(program.source);
    await(&program, is_synced, "11");
    program_end(&program);
    world_done(&world);
}

/* A file under the writer's hands is not looked at, and one that an editor moves away and writes
 * anew is never gone. */
static void test_writing(void)
{
    struct world world = world_new();
    struct program program;
    put(&world, "a.yaml", NODE("n1") NODE("n2"));
    program_start_with(&program, &world, STR(""),
                       (struct source_dir_options){.gone_ms = (uint64_t)2 * BOUND_MS});
    await_told(&program, "+Node/n1 +Node/n2 ");
    int fd = open(path_of(&world, "a.yaml"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    TEST_ASSERT(fd >= 0 && write(fd, NODE("n1"), strlen(NODE("n1"))) > 0);
    put(&world, "b.yaml", NODE("n9"));
    await_told(&program, "+Node/n9 ");
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 3);
    TEST_ASSERT(write(fd, NODE("n3"), strlen(NODE("n3"))) > 0);
    TEST_ASSERT(close(fd) == 0);
    await_told(&program, "-Node/n2 +Node/n3 ");

    move(&world, "a.yaml", "a.yaml~");
    put(&world, "b.yaml", LABELLED("n9", "x"));
    await_told(&program, "*Node/n9 "); /* some time after the move */
    put(&world, "a.yaml", NODE("n1") LABELLED("n3", "x"));
    await_told(&program, "*Node/n3 ");
    put(&world, "new.tmp", NODE("n1") LABELLED("n3", "y"));
    move(&world, "new.tmp", "a.yaml");
    await_told(&program, "*Node/n3 ");
    program_end(&program);
    world_done(&world);
}

static void test_broken(void)
{
    struct world world = world_new();
    struct program program;
    put(&world, "a.yaml", NODE("n1") NODE("n2"));
    program_start(&program, &world, STR(""));
    await_told(&program, "+Node/n1 +Node/n2 ");
    put(&world, "a.yaml", LABELLED("n1", "x") "---\napiVersion: [v1\n");
    await(&program, has_findings,
          "a.yaml:7: did not find expected ',' or ']' while parsing a flow sequence | "
          "a.yaml: 1 object of the file's earlier version stays in force");
    await_told(&program, "*Node/n1 ");
    put(&world, "a.yaml", LABELLED("n1", "x") NODE("n2"));
    await(&program, has_findings, "");
    TEST_ASSERT(program.told.len == 0 || has_told(&program, "*Node/n2 "));
    TEST_ASSERT(mkfifo(path_of(&world, "pipe.yaml"), 0600) == 0);
    put(&world, "b.yaml", NODE("n3"));
    source_refresh(program.source);
    await(&program, has_findings, "pipe.yaml: is no regular file");
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 3);
    program_end(&program);
    world_done(&world);
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
    put(&world, "a.yaml", SERVICE("web"));
    program_start(&writer, &world, world.status);
    program_start(&reader, &world, world.status);
    await_told(&writer, "+Service/default/web ");
    await_told(&reader, "+Service/default/web ");
    TEST_ASSERT(write_to(&writer, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED) == 0);
    await_told(&writer, "*Service/default/web ");
    const struct object *web = source_get(writer.source, KIND_SERVICE, STR("default"), STR("web"));
    TEST_ASSERT(str_eq(web->meta.resource_version, sbuf_str(&writer.version)));
    scoped_sbuf struct sbuf text = {0};
    TEST_ASSERT(dir_file_read(world.status, STR("services/default/web.json"), 4096, &text) == 0);
    TEST_STR(sbuf_str(&text), "{\n  \"metadata\": {\n    \"annotations\": {\n      \"a\": \"1\"\n"
                              "    }\n  },\n  \"status\": {\n    \"loadBalancer\": {\n"
                              "      \"ingress\": [\n        {\n          \"ip\": \"192.0.2.1\"\n"
                              "        }\n      ]\n    }\n  }\n}");
    await_told(&reader, "*Service/default/web ");
    TEST_ASSERT(has_annotation(&reader, "1"));
    web = source_get(reader.source, KIND_SERVICE, STR("default"), STR("web"));
    TEST_ASSERT(str_eq(web->meta.resource_version, sbuf_str(&writer.version)));

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
    TEST_ASSERT(made->meta.name.len == 7 && str_starts_with(made->meta.name, STR("n-")));
    const char *name = arena_cstr(world.arena, made->meta.name);
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
    put(&world, "a.yaml", SERVICE("web"));
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

static void on_leading(void *ctx, bool leading)
{
    ((struct program *)ctx)->leading = leading;
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
    put(&world, "a.yaml", SERVICE("web"));
    put(&world, "b.yaml", NODE("n1"));
    program_start_with(&leader, &world, world.status, (struct source_dir_options){.orphan_ms = 30});
    program_start_with(&reader, &world, world.status, (struct source_dir_options){.orphan_ms = 30});
    await(&leader, is_synced, "1");
    TEST_ASSERT(write_to(&leader, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED) == 0);
    TEST_ASSERT(write_to(&leader, SOURCE_APPLY, KIND_NODE, "made", "{}") == 0);
    /* back within its time: nothing is lost */
    sbuf_clear(&leader.told);
    TEST_ASSERT(unlink(path_of(&world, "a.yaml")) == 0);
    await_told(&leader, "-Service/default/web ");
    put(&world, "a.yaml", SERVICE("web"));
    await_told(&leader, "+Service/default/web ");
    TEST_ASSERT(has_annotation(&leader, "1"));
    /* gone for good, but some file is broken: perhaps it is in there */
    elect(&leader, "leader");
    await(&leader, is_leading, "yes");
    put(&world, "b.yaml", "[");
    await(&leader, has_findings,
          "b.yaml:2: did not find expected node content while parsing a flow node | "
          "b.yaml: 1 object of the file's earlier version stays in force");
    TEST_ASSERT(unlink(path_of(&world, "a.yaml")) == 0);
    await_told(&leader, "-Service/default/web ");
    put(&world, "c.yaml", NODE("n2"));
    await_told(&leader, "+Node/n2 ");
    TEST_ASSERT(!is_missing(&leader, "services/default/web.json"));
    put(&world, "b.yaml", NODE("n1"));
    await(&leader, is_missing, "services/default/web.json");
    TEST_ASSERT(!is_missing(&leader, "nodes/made.json"));
    put(&world, "a.yaml", SERVICE("web"));
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
    put(&world, "a.yaml", SERVICE("web") NODE("n1"));
    program_start(&program, &world, world.status);
    await(&program, is_synced, "1");
    int lock = -1;
    TEST_ASSERT(dir_file_lock(world.status, STR("write.lock"), &lock) == 0);
    (void)start_write(&program, SOURCE_PATCH_STATUS, KIND_SERVICE, "web", ASSIGNED);
    sbuf_clear(&program.told);
    put(&world, "b.yaml", NODE("n2"));
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
    put(&world, "a.yaml", SERVICE("web"));
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

static void test_rotation(void)
{
    struct world world = world_new();
    enum { LIMIT = 10 };
    scoped_sbuf struct sbuf now = {0};
    scoped_sbuf struct sbuf before = {0};
    const char *lines[] = {"one", "two", "three", "four"};
    for (size_t i = 0; i < TEST_COUNT(lines); i++)
        TEST_ASSERT(dir_file_append(world.manifests, STR("log"), str_from(lines[i]), LIMIT) == 0);
    TEST_ASSERT(dir_file_read(world.manifests, STR("log"), 100, &now) == 0);
    TEST_ASSERT(dir_file_read(world.manifests, STR("log.1"), 100, &before) == 0);
    TEST_STR(sbuf_str(&now), "four\n");
    TEST_STR(sbuf_str(&before), "three\n");
    TEST_ASSERT(dir_file_read(world.manifests, STR("log.1"), 5, &now) == ERR_TOO_LARGE);
    TEST_ASSERT(dir_file_read(world.manifests, STR("none"), 5, &now) == -ENOENT);
    TEST_ASSERT(dir_file_write(world.manifests, STR("a/b/c"), STR("x")) == 0);
    TEST_ASSERT(dir_file_remove(world.manifests, STR("a/b/c")) == 0);
    TEST_ASSERT(dir_file_remove(world.manifests, STR("a/b/c")) == 0);
    TEST_ASSERT(dir_file_write(world.manifests, STR("log/x"), STR("x")) == -ENOTDIR);
    world_done(&world);
}

TEST_MAIN("common/source directory", TEST(test_files), TEST(test_directories), TEST(test_late_root),
          TEST(test_writing), TEST(test_broken), TEST(test_writes), TEST(test_made), TEST(test_dry),
          TEST(test_leader), TEST(test_orphans), TEST(test_lock), TEST(test_events),
          TEST(test_rotation))
