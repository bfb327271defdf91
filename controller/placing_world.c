/* The nodes, by three kinds of numbers: an index in the world, a number of the placement, a name.
 */
#include <stdlib.h>

#include "controller/placing_internal.h"
#include "crd/node.h"

static void keep(struct placing *p, const struct objects *objects)
{
    for (size_t i = 0; i < objects->count; i++)
        vec_push(&p->kept, object_ref(objects->items[i]));
}

/* A list of objects that outlives the caller's. */
static struct objects copy_list(const struct objects *objects, struct arena *arena)
{
    struct objects copy = {.items = arena_array(arena, objects->count, sizeof(*copy.items)),
                           .count = objects->count};
    for (size_t i = 0; i < objects->count; i++)
        copy.items[i] = objects->items[i];
    return copy;
}

static void read_nodes(struct placing *p, const struct objects *nodes)
{
    p->nodes = (struct str_list){.items = arena_array(p->world, nodes->count, sizeof(struct str))};
    p->draining = nodeset_new(nodes->count, p->world);
    for (size_t i = 0; i < nodes->count; i++) {
        const struct node *node = (const struct node *)nodes->items[i];
        p->nodes.items[p->nodes.count++] = arena_str(p->world, node->object.key);
        if (node->draining)
            nodeset_add(&p->draining, i);
    }
}

void placing_set_world(struct placing *p, const struct placing_world *world)
{
    struct arena *before = p->world;
    p->world = arena_new(0);
    struct eligible_input input = {
        .ignore_excluded = p->options.ignore_excluded,
        .seed = p->options.seed,
        .nodes = world->nodes,
        .pools = copy_list(&world->pools, p->world),
        .advertisements = copy_list(&world->advertisements, p->world),
    };
    read_nodes(p, &world->nodes);
    p->eligible = eligible_new(&input, p->world);
    (void)arena_free(before);
    /* The new ones first: an object may be in both. */
    size_t old = p->kept.len;
    keep(p, &world->pools);
    keep(p, &world->advertisements);
    for (size_t i = 0; i < old; i++)
        (void)object_unref(p->kept.items[i]);
    for (size_t i = old; i < p->kept.len; i++)
        p->kept.items[i - old] = p->kept.items[i];
    p->kept.len -= old;
    placing_know(p, &(struct str_list){0});
    (void)placing_find_served(p);
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&p->entries, &cursor));)
        placing_mark_dirty(p, slot->value);
}

/* --- names ----------------------------------------------------------------------------------- */

typedef VEC(struct str) name_list;

static void add_names(name_list *all, const struct str_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        vec_push(all, names->items[i]);
}

/* Names in the orders of all units. */
static void add_ordered(const struct placing *p, name_list *all)
{
    for (uint32_t unit = 0; unit < p->first_of.len; unit++) {
        if (!p->first_of.items[unit])
            continue;
        struct place_result result = place_get(p->place, unit);
        for (size_t i = 0; i < result.count; i++)
            vec_push(all, p->names.items[result.order[i]]);
    }
}

static void sort_unique(name_list *all)
{
    size_t kept = 0;
    vec_sort(all, str_cmp_ptr);
    for (size_t i = 0; i < all->len; i++) {
        if (kept == 0 || !str_eq(all->items[kept - 1], all->items[i]))
            all->items[kept++] = all->items[i];
    }
    all->len = kept;
}

static bool same_names(const struct str_list *names, const name_list *all)
{
    if (names->count != all->len)
        return false;
    for (size_t i = 0; i < all->len; i++) {
        if (!str_eq(names->items[i], all->items[i]))
            return false;
    }
    return true;
}

static uint32_t find_name(const struct str_list *names, struct str name)
{
    const struct str *found =
        names->count ? bsearch(&name, names->items, names->count, sizeof(struct str), str_cmp_ptr)
                     : NULL;
    return found ? (uint32_t)(found - names->items) : PLACE_NONE;
}

uint32_t placing_number(const struct placing *p, struct str name)
{
    return find_name(&p->names, name);
}

/* --- the placement's nodes ------------------------------------------------------------------- */

