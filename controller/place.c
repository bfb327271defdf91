/* How units are placed.
 *
 *   place_add, place_change, place_set_state   only say what is to be looked at
 *   place_run      settles those units: where they are in force, else where the fewest are
 *   place_tidy     finds the bounds, moves what is above them, spreads first backups
 *   place_changes  makes the orders that are still to be made, and tells which are new
 *
 * place_settle.c has the first of these, place_tidy.c the second. place_class.c has what is common
 * to units with the same eligible nodes, place_choose.c how one node is chosen (by place_ladder.c),
 * place_spread.c and place_order.c the backups; place_level.c, place_search.c and place_table.c
 * know of units and nodes by number only. */
#include "controller/place.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/names.h"
#include "controller/place_internal.h"

static const char *const state_names[] = {
    [PLACE_NORMAL] = "normal",
    [PLACE_HELD] = "held",
    [PLACE_LEAVING] = "leaving",
    [PLACE_DEAD] = "dead",
};
static const struct names states = NAMES(state_names);
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == PLACE_STATES, "a name each");

static const char *const why_names[] = {
    [PLACE_NOWHERE] = "nowhere",    [PLACE_KEPT] = "kept",   [PLACE_CHOSEN] = "chosen",
    [PLACE_TOOK_OVER] = "tookOver", [PLACE_MOVED] = "moved", [PLACE_ASKED] = "asked",
    [PLACE_HASHED] = "hashed",
};
static const struct names whys = NAMES(why_names);
_Static_assert(sizeof(why_names) / sizeof(why_names[0]) == PLACE_WHYS, "a name each");

const char *place_state_name(enum place_state state)
{
    return names_of(&states, state);
}

const char *place_why_name(enum place_why why)
{
    return names_of(&whys, why);
}

/* --- life ------------------------------------------------------------------------------------ */

struct place *place_new(const struct str *names, size_t count)
{
    struct place *place = heap_alloc(sizeof(*place));
    assert(count < PLACE_NONE);
    place->arena = arena_new(0);
    place->nodes = count;
    place->names = arena_array(place->arena, count, sizeof(*place->names));
    place->states = arena_array(place->arena, count, sizeof(*place->states));
    for (size_t i = 0; i < count; i++)
        place->names[i] = arena_str(place->arena, names[i]);
    place->table_arena = arena_new(0);
    place->table = place_table_new(count, 0, place->table_arena);
    return place;
}

struct place *place_free(struct place *place)
{
    if (!place)
        return NULL;
    place_class_done(place);
    vec_done(&place->units);
    vec_done(&place->free_units);
    vec_done(&place->dirty);
    vec_done(&place->unordered);
    vec_done(&place->changed);
    (void)arena_free(place->table_arena);
    (void)arena_free(place->arena);
    free(place);
    return NULL;
}

/* --- marks ----------------------------------------------------------------------------------- */

void place_mark_dirty(struct place *place, uint32_t unit)
{
    struct place_member *m = place_member(place, unit);
    if (!m->dirty)
        vec_push(&place->dirty, unit);
    m->dirty = true;
}

void place_mark_changed(struct place *place, uint32_t unit)
{
    struct place_member *m = place_member(place, unit);
    if (!m->changed)
        vec_push(&place->changed, unit);
    m->changed = true;
}

void place_mark_unordered(struct place *place, uint32_t unit)
{
    struct place_member *m = place_member(place, unit);
    if (!m->unordered)
        vec_push(&place->unordered, unit);
    m->unordered = true;
}

void place_set_state(struct place *place, uint32_t node, enum place_state state)
{
    assert(node < place->nodes);
    if (place->states[node] == state)
        return;
    place->states[node] = (uint8_t)state;
    place->states_changed = true;
}

enum place_state place_state(const struct place *place, uint32_t node)
{
    assert(node < place->nodes);
    return (enum place_state)place->states[node];
}

/* --- units ----------------------------------------------------------------------------------- */

/* The table grows by half each time, into an arena of its own. */
static void grow_table(struct place *place, size_t units)
{
    if (units <= place->table.units)
        return;
    enum { FIRST = 16 };
    size_t room = place->table.units + place->table.units / 2;
    if (room < units)
        room = units + FIRST;
    struct arena *arena = arena_new(0);
    struct place_table grown = place_table_new(place->nodes, room, arena);
    place_table_move(&grown, &place->table);
    (void)arena_free(place->table_arena);
    place->table_arena = arena;
    place->table = grown;
}

static uint32_t new_unit(struct place *place)
{
    if (place->free_units.len)
        return vec_pop(&place->free_units);
    uint32_t unit = (uint32_t)place->units.len;
    assert(unit < PLACE_NONE - 1);
    vec_push(&place->units, (struct place_member){0});
    grow_table(place, place->units.len);
    return unit;
}

static void read_past(const struct place *place, struct place_member *m,
                      const struct place_past *past)
{
    m->epoch = past->epoch;
    m->is_served = past->is_served || past->count > 0;
    for (size_t i = 0; i < past->count && i < PLACEMENT_PUBLISHED_MAX; i++) {
        assert(past->order[i] < place->nodes);
        m->order[m->order_count++] = past->order[i];
    }
}

