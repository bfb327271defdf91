#include "speaker/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/names.h"

static const char *const tier_names[] = {
    [PLAN_NORMAL] = "normal",
    [PLAN_HELD] = "held",
    [PLAN_LEAVING] = "leaving",
    [PLAN_NO_INTERFACE] = "noInterface",
};
static const struct names tiers = NAMES(tier_names);
_Static_assert(sizeof(tier_names) / sizeof(tier_names[0]) == PLAN_TIERS, "a name each");
_Static_assert((int)PLAN_NO_INTERFACE == (int)CLAIM_TIERS, "those that can claim come first");

const char *plan_tier_name(enum plan_tier tier)
{
    return names_of(&tiers, tier);
}

enum { FAMILIES = 2 };

struct run {
    const struct basis *basis;
    const struct plan_view *view;
    struct elect *elect;
    struct arena *arena;              /* of the result */
    struct arena *scratch;            /* of the run */
    struct nodeset tiers[PLAN_TIERS]; /* live nodes; the last: all of them */
    struct nodeset *served[FAMILIES]; /* for each advertisement: the nodes that it names and that
                                         have one of its interfaces for that family */
    struct str_list last; /* the interfaces that were found last, in the result's arena */
    struct plan *plan;
};

/* --- nodes ----------------------------------------------------------------------------------- */

static enum plan_tier tier_of(const struct run *run, size_t node, const struct member_meta *meta)
{
    if (nodeset_has(&run->basis->draining, node) || (meta && meta->leaving))
        return PLAN_LEAVING;
    return meta && meta->held ? PLAN_HELD : PLAN_NORMAL;
}

static bool serves(const struct member_meta *meta, const struct str_list *names, int family)
{
    for (size_t i = 0; i < meta->count; i++) {
        const struct meta_interface *interface = &meta->interfaces[i];
        if ((family ? interface->ipv6 : interface->ipv4) &&
            (names->count == 0 || str_list_has(names, interface->name)))
            return true;
    }
    return false;
}

static void add_served(struct run *run, size_t node, const struct member_meta *meta)
{
    for (size_t i = 0; i < run->basis->advertisement_count; i++) {
        const struct basis_advertisement *ad = &run->basis->advertisements[i];
        for (int family = 0; nodeset_has(&ad->reach, node) && family < FAMILIES; family++) {
            if (!meta || (!meta->starting && serves(meta, &ad->interfaces, family)))
                nodeset_add(&run->served[family][i], node);
        }
    }
}

static void read_node(struct run *run, size_t node)
{
    const struct plan_view *view = run->view;
    const struct member_meta *meta = NULL;
    bool here = node == run->basis->node, live = !view->watches || here;
    const struct gossip_member *member =
        view->watches
            ? gossip_find(view->members, view->member_count, run->basis->nodes.items[node])
            : NULL;
    if (member && member->meta.role == GOSSIP_SPEAKER) {
        meta = &member->meta;
        live = live || gossip_is_alive(member->state);
    }
    enum plan_tier tier = tier_of(run, node, meta);
    if (here)
        run->plan->tier = tier;
    if (!live)
        return;
    nodeset_add(&run->tiers[tier], node);
    nodeset_add(&run->tiers[PLAN_NO_INTERFACE], node);
    add_served(run, node, meta);
}

static void read_nodes(struct run *run)
{
    size_t count = run->basis->nodes.count, ads = run->basis->advertisement_count;
    for (size_t i = 0; i < PLAN_TIERS; i++)
        run->tiers[i] = nodeset_new(count, i == PLAN_NO_INTERFACE ? run->arena : run->scratch);
    for (int family = 0; family < FAMILIES; family++) {
        run->served[family] = arena_array(run->scratch, ads, sizeof(struct nodeset));
        for (size_t i = 0; i < ads; i++)
            run->served[family][i] = nodeset_new(count, run->scratch);
    }
    for (size_t i = 0; i < count; i++)
        read_node(run, i);
    run->plan->live = run->tiers[PLAN_NO_INTERFACE];
}

/* --- electing -------------------------------------------------------------------------------- */

/* Leaves those nodes of the unit that have interfaces for all addresses of the Service. */
static void narrow(const struct run *run, const struct basis_service *service,
                   struct nodeset *nodes, struct nodeset *room)
{
    for (int family = 0; family < FAMILIES; family++) {
        if (!service->families[family])
            continue;
        nodeset_clear(room);
        for (size_t i = 0; i < service->advertisement_count; i++)
            nodeset_unite(room, &run->served[family][service->advertisements[i]]);
        nodeset_intersect(nodes, room);
    }
}

/* For each unit that stands, the nodes that have interfaces for it. */
static struct nodeset *find_candidates(const struct run *run)
{
    const struct basis *b = run->basis;
    size_t words = nodeset_words(b->nodes.count);
    struct nodeset *sets = arena_array(run->scratch, b->service_count, sizeof(*sets));
    uint64_t *room = arena_array(run->scratch, b->service_count * words, sizeof(*room));
    struct nodeset scratch = nodeset_new(b->nodes.count, run->scratch);
    for (size_t i = 0; i < b->service_count; i++) {
        sets[i] = (struct nodeset){.words = room + i * words, .count = words};
        if (b->units[i].stands)
            nodeset_unite(&sets[i], &b->units[i].nodes);
    }
    for (size_t i = 0; i < b->service_count; i++) {
        if (b->services[i].stands)
            narrow(run, &b->services[i], &sets[b->services[i].unit], &scratch);
    }
    return sets;
}

