/* The order of a unit's nodes. */
#include "controller/place_internal.h"

struct maker {
    const struct place *place;
    const struct place_member *unit;
    struct nodeset used;
    uint32_t order[PLACEMENT_PUBLISHED_MAX];
    size_t count;
};

static void add(struct maker *maker, uint32_t node)
{
    if (maker->count == PLACEMENT_PUBLISHED_MAX || nodeset_has(&maker->used, node))
        return;
    nodeset_add(&maker->used, node);
    maker->order[maker->count++] = node;
}

/* The first node of the set behind the start that is not used yet, going round. */
static size_t next_unused(const struct maker *maker, const struct nodeset *set, size_t start)
{
    for (size_t i = 0; i <= set->count; i++) {
        size_t at = (start / NODESET_BITS + i) % set->count;
        uint64_t word = set->words[at] & ~maker->used.words[at];
        uint64_t behind = UINT64_MAX << (start % NODESET_BITS);
        if (i == 0)
            word &= behind;
        else if (i == set->count)
            word &= ~behind;
        if (word)
            return at * NODESET_BITS + (size_t)__builtin_ctzll(word);
    }
    return NODESET_END;
}

/* Of the unused nodes the one with the highest score. */
static size_t most_preferred(const struct maker *maker, const struct nodeset *set)
{
    const int64_t *scores = maker->unit->class->scores->of;
    size_t best = NODESET_END;
    for (size_t node = nodeset_next(set, 0); node != NODESET_END;
         node = nodeset_next(set, node + 1)) {
        if (nodeset_has(&maker->used, node))
            continue;
        if (best == NODESET_END || scores[node] > scores[best])
            best = node;
    }
    return best;
}

/* Fills up from a set: by preference, else from a start that differs from unit to unit. */
static void fill(struct maker *maker, const struct nodeset *set)
{
    size_t node = maker->place->nodes ? maker->unit->mix % maker->place->nodes : NODESET_END;
    while (maker->count < PLACEMENT_PUBLISHED_MAX && node != NODESET_END) {
        node =
            maker->unit->class->scores ? most_preferred(maker, set) : next_unused(maker, set, node);
        if (node != NODESET_END)
            add(maker, (uint32_t)node);
    }
}

static void fill_held(struct maker *maker, struct arena *scratch)
{
    const struct nodeset *eligible = &maker->unit->class->eligible;
    struct nodeset held = nodeset_new(maker->place->nodes, scratch);
    if (maker->count == PLACEMENT_PUBLISHED_MAX)
        return;
    for (size_t node = nodeset_next(eligible, 0); node != NODESET_END;
         node = nodeset_next(eligible, node + 1)) {
        if (maker->place->states[node] == PLACE_HELD)
            nodeset_add(&held, node);
    }
    fill(maker, &held);
}

/* Is the order good as it is? Nodes in it that may not answer now are passed over by all, so they
 * do no harm: a node that fails does not make all orders be written that name it. */
static bool is_good(const struct place_member *m, uint32_t owner, uint32_t first)
{
    enum { ENOUGH = 2 };
    size_t backups = 0, most = m->class->allowed_count - 1;
    if (m->order_count == 0 || m->order[0] != owner)
        return false;
    for (size_t i = 1; i < m->order_count; i++) {
        if (!nodeset_has(&m->class->allowed, m->order[i]))
            continue;
        if (backups++ == 0 && m->order[i] != first)
            return false;
    }
    return backups >= ENOUGH || backups >= most;
}

void place_order_unit(struct place *place, uint32_t unit, uint32_t first, struct arena *scratch)
{
    struct place_member *m = place_member(place, unit);
    uint32_t owner = place->table.at[unit];
    if (is_good(m, owner, first))
        return;
    struct maker maker = {.place = place, .unit = m, .used = nodeset_new(place->nodes, scratch)};
    add(&maker, owner);
    if (first != PLACE_NONE)
        add(&maker, first);
    for (size_t i = 0; !m->class->scores && i < m->order_count; i++) {
        if (nodeset_has(&m->class->allowed, m->order[i]))
            add(&maker, m->order[i]);
    }
    fill(&maker, &m->class->allowed);
    fill_held(&maker, scratch);
    m->order_count = (uint8_t)maker.count;
    for (size_t i = 0; i < maker.count; i++)
        m->order[i] = maker.order[i];
    place_mark_changed(place, unit);
}
