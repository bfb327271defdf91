/* Seeing to the bounds. */
#include "controller/place_internal.h"
#include "controller/place_level.h"

struct tidy {
    struct place *place;
    struct arena *scratch;
    struct place_problem problem;
    uint32_t *class_of; /* of the problem */
    uint32_t *strays;   /* units on a node that is not one of the candidates */
    size_t stray_count;
    size_t movable, fresh; /* how many units are */
    struct place_table even;
    uint32_t *bounds;
};

static bool may_move(const struct place *place, uint32_t unit)
{
    const struct place_member *m = place_member(place, unit);
    return m->used && !m->hashed && !m->pinned && place->table.at[unit] != PLACE_NONE;
}

static void read_units(struct tidy *t)
{
    struct place *place = t->place;
    t->class_of = arena_array(t->scratch, place->table.units, sizeof(uint32_t));
    t->strays = arena_array(t->scratch, place->table.units, sizeof(uint32_t));
    for (uint32_t unit = 0; unit < place->table.units; unit++) {
        t->class_of[unit] = PLACE_NONE;
        if (unit >= place->units.len || !may_move(place, unit))
            continue;
        const struct place_member *m = place_member(place, unit);
        t->class_of[unit] = m->class->index;
        t->movable++;
        t->fresh += m->fresh;
        if (!nodeset_has(&m->class->candidates, place->table.at[unit]))
            t->strays[t->stray_count++] = unit;
    }
}

static void read_problem(struct tidy *t)
{
    const struct place *place = t->place;
    struct nodeset *candidates = arena_array(t->scratch, place->classes.len, sizeof(*candidates));
    for (size_t i = 0; i < place->classes.len; i++) {
        if (place->classes.items[i])
            candidates[i] = place->classes.items[i]->candidates;
    }
    read_units(t);
    t->problem = (struct place_problem){
        .nodes = place->nodes,
        .units = place->table.units,
        .classes = place->classes.len,
        .class_of = t->class_of,
        .candidates = candidates,
    };
}

/* Moves strays to where the fewest are. Returns how many. */
static size_t move_strays(const struct tidy *t, struct place_table *table, size_t most)
{
    const struct place *place = t->place;
    size_t moved = 0;
    if (t->stray_count == 0)
        return 0;
    struct place_ladder *ladder = place_ladder_new(table->load, place->nodes, t->scratch);
    for (; moved < most && moved < t->stray_count; moved++) {
        uint32_t unit = t->strays[moved];
        const struct place_member *m = place_member(place, unit);
        uint32_t node = place_choose(place, &m->class->candidates, ladder, m, t->scratch);
        place_ladder_lower(ladder, table->at[unit]);
        place_ladder_raise(ladder, node);
        place_table_take(table, unit);
        place_table_put(table, unit, node);
    }
    return moved;
}

/* The bounds, as if strays were on candidates already. */
static void find_bounds(struct tidy *t)
{
    const struct place *place = t->place;
    t->even = place_table_copy(&place->table, t->scratch);
    (void)move_strays(t, &t->even, SIZE_MAX);
    t->bounds = arena_array(t->scratch, place->nodes, sizeof(uint32_t));
    place_level(&t->problem, &t->even, t->bounds, t->scratch);
}

/* Units that are not published yet may go anywhere. */
static void move_fresh(struct tidy *t)
{
    struct place *place = t->place;
    if (t->fresh == t->movable)
        place_table_move(&place->table, &t->even);
    if (t->fresh == t->movable || t->fresh == 0)
        return;
    struct place_problem problem = t->problem;
    uint32_t *class_of = arena_array(t->scratch, problem.units, sizeof(*class_of));
    for (uint32_t unit = 0; unit < problem.units; unit++) {
        bool fresh = unit < place->units.len && place_member(place, unit)->fresh;
        class_of[unit] = fresh ? t->class_of[unit] : PLACE_NONE;
    }
    problem.class_of = class_of;
    (void)place_level_keep(&problem, &place->table, t->bounds, SIZE_MAX, t->scratch);
}

/* What the moves mean to each unit; `before` is where they were. */
static void note_moves(struct tidy *t, const struct place_table *before)
{
    struct place *place = t->place;
    for (uint32_t unit = 0; unit < place->units.len; unit++) {
        struct place_member *m = place_member(place, unit);
        if (place->table.at[unit] == before->at[unit] || m->fresh)
            continue;
        m->why = PLACE_MOVED;
        m->from = before->at[unit];
    }
}

static size_t count_above(const struct place *place, const uint32_t *bounds)
{
    size_t above = 0;
    for (size_t node = 0; node < place->nodes; node++) {
        if (place->table.load[node] > bounds[node])
            above += place->table.load[node] - bounds[node];
    }
    return above;
}

/* Any first backup may be on a node that has more now. */
static void order_all(struct place *place, struct arena *scratch)
{
    struct nodeset nodes = nodeset_new(place->nodes, scratch);
    place_end_unordered(place, &nodes);
    for (size_t node = 0; node < place->nodes; node++) {
        if (place->table.load[node] > 0)
            nodeset_add(&nodes, node);
    }
    place_spread_all(place, &nodes);
}

struct place_pending place_tidy(struct place *place, size_t most)
{
    place_run(place);
    struct place_pending pending = {.taken_over = place->taken_over};
    place->taken_over = 0;
    if (!place->untidy)
        return pending;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct tidy t = {.place = place, .scratch = scratch};
    read_problem(&t);
    struct place_table before = place_table_copy(&place->table, scratch);
    find_bounds(&t);
    move_fresh(&t);
    pending.moved = move_strays(&t, &place->table, most);
    pending.left = t.stray_count - pending.moved;
    pending.moved +=
        place_level_keep(&t.problem, &place->table, t.bounds, most - pending.moved, scratch);
    if (pending.left == 0)
        pending.left = count_above(place, t.bounds);
    note_moves(&t, &before);
    order_all(place, scratch);
    place->untidy = pending.left > 0;
    return pending;
}
