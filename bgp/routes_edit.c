#include "bgp/routes_edit.h"

#include <string.h>

#include "common/base/sorted.h"

/* The prefixes of a class that are of one family. */
struct family {
    struct prefix **items;
    unsigned **weights; /* of a NULL: there are none */
    size_t *count, *room;
};

static struct family family_of(struct route_class *class, const struct prefix *prefix)
{
    if (prefix->base.family == IP_V4)
        return (struct family){&class->v4, &class->v4_weights, &class->v4_count, &class->v4_room};
    return (struct family){&class->v6, &class->v6_weights, &class->v6_count, &class->v6_room};
}

/* Where the prefix is, or would be. */
static size_t search(const struct family *family, const struct prefix *prefix, bool *ret_found)
{
    return sorted_place(prefix, *family->items, *family->count, sizeof(struct prefix),
                        prefix_cmp_ptr, ret_found);
}

static struct route_class *class_of(const struct routes *routes, const struct prefix *prefix)
{
    bool found = false;
    for (size_t i = 0; i < routes->class_count; i++) {
        struct family family = family_of(&routes->classes[i], prefix);
        (void)search(&family, prefix, &found);
        if (found)
            return &routes->classes[i];
    }
    return NULL;
}

bool routes_edit_has(const struct routes *routes, const struct prefix *prefix)
{
    return class_of(routes, prefix) != NULL;
}

/* --- adding ---------------------------------------------------------------------------------- */

static void *grown(const void *items, size_t count, size_t room, size_t size, struct arena *arena)
{
    void *larger = arena_array(arena, room, size);
    if (count)
        memcpy(larger, items, count * size);
    return larger;
}

static void make_room(const struct family *family, struct arena *arena)
{
    size_t count = *family->count;
    if (count < *family->room)
        return;
    size_t room = *family->room += *family->room / 8 + 16;
    *family->items = grown(*family->items, count, room, sizeof(struct prefix), arena);
    if (*family->weights)
        *family->weights = grown(*family->weights, count, room, sizeof(unsigned), arena);
}

static void insert(struct route_class *class, const struct prefix *prefix, unsigned weight,
                   struct arena *arena)
{
    struct family family = family_of(class, prefix);
    bool found;
    size_t at = search(&family, prefix, &found);
    if (found)
        return; /* by another claim of the Service */
    make_room(&family, arena);
    size_t behind = *family.count - at;
    struct prefix *place = *family.items + at;
    memmove(place + 1, place, behind * sizeof(*place));
    *place = *prefix;
    if (*family.weights) {
        unsigned *weights = *family.weights + at;
        memmove(weights + 1, weights, behind * sizeof(*weights));
        *weights = weight;
    }
    ++*family.count;
}

/* What all advertisements of a Service that make this prefix make of it. */
struct place {
    struct route_class *class; /* NULL: there is none */
    unsigned weight;
};

static struct place place_of(const struct routes *routes, const struct routes_input *input,
                             const struct route_claim *claims, size_t count,
                             const struct prefix *prefix)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t ads = input->advertisement_count, members = 0;
    bool *named = arena_array(scratch, ads, sizeof(bool));
    unsigned *weights = arena_array(scratch, ads, sizeof(unsigned));
    size_t *set = arena_array(scratch, ads, sizeof(size_t));
    struct place place = {0};
    for (size_t i = 0; i < count; i++) {
        if (!prefix_eq(&claims[i].prefix, prefix))
            continue;
        named[claims[i].advertisement] = true;
        weights[claims[i].advertisement] += claims[i].weight;
    }
    for (size_t i = 0; i < ads; i++) {
        if (named[i])
            set[members++] = i;
        place.weight = weights[i] > place.weight ? weights[i] : place.weight;
    }
    place.class = routes_class(routes, input, set, members);
    return place;
}

bool routes_edit_add(struct routes *routes, const struct routes_input *input,
                     struct route_claim *claims, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        claims[i].class = place_of(routes, input, claims, count, &claims[i].prefix).class;
        if (!claims[i].class)
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct place place = place_of(routes, input, claims, count, &claims[i].prefix);
        insert(place.class, &claims[i].prefix, place.weight, arena);
    }
    return true;
}

/* --- removing -------------------------------------------------------------------------------- */

bool routes_edit_remove(struct routes *routes, const struct prefix *prefix)
{
    struct route_class *class = class_of(routes, prefix);
    if (!class)
        return false;
    struct family family = family_of(class, prefix);
    bool found;
    size_t at = search(&family, prefix, &found), behind = --*family.count - at;
    struct prefix *place = *family.items + at;
    memmove(place, place + 1, behind * sizeof(*place));
    if (*family.weights) {
        unsigned *weights = *family.weights + at;
        memmove(weights, weights + 1, behind * sizeof(*weights));
    }
    return class->advertisement_count == 1 || class->v4_count + class->v6_count > 0;
}
