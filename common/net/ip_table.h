/* Hash table of structs that begin with their address: table.h with addresses for keys. */
#ifndef COMMON_NET_IP_TABLE_H
#define COMMON_NET_IP_TABLE_H

#include "common/base/table.h"
#include "common/net/ip.h"

/* An empty one is {0} or {.table.seed = …}. */
struct ip_table {
    struct table table;
};

/* The key of a struct that begins with a struct ip. */
struct str ip_table_key(const void *item);

/* The struct that begins with that address, or NULL. */
static inline void *ip_table_get(const struct ip_table *table, const struct ip *ip)
{
    return table_get(&table->table, ip_key(ip), ip_table_key);
}

/* Puts in the struct that begins with ip; returns the one with that address that was there, or
 * NULL. */
static inline void *ip_table_put(struct ip_table *table, struct ip *ip)
{
    return table_put(&table->table, ip, ip_table_key);
}

/* Takes out the struct with that address, which is returned, or NULL. ip may be its own. */
static inline void *ip_table_remove(struct ip_table *table, const struct ip *ip)
{
    return table_remove(&table->table, ip_key(ip), ip_table_key);
}

static inline size_t ip_table_count(const struct ip_table *table)
{
    return table_count(&table->table);
}

/* Walks all structs, as table_next() does. */
static inline void *ip_table_next(const struct ip_table *table, size_t *cursor)
{
    return table_next(&table->table, cursor);
}

/* Frees the table (not the structs) and leaves it empty, with its seed. */
static inline void ip_table_done(struct ip_table *table)
{
    table_done(&table->table);
}

#endif
