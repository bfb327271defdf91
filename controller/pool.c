#include "controller/pool.h"

#include <assert.h>
#include <stdlib.h>

struct pool_set *pool_set_free(struct pool_set *set)
{
    if (set)
        arena_free(set->arena); /* the set itself is in it */
    return NULL;
}

static int compare_name(const void *key, const void *item)
{
    return str_cmp(*(const struct str *)key, ((const struct pool *)item)->name);
}

const struct pool *pool_set_find(const struct pool_set *set, struct str name)
{
    if (!set->count)
        return NULL;
    return bsearch(&name, set->pools, set->count, sizeof(*set->pools), compare_name);
}

/* Some old equipment does not carry packets for such addresses, taking them for the network's or
 * the broadcast address of a classful network. */
static bool is_buggy(ip_value address)
{
    unsigned host = (unsigned)(address & 0xff);
    return host == 0 || host == 255;
}

const struct pool_segment *pool_set_locate(const struct pool_set *set, const struct ip *ip)
{
    uint32_t low = 0, high = set->segment_count; /* the first that starts behind ip is in between */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ip_cmp(&set->segments[set->by_address[middle]].first, ip) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const struct pool_segment *segment = &set->segments[set->by_address[low - 1]];
    if (ip_cmp(ip, &segment->last) > 0)
        return NULL;
    return segment->avoid_buggy && is_buggy(ip_to_value(ip)) ? NULL : segment;
}

bool pool_admits(const struct pool *pool, struct str namespace, const struct str_map *labels)
{
    if (!pool->pinned)
        return true;
    if (pool->by_namespace && (!pool->namespaces.count ||
                               !bsearch(&namespace, pool->namespaces.items, pool->namespaces.count,
                                        sizeof(*pool->namespaces.items), str_cmp_ptr)))
        return false;
    return !pool->by_labels || pool->selects(pool->selectors, labels);
}

bool pool_segment_admits(const struct pool_segment *segment, struct str key, struct str namespace)
{
    /* A name with a slash is a Service, one without a namespace. */
    return !segment->owner.len || str_eq(segment->owner, key) || str_eq(segment->owner, namespace);
}

/* With avoided addresses, 254 of every 256 count. */
static ip_value dense_of(bool avoid_buggy, ip_value address)
{
    return avoid_buggy ? (address >> 8) * 254 + (address & 0xff) - 1 : address;
}

ip_value pool_segment_index(const struct pool_segment *segment, const struct ip *ip)
{
    return dense_of(segment->avoid_buggy, ip_to_value(ip)) -
           dense_of(segment->avoid_buggy, ip_to_value(&segment->first));
}

struct ip pool_segment_ip(const struct pool_segment *segment, ip_value index)
{
    assert(index <= segment->last_index);
    ip_value dense = dense_of(segment->avoid_buggy, ip_to_value(&segment->first)) + index;
    ip_value address = segment->avoid_buggy ? (dense / 254) << 8 | (dense % 254 + 1) : dense;
    return ip_of_value((enum ip_family)segment->first.family, address);
}
