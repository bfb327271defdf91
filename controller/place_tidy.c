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
    bool has_fresh;
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
        t->has_fresh |= m->fresh;
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

/* The bounds, as if strays were on candidates already. */
static uint32_t *find_bounds(struct tidy *t)
{
    const struct place *place = t->place;
    struct place_table table = place_table_copy(&place->table, t->scratch);
    for (size_t i = 0; i < t->stray_count; i++) {
        uint32_t unit = t->strays[i];
        const struct place_member *m = place_member(place, unit);
        place_table_take(&table, unit);
        place_table_put(&table, unit,
                        place_choose(place, &m->class->candidates, table.load, m, t->scratch));
    }
    uint32_t *bounds = arena_array(t->scratch, place->nodes, sizeof(uint32_t));
    place_level(&t->problem, &table, bounds, t->scratch);
    return bounds;
}

/* Units that are not published yet may go anywhere. */
static void move_fresh(struct tidy *t, const uint32_t *bounds)
{
    struct place *place = t->place;
    if (!t->has_fresh)
        return;
    struct place_problem problem = t->problem;
    uint32_t *class_of = arena_array(t->scratch, problem.units, sizeof(*class_of));
    for (uint32_t unit = 0; unit < problem.units; unit++) {
        bool fresh = unit < place->units.len && place_member(place, unit)->fresh;
        class_of[unit] = fresh ? t->class_of[unit] : PLACE_NONE;
    }
    problem.class_of = class_of;
    (void)place_level_keep(&problem, &place->table, bounds, SIZE_MAX, t->scratch);
}

/* Moves strays to where the fewest are. Returns how many. */
static size_t move_strays(struct tidy *t, size_t most)
{
    struct place *place = t->place;
    size_t moved = 0;
    for (; moved < most && moved < t->stray_count; moved++) {
        uint32_t unit = t->strays[moved];
        const struct place_member *m = place_member(place, unit);
        uint32_t node =
            place_choose(place, &m->class->candidates, place->table.load, m, t->scratch);
        place_table_take(&place->table, unit);
        place_table_put(&place->table, unit, node);
    }
    return moved;
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
        place->moved++;
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

static void spread_all(struct place *place)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(32 * 1024);
    for (uint32_t node = 0; node < place->nodes; node++) {
        if (place->table.load[node] > 0)
            place_spread(place, node, scratch);
        arena_reset(scratch);
    }
}

struct place_pending place_tidy(struct place *place, size_t most)
{
    struct place_pending pending = {0};
    place_run(place);
    if (!place->untidy)
        return pending;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct tidy t = {.place = place, .scratch = scratch};
    read_problem(&t);
    struct place_table before = place_table_copy(&place->table, scratch);
    uint32_t *bounds = find_bounds(&t);
    move_fresh(&t, bounds);
    pending.moved = move_strays(&t, most);
    pending.left = t.stray_count - pending.moved;
    pending.moved +=
        place_level_keep(&t.problem, &place->table, bounds, most - pending.moved, scratch);
    if (pending.left == 0)
        pending.left = count_above(place, bounds);
    note_moves(&t, &before);
    spread_all(place);
    place->untidy = pending.left > 0;
    return pending;
}
