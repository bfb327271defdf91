/* Room for what is kept in thousands, apart from the heap.
 *
 * Blocks of one size, rounded up to 16 bytes, lie side by side in slabs, without a header each. On
 * the heap they would lie among what lives for a moment while they are made, and leave gaps there
 * that are too small for anything when that has gone: a quarter of all memory. A slab that becomes
 * empty is given back to the system. Like malloc it never fails (arena.h). */
#ifndef COMMON_BASE_KEEP_H
#define COMMON_BASE_KEEP_H

#include <stddef.h>

#include "common/base/scope.h"

enum { KEEP_LARGEST = 2048 }; /* larger blocks are the heap's */

struct keep;

struct keep *keep_new(void);
/* Everything must have been released. NULL is fine; returns NULL. */
struct keep *keep_free(struct keep *keep);
SCOPE_DEFINE(keep, struct keep, keep_free)

/* size bytes (not 0), not cleared, aligned for any type. */
void *keep_alloc(struct keep *keep, size_t size);
/* Gives a block back; size is that of keep_alloc. */
void keep_release(void *block, size_t size);

/* Bytes of the slabs that are in use. */
size_t keep_size(const struct keep *keep);

#endif
