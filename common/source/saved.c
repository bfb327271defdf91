#include "common/source/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/vec.h"
#include "common/source/saved_format.h"

enum {
    SETTLE_MS = 1000,       /* after a change: others come with it */
    PIECE_BYTES = 64 << 10, /* written in one turn */
    PIECE_PAUSE_MS = 1,
    FILE_MAX = 256 << 20,
};

/* A file being written. */
struct writing {
    int fd;
    VEC(struct object *) objects; /* a reference each, in the order of kinds and keys */
    size_t next;
    size_t left_out;         /* too large */
    const struct kind *kind; /* of the object written last */
    crypto_generichash_state sum;
    struct loop_timer *step;
};

struct saved {
    struct loop *loop;
    const struct cache *cache;
    struct source_saved *figures;
    struct arena *arena; /* of the paths */
    const char *dir, *path, *old, *fresh;
    bool begun;
    bool dirty; /* something changed since the last file was begun */
    int error;  /* of the last try to write; 0: it worked */
    uint64_t wrote_ms;
    struct loop_timer *due;
    struct writing *writing; /* NULL: none under way */
};

struct saved *saved_open(struct loop *loop, struct str dir, struct str program,
                         const struct cache *cache, struct source_saved *figures)
{
    struct saved *s = heap_alloc(sizeof(*s));
    *s = (struct saved){.loop = loop, .cache = cache, .figures = figures, .arena = arena_new(0)};
    struct str path =
        arena_printf(s->arena, STR_FMT "/" STR_FMT ".objects", STR_ARG(dir), STR_ARG(program));
    s->dir = arena_cstr(s->arena, dir);
    s->path = path.ptr;
    s->old = arena_printf(s->arena, STR_FMT ".old", STR_ARG(path)).ptr;
    s->fresh = arena_printf(s->arena, STR_FMT ".new", STR_ARG(path)).ptr;
    if (mkdir(s->dir, 0700) < 0 && errno != EEXIST)
        log_warn("state directory cannot be made", kv_cstr("dir", s->dir), kv_err(-errno));
    return s;
}

/* --- writing --------------------------------------------------------------------------------- */

static void schedule(struct saved *s);

static void set_error(struct saved *s, int error)
{
    if (error)
        s->figures->failures++;
    if (error && error != s->error)
        log_warn("state cannot be saved", kv_cstr("file", s->path), kv_err(error));
    else if (!error && s->error)
        log_info("state is saved again", kv_cstr("file", s->path));
    s->error = error;
}

static struct writing *writing_free(struct writing *w)
{
    if (!w)
        return NULL;
    (void)loop_timer_cancel(w->step);
    if (w->fd >= 0)
        (void)close(w->fd);
    for (size_t i = w->next; i < w->objects.len; i++)
        (void)object_unref(w->objects.items[i]);
    vec_done(&w->objects);
    free(w);
    return NULL;
}

/* References to all that is to be written, so that one moment is saved and not many. */
static void collect(const struct saved *s, struct writing *w)
{
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        size_t count;
        const struct object *const *all = cache_all(s->cache, (enum kind_id)kind, &count);
        for (size_t i = 0; kind != KIND_SECRET && i < count; i++) {
            if (!all[i]->refused)
                vec_push(&w->objects, object_ref(all[i]));
        }
    }
}

static int write_all(int fd, struct str text)
{
    while (text.len) {
        ssize_t wrote = write(fd, text.ptr, text.len);
        if (wrote < 0 && errno != EINTR)
            return -errno;
        if (wrote > 0)
            text = str_slice(text, (size_t)wrote, text.len);
    }
    return 0;
}

static int write_piece(struct writing *w, const struct sbuf *piece)
{
    (void)crypto_generichash_update(&w->sum, (const unsigned char *)piece->ptr, piece->len);
    return write_all(w->fd, sbuf_str(piece));
}

/* The next objects, up to a piece. */
static int write_objects(struct writing *w)
{
    scoped_sbuf struct sbuf piece = {0};
    if (w->next == 0)
        saved_format_begin(&piece);
    while (w->next < w->objects.len && piece.len < PIECE_BYTES) {
        struct object *object = w->objects.items[w->next];
        if (object->kind != w->kind)
            saved_format_kind(&piece, object->kind);
        w->kind = object->kind;
        w->left_out += !saved_format_object(&piece, object);
        (void)object_unref(object);
        w->next++;
    }
    return write_piece(w, &piece);
}

static int finish_file(struct saved *s, struct writing *w)
{
    scoped_sbuf struct sbuf end = {0};
    uint8_t sum[SAVED_SUM_SIZE];
    (void)crypto_generichash_final(&w->sum, sum, sizeof(sum));
    saved_format_end(&end, sum);
    int result = write_all(w->fd, sbuf_str(&end));
    if (result < 0)
        return result;
    /* Only asked for: it is on its way to the disk before its name is. */
    (void)sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (rename(s->path, s->old) < 0 && errno != ENOENT)
        return -errno;
    return rename(s->fresh, s->path) < 0 ? -errno : 0;
}

