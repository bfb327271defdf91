/* First backups of the units of one node.
 *
 * When the node is lost each of its units comes to its first backup, all others stay. So first
 * backups are spread like the units themselves, over the other nodes with what these have already;
 * the same bounds hold, and of the backups in force as few as possible change. */
#include "controller/place_internal.h"
#include "controller/place_level.h"

struct spread {
    struct place *place;
    struct arena *scratch;
    uint32_t node;
    uint32_t *units; /* those of the node that may have backups */
    uint32_t *first; /* of each: its first backup, or PLACE_NONE */
    uint32_t *class_of;
    size_t count;
    struct nodeset *candidates; /* by class that is met here: who may be first backup */
    const struct place_class **classes;
    size_t class_count;
    struct place_ladder *ladder; /* loads, with the backups */
};

/* The other allowed nodes, of those the most preferred. */
static struct nodeset others(struct spread *s, const struct place_class *class)
{
    struct nodeset set = nodeset_new(s->place->nodes, s->scratch);
    nodeset_copy(&set, &class->allowed);
    nodeset_drop(&set, s->node);
    if (!class->scores)
        return set;
    int64_t best = INT64_MIN;
    for (size_t node = nodeset_next(&set, 0); node != NODESET_END;
         node = nodeset_next(&set, node + 1)) {
        if (class->scores->of[node] > best)
            best = class->scores->of[node];
    }
    for (size_t node = nodeset_next(&set, 0); node != NODESET_END;
         node = nodeset_next(&set, node + 1)) {
        if (class->scores->of[node] < best)
            nodeset_drop(&set, node);
    }
    return set;
}

static uint32_t need_class(struct spread *s, const struct place_class *class)
{
    for (uint32_t i = 0; i < s->class_count; i++) {
        if (s->classes[i] == class)
            return i;
    }
    s->classes[s->class_count] = class;
    s->candidates[s->class_count] = others(s, class);
    return (uint32_t)s->class_count++;
}

/* The first backup in force, unless another is to be preferred to it. */
static uint32_t first_in_force(const struct place_member *m, uint32_t owner,
                               const struct nodeset *candidates)
{
    for (size_t i = 0; i < m->order_count; i++) {
        if (m->order[i] == owner || !nodeset_has(&m->class->allowed, m->order[i]))
            continue;
        return nodeset_has(candidates, m->order[i]) ? m->order[i] : PLACE_NONE;
    }
    return PLACE_NONE;
}

static void read_units(struct spread *s)
{
    const struct place_table *table = &s->place->table;
    for (uint32_t unit = table->first[s->node]; unit != PLACE_NONE; unit = table->next[unit]) {
        const struct place_member *m = place_member(s->place, unit);
        if (m->hashed)
            continue;
        if (m->class->allowed_count < 2) {
            place_order_unit(s->place, unit, PLACE_NONE, s->scratch);
            continue;
        }
        uint32_t class = need_class(s, m->class);
        uint32_t first = first_in_force(m, s->node, &s->candidates[class]);
        s->units[s->count] = unit;
        s->class_of[s->count] = class;
        s->first[s->count++] = first;
        if (first != PLACE_NONE)
            place_ladder_raise(s->ladder, first);
    }
}

static void choose_missing(struct spread *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->first[i] != PLACE_NONE)
            continue;
        s->first[i] = place_choose(s->place, &s->candidates[s->class_of[i]], s->ladder,
                                   place_member(s->place, s->units[i]), s->scratch);
        place_ladder_raise(s->ladder, s->first[i]);
    }
}

/* Does no first backup have two units more than any node that could be one? */
static bool is_even(const struct spread *s)
{
    uint32_t most = 0, least = UINT32_MAX;
    for (size_t i = 0; i < s->count; i++) {
        uint32_t load = place_ladder_load(s->ladder, s->first[i]);
        most = load > most ? load : most;
    }
    for (size_t i = 0; i < s->class_count; i++) {
        uint32_t load = place_ladder_least(s->ladder, &s->candidates[i], NULL);
        least = load < least ? load : least;
    }
    return most <= least + 1;
}

/* Returns where they are to be instead. */
static uint32_t *even_out(struct spread *s)
{
    struct place_problem problem = {
        .nodes = s->place->nodes,
        .units = s->count,
        .classes = s->class_count,
        .class_of = s->class_of,
        .candidates = s->candidates,
    };
    struct place_table table = place_table_new(s->place->nodes, s->count, s->scratch);
    for (size_t i = 0; i < s->count; i++)
        place_table_put(&table, (uint32_t)i, s->first[i]);
    for (uint32_t node = 0; node < s->place->nodes; node++)
        table.load[node] = place_ladder_load(s->ladder, node);
    struct place_table even = place_table_copy(&table, s->scratch);
    uint32_t *bounds = arena_array(s->scratch, s->place->nodes, sizeof(uint32_t));
    place_level(&problem, &even, bounds, s->scratch);
    (void)place_level_keep(&problem, &table, bounds, SIZE_MAX, s->scratch);
    return table.at;
}

/* The ladder is of the table's loads, after the call as before. */
static void spread(struct place *place, uint32_t node, struct place_ladder *ladder,
                   struct arena *scratch)
{
    size_t most = place->table.load[node];
    struct spread s = {
        .place = place,
        .scratch = scratch,
        .node = node,
        .units = arena_array(scratch, most, sizeof(uint32_t)),
        .first = arena_array(scratch, most, sizeof(uint32_t)),
        .class_of = arena_array(scratch, most, sizeof(uint32_t)),
        .candidates = arena_array(scratch, most, sizeof(struct nodeset)),
        .classes = arena_array(scratch, most, sizeof(*s.classes)),
        .ladder = ladder,
    };
    read_units(&s);
    choose_missing(&s);
    const uint32_t *first = s.count == 0 || is_even(&s) ? s.first : even_out(&s);
    for (size_t i = 0; i < s.count; i++) {
        place_ladder_lower(ladder, s.first[i]);
        place_order_unit(place, s.units[i], first[i], scratch);
    }
}

void place_spread_all(struct place *place, const struct nodeset *nodes)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(arena) struct arena *scratch = arena_new(32 * 1024);
    struct place_ladder *ladder = place_ladder_new(place->table.load, place->nodes, arena);
    for (size_t node = nodeset_next(nodes, 0); node != NODESET_END;
         node = nodeset_next(nodes, node + 1)) {
        spread(place, (uint32_t)node, ladder, scratch);
        arena_reset(scratch);
    }
}
