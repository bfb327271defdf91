/* The directory source.
 *
 * Parts: dir_watch says which files to look at, manifest takes them apart, dir_model keeps the
 * picture of both directories and says which objects changed, dir_object decides what a write does.
 * Here these are put together: files are read, objects decoded and put in the cache, the owner is
 * told. Writes are source_dir_write.c's, leadership and Events source_dir_lead.c's.
 *
 * Everything is done in the loop's thread; reading is bounded by the size of files, writing by a
 * number and a time for each turn of the loop. What is done for one file does not grow with the
 * number of all. */
#include "common/source/source_dir.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/kube/event_recorder.h"
#include "common/source/dir_file.h"
#include "common/source/dir_path.h"
#include "common/source/label_filter.h"
#include "common/source/source_dir_internal.h"

enum { STORED_SIZE_MAX = 4 << 20, ORPHAN_MS = 30000 };

static void on_change(void *ctx, const struct kind *kind, struct str key, const json_t *tree,
                      struct str origin)
{
    struct source_dir *dir = ctx;
    struct str namespace, name;
    const struct source_follow *follow = NULL;
    for (size_t i = 0; i < dir->follow_count; i++) {
        if (dir->follow[i].kind == kind->id)
            follow = &dir->follow[i];
    }
    if (!follow)
        return;
    bool nested = str_cut(key, '/', &namespace, &name);
    if (follow->namespace.len && nested && !str_eq(namespace, follow->namespace))
        return;
    if (follow->name.len && !str_eq(nested ? name : key, follow->name))
        return;
    struct object *object = tree ? object_decode(kind, tree, origin) : NULL;
    if (object && !label_filter_takes(follow->labels, &object->labels))
        object = object_unref(object); /* it may have been one that was taken */
    if (object)
        source_put(&dir->base, source_reduce(&dir->base, object));
    else
        source_remove(&dir->base, kind->id, key);
}

static bool same_findings(const struct diag_list *a, const struct diag_list *b)
{
    bool same = a->found.len == b->found.len;
    for (size_t i = 0; same && i < a->found.len; i++) {
        const struct diag *x = &a->found.items[i], *y = &b->found.items[i];
        same = x->severity == y->severity && str_eq(x->object, y->object) &&
               str_eq(x->field, y->field) && str_eq(x->message, y->message);
    }
    return same;
}

static void tell_findings(struct source_dir *dir)
{
    uint64_t version = dir_model_findings_version(dir->model);
    if (version == dir->findings_version)
        return;
    dir->findings_version = version;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct diag_list found = {.arena = scratch};
    dir_model_findings(dir->model, &found);
    bool same = same_findings(&found, &dir->base.findings);
    if (!same)
        diag_add_all(source_reset_findings(&dir->base), &found);
    diag_done(&found);
    if (!same && dir->base.calls.findings)
        dir->base.calls.findings(dir->base.calls.ctx);
}

void source_dir_tell(struct source_dir *dir)
{
    dir_model_update(dir->model, on_change, dir);
    tell_findings(dir);
}

static const char *read_error_text(int error)
{
    return error == -EINVAL ? "is no regular file" : err_text(error);
}

static void read_manifest(struct source_dir *dir, struct str file)
{
    scoped_sbuf struct sbuf text = {0};
    int error = dir_file_read(dir->manifests, file, MANIFEST_SIZE_MAX, &text);
    if (error == -ENOENT)
        dir_model_file_gone(dir->model, file);
    else if (error < 0)
        dir_model_file_failed(dir->model, file, read_error_text(error));
    else
        dir_model_file(dir->model, file, manifest_parse(file, sbuf_str(&text)));
}

static void take_manifests(struct source_dir *dir)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct dir_watch_news news = dir_watch_take(dir->manifest_watch, scratch);
    struct map fresh = {0};
    for (size_t i = 0; i < news.count; i++) {
        read_manifest(dir, news.files[i]);
        (void)map_put(&fresh, news.files[i], dir);
    }
    size_t known = 0;
    struct str *files = news.all ? dir_model_files(dir->model, scratch, &known) : NULL;
    for (size_t i = 0; i < known; i++) {
        if (!map_get(&fresh, files[i]) && !dir_watch_hides(&news, files[i]) &&
            !dir_watch_is_pending(dir->manifest_watch, files[i]))
            dir_model_file_gone(dir->model, files[i]);
    }
    for (size_t i = 0; news.all && i < news.failed_count; i++) {
        struct str shown = arena_printf(scratch, STR_FMT "/" STR_FMT, STR_ARG(dir->manifests),
                                        STR_ARG(news.failed[i]));
        dir_model_file_failed(dir->model, shown, news.reasons[i]);
    }
    map_done(&fresh);
    dir->manifests_read |= news.all && !dir_watch_hides(&news, STR("x"));
}

void source_dir_read_stored(struct source_dir *dir, struct str path)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    scoped_sbuf struct sbuf text = {0};
    struct str message = {0}, key;
    if (!dir_path_parse(path, &key))
        return; /* no object's; somebody else's file */
    int error = dir_file_read(dir->status, path, STORED_SIZE_MAX, &text);
    if (error == -ENOENT) {
        (void)dir_model_stored(dir->model, path, NULL);
        return;
    }
    json_t *tree = error < 0 ? NULL : fields_parse(sbuf_str(&text), scratch, &message);
    if (tree)
        (void)dir_model_stored(dir->model, path, tree);
    else
        dir_model_stored_failed(dir->model, path, error < 0 ? read_error_text(error) : message.ptr);
}

