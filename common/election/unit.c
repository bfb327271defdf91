#include "common/election/unit.h"

#include <assert.h>

#include "common/base/vec.h"
#include "crd/annotations.h"

/* An address of a member. */
struct claim {
    struct ip ip;
    uint32_t member;
};

static int by_ip(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->member < y->member ? -1 : x->member > y->member;
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

static void join_sharers(struct unit_member *members, size_t count)
{
    VEC(struct claim) claims = {0};
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += members[i].candidacy.ip_count;
    vec_reserve(&claims, room);
    for (size_t i = 0; i < count; i++) {
        const struct candidacy *candidacy = &members[i].candidacy;
        members[i].unit = (uint32_t)i;
        for (size_t j = 0; candidacy->stands && j < candidacy->ip_count; j++)
            vec_push(&claims, ((struct claim){.ip = candidacy->ips[j], .member = (uint32_t)i}));
    }
    vec_sort(&claims, by_ip);
    for (size_t i = 1; i < claims.len; i++) {
        if (ip_eq(&claims.items[i - 1].ip, &claims.items[i].ip))
            join(members, claims.items[i - 1].member, claims.items[i].member);
    }
    vec_done(&claims);
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
        unit->ip = candidacy->ips[0];
        return;
    }
    nodeset_intersect(&unit->nodes, &candidacy->nodes);
    if (ip_cmp(&candidacy->ips[0], &unit->ip) < 0)
        unit->ip = candidacy->ips[0];
}

struct unit *unit_gather(struct unit_member *members, size_t count, struct arena *arena)
{
    struct unit *units = arena_array(arena, count, sizeof(*units));
    assert(count < UINT32_MAX);
    join_sharers(members, count);
    for (size_t i = 0; i < count; i++) {
        members[i].unit = root_of(members, (uint32_t)i);
        add_placement(&units[members[i].unit], &members[i], arena);
        if (members[i].candidacy.stands)
            add_candidacy(&units[members[i].unit], &members[i].candidacy);
    }
    return units;
}
