/* Growing arrays of any type.
 *
 *     VEC(struct ip) ips = {0};
 *     vec_push(&ips, ip);
 *     for (size_t i = 0; i < ips.len; i++) use(&ips.items[i]);
 *     vec_done(&ips);
 *
 * The array owns `items` (heap); what the items point to is the user's business. */
#ifndef COMMON_BASE_VEC_H
#define COMMON_BASE_VEC_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/arena.h"

#define VEC(type)        \
    struct {             \
        type *items;     \
        size_t len, cap; \
    }

/* Room for `want` items in all. Behind the macros; aborts when the size overflows. */
static inline void *vec_grow(void *items, size_t *cap, size_t want, size_t size)
{
    if (want <= *cap)
        return items;
    size_t grown = *cap ? *cap : 8;
    while (grown < want)
        grown *= 2;
    assert(grown <= SIZE_MAX / 2 / size);
    *cap = grown;
    return heap_resize(items, grown * size);
}

#define vec_reserve(v, want) \
    ((v)->items = vec_grow((v)->items, &(v)->cap, (want), sizeof(*(v)->items)))

#define vec_push(v, item) (vec_reserve((v), (v)->len + 1), (void)((v)->items[(v)->len++] = (item)))

/* The last item, removed. The array must not be empty. */
#define vec_pop(v) (assert((v)->len > 0), (v)->items[--(v)->len])

/* Removes item i by moving the last one there: O(1), order is lost. */
#define vec_drop(v, i) \
    (assert((i) < (v)->len), (void)((v)->items[(i)] = (v)->items[(v)->len - 1]), (void)(v)->len--)

#define vec_clear(v) ((void)((v)->len = 0))

/* Frees the array itself and leaves it empty. */
#define vec_done(v) (free((v)->items), (v)->items = NULL, (void)((v)->len = (v)->cap = 0))

#define vec_sort(v, compare) \
    ((v)->len ? qsort((v)->items, (v)->len, sizeof(*(v)->items), (compare)) : (void)0)

#endif
