/* Files of the directory source: whole reads with a limit, atomic writes, locks. Names are relative
 * to a root directory; results are 0 or a negative errno unless said otherwise. */
#ifndef COMMON_SOURCE_DIR_FILE_H
#define COMMON_SOURCE_DIR_FILE_H

#include <stdbool.h>

#include "common/base/sbuf.h"

/* Appends all of the regular file to out. -ENOENT, another errno, -EINVAL when it is no regular
 * file, ERR_TOO_LARGE over `limit` bytes (out may then hold a part). Never blocks on a FIFO. */
int dir_file_read(struct str root, struct str name, size_t limit, struct sbuf *out)
    __attribute__((warn_unused_result));

/* Replaces the file in one step (a temporary file beside it, synced, renamed over it), making its
 * directories. A reader, also after a crash, sees the old text or the new one. */
int dir_file_write(struct str root, struct str name, struct str text)
    __attribute__((warn_unused_result));

/* Removes the file; one that is not there is fine. */
int dir_file_remove(struct str root, struct str name) __attribute__((warn_unused_result));

/* Appends one line to the file, in one write, so that several programs may. When the file would
 * grow over `limit` bytes, it is renamed first to the name with ".1" behind it (under a lock with
 * ".lock" behind it; somebody else holding that, the line is appended all the same). */
int dir_file_append(struct str root, struct str name, struct str line, size_t limit)
    __attribute__((warn_unused_result));

/* Makes a directory and those above it. */
int dir_file_mkdir(struct str path) __attribute__((warn_unused_result));

/* Opens (or makes) the file and locks it for us alone; closing the descriptor unlocks. Does not
 * wait: -EWOULDBLOCK when somebody else has it. */
int dir_file_lock(struct str root, struct str name, int *ret_fd)
    __attribute__((warn_unused_result));

/* Is the locked descriptor still the file of that name? */
bool dir_file_is_current(struct str root, struct str name, int fd);

#endif
