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
    uint32_t *load; /* by node, with the backups */
};

/* The other allowed nodes, of those the most preferred. */
static struct nodeset others(struct spread *s, const struct place_class *class)
{
    struct nodeset set = nodeset_new(s->place->nodes, s->scratch);
    nodeset_copy(&set, &class->allowed);
    nodeset_remove(&set, s->node);
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
            nodeset_remove(&set, node);
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
            s->load[first]++;
    }
}

static void choose_missing(struct spread *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->first[i] != PLACE_NONE)
            continue;
        s->first[i] = place_choose(s->place, &s->candidates[s->class_of[i]], s->load,
                                   place_member(s->place, s->units[i]), s->scratch);
        s->load[s->first[i]]++;
    }
}

/* Does no first backup have two units more than any node that could be one? */
static bool is_even(const struct spread *s)
{
    uint32_t most = 0, least = UINT32_MAX;
    for (size_t i = 0; i < s->count; i++) {
        if (s->load[s->first[i]] > most)
            most = s->load[s->first[i]];
    }
    for (size_t i = 0; i < s->class_count; i++) {
        for (size_t node = nodeset_next(&s->candidates[i], 0); node != NODESET_END;
             node = nodeset_next(&s->candidates[i], node + 1)) {
            if (s->load[node] < least)
                least = s->load[node];
        }
    }
    return most <= least + 1;
}

static void even_out(struct spread *s)
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
    for (size_t node = 0; node < s->place->nodes; node++)
        table.load[node] = s->load[node];
    struct place_table even = place_table_copy(&table, s->scratch);
    uint32_t *bounds = arena_array(s->scratch, s->place->nodes, sizeof(uint32_t));
    place_level(&problem, &even, bounds, s->scratch);
    (void)place_level_keep(&problem, &table, bounds, SIZE_MAX, s->scratch);
    for (size_t i = 0; i < s->count; i++)
        s->first[i] = table.at[i];
}

void place_spread(struct place *place, uint32_t node, struct arena *scratch)
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
        .load = arena_array(scratch, place->nodes, sizeof(uint32_t)),
    };
    for (size_t i = 0; i < place->nodes; i++)
        s.load[i] = place->table.load[i];
    read_units(&s);
    choose_missing(&s);
    if (s.count && !is_even(&s))
        even_out(&s);
    for (size_t i = 0; i < s.count; i++)
        place_order_unit(place, s.units[i], s.first[i], scratch);
}
