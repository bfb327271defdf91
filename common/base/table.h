/* Hash table of structs that hold their own keys.
 *
 * What map.h is for any key and value, in a third of its room or less: a slot is a pointer and one
 * byte of the hash. For what there may be thousands of. The structs are borrowed, and neither they
 * nor their keys move while they are in the table, which gets smaller when it has become almost
 * empty. Iteration order is not defined. Hashing is map_hash() with the table's seed.
 *
 * Each call is given the function that knows the key of a struct: always the same for one table. */
#ifndef COMMON_BASE_TABLE_H
#define COMMON_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

struct table {
    void **slots;      /* heap, open addressing */
    uint8_t *tags;     /* behind them, one for each slot; 0: empty */
    size_t count, cap; /* cap is 0 or a power of two */
    uint64_t seed;     /* secret when strangers choose the keys */
};

/* The key of a struct, borrowed from it. */
typedef struct str table_key(const void *item);

/* An empty table is {0} or {.seed = …}; it takes no memory. */

/* The struct with that key, or NULL. */
void *table_get(const struct table *table, struct str key, table_key *key_of);

/* Puts a struct in; returns the one with the same key that was there, or NULL. */
void *table_put(struct table *table, void *item, table_key *key_of);

/* Takes out the struct with that key, which may be borrowed from it; returns it, or NULL. */
void *table_remove(struct table *table, struct str key, table_key *key_of);

size_t table_count(const struct table *table);

/* Walks all structs: *cursor starts at 0. NULL at the end. What was returned may be freed, but the
 * table must not change during the walk. */
void *table_next(const struct table *table, size_t *cursor);

/* Frees the table (not the structs) and leaves it empty, with its seed. */
void table_done(struct table *table);

#endif
