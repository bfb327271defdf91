#include "common/gossip/key_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium/utils.h>
#include <string.h>

#include "common/base/sbuf.h"
#include "common/base/scope.h"

enum { FILE_MAX = 4096 };

static char *path_of(struct str dir, const char *file)
{
    struct sbuf path = {0};
    sbuf_printf(&path, STR_FMT "/%s", STR_ARG(dir), file);
    return path.ptr;
}

void key_dir_init(struct key_dir *dir, struct str path)
{
    *dir = (struct key_dir){.current = path_of(path, "secretkey"),
                            .old = path_of(path, "secretkey.old")};
}

void key_dir_done(struct key_dir *dir)
{
    free(dir->current);
    free(dir->old);
    *dir = (struct key_dir){0};
}

static struct key_mark mark_of(const char *path)
{
    struct stat about;
    if (stat(path, &about) < 0)
        return (struct key_mark){0};
    return (struct key_mark){.device = about.st_dev,
                             .inode = about.st_ino,
                             .size = about.st_size,
                             .changed = about.st_mtim};
}

static bool is_same(const struct key_mark *a, const struct key_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

bool key_dir_changed(const struct key_dir *dir)
{
    struct key_mark current = mark_of(dir->current), old = mark_of(dir->old);
    return !is_same(&current, &dir->marks[0]) || !is_same(&old, &dir->marks[1]);
}

/* The file's size, a negative errno, -EFBIG over FILE_MAX. */
static ssize_t read_file(const char *path, char room[FILE_MAX])
{
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, room, FILE_MAX);
    if (len < 0)
        return -errno;
    return len == FILE_MAX ? -EFBIG : len;
}

int key_dir_read(struct key_dir *dir, struct seal_keys *ret)
{
    /* Marks first: what changes while we read is read again. */
    dir->marks[0] = mark_of(dir->current);
    dir->marks[1] = mark_of(dir->old);
    char current[FILE_MAX], old[FILE_MAX];
    ssize_t current_len = read_file(dir->current, current);
    ssize_t old_len = read_file(dir->old, old);
    int result = old_len < 0 && old_len != -ENOENT ? (int)old_len : 0;
    if (current_len < 0)
        result = (int)current_len;
    if (result == 0)
        result = seal_keys_parse((struct str){.ptr = current, .len = (size_t)current_len},
                                 (struct str){.ptr = old, .len = old_len < 0 ? 0 : (size_t)old_len},
                                 ret);
    sodium_memzero(current, sizeof(current));
    sodium_memzero(old, sizeof(old));
    return result;
}
