#include "speaker/plan.h"

#include "common/base/vec.h"
#include "common/election/unit.h"

struct run {
    const struct snapshot *snapshot;
    struct elect *elect;
    const struct eligible *eligible;
    size_t node;                 /* this one; the number of nodes when it is not known */
    struct arena *arena;         /* of the result */
    struct arena *scratch;       /* of the run */
    struct unit_member *members; /* one for each Service of the plan */
    struct unit *units;
    size_t *owners; /* of units: index of a node; the number of nodes: none */
    struct plan *plan;
};

/* --- judging --------------------------------------------------------------------------------- */

static void read_service(struct run *run, const struct service *service)
{
    size_t index = run->plan->service_count++;
    struct plan_service *result = &run->plan->services[index];
    struct candidacy *candidacy = &run->members[index].candidacy;
    run->members[index].service = service;
    eligible_judge(run->eligible, service, run->scratch, candidacy);
    result->key = arena_str(run->arena, service->object.key);
    result->reason = candidacy->reason;
    if (candidacy->stands && !eligible_names(run->eligible, candidacy, run->node))
        result->reason = REASON_NO_ADVERTISEMENT;
    result->ips = arena_array(run->arena, candidacy->ip_count, sizeof(struct ip));
    for (size_t i = 0; i < candidacy->ip_count; i++)
        result->ips[result->ip_count++] = candidacy->ips[i];
}

static void read_services(struct run *run)
{
    const struct objects *services = &run->snapshot->services;
    run->members = arena_array(run->scratch, services->count, sizeof(*run->members));
    run->plan->services = arena_array(run->arena, services->count, sizeof(*run->plan->services));
    for (size_t i = 0; i < services->count; i++) {
        const struct service *service = (const struct service *)services->items[i];
        if (service->is_load_balancer && service_is_of_class(service, run->snapshot->lb_class))
            read_service(run, service);
    }
}

/* --- electing -------------------------------------------------------------------------------- */

static size_t elect_unit(struct run *run, const struct unit *unit, struct arena *scratch)
{
    struct elect_unit question = {
        .published = unit->placement.nodes.count ? &unit->placement : NULL,
        .nodes = unit->nodes,
        .scores = eligible_scores(run->eligible, unit->first, scratch),
        .ip = unit->ip,
    };
    return elect_owner(run->elect, &question, scratch);
}

static void elect_all(struct run *run)
{
    const struct objects *nodes = &run->snapshot->nodes;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str *names = arena_array(run->scratch, nodes->count, sizeof(*names));
    for (size_t i = 0; i < nodes->count; i++)
        names[i] = nodes->items[i]->key;
    run->owners = arena_array(run->scratch, run->plan->service_count, sizeof(*run->owners));
    elect_begin(run->elect, names, nodes->count);
    for (size_t i = 0; i < run->plan->service_count; i++) {
        if (run->units[i].first)
            run->owners[i] = elect_unit(run, &run->units[i], scratch);
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

static void decide(struct run *run, size_t index)
{
    const struct objects *nodes = &run->snapshot->nodes;
    const struct unit_member *member = &run->members[index];
    struct plan_service *result = &run->plan->services[index];
    result->placement = member->placement;
    if (!member->candidacy.stands)
        return;
    result->epoch = run->units[member->unit].placement.epoch;
    size_t owner = run->owners[member->unit];
    if (owner < nodes->count)
        result->owner = arena_str(run->arena, nodes->items[owner]->key);
    if (result->reason)
        return;
    if (owner != run->node) {
        result->reason = REASON_NOT_OWNER;
        return;
    }
    struct str_list interfaces = eligible_interfaces(run->eligible, &member->candidacy, run->node,
                                                     &run->snapshot->interfaces, run->scratch);
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

/* An address of a Service that is announced from here. */
struct claim {
    struct ip ip;
    size_t service; /* index in the plan */
};
typedef VEC(struct claim) claim_list;

static int by_ip(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->service < y->service ? -1 : x->service > y->service;
}

static void list_addresses(struct run *run)
{
    claim_list claims = {0};
    for (size_t i = 0; i < run->plan->service_count; i++) {
        const struct plan_service *service = &run->plan->services[i];
        for (size_t j = 0; service->reason == REASON_NONE && j < service->ip_count; j++) {
            if (service->ips[j].family == IP_V4)
                vec_push(&claims, ((struct claim){.ip = service->ips[j], .service = i}));
        }
    }
    vec_sort(&claims, by_ip);
    run->plan->addresses = arena_array(run->arena, claims.len, sizeof(*run->plan->addresses));
    for (size_t i = 0; i < claims.len; i++)
        add_address(run, &claims.items[i].ip, &run->plan->services[claims.items[i].service]);
    vec_done(&claims);
}

struct plan *plan_make(const struct snapshot *snapshot, struct elect *elect, struct arena *arena)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct eligible_input input = {
        .ignore_excluded = snapshot->ignore_excluded,
        .slices = snapshot->slices,
        .nodes = snapshot->nodes,
        .pools = snapshot->pools,
        .advertisements = snapshot->advertisements,
    };
    struct run run = {
        .snapshot = snapshot,
        .elect = elect,
        .eligible = eligible_new(&input, scratch),
        .arena = arena,
        .scratch = scratch,
        .plan = arena_alloc(arena, sizeof(struct plan)),
    };
    run.node = eligible_node(run.eligible, snapshot->node);
    read_services(&run);
    run.units = unit_gather(run.members, run.plan->service_count, scratch);
    elect_all(&run);
    for (size_t i = 0; i < run.plan->service_count; i++)
        decide(&run, i);
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
