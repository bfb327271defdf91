#include "common/httpd/key_pair.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static struct file_mark mark_of(struct str path)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct stat about;
    if (stat(arena_cstr(arena, path), &about) < 0)
        return (struct file_mark){0};
    return (struct file_mark){.device = about.st_dev,
                              .inode = about.st_ino,
                              .size = about.st_size,
                              .changed = about.st_mtim};
}

static bool is_same(const struct file_mark *a, const struct file_mark *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static int read_file(struct str path, struct sbuf *out)
{
    enum { FILE_MAX = 1024 * 1024 };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_fd int fd = open(arena_cstr(arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char chunk[4096];
    ssize_t len;
    while ((len = read(fd, chunk, sizeof(chunk))) > 0) {
        if (out->len + (size_t)len > FILE_MAX)
            return -EFBIG;
        sbuf_put(out, (struct str){.ptr = chunk, .len = (size_t)len});
    }
    return len < 0 ? -errno : 0;
}

int key_pair_read(struct key_files *files, struct key_pair *ret)
{
    /* Marks first: what changes while we read is read again. */
    files->marks[0] = mark_of(files->certificate);
    files->marks[1] = mark_of(files->key);
    int result = read_file(files->certificate, &ret->certificate);
    return result < 0 ? result : read_file(files->key, &ret->key);
}

bool key_files_changed(const struct key_files *files)
{
    struct file_mark certificate = mark_of(files->certificate), key = mark_of(files->key);
    return !is_same(&certificate, &files->marks[0]) || !is_same(&key, &files->marks[1]);
}

void key_pair_done(struct key_pair *pair)
{
    if (pair->key.ptr)
        explicit_bzero(pair->key.ptr, pair->key.cap);
    sbuf_done(&pair->certificate);
    sbuf_done(&pair->key);
}
