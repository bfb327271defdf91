/* Services into units. */
#include <stdlib.h>

#include "controller/placing_internal.h"
#include "crd/annotations.h"
#include "crd/service.h"

typedef VEC(struct placing_entry *) entry_list;

static const struct service *service_of(const struct placing_entry *entry)
{
    return (const struct service *)entry->record->object;
}

static struct str published(const struct placing_entry *entry)
{
    return annotations_read(entry->record->object, ANNOTATION_PLACEMENT, NULL);
}

/* --- names that only orders have ------------------------------------------------------------- */

typedef VEC(struct str) name_list;

/* The names are the record's own text. */
static void add_unknown(const struct placing *p, const struct placing_entry *entry,
                        name_list *names, struct arena *scratch)
{
    struct placement placement;
    if (placement_parse(published(entry), scratch, &placement) != PLACEMENT_VALID)
        return;
    for (size_t i = 0; i < placement.nodes.count && i < PLACEMENT_PUBLISHED_MAX; i++) {
        if (placing_number(p, placement.nodes.items[i]) == PLACE_NONE)
            vec_push(names, placement.nodes.items[i]);
    }
}

/* What former orders say counts, also where it names nodes that are gone: with those left out the
 * texts would differ, and all would be written anew. */
static void know_names(struct placing *p)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    name_list names = {0};
    for (size_t i = 0; i < p->dirty.len; i++) {
        if (p->dirty.items[i]->unit == PLACE_NONE)
            add_unknown(p, p->dirty.items[i], &names, arena);
        arena_reset(arena);
    }
    if (names.len)
        placing_know(p, &(struct str_list){.items = names.items, .count = names.len});
    vec_done(&names);
}

/* --- who belongs together -------------------------------------------------------------------- */

static void meet(entry_list *group, struct placing_entry *entry)
{
    if (entry->met)
        return;
    entry->met = true;
    vec_push(group, entry);
}

