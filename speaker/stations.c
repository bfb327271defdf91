#include "speaker/stations.h"

#include <stdlib.h>
#include <string.h>

static int by_mac(const void *a, const void *b)
{
    const struct station *x = a, *y = b;
    return memcmp(x->mac.bytes, y->mac.bytes, sizeof(x->mac.bytes));
}

struct stations stations_make(const struct gossip_member *members, size_t count, bool watches,
                              struct arena *arena)
{
    struct stations all = {.incomplete = !watches};
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most += members[i].meta.count;
    struct station *list = arena_array(arena, most, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        const struct gossip_member *member = &members[i];
        struct str name = arena_str(arena, member->name);
        bool live = member->self || gossip_is_alive(member->state);
        all.incomplete = all.incomplete || (member->meta.truncated && live);
        for (size_t j = 0; j < member->meta.count; j++)
            list[all.count++] = (struct station){.mac = member->meta.interfaces[j].mac,
                                                 .member = name,
                                                 .live = live,
                                                 .self = member->self};
    }
    if (all.count)
        qsort(list, all.count, sizeof(*list), by_mac);
    all.items = list;
    return all;
}

const struct station *stations_find(const struct stations *stations, const struct mac *mac)
{
    struct station key = {.mac = *mac};
    if (!stations->count)
        return NULL;
    return bsearch(&key, stations->items, stations->count, sizeof(key), by_mac);
}
