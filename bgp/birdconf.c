#include "bgp/birdconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/sbuf.h"
#include "common/base/scope.h"

#define BESIDE ".new" /* behind the name of a file that is being written */

enum file { FILE_MAIN, FILE_ROUTES, FILE_EXTRAS, FILES };

static const char *const names[FILES] = {
    [FILE_MAIN] = BIRDCONF_MAIN,
    [FILE_ROUTES] = BIRDCONF_ROUTES,
    [FILE_EXTRAS] = BIRDCONF_EXTRAS,
};

struct birdconf {
    struct str directory;
    struct arena *arena;      /* of directory and paths */
    struct sbuf there[FILES]; /* what was written last */
    struct sbuf good[FILES];  /* what BIRD has taken */
    bool is_written, is_good; /* those mean something */
};

static void wipe(struct sbuf *text)
{
    for (volatile char *p = text->ptr; p && p < text->ptr + text->len; p++)
        *p = 0;
    sbuf_done(text);
}

int birdconf_open(struct str directory, struct birdconf **ret)
{
    struct arena *arena = arena_new(0);
    struct birdconf *conf = heap_alloc(sizeof(*conf));
    *conf = (struct birdconf){.arena = arena, .directory = arena_str(arena, directory)};
    if (mkdir(conf->directory.ptr, 0700) < 0 && errno != EEXIST) {
        int result = -errno;
        (void)birdconf_close(conf);
        return result;
    }
    *ret = conf;
    return 0;
}

struct birdconf *birdconf_close(struct birdconf *conf)
{
    if (!conf)
        return NULL;
    for (size_t i = 0; i < FILES; i++) {
        wipe(&conf->there[i]);
        wipe(&conf->good[i]);
    }
    (void)arena_free(conf->arena);
    free(conf);
    return NULL;
}

struct str birdconf_path(struct birdconf *conf, const char *name)
{
    return arena_printf(conf->arena, STR_FMT "/%s", STR_ARG(conf->directory), name);
}

bool birdconf_is_saved(struct birdconf *conf)
{
    struct stat info;
    return stat(birdconf_path(conf, BIRDCONF_MAIN).ptr, &info) == 0;
}

static int write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t len = write(fd, text.ptr, text.len);
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return -errno;
        text = str_slice(text, (size_t)len, text.len);
    }
    return 0;
}

static int write_new(const char *path, struct str text)
{
    scoped_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : write_all(fd, text);
}

static int write_file(struct birdconf *conf, const char *name, struct str text)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str path = arena_printf(scratch, STR_FMT "/%s", STR_ARG(conf->directory), name);
    struct str beside = arena_printf(scratch, STR_FMT BESIDE, STR_ARG(path));
    int result = write_new(beside.ptr, text);
    if (result == 0 && rename(beside.ptr, path.ptr) < 0)
        result = -errno;
    if (result < 0)
        (void)unlink(beside.ptr); /* perhaps it was never made */
    return result;
}

static int remove_file(struct birdconf *conf, const char *name, const char *suffix)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str path =
        arena_printf(scratch, STR_FMT "/%s%s", STR_ARG(conf->directory), name, suffix);
    return unlink(path.ptr) < 0 && errno != ENOENT ? -errno : 0;
}

static void keep(struct sbuf *kept, struct str text)
{
    sbuf_clear(kept);
    sbuf_put(kept, text);
}

/* The file that others include is written first, and taken away last. */
int birdconf_write(struct birdconf *conf, const struct birdconf_texts *texts)
{
    const struct str wanted[FILES] = {
        [FILE_MAIN] = texts->main, [FILE_ROUTES] = texts->routes, [FILE_EXTRAS] = texts->extras};
    int changed = 0;
    for (size_t i = FILES; i-- > 0;) {
        if (conf->is_written && str_eq(sbuf_str(&conf->there[i]), wanted[i]))
            continue;
        int result = write_file(conf, names[i], wanted[i]);
        if (result < 0)
            return result;
        keep(&conf->there[i], wanted[i]);
        changed = 1;
    }
    conf->is_written = true;
    return changed;
}

void birdconf_mark_good(struct birdconf *conf)
{
    for (size_t i = 0; i < FILES; i++) {
        if (!str_eq(sbuf_str(&conf->good[i]), sbuf_str(&conf->there[i])))
            keep(&conf->good[i], sbuf_str(&conf->there[i]));
    }
    conf->is_good = true;
}

int birdconf_restore(struct birdconf *conf)
{
    if (!conf->is_good)
        return -ENOENT;
    struct birdconf_texts texts = {.main = sbuf_str(&conf->good[FILE_MAIN]),
                                   .routes = sbuf_str(&conf->good[FILE_ROUTES]),
                                   .extras = sbuf_str(&conf->good[FILE_EXTRAS])};
    int result = birdconf_write(conf, &texts);
    return result < 0 ? result : 0;
}

int birdconf_remove(struct birdconf *conf)
{
    static const char *const all[] = {BIRDCONF_MAIN, BIRDCONF_ROUTES, BIRDCONF_EXTRAS,
                                      BIRDCONF_TRIAL, BIRDCONF_TRIED};
    int first = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int result = remove_file(conf, all[i], "");
        int beside = remove_file(conf, all[i], BESIDE); /* of one of us that was killed */
        if (first == 0)
            first = result < 0 ? result : beside;
    }
    for (size_t i = 0; i < FILES; i++) {
        wipe(&conf->there[i]);
        wipe(&conf->good[i]);
    }
    conf->is_written = conf->is_good = false;
    return first;
}

int birdconf_write_trial(struct birdconf *conf, struct str main, struct str extras)
{
    int result = write_file(conf, BIRDCONF_TRIED, extras);
    return result < 0 ? result : write_file(conf, BIRDCONF_TRIAL, main);
}

int birdconf_save(struct birdconf *conf, const char *name, struct str text)
{
    return write_file(conf, name, text);
}

int birdconf_load(struct birdconf *conf, const char *name, struct arena *arena, struct str *ret)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str path = arena_printf(scratch, STR_FMT "/%s", STR_ARG(conf->directory), name);
    char text[256];
    scoped_fd int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (len < 0)
        return -errno;
    *ret = arena_str(arena, (struct str){.ptr = text, .len = (size_t)len});
    return 0;
}
