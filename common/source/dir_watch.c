#include "common/source/dir_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/sbuf.h"
#include "common/base/vec.h"

/* A writer's close says that a file is whole; IN_MODIFY would say the opposite. IN_ATTRIB: it may
 * have become readable. */
#define WATCH_MASK                                                                      \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

/* One directory under watch. */
struct watched {
    int number;     /* -1: cannot be watched */
    struct str dir; /* relative, empty for the root; heap */
    unsigned level;
};

/* A file to be looked at. */
struct dirty {
    struct str file; /* heap; the key of the map */
    uint64_t due;    /* loop_now */
};

struct failure {
    struct str dir; /* heap */
    int error;
};

struct dir_watch {
    struct loop *loop;
    struct dir_watch_options options; /* root is a copy */
    int fd;
    struct loop_fd *fd_watch;
    struct loop_timer *timer; /* for the next thing that is due */
    uint64_t timer_due;
    VEC(struct watched) dirs;
    VEC(struct failure) failed;
    struct map dirty; /* file → struct dirty */
    bool polled;      /* some directory cannot be watched: list all every now and then */
    bool warned;      /* that has been said */
    bool stale;       /* the tree is to be listed again */
    bool all;         /* the next news is all files */
};

static struct str heap_str(struct str text)
{
    char *copy = heap_alloc(text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.ptr[i];
    copy[text.len] = '\0';
    return (struct str){.ptr = copy, .len = text.len};
}

static void heap_str_free(struct str text)
{
    free((char *)text.ptr);
}

static struct str join(struct sbuf *out, struct str dir, struct str name)
{
    sbuf_clear(out);
    sbuf_put(out, dir);
    if (dir.len)
        sbuf_putc(out, '/');
    sbuf_put(out, name);
    return sbuf_str(out);
}

static void timer_fired(void *ctx);

/* Makes sure that the timer fires no later than at `due`. */
static void schedule(struct dir_watch *watch, uint64_t due)
{
    if (watch->timer && watch->timer_due <= due)
        return;
    uint64_t now = loop_now(watch->loop);
    (void)loop_timer_cancel(watch->timer);
    watch->timer_due = due;
    watch->timer = loop_timer_start(watch->loop, due > now ? due - now : 0, 0, timer_fired, watch);
}

static void mark(struct dir_watch *watch, struct str file, uint64_t delay_ms)
{
    struct dirty *dirty = map_get(&watch->dirty, file);
    if (!dirty) {
        dirty = heap_alloc(sizeof(*dirty));
        dirty->file = heap_str(file);
        (void)map_put(&watch->dirty, dirty->file, dirty);
    }
    dirty->due = loop_now(watch->loop) + delay_ms;
    schedule(watch, dirty->due);
}

static void unmark(struct dir_watch *watch, struct dirty *dirty)
{
    (void)map_remove(&watch->dirty, dirty->file);
    heap_str_free(dirty->file);
    free(dirty);
}

static void mark_stale(struct dir_watch *watch)
{
    watch->stale = true;
    schedule(watch, loop_now(watch->loop) + DIR_WATCH_SETTLE_MS);
}

static void add_dir(struct dir_watch *watch, struct str dir, unsigned level)
{
    struct watched watched = {.number = -1, .dir = heap_str(dir), .level = level};
    vec_push(&watch->dirs, watched);
}

static void fail_dir(struct dir_watch *watch, struct str dir, int error)
{
    struct failure failure = {.dir = heap_str(dir.len ? dir : STR(".")), .error = error};
    vec_push(&watch->failed, failure);
}

static void scan_entry(struct dir_watch *watch, DIR *handle, const struct dirent *entry,
                       struct str dir, unsigned level)
{
    struct str name = str_from(entry->d_name);
    scoped_sbuf struct sbuf path = {0};
    struct stat about;
    if (name.ptr[0] == '.')
        return;
    if (fstatat(dirfd(handle), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* gone again */
    if (S_ISDIR(about.st_mode) && level < DIR_WATCH_DEPTH)
        add_dir(watch, join(&path, dir, name), level + 1);
    else if (!S_ISDIR(about.st_mode) && watch->options.wanted(name))
        mark(watch, join(&path, dir, name), 0);
}

/* Without inotify (its limits are per user) the tree is listed every now and then. */
static void poll_instead(struct dir_watch *watch, int error)
{
    watch->polled = true;
    if (!watch->warned)
        log_warn("directory cannot be watched, listing it instead",
                 kv_str("directory", watch->options.root), kv_uint("every_ms", DIR_WATCH_RETRY_MS),
                 kv_err(error));
    watch->warned = true;
}

/* Lists the directory dirs[at] and watches it, the watch first, so that nothing is missed. */
static void scan_dir(struct dir_watch *watch, size_t at)
{
    struct str dir = watch->dirs.items[at].dir;
    unsigned level = watch->dirs.items[at].level;
    scoped_sbuf struct sbuf path = {0};
    sbuf_put(&path, watch->options.root);
    sbuf_putc(&path, '/');
    sbuf_put(&path, dir);
    watch->dirs.items[at].number = inotify_add_watch(watch->fd, sbuf_cstr(&path), WATCH_MASK);
    int error = watch->dirs.items[at].number < 0 ? errno : 0;
    DIR *handle = opendir(sbuf_cstr(&path));
    if (!handle && (errno != ENOENT || !dir.len)) /* one that has just gone is no failure */
        fail_dir(watch, dir, -errno);
    if (handle && error)
        poll_instead(watch, -error);
    if (!handle)
        return;
    for (struct dirent *entry; (entry = readdir(handle));)
        scan_entry(watch, handle, entry, dir, level);
    (void)closedir(handle);
}

static void forget_tree(struct dir_watch *watch)
{
    watch->fd_watch = loop_fd_cancel(watch->fd_watch);
    if (watch->fd >= 0)
        (void)close(watch->fd);
    watch->fd = -1;
    for (size_t i = 0; i < watch->dirs.len; i++)
        heap_str_free(watch->dirs.items[i].dir);
    for (size_t i = 0; i < watch->failed.len; i++)
        heap_str_free(watch->failed.items[i].dir);
    vec_clear(&watch->dirs);
    vec_clear(&watch->failed);
}

static void readable(void *ctx, unsigned events);

static void scan(struct dir_watch *watch)
{
    forget_tree(watch);
    watch->stale = watch->polled = false;
    watch->all = true;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd >= 0)
        watch->fd_watch = loop_fd_watch(watch->loop, watch->fd, LOOP_READ, readable, watch);
    add_dir(watch, STR(""), 0);
    for (size_t at = 0; at < watch->dirs.len; at++)
        scan_dir(watch, at);
    if (watch->failed.len || watch->polled) {
        watch->stale = true;
        schedule(watch, loop_now(watch->loop) + DIR_WATCH_RETRY_MS);
    }
}

static const struct watched *find_watched(const struct dir_watch *watch, int number)
{
    for (size_t i = 0; i < watch->dirs.len; i++) {
        if (watch->dirs.items[i].number == number)
            return &watch->dirs.items[i];
    }
    return NULL;
}

/* A name that is just made: whole already when it is a link, else its writer will close it. */
static bool is_link(const struct dir_watch *watch, struct str file)
{
    scoped_sbuf struct sbuf path = {0};
    struct stat about;
    sbuf_put(&path, watch->options.root);
    sbuf_putc(&path, '/');
    sbuf_put(&path, file);
    return lstat(sbuf_cstr(&path), &about) == 0 && (S_ISLNK(about.st_mode) || about.st_nlink > 1);
}

static void handle_event(struct dir_watch *watch, const struct inotify_event *event)
{
    const struct watched *watched = find_watched(watch, event->wd);
    struct str name = event->len ? str_from(event->name) : STR("");
    bool swapped = str_eq(name, STR("..data")); /* how the kubelet replaces a ConfigMap's files */
    bool hidden = name.len && name.ptr[0] == '.' && !swapped;
    if (event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
        mark_stale(watch);
        return;
    }
    if (!watched || !name.len || hidden)
        return;
    if (swapped || event->mask & IN_ISDIR) {
        if (event->mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO))
            mark_stale(watch);
        return;
    }
    if (!watch->options.wanted(name))
        return;
    scoped_sbuf struct sbuf path = {0};
    struct str file = join(&path, watched->dir, name);
    if (event->mask & (IN_MOVED_FROM | IN_DELETE))
        mark(watch, file, watch->options.gone_ms);
    else if (!(event->mask & IN_CREATE) || is_link(watch, file))
        mark(watch, file, DIR_WATCH_SETTLE_MS);
}

static void readable(void *ctx, unsigned events)
{
    (void)events;
    struct dir_watch *watch = ctx;
    for (;;) {
        _Alignas(struct inotify_event) char buffer[65536];
        ssize_t got = read(watch->fd, buffer, sizeof(buffer));
        if (got <= 0)
            return; /* nothing left for now */
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
            handle_event(watch, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}

/* The earliest time at which a dirty file is due; UINT64_MAX when there is none. */
static uint64_t earliest(const struct dir_watch *watch)
{
    uint64_t due = UINT64_MAX;
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&watch->dirty, &cursor));) {
        const struct dirty *dirty = at->value;
        due = dirty->due < due ? dirty->due : due;
    }
    return due;
}

