/* Arenas: memory that lives and dies together.
 *
 * An object, a reconcile or a session owns one arena; everything it needs is taken from there and
 * freed at once. Allocation never fails: without memory the process says so and aborts (in one
 * place, arena.c). So every size that comes from outside is bounded before it gets here. */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include <stddef.h>

#include "common/base/scope.h"
#include "common/base/str.h"

struct arena;
struct keep;

/* A new arena whose first block holds `first` bytes (0: a small default). Later blocks double, up
 * to 64 KiB, or are as large as one allocation needs. Never NULL. */
struct arena *arena_new(size_t first);

/* The same, with later blocks of `step` bytes: wastes little, for what is kept in thousands. */
struct arena *arena_new_steady(size_t first, size_t step);

/* The same, with the arena and its first block in a place for what is kept (keep.h), which outlives
 * it; NULL: on the heap. */
struct arena *arena_new_kept(struct keep *keep, size_t first, size_t step);

/* Frees the arena and all it holds. NULL is fine. Returns NULL. */
struct arena *arena_free(struct arena *arena);

SCOPE_DEFINE(arena, struct arena, arena_free)

/* Overwrites all that was allocated with zeros: before arena_free or arena_reset, for an arena that
 * holds secrets. NULL is fine. */
void arena_wipe(struct arena *arena);

/* Forgets all that was allocated but keeps the first block for use again. */
void arena_reset(struct arena *arena);

/* size bytes, zeroed, aligned for any type. A size of 0 gives a valid pointer to nothing. */
void *arena_alloc(struct arena *arena, size_t size);

/* An array of count members of `size` bytes each, zeroed; overflow aborts. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of text, with a NUL behind it (not counted in len). */
struct str arena_str(struct arena *arena, struct str text);

/* The same as a C string. */
const char *arena_cstr(struct arena *arena, struct str text);

/* printf into the arena; the result ends in NUL (not counted). */
struct str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes given out by this arena. */
size_t arena_used(const struct arena *arena);

/* Bytes taken from the system by this arena. */
size_t arena_size(const struct arena *arena);

/* malloc, calloc-style and realloc that abort when memory is out; for the containers of
 * common/base and for shells that a library forces to use the heap. Free with free(). */
void *heap_alloc(size_t size);
void *heap_resize(void *block, size_t size);
/* The same of aligned_alloc, not cleared. */
void *heap_alloc_aligned(size_t align, size_t size);

#endif
