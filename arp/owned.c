#include "arp/owned.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/keep.h"
#include "common/net/ip_table.h"

struct owned {
    struct ip_table addresses; /* struct owned_address */
    struct keep *keep;         /* of them */
};

struct owned *owned_new(void)
{
    struct owned *owned = heap_alloc(sizeof(*owned));
    *owned = (struct owned){.keep = keep_new()};
    return owned;
}

struct owned *owned_free(struct owned *owned)
{
    if (!owned)
        return NULL;
    size_t cursor = 0;
    for (struct owned_address *address; (address = owned_next(owned, &cursor));)
        keep_release(address, sizeof(*address));
    ip_table_done(&owned->addresses);
    (void)keep_free(owned->keep);
    free(owned);
    return NULL;
}

static struct owned_address *need(struct owned *owned, const struct ip *ip, bool *ret_is_new)
{
    struct owned_address *address = owned_get(owned, ip);
    *ret_is_new = !address;
    if (address)
        return address;
    address = keep_alloc(owned->keep, sizeof(*address));
    *address = (struct owned_address){.ip = *ip};
    (void)ip_table_put(&owned->addresses, &address->ip);
    return address;
}

static bool drop_unused(struct owned *owned, struct owned_address *address)
{
    if (address->is_owned || address->watchers)
        return false;
    (void)ip_table_remove(&owned->addresses, &address->ip);
    keep_release(address, sizeof(*address));
    return true;
}

bool owned_add(struct owned *owned, const struct ip *ip)
{
    bool is_new;
    need(owned, ip, &is_new)->is_owned = true;
    return is_new;
}

bool owned_remove(struct owned *owned, const struct ip *ip)
{
    struct owned_address *address = owned_get(owned, ip);
    if (!address || !address->is_owned)
        return false;
    *address = (struct owned_address){.ip = address->ip, .watchers = address->watchers};
    return drop_unused(owned, address);
}

bool owned_watch(struct owned *owned, const struct ip *ip)
{
    bool is_new;
    need(owned, ip, &is_new)->watchers++;
    return is_new;
}

bool owned_unwatch(struct owned *owned, const struct ip *ip)
{
    struct owned_address *address = owned_get(owned, ip);
    assert(address && address->watchers);
    address->watchers--;
    return drop_unused(owned, address);
}

struct owned_address *owned_get(const struct owned *owned, const struct ip *ip)
{
    return ip_table_get(&owned->addresses, ip);
}

struct owned_address *owned_next(const struct owned *owned, size_t *cursor)
{
    return ip_table_next(&owned->addresses, cursor);
}
