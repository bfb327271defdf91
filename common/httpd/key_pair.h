/* A certificate with its key: two PEM files that others replace while we run. */
#ifndef COMMON_HTTPD_KEY_PAIR_H
#define COMMON_HTTPD_KEY_PAIR_H

#include <stdbool.h>
#include <sys/stat.h>

#include "common/base/sbuf.h"
#include "common/base/str.h"

/* What tells one state of a file from another; all 0 when there is no file. */
struct file_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct key_files {
    struct str certificate, key; /* paths, borrowed */
    struct file_mark marks[2];   /* of both, as of the last key_pair_read */
};

struct key_pair {
    struct sbuf certificate, key; /* PEM; owned */
};

/* Reads both files into an empty pair and takes their marks. 0, or a negative errno (-EFBIG: over
 * 1 MiB); whether the two belong together is not looked at. */
int key_pair_read(struct key_files *files, struct key_pair *ret)
    __attribute__((warn_unused_result));

/* Has a file been replaced or written to since the last key_pair_read? */
bool key_files_changed(const struct key_files *files);

/* Wipes and frees the texts. */
void key_pair_done(struct key_pair *pair);

#endif