/* Brings a unit from the former placement into a new one with other numbers. */
static uint32_t carry_over(struct placing *p, struct place *to, const struct str_list *names,
                           uint32_t unit, struct arena *scratch)
{
    struct place_result result = place_get(p->place, unit);
    struct place_unit nowhere = {.ip = p->first_of.items[unit]->ips[0],
                                 .eligible = nodeset_new(names->count, scratch),
                                 .wish = PLACE_NONE};
    for (size_t i = 0; i < result.count; i++)
        result.order[i] = find_name(names, p->names.items[result.order[i]]);
    struct place_past past = {.order = result.order,
                              .count = result.count,
                              .epoch = result.epoch,
                              .is_served = result.owner != PLACE_NONE};
    return place_add(to, &nowhere, &past);
}

static void carry_all(struct placing *p, struct place *to, const struct str_list *names)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    VEC(struct placing_entry *) before = {0};
    for (size_t i = 0; i < p->first_of.len; i++)
        vec_push(&before, p->first_of.items[i]);
    VEC(uint32_t) numbers = {0};
    for (uint32_t i = 0; i < before.len; i++) {
        vec_push(&numbers, before.items[i] ? carry_over(p, to, names, i, scratch) : PLACE_NONE);
        arena_reset(scratch);
    }
    vec_clear(&p->first_of);
    for (size_t i = 0; i < before.len; i++) {
        for (struct placing_entry *entry = before.items[i], *next; entry; entry = next) {
            next = entry->next_of;
            entry->unit = PLACE_NONE;
            placing_link(p, entry, numbers.items[i]);
            placing_mark_dirty(p, entry);
        }
    }
    vec_done(&before);
    vec_done(&numbers);
}

static void set_names(struct placing *p, const name_list *all)
{
    struct arena *arena = arena_new(0);
    struct str_list names = {.items = arena_array(arena, all->len, sizeof(struct str))};
    for (size_t i = 0; i < all->len; i++)
        names.items[names.count++] = arena_str(arena, all->items[i]);
    struct place *place = place_new(names.items, names.count);
    if (p->place)
        carry_all(p, place, &names);
    (void)place_free(p->place);
    (void)arena_free(p->numbers);
    p->place = place;
    p->numbers = arena;
    p->names = names;
}

static void number_nodes(struct placing *p)
{
    p->number = arena_array(p->world, p->nodes.count, sizeof(uint32_t));
    p->same = p->nodes.count == p->names.count;
    for (size_t i = 0; i < p->nodes.count; i++)
        p->number[i] = placing_number(p, p->nodes.items[i]);
}

void placing_set_states(struct placing *p)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    uint8_t *states = arena_array(scratch, p->names.count, sizeof(*states));
    for (size_t i = 0; i < p->names.count; i++)
        states[i] = PLACE_DEAD;
    for (size_t i = 0; i < p->nodes.count; i++)
        states[p->number[i]] = (uint8_t)placing_state(p, i);
    for (uint32_t i = 0; i < p->names.count; i++)
        place_set_state(p->place, i, (enum place_state)states[i]);
}

void placing_know(struct placing *p, const struct str_list *names)
{
    name_list all = {0};
    add_names(&all, &p->nodes);
    add_names(&all, names);
    add_ordered(p, &all);
    sort_unique(&all);
    if (!p->place || !same_names(&p->names, &all))
        set_names(p, &all);
    vec_done(&all);
    number_nodes(p);
    placing_set_states(p);
}

struct nodeset placing_translate(const struct placing *p, const struct nodeset *set,
                                 struct arena *arena)
{
    struct nodeset to = nodeset_new(p->names.count, arena);
    if (p->same) {
        nodeset_copy(&to, set);
        return to;
    }
    for (size_t node = nodeset_next(set, 0); node != NODESET_END;
         node = nodeset_next(set, node + 1))
        nodeset_add(&to, p->number[node]);
    return to;
}

int64_t *placing_translate_scores(const struct placing *p, const int64_t *scores,
                                  struct arena *arena)
{
    if (!scores)
        return NULL;
    int64_t *to = arena_array(arena, p->names.count, sizeof(*to));
    for (size_t i = 0; i < p->nodes.count; i++)
        to[p->number[i]] = scores[i];
    return to;
}
