/* Hash table of structs that begin with their address.
 *
 * What map.h is to any key, in a third of its room or less: a slot is a pointer and one byte of
 * the hash, and a table that has become almost empty gets smaller. The structs are borrowed, and
 * their addresses do not change while they are in the table. Iteration order is not defined.
 * Hashing is that of map_hash() with the table's seed. */
#ifndef COMMON_NET_IP_TABLE_H
#define COMMON_NET_IP_TABLE_H

#include "common/net/ip.h"

struct ip_table {
    struct ip **slots; /* heap, open addressing */
    uint8_t *tags;     /* behind them, one for each slot; 0: empty */
    size_t count, cap; /* cap is 0 or a power of two */
    uint64_t seed;     /* secret when strangers choose the addresses */
};

/* An empty table is {0} or {.seed = …}; it takes no memory. */

/* The struct that begins with that address, or NULL. */
void *ip_table_get(const struct ip_table *table, const struct ip *ip);

/* Puts in the struct that begins with ip; returns the one with that address that was there, or
 * NULL. */
void *ip_table_put(struct ip_table *table, struct ip *ip);

/* Takes out the struct with that address, which is returned, or NULL. ip may be its own. */
void *ip_table_remove(struct ip_table *table, const struct ip *ip);

size_t ip_table_count(const struct ip_table *table);

/* Walks all structs: *cursor starts at 0. NULL at the end. What was returned may be freed, but the
 * table must not change during the walk. */
void *ip_table_next(const struct ip_table *table, size_t *cursor);

/* Frees the table (not the structs) and leaves it empty, with its seed. */
void ip_table_done(struct ip_table *table);

#endif
