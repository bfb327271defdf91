#include "common/net/ip_table.h"

#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/map.h"

enum { CAP_MIN = 16 };

static uint64_t hash_of(const struct ip_table *table, const struct ip *ip)
{
    return map_hash(table->seed, ip_key(ip));
}

/* By it, almost no other struct than the one that is looked for is ever touched. */
static uint8_t tag_of(uint64_t hash)
{
    uint8_t tag = (uint8_t)(hash >> 56);
    return tag ? tag : 1;
}

/* The slot that holds ip, or the empty one where it would go. The table is never full. */
static size_t find_slot(const struct ip_table *table, const struct ip *ip, uint64_t hash)
{
    size_t mask = table->cap - 1, at = (size_t)hash & mask;
    uint8_t tag = tag_of(hash);
    while (table->tags[at] && (table->tags[at] != tag || !ip_eq(table->slots[at], ip)))
        at = (at + 1) & mask;
    return at;
}

static void set_slot(struct ip_table *table, size_t at, struct ip *ip, uint64_t hash)
{
    table->slots[at] = ip;
    table->tags[at] = tag_of(hash);
}

static void resize(struct ip_table *table, size_t cap)
{
    struct ip_table old = *table;
    table->cap = cap;
    table->slots = heap_alloc(cap * (sizeof(*table->slots) + sizeof(*table->tags)));
    table->tags = (uint8_t *)(table->slots + cap);
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.tags[i])
            continue;
        uint64_t hash = hash_of(table, old.slots[i]);
        set_slot(table, find_slot(table, old.slots[i], hash), old.slots[i], hash);
    }
    free(old.slots);
}

void *ip_table_get(const struct ip_table *table, const struct ip *ip)
{
    return table->count ? table->slots[find_slot(table, ip, hash_of(table, ip))] : NULL;
}

void *ip_table_put(struct ip_table *table, struct ip *ip)
{
    if ((table->count + 1) * 8 > table->cap * 7)
        resize(table, table->cap ? table->cap * 2 : CAP_MIN);
    uint64_t hash = hash_of(table, ip);
    size_t at = find_slot(table, ip, hash);
    struct ip *before = table->slots[at];
    table->count += !before;
    set_slot(table, at, ip, hash);
    return before;
}

/* Closes the gap at `hole`: structs behind it that may sit there move up (Knuth 6.4, algorithm R).
 */
static void close_gap(struct ip_table *table, size_t hole)
{
    size_t mask = table->cap - 1;
    for (size_t at = (hole + 1) & mask; table->tags[at]; at = (at + 1) & mask) {
        size_t home = (size_t)hash_of(table, table->slots[at]) & mask;
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
static void shrink(struct ip_table *table)
{
    if (table->count == 0)
        ip_table_done(table);
    else if (table->cap > CAP_MIN && table->count * 8 <= table->cap)
        resize(table, table->cap / 2);
}

void *ip_table_remove(struct ip_table *table, const struct ip *ip)
{
    if (table->count == 0)
        return NULL;
    size_t at = find_slot(table, ip, hash_of(table, ip));
    struct ip *before = table->slots[at];
    if (!before)
        return NULL;
    close_gap(table, at);
    table->count--;
    shrink(table);
    return before;
}

size_t ip_table_count(const struct ip_table *table)
{
    return table->count;
}

void *ip_table_next(const struct ip_table *table, size_t *cursor)
{
    while (*cursor < table->cap) {
        struct ip *ip = table->slots[(*cursor)++];
        if (ip)
            return ip;
    }
    return NULL;
}

void ip_table_done(struct ip_table *table)
{
    free(table->slots);
    *table = (struct ip_table){.seed = table->seed};
}
