#include "common/election/unit.h"

#include "common/base/vec.h"
#include "crd/annotations.h"

/* An address of a member. */
struct claim {
    struct ip ip;
    size_t member;
};
typedef VEC(struct claim) claim_list;

static int by_ip(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->member < y->member ? -1 : x->member > y->member;
}

static size_t root_of(struct unit_member *members, size_t member)
{
    while (members[member].unit != member) {
        size_t above = members[member].unit;
        members[member].unit = members[above].unit;
        member = above;
    }
    return member;
}

/* The earlier member stands for both. */
static void join(struct unit_member *members, size_t a, size_t b)
{
    size_t x = root_of(members, a), y = root_of(members, b);
    if (x < y)
        members[y].unit = x;
    else
        members[x].unit = y;
}

static void join_sharers(struct unit_member *members, size_t count)
{
    claim_list claims = {0};
    for (size_t i = 0; i < count; i++) {
        const struct candidacy *candidacy = &members[i].candidacy;
        members[i].unit = i;
        for (size_t j = 0; candidacy->stands && j < candidacy->ip_count; j++)
            vec_push(&claims, ((struct claim){.ip = candidacy->ips[j], .member = i}));
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
    join_sharers(members, count);
    for (size_t i = 0; i < count; i++) {
        members[i].unit = root_of(members, i);
        add_placement(&units[members[i].unit], &members[i], arena);
        if (members[i].candidacy.stands)
            add_candidacy(&units[members[i].unit], &members[i].candidacy);
    }
    return units;
}