static void timer_fired(void *ctx)
{
    struct dir_watch *watch = ctx;
    watch->timer = NULL;
    if (watch->stale)
        scan(watch);
    if (watch->all || earliest(watch) <= loop_now(watch->loop))
        watch->options.changed(watch->options.ctx); /* takes the news, or cancels the watch */
    else if (map_count(&watch->dirty))
        schedule(watch, earliest(watch));
}

struct dir_watch *dir_watch_start(struct loop *loop, const struct dir_watch_options *options)
{
    struct dir_watch *watch = heap_alloc(sizeof(*watch));
    *watch = (struct dir_watch){.loop = loop, .options = *options, .fd = -1};
    watch->options.root = heap_str(options->root);
    if (!watch->options.gone_ms)
        watch->options.gone_ms = DIR_WATCH_GONE_MS;
    scan(watch);
    return watch;
}

struct dir_watch *dir_watch_cancel(struct dir_watch *watch)
{
    if (!watch)
        return NULL;
    forget_tree(watch);
    vec_done(&watch->dirs);
    vec_done(&watch->failed);
    (void)loop_timer_cancel(watch->timer);
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&watch->dirty, &cursor));) {
        struct dirty *dirty = at->value;
        heap_str_free(dirty->file);
        free(dirty);
    }
    map_done(&watch->dirty);
    heap_str_free(watch->options.root);
    free(watch);
    return NULL;
}

