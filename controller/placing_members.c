/* What the speakers say of themselves. */
#include <string.h>

#include "controller/placing_internal.h"

enum { FAMILIES = 2 };

/* --- which nodes live ------------------------------------------------------------------------ */

static const struct gossip_member *speaker_of(const struct placing *p, size_t node)
{
    const struct gossip_member *member =
        p->watches ? gossip_find(p->members, p->member_count, p->nodes.items[node]) : NULL;
    return member && member->meta.role == GOSSIP_SPEAKER ? member : NULL;
}

enum place_state placing_state(const struct placing *p, size_t node)
{
    const struct gossip_member *member = speaker_of(p, node);
    if (p->watches && (!member || !gossip_is_alive(member->state)))
        return PLACE_DEAD;
    if (nodeset_has(&p->draining, node) || (member && member->meta.leaving))
        return PLACE_LEAVING;
    return member && member->meta.held ? PLACE_HELD : PLACE_NORMAL;
}

/* --- which have the interfaces --------------------------------------------------------------- */

static bool has_interface(const struct member_meta *meta, const struct str_list *names, int family)
{
    for (size_t i = 0; i < meta->count; i++) {
        const struct meta_interface *interface = &meta->interfaces[i];
        if ((family ? interface->ipv6 : interface->ipv4) &&
            (names->count == 0 || str_list_has(names, interface->name)))
            return true;
    }
    return false;
}

static void add_served(struct placing *p, size_t node)
{
    const struct gossip_member *member = speaker_of(p, node);
    for (size_t i = 0; i < p->advertisement_count; i++) {
        const struct str_list *names = &eligible_advertisement(p->eligible, i)->spec.interfaces;
        for (int family = 0; family < FAMILIES; family++) {
            if (nodeset_has(eligible_reach(p->eligible, i), node) &&
                (!member || has_interface(&member->meta, names, family)))
                nodeset_add(&p->served[family][i], node);
        }
    }
}

static bool same_served(const struct placing *p, struct nodeset *const before[FAMILIES],
                        size_t count)
{
    if (count != p->advertisement_count)
        return false;
    for (int family = 0; family < FAMILIES; family++) {
        for (size_t i = 0; i < count; i++) {
            if (before[family][i].count != p->served[family][i].count ||
                !nodeset_eq(&before[family][i], &p->served[family][i]))
                return false;
        }
    }
    return true;
}

bool placing_find_served(struct placing *p)
{
    struct nodeset *before[FAMILIES] = {p->served[0], p->served[1]};
    size_t count = p->served_arena ? p->advertisement_count : SIZE_MAX;
    struct arena *former = p->served_arena;
    p->served_arena = arena_new(0);
    p->advertisement_count = eligible_advertisement_count(p->eligible);
    for (int family = 0; family < FAMILIES; family++) {
        p->served[family] =
            arena_array(p->served_arena, p->advertisement_count, sizeof(struct nodeset));
        for (size_t i = 0; i < p->advertisement_count; i++)
            p->served[family][i] = nodeset_new(p->nodes.count, p->served_arena);
    }
    for (size_t node = 0; node < p->nodes.count; node++)
        add_served(p, node);
    bool changed = !same_served(p, before, count);
    (void)arena_free(former);
    return changed;
}

void placing_narrow(const struct placing *p, const struct candidacy *candidacy,
                    struct nodeset *nodes, struct arena *scratch)
{
    struct nodeset narrow = nodeset_new(p->nodes.count, scratch);
    nodeset_copy(&narrow, nodes);
    for (size_t i = 0; i < candidacy->ip_count; i++) {
        struct nodeset served = nodeset_new(p->nodes.count, scratch);
        const struct nodeset *of = p->served[candidacy->ips[i].family == IP_V6];
        for (size_t j = 0; j < candidacy->advertisement_count; j++)
            nodeset_unite(&served, &of[candidacy->advertisements[j]]);
        nodeset_intersect(&narrow, &served);
    }
    if (!nodeset_is_empty(&narrow))
        nodeset_copy(nodes, &narrow);
}

/* --- telling --------------------------------------------------------------------------------- */

static struct gossip_member copy_member(const struct gossip_member *from, struct arena *arena)
{
    struct gossip_member member = *from;
    struct meta_interface *interfaces = arena_array(arena, from->meta.count, sizeof(*interfaces));
    for (size_t i = 0; i < from->meta.count; i++) {
        interfaces[i] = from->meta.interfaces[i];
        interfaces[i].name = arena_str(arena, from->meta.interfaces[i].name);
    }
    member.name = arena_str(arena, from->name);
    member.meta.interfaces = interfaces;
    return member;
}

void placing_set_members(struct placing *p, bool watches, const struct gossip_member *members,
                         size_t count)
{
    struct arena *arena = arena_new(0);
    struct gossip_member *copy = arena_array(arena, count, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = copy_member(&members[i], arena);
    (void)arena_free(p->told);
    p->told = arena;
    p->watches = watches;
    p->members = copy;
    p->member_count = count;
    if (!p->eligible)
        return;
    placing_set_states(p);
    if (!placing_find_served(p))
        return;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&p->entries, &cursor));)
        placing_mark_dirty(p, slot->value);
}
