/* How Services are placed.
 *
 * Each Service that has addresses is an entry; entries find each other by address. What changes is
 * marked dirty; placing_run judges it anew, together with all that hangs together with it, hands
 * the units to the placement and asks that to run. placing_world.c knows the nodes,
 * placing_units.c makes the units. */
#include "controller/placing.h"

#include <assert.h>
#include <stdlib.h>

#include "controller/placing_internal.h"
#include "crd/service.h"

/* --- life ------------------------------------------------------------------------------------ */

struct placing *placing_new(const struct placing_options *options)
{
    struct placing *p = heap_alloc(sizeof(*p));
    *p = (struct placing){.options = *options,
                          .entries = {.seed = options->seed},
                          .addresses = {.seed = options->seed}};
    return p;
}

static void entry_free(struct placing_entry *entry)
{
    free(entry->serving);
    free(entry);
}

struct placing *placing_free(struct placing *p)
{
    if (!p)
        return NULL;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&p->entries, &cursor));)
        entry_free(slot->value);
    cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&p->addresses, &cursor));)
        free(slot->value);
    for (size_t i = 0; i < p->kept.len; i++)
        (void)object_unref(p->kept.items[i]);
    map_done(&p->entries);
    map_done(&p->addresses);
    vec_done(&p->first_of);
    vec_done(&p->dirty);
    vec_done(&p->changed);
    vec_done(&p->kept);
    (void)place_free(p->place);
    (void)arena_free(p->world);
    (void)arena_free(p->told);
    (void)arena_free(p->served_arena);
    (void)arena_free(p->numbers);
    free(p);
    return NULL;
}

/* --- marks ----------------------------------------------------------------------------------- */

void placing_mark_dirty(struct placing *p, struct placing_entry *entry)
{
    if (!entry->dirty)
        vec_push(&p->dirty, entry);
    entry->dirty = true;
}

void placing_mark_changed(struct placing *p, struct placing_entry *entry)
{
    if (!entry->changed)
        vec_push(&p->changed, entry);
    entry->changed = true;
}

static void forget(struct placing_entry **list, size_t *len, const struct placing_entry *entry)
{
    size_t kept = 0;
    for (size_t i = 0; i < *len; i++) {
        if (list[i] != entry)
            list[kept++] = list[i];
    }
    *len = kept;
}

/* --- addresses ------------------------------------------------------------------------------- */

static struct placing_entry **next_at(struct placing_entry *entry, const struct ip *ip)
{
    return &entry->next_at[entry->ip_count > 1 && ip_eq(&entry->ips[1], ip)];
}

static void leave_address(struct placing *p, struct placing_entry *entry, const struct ip *ip)
{
    struct placing_address *address = map_get(&p->addresses, ip_key(ip));
    struct placing_entry **at = &address->first;
    while (*at != entry)
        at = next_at(*at, ip);
    *at = *next_at(entry, ip);
    for (struct placing_entry *other = address->first; other; other = *next_at(other, ip))
        placing_mark_dirty(p, other);
    if (address->first)
        return;
    (void)map_remove(&p->addresses, ip_key(ip));
    free(address);
}

static void take_address(struct placing *p, struct placing_entry *entry, const struct ip *ip)
{
    struct placing_address *address = map_get(&p->addresses, ip_key(ip));
    if (!address) {
        address = heap_alloc(sizeof(*address));
        address->ip = *ip;
        (void)map_put(&p->addresses, ip_key(&address->ip), address);
    }
    *next_at(entry, ip) = address->first;
    address->first = entry;
}

static void set_addresses(struct placing *p, struct placing_entry *entry, const struct ip *ips,
                          size_t count)
{
    bool same = count == entry->ip_count;
    for (size_t i = 0; same && i < count; i++)
        same = ip_eq(&ips[i], &entry->ips[i]);
    if (same)
        return;
    for (size_t i = 0; i < entry->ip_count; i++)
        leave_address(p, entry, &entry->ips[i]);
    entry->ip_count = count;
    for (size_t i = 0; i < count; i++)
        entry->ips[i] = ips[i];
    for (size_t i = 0; i < count; i++)
        take_address(p, entry, &entry->ips[i]);
}

/* --- units ----------------------------------------------------------------------------------- */

