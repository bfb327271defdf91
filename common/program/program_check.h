/* What --check shares: a directory of manifests is read once, and then there is nothing to wait
 * for. */
#ifndef COMMON_PROGRAM_PROGRAM_CHECK_H
#define COMMON_PROGRAM_PROGRAM_CHECK_H

#include "common/source/source.h"

/* Reads the objects of all kinds in the directory and calls `read` once, when all are there; the
 * source is borrowed for the call. 0, or a negative errno when the directory cannot be read (a
 * source would wait until it is there; here that is all there is to say): `read` is not called. */
int program_check(struct str directory, void (*read)(void *ctx, struct source *source), void *ctx)
    __attribute__((warn_unused_result));

#endif
