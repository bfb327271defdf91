#include "speaker/plan.h"

#include "common/base/vec.h"
#include "crd/annotations.h"
#include "speaker/eligible.h"

/* A Service under decision. */
struct entry {
    const struct service *service;
    struct candidacy candidacy;
    struct plan_service *result;
    size_t parent; /* towards the entry that stands for its unit */
};

/* What is known of a unit; kept with the entry that stands for it. */
struct unit {
    const struct candidacy *first; /* NULL: no unit */
    struct nodeset nodes;          /* that may announce all of it */
    struct ip ip;
    struct elect_placement placement; /* without nodes: none is published */
    size_t owner;                     /* index of a node; the number of nodes: none */
};

struct run {
    const struct snapshot *snapshot;
    struct elect *elect;
    const struct eligible *eligible;
    struct arena *arena;   /* of the result */
    struct arena *scratch; /* of the run */
    struct entry *entries;
    size_t count;
    struct unit *units;
    struct plan *plan;
};

/* --- judging --------------------------------------------------------------------------------- */

static void read_services(struct run *run)
{
    const struct objects *services = &run->snapshot->services;
    run->entries = arena_array(run->scratch, services->count, sizeof(*run->entries));
    run->plan->services = arena_array(run->arena, services->count, sizeof(*run->plan->services));
    for (size_t i = 0; i < services->count; i++) {
        const struct service *service = (const struct service *)services->items[i];
        if (!service->is_load_balancer || !service_is_of_class(service, run->snapshot->lb_class))
            continue;
        struct plan_service *result = &run->plan->services[run->plan->service_count++];
        struct entry *entry = &run->entries[run->count];
        *entry = (struct entry){.service = service, .result = result, .parent = run->count++};
        eligible_judge(run->eligible, service, run->scratch, &entry->candidacy);
        result->key = arena_str(run->arena, service->object.key);
        result->reason = entry->candidacy.reason;
        result->ips = arena_array(run->arena, entry->candidacy.ip_count, sizeof(struct ip));
        for (size_t j = 0; j < entry->candidacy.ip_count; j++)
            result->ips[result->ip_count++] = entry->candidacy.ips[j];
    }
}

/* --- units ----------------------------------------------------------------------------------- */

/* An address of an entry. */
struct claim {
    struct ip ip;
    size_t entry;
};
typedef VEC(struct claim) claim_list;

