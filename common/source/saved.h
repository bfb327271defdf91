/* The objects that are followed, saved on disk, so that a program which restarts while the API
 * server is away has something to work from.
 *
 * They are written as the cache has them, piece by piece in between other work: some seconds after
 * something changed, at most each SAVED_INTERVAL_MS, and at the end of the program. Secrets and
 * objects that are refused are left out. What changes in an object with no meaning to us (its
 * version, a heartbeat) is no reason to write.
 *
 * The file is DIR/PROGRAM.objects (saved_format.h), written anew beside it and renamed over it; the
 * one before stays as DIR/PROGRAM.objects.old. Nothing waits for the disk: a killed process loses
 * nothing by that, and a host that loses its power finds the file or, when that had not reached the
 * disk, a damaged one and the one before, which is at least SAVED_INTERVAL_MS older. fsync would
 * stop the answers to the network for as long as the disk likes. */
#ifndef COMMON_SOURCE_SAVED_H
#define COMMON_SOURCE_SAVED_H

#include "common/kube/cache.h"
#include "common/loop/loop.h"
#include "common/source/source.h"

enum { SAVED_INTERVAL_MS = 10000 };

struct saved;

/* dir is made when it is not there (its parent must be). Texts are copied; the cache outlives it,
 * and so does figures, where writes, failures and damaged are counted. */
struct saved *saved_open(struct loop *loop, struct str dir, struct str program,
                         const struct cache *cache, struct source_saved *figures);

/* Writes what is not written yet. NULL is fine; returns NULL. */
struct saved *saved_close(struct saved *saved);

/* Reads the file, or the one before when it is damaged, and gives each object to the callee, which
 * owns the reference. Returns how many. Their resourceVersion and generation are empty, so that the
 * first list replaces every one. */
size_t saved_load(struct saved *saved, void (*object)(void *ctx, struct object *object), void *ctx);

/* The cache is complete and true: from now on it is saved. */
void saved_begin(struct saved *saved);

/* An object came (before is NULL), changes or goes (after is NULL). */
void saved_note(struct saved *saved, const struct object *before, const struct object *after);

#endif
