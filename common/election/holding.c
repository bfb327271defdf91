#include "common/election/holding.h"

#include <stdlib.h>

#include "crd/ipaddresspool.h"

/* Equal ones as they stand. */
static int by_ip(const void *a, const void *b)
{
    const struct ip *x = *(struct ip *const *)a, *y = *(struct ip *const *)b;
    int order = ip_cmp(x, y);
    return order ? order : (x > y) - (x < y);
}

/* Leaves each address once, where it stands first; returns how many. Others write them, as many as
 * they like: not by comparing each with each. */
static size_t drop_repeated(struct ip *ips, size_t count, struct arena *arena)
{
    struct ip **sorted = arena_array(arena, count, sizeof(*sorted)), *first = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &ips[i];
    qsort(sorted, count, sizeof(struct ip *), by_ip);
    for (size_t i = 0; i < count; i++) {
        if (first && ip_eq(first, sorted[i]))
            *sorted[i] = (struct ip){0};
        else
            first = sorted[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (ip_is_set(&ips[i]))
            ips[kept++] = ips[i];
    }
    return kept;
}

/* Entries without an address are others': a host name says nothing to us. */
static enum reason read_addresses(const struct service *service, struct arena *arena,
                                  struct holding *holding)
{
    const struct service_ingress *ingress = service->status.ingress.items;
    struct ip *ips = arena_array(arena, service->status.ingress.count, sizeof(*ips));
    for (size_t i = 0; i < service->status.ingress.count; i++) {
        if (ingress[i].ip.len == 0)
            continue;
        if (!ip_is_set(&ingress[i].address))
            return REASON_INVALID_IP;
        ips[holding->ip_count++] = ingress[i].address;
    }
    if (holding->ip_count > 1)
        holding->ip_count = drop_repeated(ips, holding->ip_count, arena);
    holding->ips = ips;
    return holding->ip_count ? REASON_NONE : REASON_NO_IP;
}

static bool any_contains(const struct list *ranges, const struct ip *ip)
{
    const struct range *all = ranges->items;
    for (size_t i = 0; i < ranges->count; i++) {
        if (range_contains(&all[i], ip))
            return true;
    }
    return false;
}

/* "Buggy" are the addresses that some old routers take for a network or a broadcast. */
static bool is_buggy(const struct ip *ip)
{
    return ip->family == IP_V4 && (ip->bytes[3] == 0 || ip->bytes[3] == 255);
}

static bool pool_holds(const struct ipaddresspool *pool, const struct ip *ip)
{
    return any_contains(&pool->ranges, ip) && !any_contains(&pool->excludes, ip) &&
           !(pool->spec.avoid_buggy_ips && is_buggy(ip));
}

static bool pool_holds_all(const struct object *pool, const struct ip *ips, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!pool_holds((const struct ipaddresspool *)pool, &ips[i]))
            return false;
    }
    return true;
}

size_t holding_pool(const struct ip *ips, size_t count, const struct objects *pools)
{
    size_t pool = 0;
    while (pool < pools->count && !pool_holds_all(pools->items[pool], ips, count))
        pool++;
    return pool;
}

enum reason holding_read(const struct service *service, const struct objects *pools,
                         struct arena *arena, struct holding *ret)
{
    *ret = (struct holding){0};
    if (service->object.refused)
        return REASON_INVALID_SERVICE;
    enum reason reason = read_addresses(service, arena, ret);
    if (reason)
        return reason;
    ret->pool = holding_pool(ret->ips, ret->ip_count, pools);
    return ret->pool < pools->count ? REASON_NONE : REASON_IP_NOT_ALLOWED;
}
