/* Writes to the directory source: each is decided by dir_object_write on what is in the status
 * directory at that moment, under a lock that all programs take. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/json/fields.h"
#include "common/source/dir_file.h"
#include "common/source/dir_object.h"
#include "common/source/dir_path.h"
#include "common/source/label_filter.h"
#include "common/source/source_dir_internal.h"

enum {
    WRITES_PER_TURN = 16,
    TURN_NS = 4000000, /* after which no further write begins: a disk may be slow */
    SUFFIX_LEN = 5,
    LOCK_RETRY_MS = 5,
    LOCK_WAIT_MS = 5000,
};

struct dir_request {
    struct source_request base;
    TAILQ_ENTRY(dir_request) link;
    struct arena *arena;
    struct source_write write; /* texts in the arena */
    uint64_t since;            /* loop_now when asked */
};

/* How a write ended; texts in the request's arena. */
struct outcome {
    int result;
    struct str message, version;
};

static struct outcome failed(int result, struct str message)
{
    return (struct outcome){.result = result, .message = message};
}

/* The letters that the API server uses behind generateName: no vowels, so no words. */
static struct str random_suffix(struct arena *arena)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    unsigned char bytes[SUFFIX_LEN];
    char *text = arena_alloc(arena, SUFFIX_LEN);
    ssize_t got = getrandom(bytes, sizeof(bytes), 0);
    assert(got == (ssize_t)sizeof(bytes)); /* so few are always given at once */
    for (size_t i = 0; i < SUFFIX_LEN; i++)
        text[i] = letters[bytes[i] % (sizeof(letters) - 1)];
    return (struct str){.ptr = text, .len = SUFFIX_LEN};
}

/* The first error of the object, when the write would bring one into an object that had none, as
 * the API server's schema would find it. Empty when the write is fine. */
static struct str new_error(const struct kind *kind, const json_t *before, const json_t *after,
                            struct arena *arena)
{
    scoped_ptr(object) struct object *made = after ? object_decode(kind, after, STR("")) : NULL;
    if (!made || !made->refused)
        return STR("");
    scoped_ptr(object) struct object *was = before ? object_decode(kind, before, STR("")) : NULL;
    const struct diag *error = diag_first_error(&made->source->findings, object_id(made));
    if ((was && was->refused) || !error)
        return STR("");
    return arena_printf(arena, STR_FMT ": " STR_FMT " " STR_FMT, STR_ARG(object_id(made)),
                        STR_ARG(error->field), STR_ARG(error->message));
}

static int save(struct source_dir *dir, struct str path, const json_t *stored)
{
    if (!dir->status.len)
        return 0;
    if (!stored)
        return dir_file_remove(dir->status, path);
    scoped_heap char *text = json_dumps(stored, JSON_INDENT(2) | JSON_SORT_KEYS);
    return dir_file_write(dir->status, path, str_from(text));
}

/* The two halves of an object as they are now. */
struct halves {
    const json_t *manifest, *stored;
};

/* What the write makes of them is stored. */
static struct outcome write_over(struct source_dir *dir, const struct dir_object_write *write,
                                 struct str path, struct halves now, struct arena *arena)
{
    json_t *next = NULL;
    struct str message = {0};
    int result = dir_object_write(write, now.manifest, now.stored, arena, &next, &message);
    if (result < 0)
        return failed(result, message);
    json_t *before = dir_object_merge(now.manifest, now.stored);
    json_t *after = dir_object_merge(now.manifest, next);
    struct outcome outcome = {
        .message = new_error(write->kind, before, after, arena),
        .version = arena_str(arena, dir_object_version(after)),
    };
    json_decref(before);
    json_decref(after);
    if (outcome.message.len) {
        json_decref(next);
        return failed(ERR_REMOTE, outcome.message);
    }
    result = save(dir, path, next);
    if (result < 0) {
        json_decref(next);
        return failed(result, arena_printf(arena, STR_FMT "/" STR_FMT ": %s", STR_ARG(dir->status),
                                           STR_ARG(path), err_text(result)));
    }
    (void)dir_model_stored(dir->model, path, next); /* the path is one of ours */
    return outcome;
}

/* Carries out a write whose lock is held. */
static struct outcome write_stored(struct source_dir *dir, const struct dir_object_write *write,
                                   struct str path, struct arena *arena)
{
    if (dir->status.len)
        source_dir_read_stored(dir, path);
    json_t *manifest = dir_model_manifest_of(dir->model, path);
    json_t *stored = dir_model_stored_of(dir->model, path);
    struct outcome outcome = write_over(dir, write, path, (struct halves){manifest, stored}, arena);
    json_decref(manifest);
    json_decref(stored);
    return outcome;
}

static struct outcome write_named(struct source_dir *dir, const struct dir_object_write *write,
                                  struct arena *arena)
{
    struct str path;
    if (!dir_path_make(write->kind, write->namespace, write->name, arena, &path))
        return failed(ERR_REMOTE, arena_printf(arena, "%s \"" STR_FMT "\" has no valid name",
                                               write->kind->plural, STR_ARG(write->name)));
    return write_stored(dir, write, path, arena);
}

/* Is the stored object one of those? */
static bool is_asked_for(struct source_dir *dir, const struct source_write *asked, struct str path,
                         struct str *ret_namespace, struct str *ret_name)
{
    struct str key;
    const struct kind *kind = dir_path_parse(path, &key);
    if (!kind || !str_cut(key, '/', ret_namespace, ret_name) ||
        !str_eq(*ret_namespace, asked->namespace))
        return false;
    json_t *stored = dir_model_stored_of(dir->model, path);
    scoped_ptr(object) struct object *object = object_decode(kind, stored, STR(""));
    json_decref(stored);
    return label_filter_takes(asked->labels, &object->labels);
}

