/* Classes of units. */
#include <stdlib.h>
#include <string.h>

#include "controller/place_internal.h"

/* --- preferences ----------------------------------------------------------------------------- */

static struct place_scores *need_scores(struct place *place, const int64_t *of)
{
    size_t size = place->nodes * sizeof(*of);
    for (size_t i = 0; i < place->scores.len; i++) {
        struct place_scores *known = place->scores.items[i];
        if (memcmp(known->of, of, size) == 0) {
            known->uses++;
            return known;
        }
    }
    struct place_scores *scores = heap_alloc(sizeof(*scores) + size);
    scores->uses = 1;
    memcpy(scores->of, of, size);
    vec_push(&place->scores, scores);
    return scores;
}

static void drop_scores(struct place *place, struct place_scores *scores)
{
    if (!scores || --scores->uses > 0)
        return;
    for (size_t i = 0; i < place->scores.len; i++) {
        if (place->scores.items[i] == scores) {
            vec_drop(&place->scores, i);
            break;
        }
    }
    free(scores);
}

/* --- classes --------------------------------------------------------------------------------- */

static struct str make_key(uint64_t *memory, const struct nodeset *eligible,
                           const struct place_scores *scores)
{
    memory[0] = (uintptr_t)scores;
    for (size_t i = 0; i < eligible->count; i++)
        memory[1 + i] = eligible->words[i];
    return (struct str){.ptr = (const char *)memory,
                        .len = (1 + eligible->count) * sizeof(*memory)};
}

static struct nodeset set_at(struct place_class *class, size_t number, size_t words)
{
    return (struct nodeset){.words = class->memory + 1 + number * words, .count = words};
}

static void add_class(struct place *place, struct place_class *class)
{
    if (place->free_classes.len) {
        class->index = vec_pop(&place->free_classes);
        place->classes.items[class->index] = class;
    } else {
        class->index = (uint32_t)place->classes.len;
        vec_push(&place->classes, class);
    }
    (void)map_put(&place->class_by_key, class->key, class);
}

static struct place_class *class_new(struct place *place, const struct nodeset *eligible,
                                     struct place_scores *scores, struct arena *scratch)
{
    enum { SETS = 4 };
    size_t words = eligible->count;
    struct place_class *class = heap_alloc(sizeof(*class) + (1 + SETS * words) * sizeof(uint64_t));
    class->key = make_key(class->memory, eligible, scores);
    class->scores = scores;
    class->eligible = set_at(class, 0, words);
    class->allowed = set_at(class, 1, words);
    class->candidates = set_at(class, 2, words);
    class->settled = set_at(class, 3, words);
    place_class_judge(place, class, scratch);
    nodeset_copy(&class->settled, &class->candidates);
    class->changed = false;
    add_class(place, class);
    return class;
}

struct place_class *place_class_need(struct place *place, const struct place_unit *unit,
                                     struct arena *scratch)
{
    struct place_scores *scores = unit->scores ? need_scores(place, unit->scores) : NULL;
    uint64_t *memory = arena_array(scratch, 1 + unit->eligible.count, sizeof(*memory));
    struct place_class *class =
        map_get(&place->class_by_key, make_key(memory, &unit->eligible, scores));
    if (class)
        drop_scores(place, scores);
    else
        class = class_new(place, &unit->eligible, scores, scratch);
    class->uses++;
    return class;
}

static void class_free(struct place *place, struct place_class *class)
{
    drop_scores(place, class->scores);
    free(class);
}

void place_class_drop(struct place *place, struct place_class *class)
{
    if (--class->uses > 0)
        return;
    (void)map_remove(&place->class_by_key, class->key);
    place->classes.items[class->index] = NULL;
    vec_push(&place->free_classes, class->index);
    class_free(place, class);
}

void place_class_done(struct place *place)
{
    map_done(&place->class_by_key);
    for (size_t i = 0; i < place->classes.len; i++) {
        if (place->classes.items[i])
            class_free(place, place->classes.items[i]);
    }
    vec_done(&place->classes);
    vec_done(&place->free_classes);
    vec_done(&place->scores);
}

/* --- judging --------------------------------------------------------------------------------- */

/* The eligible nodes in the best state that any of them has; dead ones never. */
static void find_allowed(const struct place *place, struct place_class *class)
{
    uint8_t best = PLACE_DEAD;
    nodeset_clear(&class->allowed);
    for (size_t node = nodeset_next(&class->eligible, 0); node != NODESET_END;
         node = nodeset_next(&class->eligible, node + 1)) {
        if (place->states[node] < best) {
            best = place->states[node];
            nodeset_clear(&class->allowed);
        }
        if (place->states[node] == best && best != PLACE_DEAD)
            nodeset_add(&class->allowed, node);
    }
}

static void find_candidates(struct place_class *class)
{
    int64_t best = INT64_MIN;
    nodeset_copy(&class->candidates, &class->allowed);
    if (!class->scores)
        return;
    for (size_t node = nodeset_next(&class->allowed, 0); node != NODESET_END;
         node = nodeset_next(&class->allowed, node + 1)) {
        if (class->scores->of[node] > best) {
            best = class->scores->of[node];
            nodeset_clear(&class->candidates);
        }
        if (class->scores->of[node] == best)
            nodeset_add(&class->candidates, node);
    }
}

void place_class_judge(struct place *place, struct place_class *class, struct arena *scratch)
{
    struct nodeset allowed = nodeset_new(place->nodes, scratch);
    nodeset_copy(&allowed, &class->allowed);
    find_allowed(place, class);
    find_candidates(class);
    class->allowed_count = nodeset_size(&class->allowed);
    class->changed |=
        !nodeset_eq(&allowed, &class->allowed) || !nodeset_eq(&class->settled, &class->candidates);
}
