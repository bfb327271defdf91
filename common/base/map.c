#include "common/base/map.h"

#include <assert.h>
#include <sodium/crypto_shorthash.h>
#include <string.h>

enum { CAP_MIN = 16 };

uint64_t map_hash(uint64_t seed, struct str key)
{
    unsigned char secret[crypto_shorthash_KEYBYTES] = {0};
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t hash;
    memcpy(secret, &seed, sizeof(seed));
    (void)crypto_shorthash(out, (const unsigned char *)key.ptr, key.len, secret); /* cannot fail */
    memcpy(&hash, out, sizeof(hash));
    return hash;
}

/* The slot that holds key, or the empty one where it would go. The table is never full. */
static size_t find_slot(const struct map *map, struct str key, uint64_t hash)
{
    size_t mask = map->cap - 1;
    size_t at = (size_t)hash & mask;
    while (map->slots[at].value &&
           (map->slots[at].hash != hash || !str_eq(map->slots[at].key, key)))
        at = (at + 1) & mask;
    return at;
}

static void resize(struct map *map, size_t cap)
{
    struct map_entry *old = map->slots;
    size_t old_cap = map->cap;
    map->cap = cap;
    map->slots = heap_alloc(cap * sizeof(*map->slots));
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i].value)
            map->slots[find_slot(map, old[i].key, old[i].hash)] = old[i];
    }
    free(old);
}

void *map_get(const struct map *map, struct str key)
{
    return map->count ? map->slots[find_slot(map, key, map_hash(map->seed, key))].value : NULL;
}

/* The slot of key, with room made for it. */
static struct map_entry *slot_for(struct map *map, struct str key, uint64_t hash)
{
    if ((map->count + 1) * 4 > map->cap * 3)
        resize(map, map->cap ? map->cap * 2 : CAP_MIN);
    return &map->slots[find_slot(map, key, hash)];
}

void *map_put(struct map *map, struct str key, void *value)
{
    assert(value);
    uint64_t hash = map_hash(map->seed, key);
    struct map_entry *slot = slot_for(map, key, hash);
    void *before = slot->value;
    if (!before)
        map->count++;
    *slot = (struct map_entry){.key = key, .value = value, .hash = hash};
    return before;
}

void *map_add(struct map *map, struct str key, void *value)
{
    assert(value);
    uint64_t hash = map_hash(map->seed, key);
    struct map_entry *slot = slot_for(map, key, hash);
    if (slot->value)
        return slot->value;
    map->count++;
    *slot = (struct map_entry){.key = key, .value = value, .hash = hash};
    return NULL;
}

/* Closes the gap at `hole`: entries behind it that may sit there move up (Knuth 6.4, algorithm R).
 */
static void close_gap(struct map *map, size_t hole)
{
    size_t mask = map->cap - 1;
    size_t at = hole;
    for (;;) {
        at = (at + 1) & mask;
        if (!map->slots[at].value)
            break;
        size_t home = (size_t)map->slots[at].hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = (struct map_entry){0};
}

/* Far below where it grew, so that it does not go back and forth. */
static void shrink(struct map *map)
{
    if (map->count == 0)
        map_done(map);
    else if (map->cap > CAP_MIN && map->count * 8 <= map->cap)
        resize(map, map->cap / 2);
}

void *map_remove(struct map *map, struct str key)
{
    if (map->count == 0)
        return NULL;
    size_t at = find_slot(map, key, map_hash(map->seed, key));
    void *before = map->slots[at].value;
    if (!before)
        return NULL;
    close_gap(map, at);
    map->count--;
    shrink(map);
    return before;
}

size_t map_count(const struct map *map)
{
    return map->count;
}

struct map_entry *map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->cap) {
        struct map_entry *slot = &map->slots[(*cursor)++];
        if (slot->value)
            return slot;
    }
    return NULL;
}

static int compare_entries(const void *a, const void *b)
{
    return str_cmp(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}

struct map_entry *map_sorted(const struct map *map, struct arena *arena, size_t *ret_count)
{
    struct map_entry *entries = arena_array(arena, map->count, sizeof(*entries));
    size_t count = 0;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(map, &cursor));)
        entries[count++] = *slot;
    if (count)
        qsort(entries, count, sizeof(*entries), compare_entries);
    *ret_count = count;
    return entries;
}

void map_done(struct map *map)
{
    free(map->slots);
    map->slots = NULL;
    map->count = map->cap = 0;
}
