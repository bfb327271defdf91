#include "controller/config.h"

#include <string.h>

#include "common/base/map.h"
#include "common/base/vec.h"
#include "controller/status_patch.h"
#include "crd/condition.h"
#include "crd/ipaddresspool.h"
#include "crd/ipreservation.h"
#include "crd/selector.h"
#include "crd/validate.h"

typedef VEC(const struct object *) object_list;

struct config {
    struct arena *arena; /* findings of the last build */
    struct diag_list findings;
    struct map good;    /* id → the version in force, one reference each */
    object_list before; /* references that the set of the last build but one borrows from */
    int64_t next_expiry;
};

/* One build under way. */
struct build {
    struct config *config;
    const struct config_input *input;
    struct arena *scratch;
    struct validated judged;
    VEC(struct pool_input) pools;
    VEC(struct pool_reservation) reservations;
};

struct config *config_new(void)
{
    struct config *config = heap_alloc(sizeof(*config));
    config->arena = arena_new(4096);
    config->findings.arena = config->arena;
    return config;
}

static void release(object_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        (void)object_unref((struct object *)list->items[i]);
    vec_clear(list);
}

struct config *config_free(struct config *config)
{
    if (!config)
        return NULL;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&config->good, &cursor));)
        (void)object_unref(slot->value);
    map_done(&config->good);
    release(&config->before);
    vec_done(&config->before);
    diag_done(&config->findings);
    (void)arena_free(config->arena);
    free(config);
    return NULL;
}

/* Copies findings: those about one object, or with no id all of them. */
static void add_findings(struct config *config, const struct diag_list *from, struct str id)
{
    for (size_t i = 0; i < from->found.len; i++) {
        const struct diag *diag = &from->found.items[i];
        if (id.len && !str_eq(diag->object, id))
            continue;
        diag_add(&config->findings, diag->severity, diag->object, diag->field, STR_FMT,
                 STR_ARG(diag->message));
    }
}

/* --- judging --------------------------------------------------------------------------------- */

static const struct object *good_version(const struct config *config, const struct object *object)
{
    return map_get(&config->good, object_id(object));
}

/* In force by this process's memory or, after a restart, by what the object's condition says. */
static bool stands(const void *ctx, const struct object *object)
{
    const struct config *config = ctx;
    return good_version(config, object) == object ||
           (status_is_judged(object->kind->id) && status_is_accepted(object));
}

/* All objects, with the last good version in place of those that are refused by themselves. */
static void gather(struct build *b, struct validate_input *ret)
{
    *ret = (struct validate_input){.namespace = b->input->namespace,
                                   .now = b->input->now,
                                   .stands = stands,
                                   .stands_ctx = b->config};
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        size_t count = b->input->counts[kind];
        struct objects *of = &ret->of[kind];
        of->items = arena_array(b->scratch, count, sizeof(*of->items));
        for (size_t i = 0; i < count; i++) {
            const struct object *object = b->input->objects[kind][i];
            const struct object *good = object->refused ? good_version(b->config, object) : NULL;
            if (good)
                add_findings(b->config, &object->source->findings, object_id(object));
            of->items[of->count++] = good ? good : object;
        }
    }
}

/* Puts the last good version in place of objects that are refused only together with others.
 * Returns how many. */
static size_t fall_back(struct build *b, struct validate_input *all, const struct diag_list *found)
{
    size_t replaced = 0;
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        for (size_t i = 0; i < all->of[kind].count; i++) {
            const struct object **item = &all->of[kind].items[i];
            const struct object *good = good_version(b->config, *item);
            if (!good || good == *item || !diag_first_error(found, object_id(*item)))
                continue;
            add_findings(b->config, found, object_id(*item));
            *item = good;
            replaced++;
        }
    }
    return replaced;
}

/* Twice at most: a last good version was in force before, so it breaks nothing that was good. */
static void judge(struct build *b)
{
    struct validate_input all;
    gather(b, &all);
    validate(&all, b->scratch, &b->judged);
    if (fall_back(b, &all, &b->judged.found)) {
        validate_done(&b->judged);
        validate(&all, b->scratch, &b->judged);
    }
    add_findings(b->config, &b->judged.found, (struct str){0});
}

/* --- pools ----------------------------------------------------------------------------------- */

static bool select_labels(const void *selectors, const struct str_map *labels)
{
    return selectors_match(selectors, labels);
}

/* Names of all namespaces that the pool's serviceAllocation stands for. */
static struct str_list resolve_namespaces(struct build *b, const struct service_allocation *pinned)
{
    const struct object *const *all = b->input->objects[KIND_NAMESPACE];
    size_t count = b->input->counts[KIND_NAMESPACE];
    struct str_list names = {
        .items = arena_array(b->scratch, pinned->namespaces.count + count, sizeof(struct str))};
    for (size_t i = 0; i < pinned->namespaces.count; i++)
        names.items[names.count++] = pinned->namespaces.items[i];
    for (size_t i = 0; i < count; i++) {
        if (selectors_match(&pinned->namespace_selectors, &all[i]->labels) &&
            !str_list_has(&names, object_name(all[i])))
            names.items[names.count++] = object_name(all[i]);
    }
    return names;
}