/* The file is complete, or is given up. */
static void end_writing(struct saved *s, int result)
{
    struct writing *w = s->writing;
    s->writing = NULL;
    if (result < 0) {
        (void)unlink(s->fresh);
        s->dirty = true;
    } else {
        s->figures->writes++;
        log_debug("state saved", kv_cstr("file", s->path), kv_uint("objects", w->objects.len),
                  kv_uint("leftOut", w->left_out));
    }
    set_error(s, result);
    (void)writing_free(w);
    schedule(s);
}

static void step(void *ctx)
{
    struct saved *s = ctx;
    struct writing *w = s->writing;
    w->step = NULL;
    int result = write_objects(w);
    if (result == 0 && w->next < w->objects.len) {
        w->step = loop_timer_start(s->loop, PIECE_PAUSE_MS, 0, step, s);
        return;
    }
    end_writing(s, result < 0 ? result : finish_file(s, w));
}

static void begin_writing(struct saved *s)
{
    struct writing *w = heap_alloc(sizeof(*w));
    *w = (struct writing){
        .fd = open(s->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
    int error = -errno;
    s->writing = w;
    s->dirty = false;
    s->wrote_ms = loop_now(s->loop);
    (void)crypto_generichash_init(&w->sum, NULL, 0, SAVED_SUM_SIZE);
    collect(s, w);
    if (w->fd < 0)
        end_writing(s, error);
}

static void due(void *ctx)
{
    struct saved *s = ctx;
    s->due = NULL;
    begin_writing(s);
    if (s->writing)
        step(s);
}

static void schedule(struct saved *s)
{
    if (!s->begun || !s->dirty || s->due || s->writing)
        return;
    uint64_t now = loop_now(s->loop), at = now + SETTLE_MS;
    if (s->wrote_ms && s->wrote_ms + SAVED_INTERVAL_MS > at)
        at = s->wrote_ms + SAVED_INTERVAL_MS;
    s->due = loop_timer_start(s->loop, at - now, 0, due, s);
}

void saved_begin(struct saved *s)
{
    if (s->begun)
        return;
    s->begun = s->dirty = true;
    schedule(s);
}

static bool means_the_same(const struct object *a, const struct object *b)
{
    scoped_sbuf struct sbuf before = {0}, after = {0};
    if (!a || !b || a->refused != b->refused)
        return false;
    object_encode(a, &before);
    object_encode(b, &after);
    return str_eq(sbuf_str(&before), sbuf_str(&after));
}

void saved_note(struct saved *s, const struct object *before, const struct object *after)
{
    if (!s->begun || s->dirty || means_the_same(before, after))
        return;
    s->dirty = true;
    schedule(s);
}

struct saved *saved_close(struct saved *s)
{
    if (!s)
        return NULL;
    s->due = loop_timer_cancel(s->due);
    bool owed = s->begun && s->dirty;
    s->begun = false; /* an error is not tried again */
    if (owed) {
        s->writing = writing_free(s->writing);
        begin_writing(s);
    }
    while (s->writing) { /* all pieces at once: nothing else is left to be done */
        s->writing->step = loop_timer_cancel(s->writing->step);
        step(s);
    }
    (void)arena_free(s->arena);
    free(s);
    return NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

/* The whole file on the heap, or a negative errno. */
static int read_file(const char *path, char **ret, size_t *ret_len)
{
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
        return ERR_TOO_LARGE;
    size_t size = (size_t)status.st_size, len = 0;
    scoped_heap char *text = heap_alloc(size ? size : 1);
    while (len < size) {
        ssize_t got = read(fd, text + len, size - len);
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            break;
        len += got > 0 ? (size_t)got : 0;
    }
    *ret = take_ptr(text);
    *ret_len = len;
    return 0;
}

/* Returns the number of objects; false in ret_good when the file is none to work from. */
static size_t load_file(struct saved *s, const char *path,
                        void (*object)(void *ctx, struct object *object), void *ctx, bool *ret_good)
{
    scoped_heap char *text = NULL;
    size_t len = 0;
    int result = read_file(path, &text, &len);
    *ret_good = false;
    if (result == -ENOENT)
        return 0;
    struct str file = {text, len};
    enum saved_verdict verdict = result < 0 ? SAVED_NOT_OURS : saved_format_check(file);
    if (verdict != SAVED_GOOD) {
        const char *why = result < 0 ? err_text(result) : saved_verdict_text(verdict);
        s->figures->damaged++;
        log_warn("saved state cannot be used", kv_cstr("file", path), kv_cstr("reason", why));
        return 0;
    }
    struct saved_counts counts = saved_format_read(file, object, ctx);
    *ret_good = true;
    log_info("saved state read", kv_cstr("file", path), kv_uint("objects", counts.objects),
             kv_uint("unknown", counts.unknown), kv_uint("refused", counts.refused));
    return counts.objects;
}

size_t saved_load(struct saved *s, void (*object)(void *ctx, struct object *object), void *ctx)
{
    bool good;
    size_t count = load_file(s, s->path, object, ctx, &good);
    return good ? count : load_file(s, s->old, object, ctx, &good);
}
