#include "common/base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/scope.h"

enum { SIZE_MAX_BYTES = 1024 * 1024 };

static void set_text(struct text_file *file, char *text, size_t len)
{
    if (file->text)
        sodium_memzero(file->text, file->len);
    free(file->text);
    file->text = text;
    file->len = len;
}

/* All of an open file, which ends in NUL; negative errno. */
static ssize_t read_all(int fd, char **ret)
{
    size_t len = 0, cap = 4096;
    char *text = heap_alloc(cap);
    for (;;) {
        ssize_t got = read(fd, text + len, cap - len - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || len + (size_t)got > SIZE_MAX_BYTES) {
            int error = got < 0 ? -errno : got > 0 ? ERR_TOO_LARGE : 0;
            text[len] = '\0';
            if (error == 0) {
                *ret = text;
                return (ssize_t)len;
            }
            sodium_memzero(text, len);
            free(text);
            return error;
        }
        len += (size_t)got;
        if (cap - len > 1)
            continue;
        char *grown = heap_alloc(cap * 2);
        memcpy(grown, text, len);
        sodium_memzero(text, len);
        free(text);
        text = grown;
        cap *= 2;
    }
}

static int read_file(struct text_file *file, bool *ret_changed)
{
    scoped_fd int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    struct stat now;
    if (fd < 0 || fstat(fd, &now) < 0)
        return -errno;
    char *text = NULL;
    ssize_t len = read_all(fd, &text);
    if (len < 0)
        return (int)len;
    *ret_changed =
        !file->text || (size_t)len != file->len || sodium_memcmp(text, file->text, file->len) != 0;
    set_text(file, text, (size_t)len);
    file->seen = now;
    return 0;
}

int text_file_open(struct text_file *file, struct str path)
{
    *file = (struct text_file){0};
    if (!path.len)
        return 0;
    file->path = strndup(path.ptr, path.len);
    bool changed;
    int ret = file->path ? read_file(file, &changed) : -ENOMEM;
    if (ret < 0)
        text_file_close(file);
    return ret;
}

static bool looks_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool text_file_refresh(struct text_file *file, bool force)
{
    struct stat now;
    bool changed = false;
    if (!file->path || stat(file->path, &now) < 0 || (!force && looks_same(&now, &file->seen)))
        return false;
    return read_file(file, &changed) == 0 && changed;
}

struct str text_file_str(const struct text_file *file)
{
    return str_trim((struct str){file->text, file->len});
}

void text_file_close(struct text_file *file)
{
    set_text(file, NULL, 0);
    free(file->path);
    file->path = NULL;
}