static void add_pool(struct build *b, const struct object *object)
{
    const struct ipaddresspool *pool = (const struct ipaddresspool *)object;
    struct pool_input input = {
        .name = object_name(object),
        .object = object_id(object),
        .auto_assign = pool->spec.auto_assign,
        .avoid_buggy = pool->spec.avoid_buggy_ips,
        .ranges = pool->ranges.items,
        .range_count = pool->ranges.count,
        .excluded = pool->excludes.items,
        .excluded_count = pool->excludes.count,
    };
    const struct service_allocation *pinned = pool->spec.service_allocation;
    if (pinned) {
        input.pinned = true;
        input.priority = pinned->priority;
        input.by_namespace = pinned->namespaces.count || pinned->namespace_selectors.count;
        input.namespaces = resolve_namespaces(b, pinned);
        input.by_labels = pinned->service_selectors.count > 0;
        input.selects = select_labels;
        input.selectors = &pinned->service_selectors;
    }
    vec_push(&b->pools, input);
}

static void add_pools(struct build *b)
{
    const struct objects *pools = &b->judged.of[KIND_IP_ADDRESS_POOL];
    for (size_t i = 0; i < pools->count; i++)
        add_pool(b, pools->items[i]);
}

/* --- reservations ---------------------------------------------------------------------------- */

static struct str owner_of(struct build *b, const struct ipreservation *reservation)
{
    if (reservation->owner_name.len == 0)
        return reservation->owner_namespace;
    return arena_printf(b->scratch, STR_FMT "/" STR_FMT, STR_ARG(reservation->owner_namespace),
                        STR_ARG(reservation->owner_name));
}

static void note_expiry(struct config *config, const struct ipreservation *reservation)
{
    int64_t expires = reservation->spec.expires;
    if (expires && (!config->next_expiry || expires < config->next_expiry))
        config->next_expiry = expires;
}

static void add_reservations(struct build *b)
{
    const struct objects *all = &b->judged.of[KIND_IP_RESERVATION];
    for (size_t i = 0; i < all->count; i++) {
        const struct ipreservation *reservation = (const struct ipreservation *)all->items[i];
        const struct range *ranges = reservation->ranges.items;
        if (ipreservation_expired(reservation, b->input->now))
            continue;
        note_expiry(b->config, reservation);
        for (size_t j = 0; j < reservation->ranges.count; j++)
            vec_push(&b->reservations,
                     ((struct pool_reservation){.object = object_id(all->items[i]),
                                                .owner = owner_of(b, reservation),
                                                .range = ranges[j]}));
    }
}

/* --- the build ------------------------------------------------------------------------------- */

/* Remembers what is in force now; what was before is kept for the set that still borrows it. */
static void remember(struct build *b)
{
    struct config *config = b->config;
    struct map good = {0};
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        for (size_t i = 0; status_is_judged((enum kind_id)kind) && i < b->judged.of[kind].count;
             i++) {
            const struct object *object = b->judged.of[kind].items[i];
            (void)map_put(&good, object_id(object), object_ref(object));
        }
    }
    release(&config->before);
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&config->good, &cursor));)
        vec_push(&config->before, slot->value);
    map_done(&config->good);
    config->good = good;
}

static int compare_findings(const void *a, const void *b)
{
    const struct diag *x = a, *y = b;
    int order = str_cmp(x->object, y->object);
    if (order == 0)
        order = (int)x->severity - (int)y->severity;
    if (order == 0)
        order = str_cmp(x->field, y->field);
    return order ? order : str_cmp(x->message, y->message);
}

struct pool_set *config_build(struct config *config, const struct config_input *input)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct build b = {.config = config, .input = input, .scratch = scratch};
    vec_clear(&config->findings.found);
    arena_reset(config->arena);
    config->next_expiry = 0;
    judge(&b);
    add_pools(&b);
    add_reservations(&b);
    struct pool_set *set = pool_set_build(b.pools.items, b.pools.len, b.reservations.items,
                                          b.reservations.len, &config->findings);
    remember(&b);
    validate_done(&b.judged);
    vec_sort(&config->findings.found, compare_findings);
    vec_done(&b.pools);
    vec_done(&b.reservations);
    return set;
}

const struct diag_list *config_findings(const struct config *config)
{
    return &config->findings;
}

int64_t config_next_expiry(const struct config *config)
{
    return config->next_expiry;
}

struct objects config_in_force(const struct config *config, enum kind_id kind, struct arena *arena)
{
    size_t count;
    struct map_entry *sorted = map_sorted(&config->good, arena, &count);
    struct objects list = {.items = arena_array(arena, count, sizeof(*list.items))};
    for (size_t i = 0; i < count; i++) {
        const struct object *object = sorted[i].value;
        if (object->kind->id == kind) /* ids of one kind sort as keys do */
            list.items[list.count++] = object;
    }
    return list;
}

bool config_accepts(const struct config *config, const struct object *object,
                    const struct diag **ret_why)
{
    const struct diag *why = diag_first_error(&config->findings, object_id(object));
    if (ret_why)
        *ret_why = why;
    return !why;
}
