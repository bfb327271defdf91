#include "common/program/program_check.h"

#include <errno.h>
#include <fcntl.h>

#include "common/source/source_dir.h"

struct reading {
    struct loop *loop;
    struct source *source;
    void (*read)(void *ctx, struct source *source);
    void *ctx;
};

static int find(struct str directory)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_fd int fd = open(arena_cstr(arena, directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : 0;
}

static void synced(void *ctx)
{
    struct reading *reading = ctx;
    reading->read(reading->ctx, reading->source);
    loop_stop(reading->loop);
}

static void ignore_change(void *ctx, const struct object *before, const struct object *after)
{
    (void)ctx;
    (void)before;
    (void)after;
}

static void ignore_findings(void *ctx)
{
    (void)ctx; /* read once, when everything has been read */
}

int program_check(struct str directory, void (*read)(void *ctx, struct source *source), void *ctx)
{
    int result = find(directory);
    if (result < 0)
        return result;
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct source_dir_options options = {.manifests = directory};
    scoped_ptr(source) struct source *source = source_dir_new(loop, &options);
    struct reading reading = {.loop = loop, .source = source, .read = read, .ctx = ctx};
    struct source_follow follow[KIND_COUNT];
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        follow[kind] = (struct source_follow){.kind = (enum kind_id)kind};
    struct source_calls calls = {
        .changed = ignore_change, .synced = synced, .findings = ignore_findings, .ctx = &reading};
    source_start(source, follow, KIND_COUNT, &calls);
    loop_run(loop);
    return 0;
}
