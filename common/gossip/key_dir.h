/* The secret of the members: a directory with `secretkey` and perhaps `secretkey.old`, as a
 * Kubernetes Secret is mounted (its files are links that all change at once). */
#ifndef COMMON_GOSSIP_KEY_DIR_H
#define COMMON_GOSSIP_KEY_DIR_H

#include <sys/stat.h>

#include "common/gossip/seal.h"

/* What tells one state of a file from another; all 0 when there is no file. */
struct key_mark {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct key_dir {
    char *current, *old; /* paths; heap */
    struct key_mark marks[2];
};

void key_dir_init(struct key_dir *dir, struct str path);
void key_dir_done(struct key_dir *dir);

/* Has a file been replaced or written to since the last key_dir_read? */
bool key_dir_changed(const struct key_dir *dir);

/* 0, a negative errno when `secretkey` cannot be read, or what seal_keys_parse says. */
int key_dir_read(struct key_dir *dir, struct seal_keys *ret) __attribute__((warn_unused_result));

#endif