static void unlink_unit(struct placing *p, struct placing_entry *entry)
{
    if (entry->unit == PLACE_NONE)
        return;
    struct placing_entry **at = &p->first_of.items[entry->unit];
    while (*at != entry)
        at = &(*at)->next_of;
    *at = entry->next_of;
    if (!p->first_of.items[entry->unit])
        place_remove(p->place, entry->unit);
    entry->unit = PLACE_NONE;
    entry->next_of = NULL;
}

void placing_link(struct placing *p, struct placing_entry *entry, uint32_t unit)
{
    if (entry->unit == unit)
        return;
    unlink_unit(p, entry);
    if (unit == PLACE_NONE)
        return;
    while (p->first_of.len <= unit)
        vec_push(&p->first_of, NULL);
    entry->unit = unit;
    entry->next_of = p->first_of.items[unit];
    p->first_of.items[unit] = entry;
}

/* --- Services -------------------------------------------------------------------------------- */

static void read_serving(struct placing *p, struct placing_entry *entry, bool is_local,
                         const struct endpointslice *const *slices, size_t count)
{
    free(entry->serving);
    entry->serving = NULL;
    if (!is_local)
        return;
    size_t words = nodeset_words(p->nodes.count);
    struct nodeset serving = {.words = heap_alloc((words + 1) * sizeof(uint64_t)), .count = words};
    for (size_t i = 0; i < count; i++) {
        const struct endpoint *all = slices[i]->endpoints.items;
        for (size_t j = 0; !slices[i]->object.refused && j < slices[i]->endpoints.count; j++) {
            size_t node = eligible_node(p->eligible, all[j].node_name);
            if (all[j].can_serve && node < p->nodes.count)
                nodeset_add(&serving, node);
        }
    }
    entry->serving = serving.words;
}

static struct placing_entry *need_entry(struct placing *p, const struct plan_record *record)
{
    struct placing_entry *entry = map_get(&p->entries, record->key);
    if (entry)
        return entry;
    entry = heap_alloc(sizeof(*entry));
    *entry = (struct placing_entry){.record = record, .unit = PLACE_NONE};
    (void)map_put(&p->entries, record->key, entry);
    return entry;
}

void placing_offer(struct placing *p, const struct plan_record *record,
                   const struct endpointslice *const *slices, size_t count)
{
    assert(p->eligible);
    const struct service *service = (const struct service *)record->object;
    if (!record->managed || record->ip_count == 0) {
        placing_drop(p, record->key);
        return;
    }
    struct placing_entry *entry = need_entry(p, record);
    /* What was decided for the last good version of an object that cannot be read stays. */
    bool is_local = service->object.refused ? entry->serving != NULL : service->is_local;
    set_addresses(p, entry, record->ips, record->ip_count);
    read_serving(p, entry, is_local, slices, count);
    placing_mark_dirty(p, entry);
}

static int compare_slices(const void *a, const void *b)
{
    const struct endpointslice *const *x = a, *const *y = b;
    return str_cmp((*x)->service, (*y)->service);
}

void placing_offer_all(struct placing *p, const struct plan_record *const *records, size_t count,
                       const struct objects *slices)
{
    VEC(const struct endpointslice *) all = {0};
    for (size_t i = 0; i < slices->count; i++)
        vec_push(&all, (const struct endpointslice *)slices->items[i]);
    vec_sort(&all, compare_slices);
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        while (from < all.len && str_cmp(all.items[from]->service, records[i]->key) < 0)
            from++;
        size_t to = from;
        while (to < all.len && str_eq(all.items[to]->service, records[i]->key))
            to++;
        placing_offer(p, records[i], all.len ? all.items + from : NULL, to - from);
    }
    vec_done(&all);
}

void placing_drop(struct placing *p, struct str key)
{
    struct placing_entry *entry = map_get(&p->entries, key);
    if (!entry)
        return;
    for (struct placing_entry *other = entry->unit == PLACE_NONE ? NULL
                                                                 : p->first_of.items[entry->unit];
         other; other = other->next_of)
        placing_mark_dirty(p, other);
    set_addresses(p, entry, NULL, 0);
    unlink_unit(p, entry);
    if (entry->dirty)
        forget(p->dirty.items, &p->dirty.len, entry);
    if (entry->changed)
        forget(p->changed.items, &p->changed.len, entry);
    (void)map_remove(&p->entries, key);
    entry_free(entry);
}

/* --- running --------------------------------------------------------------------------------- */

bool placing_is_due(const struct placing *p)
{
    return p->place && (p->dirty.len || place_is_untidy(p->place));
}