static void elect_among(struct run *run, const struct basis_unit *unit, const struct nodeset *nodes,
                        struct plan_unit *ret, struct arena *scratch)
{
    struct elect_unit question = {.order = unit->order,
                                  .order_count = unit->order_count,
                                  .nodes = *nodes,
                                  .scores = unit->scores,
                                  .ip = unit->ip};
    ret->owner = (uint32_t)elect_owner(run->elect, &question, scratch);
}

static void elect_unit(struct run *run, const struct basis_unit *unit, const struct nodeset *nodes,
                       struct plan_unit *ret, struct arena *scratch)
{
    size_t count = run->basis->nodes.count;
    struct nodeset tier = nodeset_new(count, scratch);
    ret->owner = (uint32_t)count;
    ret->epoch = unit->epoch;
    ret->may_serve = run->basis->node < count && nodeset_has(nodes, run->basis->node);
    for (uint8_t i = 0; i < PLAN_TIERS; i++) {
        nodeset_clear(&tier);
        nodeset_unite(&tier, i == PLAN_NO_INTERFACE ? &unit->nodes : nodes);
        nodeset_intersect(&tier, &run->tiers[i]);
        if (nodeset_is_empty(&tier))
            continue;
        ret->tier = i;
        elect_among(run, unit, &tier, ret, scratch);
        return;
    }
}

static void elect_all(struct run *run)
{
    const struct basis *b = run->basis;
    const struct nodeset *candidates = find_candidates(run);
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    run->plan->units = arena_array(run->arena, b->service_count, sizeof(*run->plan->units));
    elect_begin(run->elect, b->nodes.items, b->nodes.count);
    for (size_t i = 0; i < b->service_count; i++) {
        if (b->units[i].stands)
            elect_unit(run, &b->units[i], &candidates[i], &run->plan->units[i], scratch);
        arena_reset(scratch);
    }
    elect_end(run->elect);
}

/* --- the result ------------------------------------------------------------------------------ */

/* Does an advertisement for this node leave the interfaces open? */
static bool names_none(const struct basis *b, const struct basis_service *service)
{
    for (size_t i = 0; i < service->advertisement_count; i++) {
        const struct basis_advertisement *ad = &b->advertisements[service->advertisements[i]];
        if (nodeset_has(&ad->reach, b->node) && ad->interfaces.count == 0)
            return true;
    }
    return false;
}

static bool is_named(const struct basis *b, const struct basis_service *service, struct str name)
{
    for (size_t i = 0; i < service->advertisement_count; i++) {
        const struct basis_advertisement *ad = &b->advertisements[service->advertisements[i]];
        if (nodeset_has(&ad->reach, b->node) &&
            (ad->interfaces.count == 0 || str_list_has(&ad->interfaces, name)))
            return true;
    }
    return false;
}

/* Those of this node's interfaces that the Service's advertisements name, all when one of them
 * names none. */
static struct str_list find_interfaces(struct run *run, const struct basis_service *service)
{
    const struct str_list *ours = &run->view->interfaces;
    size_t count = 0;
    bool same = true; /* as the last time: then it is the same list */
    for (size_t i = 0; i < ours->count; i++) {
        if (!is_named(run->basis, service, ours->items[i]))
            continue;
        same = same && count < run->last.count && str_eq(run->last.items[count], ours->items[i]);
        count++;
    }
    if (same && count == run->last.count)
        return run->last;
    run->last = (struct str_list){.items = arena_array(run->arena, count, sizeof(struct str))};
    for (size_t i = 0; i < ours->count; i++) {
        if (is_named(run->basis, service, ours->items[i]))
            run->last.items[run->last.count++] = arena_str(run->arena, ours->items[i]);
    }
    return run->last;
}

static void decide(struct run *run, const struct basis_service *service,
                   struct plan_service *result)
{
    const struct plan_unit *unit = &run->plan->units[service->unit];
    *result = (struct plan_service){.key = service->key,
                                    .reason = service->reason,
                                    .ips = service->ips,
                                    .ip_count = service->ip_count,
                                    .placement = service->placement};
    if (!service->stands)
        return;
    result->epoch = run->basis->units[service->unit].epoch;
    result->owner = plan_owner(run->plan, unit);
    result->tier = unit->tier;
    if (result->reason)
        return;
    result->reason = REASON_NOT_OWNER;
    if (unit->owner != run->basis->node)
        return;
    result->interfaces = find_interfaces(run, service);
    result->all_interfaces = names_none(run->basis, service);
    bool none = unit->tier == PLAN_NO_INTERFACE || result->interfaces.count == 0;
    result->reason = none ? REASON_NO_INTERFACE : REASON_NONE;
}

