#include "common/election/holding.h"

#include "crd/ipaddresspool.h"

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

static bool pool_holds_all(const struct ipaddresspool *pool, const struct holding *holding)
{
    for (size_t i = 0; i < holding->ip_count; i++) {
        if (!pool_holds(pool, &holding->ips[i]))
            return false;
    }
    return true;
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
    for (; ret->pool < pools->count; ret->pool++) {
        if (pool_holds_all((const struct ipaddresspool *)pools->items[ret->pool], ret))
            return REASON_NONE;
    }
    return REASON_IP_NOT_ALLOWED;
}
