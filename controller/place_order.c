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

/* Of the set the node with the highest score. */
static size_t most_preferred(const struct maker *maker, const struct nodeset *set)
{
    const int64_t *scores = maker->unit->class->scores->of;
    size_t best = nodeset_next(set, 0);
    for (size_t node = best; node != NODESET_END; node = nodeset_next(set, node + 1)) {
        if (scores[node] > scores[best])
            best = node;
    }
    return best;
}

/* Fills up from a set: by preference, else from a start that differs from unit to unit. */
static void fill(struct maker *maker, const struct nodeset *set, struct arena *scratch)
{
    struct nodeset rest = nodeset_new(maker->place->nodes, scratch);
    nodeset_copy(&rest, set);
    nodeset_subtract(&rest, &maker->used);
    size_t start = maker->unit->mix % maker->place->nodes;
    while (maker->count < PLACEMENT_PUBLISHED_MAX) {
        size_t node = maker->unit->class->scores ? most_preferred(maker, &rest)
                                                 : nodeset_next_around(&rest, start);
        if (node == NODESET_END)
            break;
        add(maker, (uint32_t)node);
        nodeset_drop(&rest, node);
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
    fill(maker, &held, scratch);
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
    fill(&maker, &m->class->allowed, scratch);
    fill_held(&maker, scratch);
    m->order_count = (uint8_t)maker.count;
    for (size_t i = 0; i < maker.count; i++)
        m->order[i] = maker.order[i];
    place_mark_changed(place, unit);
}
