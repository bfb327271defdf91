/* What the directory source sees: files that come, change and go, whole and broken. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/scope.h"
#include "common/source/dir_file.h"
#include "common/source/dir_world.h"

static void test_files(void)
{
    struct world world = world_new();
    struct program program;
    world_put(&world, "a.yaml", NODE("n1") SERVICE("web"));
    world_put(&world, "notes.txt", NODE("no"));
    world_put(&world, ".hidden.yaml", NODE("no"));
    program_start(&program, &world, world.status);
    TEST_ASSERT(program.told.len == 0); /* never from inside source_start */
    await(&program, is_synced, "1");
    await_told(&program, "+Node/n1 +Service/default/web ");
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 1 && program.findings == 0);
    const struct object *web = source_get(program.source, KIND_SERVICE, STR("default"), STR("web"));
    TEST_STR(web->source->origin, "a.yaml:6");
    TEST_ASSERT(!web->refused && web->resource_version.len > 0);

    world_put(&world, "b.yaml", NODE("n2"));
    await_told(&program, "+Node/n2 ");
    world_put(&world, "b.yaml", LABELLED("n2", "x"));
    await_told(&program, "*Node/n2 ");
    world_put(&world, "b.yaml", NODE("n3"));
    await_told(&program, "-Node/n2 +Node/n3 ");
    world_move(&world, "b.yaml", "c.yml");
    await_told(&program, "*Node/n3 "); /* its origin */
    TEST_ASSERT(unlink(world_path(&world, "c.yml")) == 0);
    await_told(&program, "-Node/n3 ");
    world_put(&world, "d.json",
              "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n4\"}}");
    await_told(&program, "+Node/n4 ");
    TEST_ASSERT(symlink("a.yaml", world_path(&world, "e.yaml")) == 0);
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
    TEST_ASSERT(mkdir(world_path(&world, "sub"), 0755) == 0);
    world_put(&world, "sub/a.yaml", NODE("n1"));
    await_told(&program, "+Node/n1 ");
    TEST_ASSERT(mkdir(world_path(&world, "sub/deep"), 0755) == 0);
    world_put(&world, "sub/deep/b.yaml", NODE("n2"));
    await_told(&program, "+Node/n2 ");
    world_put(&world, "sub/deep/b.yaml", LABELLED("n2", "x"));
    await_told(&program, "*Node/n2 ");
    TEST_ASSERT(rename(world_path(&world, "sub"),
                       arena_printf(world.arena, "%s/outside", world.root).ptr) == 0);
    await_told(&program, "-Node/n1 -Node/n2 ");

    /* the root itself: what is known stays until it is back */
    world_put(&world, "c.yaml", NODE("n3"));
    await_told(&program, "+Node/n3 ");
    const char *away = arena_printf(world.arena, "%s/away", world.root).ptr;
    TEST_ASSERT(rename(world.manifests.ptr, away) == 0);
    await(&program, has_findings,
          arena_printf(world.arena, "%s/.: No such file or directory", world.manifests.ptr).ptr);
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 1 && program.told.len == 0);
    TEST_ASSERT(rename(away, world.manifests.ptr) == 0);
    await(&program, has_findings, "");
    world_put(&world, "c.yaml", NODE("n4"));
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
    world_put(&world, "a.yaml", NODE("n1"));
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
    world_put(&world, "a.yaml", NODE("n1") NODE("n2"));
    program_start_with(&program, &world, STR(""),
                       (struct source_dir_options){.gone_ms = (uint64_t)2 * BOUND_MS});
    await_told(&program, "+Node/n1 +Node/n2 ");
    int fd = open(world_path(&world, "a.yaml"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    TEST_ASSERT(fd >= 0 && write(fd, NODE("n1"), strlen(NODE("n1"))) > 0);
    world_put(&world, "b.yaml", NODE("n9"));
    await_told(&program, "+Node/n9 ");
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 3);
    TEST_ASSERT(write(fd, NODE("n3"), strlen(NODE("n3"))) > 0);
    TEST_ASSERT(close(fd) == 0);
    await_told(&program, "-Node/n2 +Node/n3 ");

    world_move(&world, "a.yaml", "a.yaml~");
    world_put(&world, "b.yaml", LABELLED("n9", "x"));
    await_told(&program, "*Node/n9 "); /* some time after the move */
    world_put(&world, "a.yaml", NODE("n1") LABELLED("n3", "x"));
    await_told(&program, "*Node/n3 ");
    world_put(&world, "new.tmp", NODE("n1") LABELLED("n3", "y"));
    world_move(&world, "new.tmp", "a.yaml");
    await_told(&program, "*Node/n3 ");
    program_end(&program);
    world_done(&world);
}

static void test_broken(void)
{
    struct world world = world_new();
    struct program program;
    world_put(&world, "a.yaml", NODE("n1") NODE("n2"));
    program_start(&program, &world, STR(""));
    await_told(&program, "+Node/n1 +Node/n2 ");
    world_put(&world, "a.yaml", LABELLED("n1", "x") "---\napiVersion: [v1\n");
    await(&program, has_findings,
          "a.yaml:7: did not find expected ',' or ']' while parsing a flow sequence | "
          "a.yaml: 1 object of the file's earlier version stays in force");
    await_told(&program, "*Node/n1 ");
    world_put(&world, "a.yaml", LABELLED("n1", "x") NODE("n2"));
    await(&program, has_findings, "");
    TEST_ASSERT(program.told.len == 0 || has_told(&program, "*Node/n2 "));
    TEST_ASSERT(mkfifo(world_path(&world, "pipe.yaml"), 0600) == 0);
    world_put(&world, "b.yaml", NODE("n3"));
    source_refresh(program.source);
    await(&program, has_findings, "pipe.yaml: is no regular file");
    TEST_ASSERT(source_count(program.source, KIND_NODE) == 3);
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
          TEST(test_writing), TEST(test_broken), TEST(test_rotation))