uint32_t place_add(struct place *place, const struct place_unit *unit,
                   const struct place_past *past)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    uint32_t index = new_unit(place);
    struct place_member *m = place_member(place, index);
    *m = (struct place_member){
        .ip = unit->ip,
        .mix = map_hash(0, ip_key(&unit->ip)),
        .class = place_class_need(place, unit, scratch),
        .wish = unit->wish,
        .hashed = unit->hashed,
        .from = PLACE_NONE,
        .used = true,
    };
    read_past(place, m, past);
    place_mark_dirty(place, index);
    return index;
}

/* A unit that is hashed keeps knowing its winner when its class becomes another. */
static void change_class(struct place *place, uint32_t unit, const struct place_unit *changed)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct place_member *m = place_member(place, unit);
    struct place_class *class = place_class_need(place, changed, scratch), *before = m->class;
    if (class != before && m->elected && nodeset_size(&class->candidates) > 0) {
        uint32_t winner = place_elect_again(place, &class->candidates, &before->settled,
                                            place->table.at[unit], m, scratch);
        place_put(place, unit, winner, PLACE_HASHED);
    }
    place->untidy |= class != before;
    m->class = class;
    place_class_drop(place, before);
}

void place_change(struct place *place, uint32_t unit, const struct place_unit *changed)
{
    struct place_member *m = place_member(place, unit);
    assert(m->used);
    if (!ip_eq(&m->ip, &changed->ip) || !changed->hashed)
        m->elected = false;
    m->ip = changed->ip;
    m->mix = map_hash(0, ip_key(&m->ip));
    change_class(place, unit, changed);
    place->untidy |= m->wish != changed->wish || m->hashed != changed->hashed;
    m->wish = changed->wish;
    m->hashed = changed->hashed;
    place_mark_dirty(place, unit);
}

static void forget(uint32_t *list, size_t *len, uint32_t unit)
{
    size_t kept = 0;
    for (size_t i = 0; i < *len; i++) {
        if (list[i] != unit)
            list[kept++] = list[i];
    }
    *len = kept;
}

void place_remove(struct place *place, uint32_t unit)
{
    struct place_member *m = place_member(place, unit);
    assert(m->used);
    place_table_take(&place->table, unit);
    place_class_drop(place, m->class);
    if (m->dirty)
        forget(place->dirty.items, &place->dirty.len, unit);
    if (m->unordered)
        forget(place->unordered.items, &place->unordered.len, unit);
    if (m->changed)
        forget(place->changed.items, &place->changed.len, unit);
    *m = (struct place_member){0};
    vec_push(&place->free_units, unit);
    place->untidy = true;
}

void place_raise(struct place *place, uint32_t unit, uint64_t epoch)
{
    struct place_member *m = place_member(place, unit);
    if (epoch > m->epoch)
        m->epoch = epoch;
    place_mark_changed(place, unit);
}

void place_put(struct place *place, uint32_t unit, uint32_t node, enum place_why why)
{
    struct place_member *m = place_member(place, unit);
    uint32_t before = place->table.at[unit];
    if (before == node && m->why == why)
        return;
    m->why = (uint8_t)why;
    place_mark_unordered(place, unit);
    if (before == node)
        return;
    place_table_take(&place->table, unit);
    place_table_put(&place->table, unit, node);
    place->untidy = true;
}

/* --- what has come of it --------------------------------------------------------------------- */

void place_end_unordered(struct place *place, struct nodeset *ret)
{
    for (size_t i = 0; i < place->unordered.len; i++) {
        uint32_t unit = place->unordered.items[i], at = place->table.at[unit];
        struct place_member *m = place_member(place, unit);
        m->unordered = false;
        if (at != PLACE_NONE && !m->hashed)
            nodeset_add(ret, at);
        if (!m->hashed || m->order_count == 0)
            continue;
        m->order_count = 0;
        place_mark_changed(place, unit);
    }
    vec_clear(&place->unordered);
}

/* Orders that are still to be made, node by node. */
static void order_rest(struct place *place)
{
    if (place->unordered.len == 0)
        return;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct nodeset nodes = nodeset_new(place->nodes, arena);
    place_end_unordered(place, &nodes);
    place_spread_all(place, &nodes);
}

static int compare_numbers(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

uint32_t *place_changes(struct place *place, struct arena *arena, size_t *ret_count)
{
    place_run(place);
    order_rest(place);
    vec_sort(&place->changed, compare_numbers);
    uint32_t *units = arena_array(arena, place->changed.len, sizeof(*units));
    *ret_count = place->changed.len;
    for (size_t i = 0; i < place->changed.len; i++) {
        struct place_member *m = place_member(place, place->changed.items[i]);
        units[i] = place->changed.items[i];
        m->changed = m->fresh = false;
        m->is_served |= m->order_count > 0;
        m->epoch++;
    }
    vec_clear(&place->changed);
    return units;
}

struct place_result place_get(const struct place *place, uint32_t unit)
{
    const struct place_member *m = place_member(place, unit);
    struct place_result result = {
        .epoch = m->epoch,
        .count = m->order_count,
        .owner = place->table.at[unit],
        .from = m->from,
        .why = (enum place_why)m->why,
    };
    for (size_t i = 0; i < m->order_count; i++)
        result.order[i] = m->order[i];
    return result;
}

bool place_is_untidy(const struct place *place)
{
    return place->untidy || place->dirty.len || place->states_changed;
}

size_t place_load(const struct place *place, uint32_t node)
{
    assert(node < place->nodes);
    return place->table.load[node];
}
