#include "common/election/unit.h"

#include <assert.h>

#include <stdlib.h>

#include "crd/annotations.h"

static int by_ip(const void *a, const void *b)
{
    const struct unit_address *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->member < y->member ? -1 : x->member > y->member;
}

struct unit_addresses unit_addresses(const struct unit_member *members, size_t count,
                                     struct arena *arena)
{
    struct unit_addresses all = {0};
    size_t room = 0;
    assert(count < UINT32_MAX);
    for (size_t i = 0; i < count; i++)
        room += members[i].candidacy.ip_count;
    all.items = arena_array(arena, room, sizeof(*all.items));
    for (size_t i = 0; i < count; i++) {
        const struct candidacy *candidacy = &members[i].candidacy;
        for (size_t j = 0; candidacy->stands && j < candidacy->ip_count; j++)
            all.items[all.count++] =
                (struct unit_address){.ip = candidacy->ips[j], .member = (uint32_t)i};
    }
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), by_ip);
    return all;
}

static uint32_t root_of(struct unit_member *members, uint32_t member)
{
    while (members[member].unit != member) {
        uint32_t above = members[member].unit;
        members[member].unit = members[above].unit;
        member = above;
    }
    return member;
}

/* The earlier member stands for both. */
static void join(struct unit_member *members, uint32_t a, uint32_t b)
{
    uint32_t x = root_of(members, a), y = root_of(members, b);
    if (x < y)
        members[y].unit = x;
    else
        members[x].unit = y;
}

static void join_sharers(struct unit_member *members, size_t count,
                         const struct unit_addresses *addresses)
{
    const struct unit_address *all = addresses->items;
    for (size_t i = 0; i < count; i++)
        members[i].unit = (uint32_t)i;
    for (size_t i = 1; i < addresses->count; i++) {
        if (ip_eq(&all[i - 1].ip, &all[i].ip))
            join(members, all[i - 1].member, all[i].member);
    }
}

static void add_placement(struct unit *unit, struct unit_member *member, struct arena *arena)
{
    struct placement placement;
    struct str text = annotations_read(&member->service->object, ANNOTATION_PLACEMENT, NULL);
    member->placement = placement_parse(text, arena, &placement);
    if (member->placement != PLACEMENT_VALID)
        return;
    if (unit->placement.nodes.count == 0 || placement.epoch > unit->placement.epoch)
        unit->placement = placement;
}

static void add_candidacy(struct unit *unit, const struct candidacy *candidacy)
{
    if (!unit->first) {
        unit->first = candidacy;
        unit->nodes = candidacy->nodes;
        unit->ip = &candidacy->ips[0];
        return;
    }
    nodeset_intersect(&unit->nodes, &candidacy->nodes);
    if (ip_cmp(&candidacy->ips[0], unit->ip) < 0)
        unit->ip = &candidacy->ips[0];
}

struct unit *unit_gather(struct unit_member *members, size_t count,
                         const struct unit_addresses *addresses, struct arena *arena)
{
    struct unit *units = arena_array(arena, count, sizeof(*units));
    join_sharers(members, count, addresses);
    for (size_t i = 0; i < count; i++) {
        members[i].unit = root_of(members, (uint32_t)i);
        add_placement(&units[members[i].unit], &members[i], arena);
        if (members[i].candidacy.stands)
            add_candidacy(&units[members[i].unit], &members[i].candidacy);
    }
    return units;
}