/* What a manifest defines is not ours to delete. */
static struct outcome delete_all(struct source_dir *dir, const struct source_write *asked,
                                 struct arena *arena)
{
    size_t count;
    struct outcome outcome = {0};
    struct str *paths = dir_model_made(dir->model, asked->kind, asked->labels, arena, &count);
    for (size_t i = 0; i < count && outcome.result == 0; i++) {
        struct dir_object_write write = {.verb = SOURCE_DELETE, .kind = kinds_get(asked->kind)};
        if (is_asked_for(dir, asked, paths[i], &write.namespace, &write.name))
            outcome = write_named(dir, &write, arena);
    }
    return outcome;
}

static struct outcome carry_out(struct source_dir *dir, struct dir_request *request)
{
    const struct source_write *asked = &request->write;
    struct str error = {0};
    json_t *body = NULL;
    if (asked->verb == SOURCE_DELETE_ALL)
        return delete_all(dir, asked, request->arena);
    if (asked->verb != SOURCE_DELETE || asked->body.len) {
        body = fields_parse(asked->body, request->arena, &error);
        if (!body)
            return failed(ERR_REMOTE, error);
    }
    struct dir_object_write write = {
        .verb = asked->verb,
        .kind = kinds_get(asked->kind),
        .namespace = asked->namespace,
        .name = asked->name,
        .body = body,
        .manager = asked->manager.len ? asked->manager : STR("stentor"),
        .suffix = random_suffix(request->arena),
    };
    write = dir_object_named(&write, request->arena);
    struct outcome outcome = write_named(dir, &write, request->arena);
    json_decref(body);
    return outcome;
}

static void request_free(struct dir_request *request)
{
    (void)arena_free(request->arena);
}

/* The lock that all programs take for a write; nobody waits for it in the loop. */
static int take_lock(struct source_dir *dir, int *ret_fd)
{
    return dir->status.len ? dir_file_lock(dir->status, STR("write.lock"), ret_fd) : 0;
}

static void work(void *ctx);

/* Carries out the first request. False when it has to wait for the lock. */
static bool work_first(struct source_dir *dir, bool *freed)
{
    struct dir_request *request = TAILQ_FIRST(&dir->requests);
    scoped_fd int lock = -1;
    int error = take_lock(dir, &lock);
    if (error == -EWOULDBLOCK && loop_now(dir->loop) - request->since < LOCK_WAIT_MS)
        return false;
    TAILQ_REMOVE(&dir->requests, request, link);
    struct outcome outcome;
    if (error == -EWOULDBLOCK)
        outcome = failed(-EAGAIN, STR("status directory is locked by another program"));
    else if (error < 0)
        outcome = failed(error, arena_printf(request->arena, STR_FMT ": %s", STR_ARG(dir->status),
                                             err_text(error)));
    else
        outcome = carry_out(dir, request);
    if (lock >= 0)
        (void)close(take_fd(&lock)); /* the next writer need not wait for `done` */
    if (outcome.result == 0)
        source_dir_tell(dir);
    if (!*freed && request->write.done)
        request->write.done(request->write.ctx, outcome.result, outcome.message, outcome.version);
    request_free(request);
    return true;
}

static void work(void *ctx)
{
    struct source_dir *dir = ctx;
    bool freed = false, locked_out = false;
    uint64_t end_ns = loop_clock_ns() + TURN_NS;
    dir->work = NULL;
    dir->freed = &freed;
    for (size_t i = 0; i < WRITES_PER_TURN && !freed && !locked_out; i++) {
        if (TAILQ_EMPTY(&dir->requests) || (i > 0 && loop_clock_ns() >= end_ns))
            break;
        locked_out = !work_first(dir, &freed);
    }
    if (freed)
        return;
    dir->freed = NULL;
    if (TAILQ_EMPTY(&dir->requests) || dir->work)
        return;
    dir->work = locked_out ? loop_timer_start(dir->loop, LOCK_RETRY_MS, 0, work, dir)
                           : loop_defer(dir->loop, work, dir);
}

struct source_request *source_dir_write(struct source *source, const struct source_write *write)
{
    struct source_dir *dir = (struct source_dir *)source;
    struct arena *arena = arena_new(write->body.len + 512);
    struct dir_request *request = arena_alloc(arena, sizeof(*request));
    request->base.source = source;
    request->arena = arena;
    request->since = loop_now(dir->loop);
    request->write = *write;
    request->write.namespace = arena_str(arena, write->namespace);
    request->write.name = arena_str(arena, write->name);
    request->write.labels = arena_str(arena, write->labels);
    request->write.body = arena_str(arena, write->body);
    request->write.manager = arena_str(arena, write->manager);
    TAILQ_INSERT_TAIL(&dir->requests, request, link);
    if (!dir->work)
        dir->work = loop_defer(dir->loop, work, dir);
    return &request->base;
}

struct source_request *source_dir_cancel(struct source_request *base)
{
    struct dir_request *request = (struct dir_request *)base;
    struct source_dir *dir = (struct source_dir *)base->source;
    TAILQ_REMOVE(&dir->requests, request, link);
    request_free(request);
    return NULL;
}

void source_dir_writes_done(struct source_dir *dir)
{
    if (dir->freed)
        *dir->freed = true;
    dir->work = loop_timer_cancel(dir->work);
    for (struct dir_request *request; (request = TAILQ_FIRST(&dir->requests));) {
        TAILQ_REMOVE(&dir->requests, request, link);
        request_free(request);
    }
}
