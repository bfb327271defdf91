/* Places in sorted arrays: bsearch() for those who want to insert as well. Pure. */
#ifndef COMMON_BASE_SORTED_H
#define COMMON_BASE_SORTED_H

#include <stdbool.h>
#include <stddef.h>

/* The index of the item that compares equal to the key, or, with false in ret_found, the one where
 * it would have to be put: of the first item behind it, or count. cmp compares the key with an item
 * as bsearch() has it; no two items may be equal. items may be NULL when count is 0. */
size_t sorted_place(const void *key, const void *items, size_t count, size_t size,
                    int (*cmp)(const void *key, const void *item), bool *ret_found);

#endif