static void take_failed(const struct dir_watch *watch, struct arena *arena,
                        struct dir_watch_news *news)
{
    news->failed_count = watch->failed.len;
    news->failed = arena_array(arena, news->failed_count, sizeof(struct str));
    news->reasons = arena_array(arena, news->failed_count, sizeof(const char *));
    for (size_t i = 0; i < news->failed_count; i++) {
        news->failed[i] = arena_str(arena, watch->failed.items[i].dir);
        news->reasons[i] = err_text(watch->failed.items[i].error);
    }
}

struct dir_watch_news dir_watch_take(struct dir_watch *watch, struct arena *arena)
{
    uint64_t now = loop_now(watch->loop);
    size_t count;
    struct map_entry *sorted = map_sorted(&watch->dirty, arena, &count);
    struct dir_watch_news news = {.all = watch->all};
    news.files = arena_array(arena, count, sizeof(struct str));
    for (size_t i = 0; i < count; i++) {
        struct dirty *dirty = sorted[i].value;
        if (dirty->due > now)
            continue;
        news.files[news.count++] = arena_str(arena, dirty->file);
        unmark(watch, dirty);
    }
    take_failed(watch, arena, &news);
    watch->all = false;
    if (map_count(&watch->dirty))
        schedule(watch, earliest(watch));
    return news;
}

bool dir_watch_is_pending(const struct dir_watch *watch, struct str file)
{
    return map_get(&watch->dirty, file) != NULL;
}

void dir_watch_rescan(struct dir_watch *watch)
{
    scan(watch);
}

bool dir_watch_hides(const struct dir_watch_news *news, struct str file)
{
    for (size_t i = 0; i < news->failed_count; i++) {
        struct str dir = news->failed[i];
        if (str_eq(dir, STR(".")) ||
            (str_starts_with(file, dir) && file.len > dir.len && file.ptr[dir.len] == '/'))
            return true;
    }
    return false;
}
