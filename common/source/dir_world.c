#include "common/source/dir_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/scope.h"

enum { LOOK_MS = 2 };

static const struct source_follow follow[] = {{.kind = KIND_NODE}, {.kind = KIND_SERVICE}};

struct world world_new(void)
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

void world_done(struct world *world)
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
                STR_ARG(object_id(object)));
}

static void on_synced(void *ctx)
{
    ((struct program *)ctx)->synced++;
}

static void on_findings(void *ctx)
{
    ((struct program *)ctx)->findings++;
}

static void start_following(struct program *program, struct world *world, struct str status,
                            struct source_dir_options options, const struct source_follow *what,
                            size_t count)
{
    *program = (struct program){.world = world};
    options.manifests = world->manifests;
    options.status = status;
    program->source = source_dir_new(world->loop, &options);
    const struct source_calls calls = {
        .changed = on_changed, .synced = on_synced, .findings = on_findings, .ctx = program};
    source_start(program->source, what, count, &calls);
}

void program_start_with(struct program *program, struct world *world, struct str status,
                        struct source_dir_options options)
{
    start_following(program, world, status, options, follow, TEST_COUNT(follow));
}

void program_follow(struct program *program, struct world *world, const struct source_follow *what)
{
    start_following(program, world, world->status, (struct source_dir_options){0}, what, 1);
}

void program_start(struct program *program, struct world *world, struct str status)
{
    program_start_with(program, world, status, (struct source_dir_options){0});
}

void program_end(struct program *program)
{
    program->source = source_free(program->source);
    sbuf_done(&program->told);
    sbuf_done(&program->message);
    sbuf_done(&program->version);
}

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

void await_at(struct program *program, condition_fn *condition, const char *text, int line)
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

bool has_told(struct program *program, const char *text)
{
    return str_eq(sbuf_str(&program->told), str_from(text));
}

void await_told_at(struct program *program, const char *text, int line)
{
    await_at(program, has_told, text, line);
    sbuf_clear(&program->told);
}

bool is_synced(struct program *program, const char *count)
{
    return program->synced == strlen(count);
}

bool has_findings(struct program *program, const char *text)
{
    scoped_sbuf struct sbuf all = {0};
    put_findings(&all, program);
    return str_eq(sbuf_str(&all), str_from(text));
}

const char *world_path(struct world *world, const char *name)
{
    return arena_printf(world->arena, STR_FMT "/%s", STR_ARG(world->manifests), name).ptr;
}

void world_put(struct world *world, const char *name, const char *text)
{
    scoped_fd int fd =
        open(world_path(world, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    TEST_ASSERT(fd >= 0);
    TEST_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

void world_move(struct world *world, const char *from, const char *to)
{
    TEST_ASSERT(rename(world_path(world, from), world_path(world, to)) == 0);
}
