#include "common/base/table.h"

#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/map.h"

enum { CAP_MIN = 16 };

/* By it, almost no other struct than the one that is looked for is ever touched. */
static uint8_t tag_of(uint64_t hash)
{
    uint8_t tag = (uint8_t)(hash >> 56);
    return tag ? tag : 1;
}

/* The slot that holds key, or the empty one where it would go. The table is never full. */
static size_t find_slot(const struct table *table, struct str key, uint64_t hash, table_key *key_of)
{
    size_t mask = table->cap - 1, at = (size_t)hash & mask;
    uint8_t tag = tag_of(hash);
    while (table->tags[at] && (table->tags[at] != tag || !str_eq(key_of(table->slots[at]), key)))
        at = (at + 1) & mask;
    return at;
}

static void set_slot(struct table *table, size_t at, void *item, uint64_t hash)
{
    table->slots[at] = item;
    table->tags[at] = tag_of(hash);
}

static void resize(struct table *table, size_t cap, table_key *key_of)
{
    struct table old = *table;
    table->cap = cap;
    table->slots = heap_alloc(cap * (sizeof(*table->slots) + sizeof(*table->tags)));
    table->tags = (uint8_t *)(table->slots + cap);
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.tags[i])
            continue;
        struct str key = key_of(old.slots[i]);
        uint64_t hash = map_hash(table->seed, key);
        set_slot(table, find_slot(table, key, hash, key_of), old.slots[i], hash);
    }
    free(old.slots);
}

void *table_get(const struct table *table, struct str key, table_key *key_of)
{
    if (table->count == 0)
        return NULL;
    return table->slots[find_slot(table, key, map_hash(table->seed, key), key_of)];
}

void *table_put(struct table *table, void *item, table_key *key_of)
{
    if ((table->count + 1) * 8 > table->cap * 7)
        resize(table, table->cap ? table->cap * 2 : CAP_MIN, key_of);
    struct str key = key_of(item);
    uint64_t hash = map_hash(table->seed, key);
    size_t at = find_slot(table, key, hash, key_of);
    void *before = table->slots[at];
    table->count += !before;
    set_slot(table, at, item, hash);
    return before;
}

/* Closes the gap at `hole`: structs behind it that may sit there move up (Knuth 6.4, algorithm R).
 */
static void close_gap(struct table *table, size_t hole, table_key *key_of)
{
    size_t mask = table->cap - 1;
    for (size_t at = (hole + 1) & mask; table->tags[at]; at = (at + 1) & mask) {
        size_t home = (size_t)map_hash(table->seed, key_of(table->slots[at])) & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        table->slots[hole] = table->slots[at];
        table->tags[hole] = table->tags[at];
        hole = at;
    }
    table->slots[hole] = NULL;
    table->tags[hole] = 0;
}

/* Far below where it grew, so that it does not go back and forth. */
static void shrink(struct table *table, table_key *key_of)
{
    if (table->count == 0)
        table_done(table);
    else if (table->cap > CAP_MIN && table->count * 8 <= table->cap)
        resize(table, table->cap / 2, key_of);
}

void *table_remove(struct table *table, struct str key, table_key *key_of)
{
    if (table->count == 0)
        return NULL;
    size_t at = find_slot(table, key, map_hash(table->seed, key), key_of);
    void *before = table->slots[at];
    if (!before)
        return NULL;
    close_gap(table, at, key_of);
    table->count--;
    shrink(table, key_of);
    return before;
}

size_t table_count(const struct table *table)
{
    return table->count;
}

void *table_next(const struct table *table, size_t *cursor)
{
    while (*cursor < table->cap) {
        void *item = table->slots[(*cursor)++];
        if (item)
            return item;
    }
    return NULL;
}

void table_done(struct table *table)
{
    free(table->slots);
    *table = (struct table){.seed = table->seed};
}