struct place_pending placing_run(struct placing *p, size_t moves)
{
    assert(p->place);
    placing_regroup(p);
    struct place_pending pending = place_tidy(p->place, moves);
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const uint32_t *units = place_changes(p->place, scratch, &count);
    for (size_t i = 0; i < count; i++) {
        for (struct placing_entry *entry = p->first_of.items[units[i]]; entry;
             entry = entry->next_of)
            placing_mark_changed(p, entry);
    }
    return pending;
}

struct str_list placing_changes(struct placing *p, struct arena *arena)
{
    struct str_list keys = {.items = arena_array(arena, p->changed.len, sizeof(struct str))};
    for (size_t i = 0; i < p->changed.len; i++) {
        p->changed.items[i]->changed = false;
        keys.items[keys.count++] = arena_str(arena, p->changed.items[i]->record->key);
    }
    vec_clear(&p->changed);
    if (keys.count)
        qsort(keys.items, keys.count, sizeof(struct str), str_cmp_ptr);
    return keys;
}

/* --- what has come of it --------------------------------------------------------------------- */

static struct str_list name_order(const struct placing *p, const struct place_result *result,
                                  struct arena *arena)
{
    struct str_list names = {.items = arena_array(arena, result->count, sizeof(struct str))};
    for (size_t i = 0; i < result->count; i++)
        names.items[names.count++] = p->names.items[result->order[i]];
    return names;
}

struct str placing_text(const struct placing *p, struct str key, struct arena *arena)
{
    const struct placing_entry *entry = map_get(&p->entries, key);
    if (!entry || entry->unit == PLACE_NONE)
        return STR("");
    struct place_result result = place_get(p->place, entry->unit);
    struct placement placement = {.epoch = result.epoch, .nodes = name_order(p, &result, arena)};
    return result.count ? placement_format(&placement, arena) : STR("");
}

static struct str name_of(const struct placing *p, uint32_t node)
{
    return node == PLACE_NONE ? STR("") : p->names.items[node];
}

bool placing_view(const struct placing *p, struct str key, struct arena *arena,
                  struct placing_view *ret)
{
    const struct placing_entry *entry = map_get(&p->entries, key);
    if (!entry || entry->unit == PLACE_NONE)
        return false;
    struct place_result result = place_get(p->place, entry->unit);
    *ret = (struct placing_view){
        .owner = name_of(p, result.owner),
        .backups = name_order(p, &result, arena),
        .epoch = result.epoch,
        .why = result.why,
        .from = name_of(p, result.from),
    };
    /* The order begins with the owner, unless nobody may answer now. */
    if (ret->backups.count && str_eq(ret->backups.items[0], ret->owner)) {
        ret->backups.items++;
        ret->backups.count--;
    }
    for (const struct placing_entry *other = p->first_of.items[entry->unit]; other;
         other = other->next_of)
        ret->members++;
    return true;
}

struct str placing_sentence(const struct placing_view *view, struct arena *arena)
{
    switch (view->why) {
    case PLACE_KEPT:
        return arena_printf(arena, STR_FMT " answered already when it was placed",
                            STR_ARG(view->owner));
    case PLACE_CHOSEN:
        return arena_printf(arena, STR_FMT " had the fewest when this one came",
                            STR_ARG(view->owner));
    case PLACE_TOOK_OVER:
        return arena_printf(arena, STR_FMT " took over as " STR_FMT " may not answer any more",
                            STR_ARG(view->owner), STR_ARG(view->from));
    case PLACE_MOVED:
        return arena_printf(arena, "moved to " STR_FMT ", as " STR_FMT " had more than its share",
                            STR_ARG(view->owner), STR_ARG(view->from));
    case PLACE_ASKED:
        return STR("the annotation stentor.io/node asks for this node");
    case PLACE_HASHED:
        return STR("elected by hash");
    case PLACE_NOWHERE:
    default:
        return STR("no node may answer for it now");
    }
}

struct placing_node *placing_nodes(const struct placing *p, struct arena *arena, size_t *ret_count)
{
    struct placing_node *nodes = arena_array(arena, p->nodes.count, sizeof(*nodes));
    *ret_count = p->nodes.count;
    for (size_t i = 0; i < p->nodes.count; i++) {
        nodes[i] = (struct placing_node){.name = p->nodes.items[i],
                                         .state = place_state(p->place, p->number[i]),
                                         .units = place_load(p->place, p->number[i])};
    }
    return nodes;
}
