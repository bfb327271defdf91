/* Hash map from bytes to pointers.
 *
 * Keys are borrowed: the bytes must live as long as the entry (usually they are part of the value).
 * Values are borrowed too and must not be NULL. A table that has become almost empty gets smaller.
 * Iteration order is not defined; where the order is seen, use map_sorted(). Hashing is SipHash-2-4
 * with the map's seed, so that names chosen by a stranger cannot make it slow when the seed is
 * secret. */
#ifndef COMMON_BASE_MAP_H
#define COMMON_BASE_MAP_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/str.h"

struct map {
    struct map_entry *slots; /* heap, open addressing */
    size_t count, cap;       /* cap is 0 or a power of two */
    uint64_t seed;
};

struct map_entry {
    struct str key;
    void *value;   /* NULL: empty slot */
    uint64_t hash; /* of the key: keys themselves are only looked at when it is the same */
};

/* An empty map is {0} or {.seed = …}; it takes no memory until the first put. */

/* The value, or NULL. */
void *map_get(const struct map *map, struct str key);

/* Sets key to value (not NULL); returns the value that was there, or NULL. When the key was there
 * the stored key becomes the new one, so that the old value may be freed with its key. */
void *map_put(struct map *map, struct str key, void *value);

/* Sets key to value only when it is not there: NULL then, else the value that stays. */
void *map_add(struct map *map, struct str key, void *value);

/* Removes key; returns the value that was there, or NULL. */
void *map_remove(struct map *map, struct str key);

size_t map_count(const struct map *map);

/* Walks all entries in no particular order: *cursor starts at 0. NULL at the end. The map must
 * not change during the walk. */
struct map_entry *map_next(const struct map *map, size_t *cursor);

/* All entries sorted by key, in the arena; ret_count may be 0. */
struct map_entry *map_sorted(const struct map *map, struct arena *arena, size_t *ret_count);

/* Frees the table (not keys or values) and leaves the map empty. */
void map_done(struct map *map);

/* The 64-bit hash that maps use; for containers that keep their own tables. */
uint64_t map_hash(uint64_t seed, struct str key);

#endif
