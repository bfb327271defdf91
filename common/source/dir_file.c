#include "common/source/dir_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/base/err.h"
#include "common/base/scope.h"

static void join(struct sbuf *out, struct str root, struct str name)
{
    sbuf_put(out, root);
    sbuf_putc(out, '/');
    sbuf_put(out, name);
}

static int read_all(int fd, size_t limit, struct sbuf *out)
{
    size_t total = 0;
    for (;;) {
        char chunk[16384];
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        total += (size_t)got;
        if (total > limit)
            return ERR_TOO_LARGE;
        sbuf_put(out, (struct str){.ptr = chunk, .len = (size_t)got});
    }
}

int dir_file_read(struct str root, struct str name, size_t limit, struct sbuf *out)
{
    scoped_sbuf struct sbuf path = {0};
    join(&path, root, name);
    scoped_fd int fd = open(sbuf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        return -errno;
    if (!S_ISREG(about.st_mode))
        return -EINVAL;
    return read_all(fd, limit, out);
}

int dir_file_mkdir(struct str path)
{
    scoped_sbuf struct sbuf made = {0};
    for (size_t end = 1; end <= path.len; end++) {
        if (end < path.len && path.ptr[end] != '/')
            continue;
        sbuf_clear(&made);
        sbuf_put(&made, str_slice(path, 0, end));
        if (mkdir(sbuf_cstr(&made), 0755) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

static int write_all(int fd, struct str text)
{
    while (text.len) {
        ssize_t put = write(fd, text.ptr, text.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        text = str_slice(text, (size_t)put, text.len);
    }
    return 0;
}

/* The directory part of a path. */
static struct str parent_of(struct str path)
{
    size_t end = path.len;
    while (end > 1 && path.ptr[end - 1] != '/')
        end--;
    return str_slice(path, 0, end - 1);
}

static int write_synced(const char *path, struct str text)
{
    scoped_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return -errno;
    int result = write_all(fd, text);
    if (result == 0 && fsync(fd) < 0)
        result = -errno;
    return result;
}

int dir_file_write(struct str root, struct str name, struct str text)
{
    scoped_sbuf struct sbuf path = {0};
    scoped_sbuf struct sbuf temporary = {0};
    join(&path, root, name);
    sbuf_put(&temporary, sbuf_str(&path));
    sbuf_puts(&temporary, ".new"); /* no name that anybody reads */
    int result = write_synced(sbuf_cstr(&temporary), text);
    if (result == -ENOENT) {
        result = dir_file_mkdir(parent_of(sbuf_str(&path)));
        if (result == 0)
            result = write_synced(sbuf_cstr(&temporary), text);
    }
    if (result == 0 && rename(sbuf_cstr(&temporary), sbuf_cstr(&path)) < 0)
        result = -errno;
    if (result < 0)
        (void)unlink(sbuf_cstr(&temporary)); /* perhaps it was never made */
    return result;
}

int dir_file_remove(struct str root, struct str name)
{
    scoped_sbuf struct sbuf path = {0};
    join(&path, root, name);
    return unlink(sbuf_cstr(&path)) < 0 && errno != ENOENT ? -errno : 0;
}

bool dir_file_is_current(struct str root, struct str name, int fd)
{
    scoped_sbuf struct sbuf path = {0};
    struct stat ours, theirs;
    join(&path, root, name);
    return fstat(fd, &ours) == 0 && stat(sbuf_cstr(&path), &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

int dir_file_lock(struct str root, struct str name, int *ret_fd)
{
    scoped_sbuf struct sbuf path = {0};
    join(&path, root, name);
    scoped_fd int fd = open(sbuf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    if (!dir_file_is_current(root, name, fd))
        return -EWOULDBLOCK; /* replaced in between: the next attempt gets the new one */
    *ret_fd = take_fd(&fd);
    return 0;
}

/* Makes room: the file gets ".1" behind its name. */
static int rotate(struct str root, struct str name)
{
    scoped_sbuf struct sbuf path = {0};
    scoped_sbuf struct sbuf older = {0};
    scoped_sbuf struct sbuf lock_name = {0};
    scoped_fd int lock = -1;
    join(&path, root, name);
    sbuf_printf(&older, "%s.1", sbuf_cstr(&path));
    sbuf_printf(&lock_name, STR_FMT ".lock", STR_ARG(name));
    int result = dir_file_lock(root, sbuf_str(&lock_name), &lock);
    if (result == -EWOULDBLOCK)
        return 0; /* somebody else is at it */
    if (result == 0 && rename(sbuf_cstr(&path), sbuf_cstr(&older)) < 0 && errno != ENOENT)
        result = -errno;
    return result;
}

int dir_file_append(struct str root, struct str name, struct str line, size_t limit)
{
    scoped_sbuf struct sbuf path = {0};
    scoped_sbuf struct sbuf text = {0};
    struct stat about;
    join(&path, root, name);
    sbuf_put(&text, line);
    sbuf_putc(&text, '\n');
    if (stat(sbuf_cstr(&path), &about) == 0 && (size_t)about.st_size + text.len > limit) {
        int result = rotate(root, name);
        if (result < 0)
            return result;
    }
    scoped_fd int fd =
        open(sbuf_cstr(&path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    return fd < 0 ? -errno : write_all(fd, sbuf_str(&text));
}