static void decide_all(struct run *run)
{
    struct plan *plan = run->plan;
    plan->service_count = run->basis->service_count;
    plan->services = arena_array(run->arena, plan->service_count, sizeof(*plan->services));
    for (size_t i = 0; i < plan->service_count; i++)
        decide(run, &run->basis->services[i], &plan->services[i]);
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

static void add_service(struct run *run, struct plan_address *address,
                        const struct plan_service *service)
{
    struct str_list one = {.items = (struct str *)&service->key, .count = 1};
    if (!address->services.count) { /* as it is with most */
        address->services = one;
        address->interfaces = service->interfaces;
        return;
    }
    address->services = unite(&address->services, &one, run->arena);
    address->interfaces = unite(&address->interfaces, &service->interfaces, run->arena);
}

static bool is_announced(const struct plan *plan, const struct basis_address *address)
{
    for (size_t i = 0; i < address->service_count; i++) {
        if (plan->services[address->services[i]].reason == REASON_NONE)
            return true;
    }
    return false;
}

static void list_address(struct run *run, const struct basis_address *from)
{
    struct plan_address *to = &run->plan->addresses[run->plan->address_count++];
    to->ip = from->ip;
    for (size_t i = 0; i < from->service_count; i++) {
        const struct plan_service *service = &run->plan->services[from->services[i]];
        if (service->reason == REASON_NONE)
            add_service(run, to, service);
    }
}

static void list_addresses(struct run *run)
{
    const struct basis *b = run->basis;
    size_t count = 0;
    for (size_t i = 0; i < b->address_count; i++)
        count += is_announced(run->plan, &b->addresses[i]);
    run->plan->addresses = arena_array(run->arena, count, sizeof(*run->plan->addresses));
    for (size_t i = 0; i < b->address_count; i++) {
        if (is_announced(run->plan, &b->addresses[i]))
            list_address(run, &b->addresses[i]);
    }
}

struct plan *plan_make(struct basis *basis, const struct plan_view *view, struct elect *elect,
                       struct arena *arena)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct run run = {
        .basis = basis,
        .view = view,
        .elect = elect,
        .arena = arena,
        .scratch = scratch,
        .plan = arena_alloc(arena, sizeof(struct plan)),
    };
    run.plan->basis = basis_ref(basis);
    read_nodes(&run);
    elect_all(&run);
    decide_all(&run);
    list_addresses(&run);
    return run.plan;
}

void plan_done(struct plan *plan)
{
    if (plan)
        plan->basis = basis_unref(plan->basis);
}

/* --- asking ---------------------------------------------------------------------------------- */

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

static int by_ip(const void *ip, const void *address)
{
    return ip_cmp(ip, &((const struct plan_address *)address)->ip);
}

enum reason plan_reason(const struct plan_service *service)
{
    bool waits = service->reason == REASON_NONE && !service->announced;
    return waits ? REASON_NOT_ANSWERED : service->reason;
}

const struct plan_address *plan_find_address(const struct plan *plan, const struct ip *ip)
{
    if (!plan || !plan->address_count)
        return NULL;
    return bsearch(ip, plan->addresses, plan->address_count, sizeof(*plan->addresses), by_ip);
}

bool plan_find_unit(const struct plan *plan, const struct ip *ip, struct plan_unit *ret)
{
    const struct basis_address *address = plan ? basis_find(plan->basis, ip) : NULL;
    if (!address)
        return false;
    *ret = plan->units[plan->basis->services[address->services[0]].unit];
    return true;
}

struct str plan_owner(const struct plan *plan, const struct plan_unit *unit)
{
    const struct str_list *nodes = &plan->basis->nodes;
    return unit->owner < nodes->count ? nodes->items[unit->owner] : (struct str){0};
}

bool plan_is_live(const struct plan *plan, struct str node)
{
    const struct str_list *nodes = &plan->basis->nodes;
    const struct str *found =
        nodes->count ? bsearch(&node, nodes->items, nodes->count, sizeof(node), str_cmp_ptr) : NULL;
    return found && nodeset_has(&plan->live, (size_t)(found - nodes->items));
}

struct claim_standing plan_standing(const struct plan *plan, const struct elect *elect,
                                    const struct ip *ip)
{
    const struct basis *b = plan->basis;
    const struct basis_address *address = basis_find(b, ip);
    struct claim_standing standing = {.tier = (uint8_t)plan->tier};
    assert((int)plan->tier < CLAIM_TIERS);
    if (!address || b->node == b->nodes.count)
        return standing;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    const struct basis_unit *unit = &b->units[b->services[address->services[0]].unit];
    struct elect_unit question = {.order = unit->order,
                                  .order_count = unit->order_count,
                                  .nodes = unit->nodes,
                                  .scores = unit->scores,
                                  .ip = unit->ip};
    size_t rank = elect_rank(elect, &question, b->node, scratch);
    standing.epoch = unit->epoch;
    standing.rank = rank < UINT16_MAX ? (uint16_t)rank : UINT16_MAX;
    return standing;
}
