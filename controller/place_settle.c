/* Where each unit is that came, changed, or lost its node. */
#include "controller/place_internal.h"

/* Where the unit answers now by its order, or PLACE_NONE. */
static uint32_t find_in_force(const struct place *place, uint32_t unit)
{
    const struct place_member *m = place_member(place, unit);
    uint32_t at = place->table.at[unit];
    if (at != PLACE_NONE && nodeset_has(&m->class->allowed, at))
        return at;
    for (size_t i = 0; i < m->order_count; i++) {
        if (nodeset_has(&m->class->allowed, m->order[i]))
            return m->order[i];
    }
    return PLACE_NONE;
}

static void settle_nowhere(struct place *place, uint32_t unit)
{
    struct place_member *m = place_member(place, unit);
    m->why = PLACE_NOWHERE;
    m->elected = m->pinned = false;
    if (place->table.at[unit] == PLACE_NONE)
        return;
    m->from = place->table.at[unit];
    place_table_take(&place->table, unit);
    place->untidy = true;
}

static void settle_hashed(struct place *place, uint32_t unit, struct arena *scratch)
{
    struct place_member *m = place_member(place, unit);
    const struct nodeset *candidates = &m->class->candidates;
    uint32_t winner = m->elected ? place_elect_again(place, candidates, &m->class->settled,
                                                     place->table.at[unit], m, scratch)
                                 : place_elect(place, candidates, m, scratch);
    m->elected = true;
    m->is_served = true;
    place_put(place, unit, winner, PLACE_HASHED);
}

/* Stays where it answers, or goes where the speakers have it already. */
static void settle_served(struct place *place, uint32_t unit, uint32_t node)
{
    struct place_member *m = place_member(place, unit);
    uint32_t before = place->table.at[unit];
    if (before == PLACE_NONE && m->order_count)
        before = m->order[0];
    if (before == node || before == PLACE_NONE) {
        place_put(place, unit, node,
                  m->why > PLACE_KEPT && m->why < PLACE_ASKED ? (enum place_why)m->why
                                                              : PLACE_KEPT);
        return;
    }
    m->from = before;
    place->taken_over++;
    place_put(place, unit, node, PLACE_TOOK_OVER);
}

/* False: it is new, and anything may be chosen for it. */
static bool settle(struct place *place, uint32_t unit, struct arena *scratch)
{
    struct place_member *m = place_member(place, unit);
    const struct place_class *class = m->class;
    m->pinned = false;
    if (class->allowed_count == 0) {
        settle_nowhere(place, unit);
        return true;
    }
    if (m->hashed) {
        settle_hashed(place, unit, scratch);
        return true;
    }
    m->elected = false;
    if (m->wish != PLACE_NONE && nodeset_has(&class->allowed, m->wish)) {
        m->pinned = true;
        place_put(place, unit, m->wish, PLACE_ASKED);
        return true;
    }
    uint32_t node = find_in_force(place, unit);
    if (node == PLACE_NONE && m->is_served)
        node = place_elect(place, &class->candidates, m, scratch);
    if (node == PLACE_NONE)
        return false;
    settle_served(place, unit, node);
    return true;
}

/* --- running --------------------------------------------------------------------------------- */

static void judge_classes(struct place *place, struct arena *scratch)
{
    if (!place->states_changed)
        return;
    place->states_changed = false;
    place->untidy = true;
    for (size_t i = 0; i < place->classes.len; i++) {
        if (place->classes.items[i])
            place_class_judge(place, place->classes.items[i], scratch);
        arena_reset(scratch);
    }
    for (uint32_t unit = 0; unit < place->units.len; unit++) {
        const struct place_member *m = place_member(place, unit);
        if (m->used && m->class->changed)
            place_mark_dirty(place, unit);
    }
}

static void end_classes(struct place *place)
{
    for (size_t i = 0; i < place->classes.len; i++) {
        struct place_class *class = place->classes.items[i];
        if (class && class->changed)
            nodeset_copy(&class->settled, &class->candidates);
        if (class)
            class->changed = false;
    }
}

/* A new unit for its place in the order of choosing. */
struct newcomer {
    struct ip ip;
    uint32_t unit;
};
typedef VEC(struct newcomer) newcomer_list;

static int compare_newcomers(const void *a, const void *b)
{
    const struct newcomer *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

static void choose_all(struct place *place, newcomer_list *newcomers, struct arena *scratch)
{
    if (newcomers->len == 0)
        return;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct place_ladder *ladder = place_ladder_new(place->table.load, place->nodes, arena);
    vec_sort(newcomers, compare_newcomers);
    for (size_t i = 0; i < newcomers->len; i++) {
        uint32_t unit = newcomers->items[i].unit;
        struct place_member *m = place_member(place, unit);
        uint32_t node = place_choose(place, &m->class->candidates, ladder, m, scratch);
        place_ladder_raise(ladder, node);
        place_put(place, unit, node, PLACE_CHOSEN);
        m->fresh = true;
        arena_reset(scratch);
    }
}

/* Those that answer already come first: nobody new takes the place of what is there. */
void place_run(struct place *place)
{
    if (place->dirty.len == 0 && !place->states_changed)
        return;
    scoped_ptr(arena) struct arena *scratch = arena_new(16 * 1024);
    newcomer_list newcomers = {0};
    judge_classes(place, scratch);
    for (size_t i = 0; i < place->dirty.len; i++) {
        uint32_t unit = place->dirty.items[i];
        struct place_member *m = place_member(place, unit);
        m->dirty = false;
        place_mark_unordered(place, unit);
        if (!settle(place, unit, scratch))
            vec_push(&newcomers, ((struct newcomer){.ip = m->ip, .unit = unit}));
        arena_reset(scratch);
    }
    vec_clear(&place->dirty);
    choose_all(place, &newcomers, scratch);
    vec_done(&newcomers);
    end_classes(place);
}
