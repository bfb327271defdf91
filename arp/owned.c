#include "arp/owned.h"

#include <stdlib.h>

#include "common/base/map.h"

struct owned {
    struct map addresses; /* ip_key to struct owned_address */
};

struct owned *owned_new(void)
{
    return heap_alloc(sizeof(struct owned));
}

struct owned *owned_free(struct owned *owned)
{
    if (!owned)
        return NULL;
    size_t cursor = 0;
    for (struct owned_address *address; (address = owned_next(owned, &cursor));)
        free(address);
    map_done(&owned->addresses);
    free(owned);
    return NULL;
}

void owned_add(struct owned *owned, const struct ip *ip)
{
    if (owned_get(owned, ip))
        return;
    struct owned_address *address = heap_alloc(sizeof(*address));
    address->ip = *ip;
    (void)map_put(&owned->addresses, ip_key(&address->ip), address);
}

void owned_remove(struct owned *owned, const struct ip *ip)
{
    free(map_remove(&owned->addresses, ip_key(ip)));
}

struct owned_address *owned_get(const struct owned *owned, const struct ip *ip)
{
    return map_get(&owned->addresses, ip_key(ip));
}

struct owned_address *owned_next(const struct owned *owned, size_t *cursor)
{
    struct map_entry *entry = map_next(&owned->addresses, cursor);
    return entry ? entry->value : NULL;
}
