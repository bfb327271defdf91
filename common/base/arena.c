#include "common/base/arena.h"

#include <assert.h>
#include <sodium.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/keep.h"

enum { FIRST_DEFAULT = 512, BLOCK_MAX = 64 * 1024 };

/* There are tens of thousands of arenas: their headers are small. No block has 4 GiB. */
struct block {
    struct block *next;
    uint32_t size; /* usable bytes behind the header */
    uint32_t used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    alignas(max_align_t) struct block *blocks; /* newest first; the first made is the last */
    uint32_t next_size;
    bool is_steady; /* later blocks do not double; the first was made together with the arena */
    bool is_kept;   /* it is in a keep */
};

static void out_of_memory(size_t size)
{
    (void)fprintf(stderr, "level=error msg=\"out of memory\" bytes=%zu\n", size);
    abort();
}

void *heap_alloc(size_t size)
{
    void *block = calloc(1, size ? size : 1);
    if (!block)
        out_of_memory(size);
    return block;
}

void *heap_resize(void *block, size_t size)
{
    void *grown = realloc(block, size ? size : 1);
    if (!grown)
        out_of_memory(size);
    return grown;
}

void *heap_alloc_aligned(size_t align, size_t size)
{
    void *block = aligned_alloc(align, size);
    if (!block)
        out_of_memory(size);
    return block;
}

static void block_add(struct arena *arena, struct block *block, size_t size)
{
    block->next = arena->blocks;
    block->size = (uint32_t)size;
    block->used = 0;
    arena->blocks = block;
}

static struct block *block_new(struct arena *arena, size_t size)
{
    struct block *block = size <= UINT32_MAX ? malloc(sizeof(*block) + size) : NULL;
    if (!block)
        out_of_memory(size);
    block_add(arena, block, size);
    return block;
}

struct arena *arena_new(size_t first)
{
    struct arena *arena = heap_alloc(sizeof(*arena));
    assert(first <= UINT32_MAX);
    arena->next_size = first ? (uint32_t)first : FIRST_DEFAULT;
    return arena;
}

struct arena *arena_new_steady(size_t first, size_t step)
{
    return arena_new_kept(NULL, first, step);
}

/* One allocation for a steady arena and its first block. */
static size_t steady_size(size_t first)
{
    return sizeof(struct arena) + sizeof(struct block) + first;
}

struct arena *arena_new_kept(struct keep *keep, size_t first, size_t step)
{
    assert(first <= UINT32_MAX && step <= UINT32_MAX);
    size_t size = steady_size(first);
    struct arena *arena = keep ? keep_alloc(keep, size) : malloc(size);
    if (!arena)
        out_of_memory(size);
    *arena =
        (struct arena){.next_size = (uint32_t)step, .is_steady = true, .is_kept = keep != NULL};
    block_add(arena, (struct block *)(arena + 1), first);
    return arena;
}

struct arena *arena_free(struct arena *arena)
{
    if (!arena)
        return NULL;
    struct block *block = arena->blocks;
    for (struct block *next; block && (block->next || !arena->is_steady); block = next) {
        next = block->next;
        free(block);
    }
    if (arena->is_kept)
        keep_release(arena, steady_size(block->size));
    else
        free(arena);
    return NULL;
}

void arena_wipe(struct arena *arena)
{
    for (struct block *block = arena ? arena->blocks : NULL; block; block = block->next)
        sodium_memzero(block->bytes, block->used);
}

void arena_reset(struct arena *arena)
{
    struct block *block = arena->blocks;
    while (block && block->next) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = block;
    if (block)
        block->used = 0;
}

/* size bytes that start at a multiple of `align`, not cleared. */
static void *take(struct arena *arena, size_t size, size_t align)
{
    assert(size <= SIZE_MAX / 2);
    struct block *block = arena->blocks;
    size_t at = block ? (block->used + align - 1) & ~(align - 1) : 0;
    if (!block || at > block->size || block->size - at < size) {
        block = block_new(arena, arena->next_size > size ? arena->next_size : size);
        at = 0;
        if (arena->next_size < BLOCK_MAX && !arena->is_steady)
            arena->next_size *= 2;
    }
    block->used = (uint32_t)(at + size);
    return block->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(take(arena, size, alignof(max_align_t)), 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(SIZE_MAX);
    return arena_alloc(arena, bytes);
}

struct str arena_str(struct arena *arena, struct str text)
{
    char *copy = take(arena, text.len + 1, 1); /* text stands anywhere: objects stay small */
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return (struct str){.ptr = copy, .len = text.len};
}

const char *arena_cstr(struct arena *arena, struct str text)
{
    return arena_str(arena, text).ptr;
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    char *text = take(arena, (size_t)len + 1, 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return (struct str){.ptr = text, .len = (size_t)len};
}

size_t arena_used(const struct arena *arena)
{
    size_t used = 0;
    for (const struct block *block = arena->blocks; block; block = block->next)
        used += block->used;
    return used;
}

size_t arena_size(const struct arena *arena)
{
    size_t size = sizeof(*arena);
    for (const struct block *block = arena->blocks; block; block = block->next)
        size += sizeof(*block) + block->size;
    return size;
}
