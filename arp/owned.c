#include "arp/owned.h"

#include <stdlib.h>

#include "common/base/map.h"

struct owned {
    struct map addresses; /* ip_key to struct owned_address */
};

struct owned *owned_new(uint64_t seed)
{
    struct owned *owned = heap_alloc(sizeof(*owned));
    owned->addresses.seed = seed;
    return owned;
}

static void address_free(struct owned_address *address)
{
    if (!address)
        return;
    free((void *)address->interfaces);
    free(address);
}

struct owned *owned_free(struct owned *owned)
{
    if (!owned)
        return NULL;
    size_t cursor = 0;
    for (struct owned_address *address; (address = owned_next(owned, &cursor));)
        address_free(address);
    map_done(&owned->addresses);
    free(owned);
    return NULL;
}

static int compare_index(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return one < other ? -1 : one > other;
}

void owned_set(struct owned *owned, const struct ip *ip, const uint32_t *interfaces, size_t count)
{
    struct owned_address *address = owned_get(owned, ip);
    if (!address) {
        address = heap_alloc(sizeof(*address));
        address->ip = *ip;
        (void)map_put(&owned->addresses, ip_key(&address->ip), address);
    }
    uint32_t *copy = heap_alloc(count * sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = interfaces[i];
    qsort(copy, count, sizeof(*copy), compare_index);
    free((void *)address->interfaces);
    address->interfaces = copy;
    address->interface_count = count;
}

void owned_remove(struct owned *owned, const struct ip *ip)
{
    address_free(map_remove(&owned->addresses, ip_key(ip)));
}

struct owned_address *owned_get(const struct owned *owned, const struct ip *ip)
{
    return map_get(&owned->addresses, ip_key(ip));
}

bool owned_has_interface(const struct owned_address *address, uint32_t interface)
{
    for (size_t i = 0; i < address->interface_count; i++) {
        if (address->interfaces[i] == interface)
            return true;
    }
    return false;
}

struct owned_address *owned_next(const struct owned *owned, size_t *cursor)
{
    struct map_entry *entry = map_next(&owned->addresses, cursor);
    return entry ? entry->value : NULL;
}