static int by_ip(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static size_t root_of(struct run *run, size_t entry)
{
    while (run->entries[entry].parent != entry) {
        size_t above = run->entries[entry].parent;
        run->entries[entry].parent = run->entries[above].parent;
        entry = above;
    }
    return entry;
}

/* The earlier entry stands for both. */
static void join(struct run *run, size_t a, size_t b)
{
    size_t x = root_of(run, a), y = root_of(run, b);
    if (x < y)
        run->entries[y].parent = x;
    else
        run->entries[x].parent = y;
}

static void join_sharers(struct run *run)
{
    claim_list claims = {0};
    for (size_t i = 0; i < run->count; i++) {
        const struct candidacy *candidacy = &run->entries[i].candidacy;
        for (size_t j = 0; candidacy->stands && j < candidacy->ip_count; j++)
            vec_push(&claims, ((struct claim){.ip = candidacy->ips[j], .entry = i}));
    }
    vec_sort(&claims, by_ip);
    for (size_t i = 1; i < claims.len; i++) {
        if (ip_eq(&claims.items[i - 1].ip, &claims.items[i].ip))
            join(run, claims.items[i - 1].entry, claims.items[i].entry);
    }
    vec_done(&claims);
}

static void read_placement(struct run *run, struct entry *entry, struct unit *unit)
{
    struct str text = annotations_read(&entry->service->object, ANNOTATION_PLACEMENT, NULL);
    struct elect_placement placement;
    entry->result->placement = elect_parse(text, run->scratch, &placement);
    if (entry->result->placement != ELECT_VALID)
        return;
    if (unit->placement.nodes.count == 0 || placement.epoch > unit->placement.epoch)
        unit->placement = placement;
}

static void gather_units(struct run *run)
{
    run->units = arena_array(run->scratch, run->count, sizeof(*run->units));
    for (size_t i = 0; i < run->count; i++) {
        struct entry *entry = &run->entries[i];
        struct unit *unit = &run->units[root_of(run, i)];
        read_placement(run, entry, unit);
        if (!entry->candidacy.stands)
            continue;
        if (!unit->first) {
            unit->first = &entry->candidacy;
            unit->nodes = entry->candidacy.nodes;
            unit->ip = entry->candidacy.ips[0];
            continue;
        }
        nodeset_intersect(&unit->nodes, &entry->candidacy.nodes);
        if (ip_cmp(&entry->candidacy.ips[0], &unit->ip) < 0)
            unit->ip = entry->candidacy.ips[0];
    }
}

/* --- electing -------------------------------------------------------------------------------- */

static void elect_unit(struct run *run, struct unit *unit, struct arena *scratch)
{
    struct elect_unit question = {
        .published = unit->placement.nodes.count ? &unit->placement : NULL,
        .nodes = unit->nodes,
        .scores = eligible_scores(run->eligible, unit->first, scratch),
        .ip = unit->ip,
    };
    unit->owner = elect_owner(run->elect, &question, scratch);
}

static void elect_all(struct run *run)
{
    const struct objects *nodes = &run->snapshot->nodes;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str *names = arena_array(run->scratch, nodes->count, sizeof(*names));
    for (size_t i = 0; i < nodes->count; i++)
        names[i] = nodes->items[i]->key;
    elect_begin(run->elect, names, nodes->count);
    for (size_t i = 0; i < run->count; i++) {
        if (run->units[i].first)
            elect_unit(run, &run->units[i], scratch);
        arena_reset(scratch);
    }
    elect_end(run->elect);
}

/* --- the result ------------------------------------------------------------------------------ */

static bool has_family(const struct plan_service *service, enum ip_family family)
{
    for (size_t i = 0; i < service->ip_count; i++) {
        if (service->ips[i].family == family)
            return true;
    }
    return false;
}

static struct str_list copy_list(const struct str_list *list, struct arena *arena)
{
    struct str_list copy = {.items = arena_array(arena, list->count, sizeof(struct str)),
                            .count = list->count};
    for (size_t i = 0; i < list->count; i++)
        copy.items[i] = arena_str(arena, list->items[i]);
    return copy;
}

static void decide(struct run *run, struct entry *entry, const struct unit *unit)
{
    const struct objects *nodes = &run->snapshot->nodes;
    struct plan_service *result = entry->result;
    if (!entry->candidacy.stands)
        return;
    result->epoch = unit->placement.epoch;
    if (unit->owner < nodes->count)
        result->owner = arena_str(run->arena, nodes->items[unit->owner]->key);
    if (result->reason)
        return;
    if (!str_eq(result->owner, run->snapshot->node)) {
        result->reason = REASON_NOT_OWNER;
        return;
    }
    struct str_list interfaces =
        eligible_interfaces(run->eligible, &entry->candidacy, run->scratch);
    result->interfaces = copy_list(&interfaces, run->arena);
    if (!has_family(result, IP_V4))
        result->reason = REASON_FAMILY_NOT_SERVED;
    else if (interfaces.count == 0)
        result->reason = REASON_NO_INTERFACE;
}

static struct str_list unite(const struct str_list *a, const struct str_list *b,
                             struct arena *arena)
{
    struct str_list all = {.items = arena_array(arena, a->count + b->count, sizeof(struct str))};
    size_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        int order = i == a->count ? 1 : j == b->count ? -1 : str_cmp(a->items[i], b->items[j]);
        all.items[all.count++] = order <= 0 ? a->items[i] : b->items[j];
        i += order <= 0;
        j += order >= 0;
    }
    return all;
}

static void add_address(struct run *run, const struct ip *ip, const struct plan_service *service)
{
    struct plan *plan = run->plan;
    struct plan_address *last =
        plan->address_count ? &plan->addresses[plan->address_count - 1] : NULL;
    if (!last || !ip_eq(&last->ip, ip)) {
        last = &plan->addresses[plan->address_count++];
        *last = (struct plan_address){.ip = *ip};
    }
    struct str_list one = {.items = (struct str *)&service->key, .count = 1};
    last->services = unite(&last->services, &one, run->arena);
    last->interfaces = unite(&last->interfaces, &service->interfaces, run->arena);
}

static void list_addresses(struct run *run)
{
    claim_list claims = {0};
    for (size_t i = 0; i < run->count; i++) {
        const struct plan_service *service = run->entries[i].result;
        for (size_t j = 0; service->reason == REASON_NONE && j < service->ip_count; j++) {
            if (service->ips[j].family == IP_V4)
                vec_push(&claims, ((struct claim){.ip = service->ips[j], .entry = i}));
        }
    }
    vec_sort(&claims, by_ip);
    run->plan->addresses = arena_array(run->arena, claims.len, sizeof(*run->plan->addresses));
    for (size_t i = 0; i < claims.len; i++)
        add_address(run, &claims.items[i].ip, run->entries[claims.items[i].entry].result);
    vec_done(&claims);
}

struct plan *plan_make(const struct snapshot *snapshot, struct elect *elect, struct arena *arena)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct run run = {
        .snapshot = snapshot,
        .elect = elect,
        .eligible = eligible_new(snapshot, scratch),
        .arena = arena,
        .scratch = scratch,
        .plan = arena_alloc(arena, sizeof(struct plan)),
    };
    read_services(&run);
    join_sharers(&run);
    gather_units(&run);
    elect_all(&run);
    for (size_t i = 0; i < run.count; i++)
        decide(&run, &run.entries[i], &run.units[root_of(&run, i)]);
    list_addresses(&run);
    return run.plan;
}

const struct plan_service *plan_find(const struct plan *plan, struct str key)
{
    size_t from = 0, to = plan ? plan->service_count : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(plan->services[middle].key, key);
        if (order == 0)
            return &plan->services[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}