static void take_stored(struct source_dir *dir)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct dir_watch_news news = dir_watch_take(dir->status_watch, scratch);
    struct map fresh = {0};
    for (size_t i = 0; i < news.count; i++) {
        source_dir_read_stored(dir, news.files[i]);
        (void)map_put(&fresh, news.files[i], dir);
    }
    size_t known = 0;
    struct str *paths = news.all ? dir_model_paths(dir->model, scratch, &known) : NULL;
    for (size_t i = 0; i < known; i++) {
        if (!map_get(&fresh, paths[i]) && !dir_watch_hides(&news, paths[i]) &&
            !dir_watch_is_pending(dir->status_watch, paths[i]))
            (void)dir_model_stored(dir->model, paths[i], NULL);
    }
    map_done(&fresh);
    bool failed = news.failed_count > 0;
    if (failed && !dir->status_failed)
        log_error("status directory cannot be read", kv_str("directory", dir->status),
                  kv_str("at", news.failed[0]), kv_cstr("error", news.reasons[0]));
    dir->status_failed = failed;
    dir->status_read |= news.all && !failed;
}

static void tell_synced(struct source_dir *dir)
{
    bool status_read = dir->status_read || !dir->status.len;
    if (!dir->sync_wanted || !dir->manifests_read || !status_read)
        return;
    dir->sync_wanted = false;
    if (dir->base.calls.synced)
        dir->base.calls.synced(dir->base.calls.ctx);
}

static void manifests_changed(void *ctx)
{
    struct source_dir *dir = ctx;
    take_manifests(dir);
    source_dir_tell(dir);
    source_dir_watch_orphans(dir);
    tell_synced(dir);
}

static void stored_changed(void *ctx)
{
    struct source_dir *dir = ctx;
    take_stored(dir);
    source_dir_tell(dir);
    source_dir_watch_orphans(dir);
    tell_synced(dir);
}

static bool is_stored_file(struct str name)
{
    return str_ends_with(name, STR(".json")) && name.ptr[0] != '.';
}

/* Lists both directories; the status first, so that no object is told without it. */
static void list_all(void *ctx)
{
    struct source_dir *dir = ctx;
    dir->list = NULL;
    if (dir->status.len && !dir->status_watch) {
        const struct dir_watch_options options = {
            .root = dir->status, .wanted = is_stored_file, .changed = stored_changed, .ctx = dir};
        int error = dir_file_mkdir(dir->status);
        if (error < 0)
            log_warn("status directory cannot be made", kv_str("directory", dir->status),
                     kv_err(error));
        dir->status_watch = dir_watch_start(dir->loop, &options);
    } else if (dir->status_watch) {
        dir_watch_rescan(dir->status_watch);
    }
    if (!dir->manifest_watch) {
        const struct dir_watch_options options = {.root = dir->manifests,
                                                  .gone_ms = dir->gone_ms,
                                                  .wanted = manifest_is_file,
                                                  .changed = manifests_changed,
                                                  .ctx = dir};
        dir->manifest_watch = dir_watch_start(dir->loop, &options);
    } else {
        dir_watch_rescan(dir->manifest_watch);
    }
    if (dir->status_watch)
        take_stored(dir);
    take_manifests(dir);
    source_dir_tell(dir);
    source_dir_watch_orphans(dir);
    tell_synced(dir);
}

static void dir_start(struct source *source, const struct source_follow *follow, size_t count)
{
    struct source_dir *dir = (struct source_dir *)source;
    dir->follow = arena_array(dir->arena, count, sizeof(*follow));
    dir->follow_count = count;
    for (size_t i = 0; i < count; i++) {
        dir->follow[i].kind = follow[i].kind;
        dir->follow[i].namespace = arena_str(dir->arena, follow[i].namespace);
        dir->follow[i].name = arena_str(dir->arena, follow[i].name);
        dir->follow[i].labels = arena_str(dir->arena, follow[i].labels);
    }
    dir->sync_wanted = true;
    dir->list = loop_defer(dir->loop, list_all, dir);
}

static void dir_refresh(struct source *source)
{
    struct source_dir *dir = (struct source_dir *)source;
    dir->sync_wanted = true;
    dir->manifests_read = dir->status_read = false;
    if (!dir->list)
        dir->list = loop_defer(dir->loop, list_all, dir);
}

static void dir_free(struct source *source)
{
    struct source_dir *dir = (struct source_dir *)source;
    (void)loop_timer_cancel(dir->list);
    (void)dir_watch_cancel(dir->manifest_watch);
    (void)dir_watch_cancel(dir->status_watch);
    source_dir_writes_done(dir);
    source_dir_lead_done(dir);
    (void)dir_model_free(dir->model);
    (void)arena_free(dir->arena);
}

static const struct source_ops dir_ops = {
    .start = dir_start,
    .refresh = dir_refresh,
    .write = source_dir_write,
    .cancel = source_dir_cancel,
    .elect = source_dir_elect,
    .resign = source_dir_resign,
    .event = source_dir_event,
    .free = dir_free,
};

struct source *source_dir_new(struct loop *loop, const struct source_dir_options *options)
{
    struct arena *arena = arena_new(0);
    struct source_dir *dir = arena_alloc(arena, sizeof(*dir));
    source_init(&dir->base, &dir_ops);
    dir->arena = arena;
    dir->loop = loop;
    dir->manifests = arena_str(arena, options->manifests);
    dir->status = arena_str(arena, options->status);
    dir->gone_ms = options->gone_ms;
    dir->orphan_ms = options->orphan_ms ? options->orphan_ms : ORPHAN_MS;
    dir->model = dir_model_new();
    /* Names and seed would matter on an API server only. */
    dir->recorder = event_recorder_new(STR("stentor.io/directory"), STR("directory"), 0);
    dir->leader_fd = -1;
    TAILQ_INIT(&dir->requests);
    return &dir->base;
}