/* All that hang together with the first of the group, and all that did. */
static void gather(struct placing *p, entry_list *group)
{
    for (size_t i = 0; i < group->len; i++) {
        const struct placing_entry *entry = group->items[i];
        for (size_t j = 0; j < entry->ip_count; j++) {
            const struct placing_address *address = map_get(&p->addresses, ip_key(&entry->ips[j]));
            for (struct placing_entry *other = address->first; other;) {
                meet(group, other);
                size_t slot = other->ip_count > 1 && ip_eq(&other->ips[1], &address->ip);
                other = other->next_at[slot];
            }
        }
        for (struct placing_entry *other =
                 entry->unit == PLACE_NONE ? NULL : p->first_of.items[entry->unit];
             other; other = other->next_of)
            meet(group, other);
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct placing_entry *const *x = a, *const *y = b;
    return str_cmp((*x)->record->key, (*y)->record->key);
}

/* --- one unit -------------------------------------------------------------------------------- */

/* A group under way: its Services, and the units that they make. */
struct group {
    struct placing *p;
    struct arena *arena;
    entry_list *entries;
    struct unit_member *members; /* one for each entry */
    struct unit *units;
};

/* A unit is narrowed by all its Services at once, as the speakers do it. */
static void narrow(struct group *g)
{
    for (size_t i = 0; i < g->entries->len; i++) {
        struct unit *unit = &g->units[g->members[i].unit];
        if (g->members[i].candidacy.stands)
            placing_narrow(g->p, &g->members[i].candidacy, &unit->nodes, g->arena);
    }
}

static void judge(struct group *g)
{
    struct placing *p = g->p;
    g->members = arena_array(g->arena, g->entries->len, sizeof(*g->members));
    for (size_t i = 0; i < g->entries->len; i++) {
        const struct placing_entry *entry = g->entries->items[i];
        struct unit_member *member = &g->members[i];
        member->service = service_of(entry);
        eligible_judge_at(p->eligible, member->service, entry->ips, entry->ip_count, g->arena,
                          &member->candidacy);
        struct nodeset serving = {.words = entry->serving, .count = member->candidacy.nodes.count};
        if (member->candidacy.stands && entry->serving)
            nodeset_intersect(&member->candidacy.nodes, &serving);
    }
    struct unit_addresses addresses = unit_addresses(g->members, g->entries->len, g->arena);
    g->units = unit_gather(g->members, g->entries->len, &addresses, g->arena);
    narrow(g);
}

static bool is_hashed(const struct placing *p, const struct candidacy *candidacy)
{
    bool balanced = !p->options.hash;
    for (size_t i = 0; i < candidacy->advertisement_count; i++) {
        int election =
            eligible_advertisement(p->eligible, candidacy->advertisements[i])->spec.election;
        if (election == L2_ELECTION_HASH)
            return true;
        balanced = balanced || election == L2_ELECTION_BALANCED;
    }
    return !balanced;
}

/* Anything about the unit that begins at this member. */
static struct place_unit describe(struct group *g, size_t root)
{
    const struct unit *unit = &g->units[root];
    struct place_unit ret = {.ip = g->entries->items[root]->ips[0], .wish = PLACE_NONE};
    struct nodeset nobody = nodeset_new(g->p->nodes.count, g->arena);
    ret.eligible = placing_translate(g->p, unit->first ? &unit->nodes : &nobody, g->arena);
    if (unit->first) {
        ret.ip = *unit->ip;
        ret.scores = placing_translate_scores(
            g->p, eligible_scores(g->p->eligible, unit->first, g->arena), g->arena);
    }
    for (size_t i = root; i < g->entries->len; i++) {
        if (g->members[i].unit != root)
            continue;
        struct str wish = annotations_read(&g->members[i].service->object, ANNOTATION_NODE, NULL);
        if (ret.wish == PLACE_NONE && wish.len)
            ret.wish = placing_number(g->p, wish);
        ret.hashed = ret.hashed || is_hashed(g->p, &g->members[i].candidacy);
    }
    return ret;
}

/* Does it answer already, though nothing is published for it? */
static bool is_served(const struct group *g, size_t root)
{
    for (size_t i = root; i < g->entries->len; i++) {
        const struct placing_entry *entry = g->entries->items[i];
        if (g->members[i].unit == root && service_shows(service_of(entry), &entry->ips[0]))
            return true;
    }
    return false;
}

/* A part of a unit that falls apart goes on from what was in force for the whole. */
static bool split(const struct group *g, size_t root, struct place_result *ret)
{
    for (size_t i = root; i < g->entries->len; i++) {
        uint32_t unit = g->entries->items[i]->unit;
        if (g->members[i].unit != root || unit == PLACE_NONE)
            continue;
        *ret = place_get(g->p->place, unit);
        return true;
    }
    return false;
}

static uint32_t add_unit(struct group *g, size_t root, const struct place_unit *unit)
{
    const struct placement *placement = &g->units[root].placement;
    struct place_result whole;
    if (split(g, root, &whole)) {
        struct place_past past = {.order = whole.order,
                                  .count = whole.count,
                                  .epoch = whole.epoch,
                                  .is_served = whole.owner != PLACE_NONE};
        return place_add(g->p->place, unit, &past);
    }
    uint32_t order[PLACEMENT_PUBLISHED_MAX];
    struct place_past past = {
        .order = order, .epoch = placement->epoch, .is_served = is_served(g, root)};
    for (size_t i = 0; i < placement->nodes.count && past.count < PLACEMENT_PUBLISHED_MAX; i++) {
        uint32_t node = placing_number(g->p, placement->nodes.items[i]);
        if (node != PLACE_NONE)
            order[past.count++] = node;
    }
    return place_add(g->p->place, unit, &past);
}

/* Of the units that its Services were in, the one with the highest epoch that is not taken yet. */
static uint32_t find_unit(const struct group *g, size_t root, const bool *taken)
{
    uint32_t best = PLACE_NONE;
    for (size_t i = root; i < g->entries->len; i++) {
        uint32_t unit = g->entries->items[i]->unit;
        if (g->members[i].unit != root || unit == PLACE_NONE || taken[i])
            continue;
        if (best == PLACE_NONE ||
            place_get(g->p->place, unit).epoch > place_get(g->p->place, best).epoch)
            best = unit;
    }
    return best;
}

static void take(const struct group *g, uint32_t unit, bool *taken)
{
    for (size_t i = 0; i < g->entries->len; i++)
        taken[i] |= g->entries->items[i]->unit == unit;
}

/* Somebody else has written an order that counts as much as ours, or more: ours gets a higher
 * epoch. */
static void outbid(struct group *g, size_t root, uint32_t unit)
{
    struct placement placement;
    for (size_t i = root; i < g->entries->len; i++) {
        if (g->members[i].unit != root || g->members[i].placement != PLACEMENT_VALID)
            continue;
        const struct placing_entry *entry = g->entries->items[i];
        struct str shown = published(entry);
        struct str text = placing_text(g->p, entry->record->key, g->arena);
        if (text.len && !str_eq(shown, text) &&
            placement_parse(shown, g->arena, &placement) == PLACEMENT_VALID &&
            placement.epoch >= place_get(g->p->place, unit).epoch)
            place_raise(g->p->place, unit, placement.epoch);
    }
}

static void link_all(struct group *g, size_t root, uint32_t unit)
{
    for (size_t i = root; i < g->entries->len; i++) {
        if (g->members[i].unit == root)
            placing_link(g->p, g->entries->items[i], unit);
    }
    outbid(g, root, unit);
}

/* Units keep their numbers as far as they can. */
static void place_group(struct group *g)
{
    bool *taken = arena_array(g->arena, g->entries->len, sizeof(*taken));
    uint32_t *units = arena_array(g->arena, g->entries->len, sizeof(*units));
    for (size_t root = 0; root < g->entries->len; root++) {
        if (g->members[root].unit != root)
            continue;
        struct place_unit unit = describe(g, root);
        units[root] = find_unit(g, root, taken);
        if (units[root] == PLACE_NONE) {
            units[root] = add_unit(g, root, &unit);
        } else {
            take(g, units[root], taken);
            place_change(g->p->place, units[root], &unit);
        }
    }
    for (size_t root = 0; root < g->entries->len; root++) {
        if (g->members[root].unit == root)
            link_all(g, root, units[root]);
    }
}

void placing_regroup(struct placing *p)
{
    scoped_ptr(arena) struct arena *arena = arena_new(16 * 1024);
    entry_list group = {0};
    know_names(p);
    for (size_t i = 0; i < p->dirty.len; i++) {
        vec_clear(&group);
        if (p->dirty.items[i]->met)
            continue;
        meet(&group, p->dirty.items[i]);
        gather(p, &group);
        vec_sort(&group, compare_entries);
        struct group g = {.p = p, .arena = arena, .entries = &group};
        judge(&g);
        place_group(&g);
        for (size_t j = 0; j < group.len; j++)
            placing_mark_dirty(p, group.items[j]); /* so that all are found below */
        arena_reset(arena);
    }
    for (size_t i = 0; i < p->dirty.len; i++) {
        p->dirty.items[i]->dirty = p->dirty.items[i]->met = false;
        placing_mark_changed(p, p->dirty.items[i]);
    }
    vec_clear(&p->dirty);
    vec_done(&group);
}
