#include "speaker/stations.h"

#include <stdlib.h>
#include <string.h>

static int by_mac(const void *a, const void *b)
{
    const struct station *x = a, *y = b;
    return memcmp(x->mac.bytes, y->mac.bytes, sizeof(x->mac.bytes));
}

static bool hears_another(const struct plan_view *view)
{
    for (size_t i = 0; i < view->member_count; i++) {
        const struct gossip_member *member = &view->members[i];
        if (!member->self && member->meta.role == GOSSIP_SPEAKER && gossip_is_alive(member->state))
            return true;
    }
    return false;
}

static bool is_heard_of(const struct plan_view *view, struct str node)
{
    const struct gossip_member *member = gossip_find(view->members, view->member_count, node);
    return member && member->meta.role == GOSSIP_SPEAKER;
}

/* Nobody is heard, and not everybody that may announce has ever been. */
static bool may_be_deaf(const struct basis *basis, const struct plan_view *view)
{
    if (hears_another(view))
        return false;
    for (size_t i = 0; i < basis->nodes.count; i++) {
        if (nodeset_has(&basis->available, i) && i != basis->node &&
            !is_heard_of(view, basis->nodes.items[i]))
            return true;
    }
    return false;
}

/* Of a MAC address, this node's own comes first, then a live member's. */
static int by_mac_and_life(const void *a, const void *b)
{
    const struct station *x = a, *y = b;
    int order = by_mac(a, b);
    if (order == 0)
        order = (int)y->self - (int)x->self;
    return order ? order : (int)y->live - (int)x->live;
}

/* One for each MAC address: interfaces may share theirs, and a node that was installed anew under
 * another name has that of a member which is dead. */
static size_t keep_first(struct station *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || by_mac(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    }
    return kept;
}

struct stations stations_make(const struct basis *basis, const struct plan_view *view,
                              struct arena *arena)
{
    const struct gossip_member *members = view->members;
    size_t count = view->member_count;
    struct stations all = {.incomplete = !view->watches || may_be_deaf(basis, view)};
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most += members[i].meta.count;
    struct station *list = arena_array(arena, most, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        const struct gossip_member *member = &members[i];
        struct str name = arena_str(arena, member->name);
        bool live = member->self || gossip_is_alive(member->state);
        all.incomplete |= member->meta.truncated && member->state != GOSSIP_LEFT;
        for (size_t j = 0; j < member->meta.count; j++)
            list[all.count++] = (struct station){.mac = member->meta.interfaces[j].mac,
                                                 .member = name,
                                                 .live = live,
                                                 .self = member->self};
    }
    if (all.count)
        qsort(list, all.count, sizeof(*list), by_mac_and_life);
    all.count = keep_first(list, all.count);
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

bool stations_met(const struct stations *before, const struct stations *now)
{
    bool met = before->incomplete && !now->incomplete;
    for (size_t i = 0; !met && i < now->count; i++) {
        const struct station *known = stations_find(before, &now->items[i].mac);
        met = now->items[i].live && !(known && known->live);
    }
    return met;
}
