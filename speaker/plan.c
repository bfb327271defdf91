#include "speaker/plan.h"

#include <assert.h>

#include "common/base/vec.h"

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
    VEC(struct str_list) lists;       /* of interfaces, in the result's arena */
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

/* For each terms and family: the nodes that can serve it by some advertisement. */
static struct nodeset *find_reached(const struct run *run)
{
    const struct basis *b = run->basis;
    struct nodeset *reached =
        arena_array(run->scratch, b->terms_count * FAMILIES, sizeof(*reached));
    for (size_t i = 0; i < b->terms_count; i++) {
        const struct basis_terms *terms = &b->terms[i];
        for (int family = 0; family < FAMILIES; family++) {
            struct nodeset *set = &reached[i * FAMILIES + (size_t)family];
            *set = nodeset_new(b->nodes.count, run->scratch);
            for (size_t j = 0; j < terms->advertisement_count; j++)
                nodeset_unite(set, &run->served[family][terms->advertisements[j]]);
        }
    }
    return reached;
}

/* For each unit, the nodes that have interfaces for all addresses of its Services: their words. */
static uint64_t *find_candidates(const struct run *run)
{
    const struct basis *b = run->basis;
    size_t words = b->available.count;
    const struct nodeset *reached = find_reached(run);
    uint64_t *all = arena_array(run->scratch, b->unit_count * words, sizeof(*all));
    for (size_t i = 0; i < b->unit_count; i++) {
        struct nodeset of = basis_nodes(b, &b->units[i]);
        nodeset_copy(&(struct nodeset){.words = all + i * words, .count = words}, &of);
    }
    for (size_t i = 0; i < b->service_count; i++) {
        const struct basis_service *service = &b->services[i];
        for (size_t family = 0; service->unit != BASIS_NONE && family < FAMILIES; family++) {
            struct nodeset set = {.words = all + service->unit * words, .count = words};
            if (service->families[family])
                nodeset_intersect(&set, &reached[service->terms * FAMILIES + family]);
        }
    }
    return all;
}

static struct elect_unit question_of(const struct basis *b, const struct basis_unit *unit,
                                     const struct nodeset *nodes)
{
    return (struct elect_unit){.order = b->orders + unit->order,
                               .order_count = unit->ordered,
                               .nodes = *nodes,
                               .scores = b->terms[unit->terms].scores,
                               .ip = b->addresses[unit->address].ip};
}

static struct plan_choice elect_unit(struct run *run, const struct basis_unit *unit,
                                     const struct nodeset *nodes, struct arena *scratch)
{
    const struct basis *b = run->basis;
    size_t count = b->nodes.count;
    struct nodeset tier = nodeset_new(count, scratch), all = basis_nodes(b, unit);
    struct plan_choice choice = {.owner = (uint32_t)count,
                                 .may_serve = b->node < count && nodeset_has(nodes, b->node)};
    for (uint8_t i = 0; i < PLAN_TIERS; i++) {
        nodeset_copy(&tier, i == PLAN_NO_INTERFACE ? &all : nodes);
        nodeset_intersect(&tier, &run->tiers[i]);
        if (nodeset_is_empty(&tier))
            continue;
        struct elect_unit question = question_of(b, unit, &tier);
        choice.tier = i;
        choice.owner = (uint32_t)elect_owner(run->elect, &question, scratch);
        break;
    }
    return choice;
}

static void elect_all(struct run *run)
{
    const struct basis *b = run->basis;
    uint64_t *candidates = find_candidates(run);
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    run->plan->units = arena_array(run->arena, b->unit_count, sizeof(*run->plan->units));
    elect_begin(run->elect, b->nodes.items, b->nodes.count);
    for (size_t i = 0; i < b->unit_count; i++) {
        size_t words = b->available.count;
        struct nodeset nodes = {.words = candidates + i * words, .count = words};
        run->plan->units[i] = elect_unit(run, &b->units[i], &nodes, scratch);
        arena_reset(scratch);
    }
    elect_end(run->elect);
}

/* --- interfaces ------------------------------------------------------------------------------ */

static bool is_same(const struct str_list *a, const struct str_list *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = str_eq(a->items[i], b->items[i]);
    return same;
}

/* The index of the list of these names, which is copied when there is none yet. */
static uint32_t find_list(struct run *run, const struct str_list *names)
{
    for (size_t i = 0; i < run->lists.len; i++) {
        if (is_same(&run->lists.items[i], names))
            return (uint32_t)i;
    }
    struct str_list list = {.items = arena_array(run->arena, names->count, sizeof(struct str)),
                            .count = names->count};
    for (size_t i = 0; i < names->count; i++)
        list.items[i] = arena_str(run->arena, names->items[i]);
    vec_push(&run->lists, list);
    return (uint32_t)(run->lists.len - 1);
}

static bool is_named(const struct basis *b, const struct basis_terms *terms, struct str name)
{
    for (size_t i = 0; i < terms->advertisement_count; i++) {
        const struct basis_advertisement *ad = &b->advertisements[terms->advertisements[i]];
        if (nodeset_has(&ad->reach, b->node) &&
            (ad->interfaces.count == 0 || str_list_has(&ad->interfaces, name)))
            return true;
    }
    return false;
}

/* Does an advertisement for this node leave the interfaces open? */
static bool names_none(const struct basis *b, const struct basis_terms *terms)
{
    for (size_t i = 0; i < terms->advertisement_count; i++) {
        const struct basis_advertisement *ad = &b->advertisements[terms->advertisements[i]];
        if (nodeset_has(&ad->reach, b->node) && ad->interfaces.count == 0)
            return true;
    }
    return false;
}

static void read_terms(struct run *run)
{
    const struct basis *b = run->basis;
    const struct str_list *ours = &run->view->interfaces;
    struct str_list named = {.items = arena_array(run->scratch, ours->count, sizeof(struct str))};
    run->plan->terms = arena_array(run->arena, b->terms_count, sizeof(*run->plan->terms));
    (void)find_list(run, &named); /* the first is empty */
    for (size_t i = 0; b->node < b->nodes.count && i < b->terms_count; i++) {
        named.count = 0;
        for (size_t j = 0; j < ours->count; j++) {
            if (is_named(b, &b->terms[i], ours->items[j]))
                named.items[named.count++] = ours->items[j];
        }
        run->plan->terms[i] = (struct plan_terms){.interfaces = find_list(run, &named),
                                                  .all_interfaces = names_none(b, &b->terms[i])};
    }
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

/* --- the result ------------------------------------------------------------------------------ */

static enum reason decide(const struct run *run, const struct basis_service *service)
{
    if (service->unit == BASIS_NONE || service->reason)
        return (enum reason)service->reason;
    const struct plan_choice *unit = &run->plan->units[service->unit];
    if (unit->owner != run->basis->node)
        return REASON_NOT_OWNER;
    bool none = unit->tier == PLAN_NO_INTERFACE || !run->plan->terms[service->terms].interfaces;
    return none ? REASON_NO_INTERFACE : REASON_NONE;
}

static void decide_all(struct run *run)
{
    struct plan *plan = run->plan;
    const struct basis *b = run->basis;
    plan->services = arena_array(run->arena, b->service_count, sizeof(*plan->services));
    for (size_t i = 0; i < b->service_count; i++)
        plan->services[i].reason = (uint8_t)decide(run, &b->services[i]);
}

/* All interfaces that Services of it are announced on: a list. */
static uint32_t find_interfaces(struct run *run, const struct basis_address *address)
{
    uint32_t found = 0;
    for (size_t i = 0; i < address->service_count; i++) {
        uint32_t service = address->services[i];
        if (run->plan->services[service].reason)
            continue;
        uint32_t more = run->plan->terms[run->basis->services[service].terms].interfaces;
        if (found && found != more) {
            struct str_list all =
                unite(&run->lists.items[found], &run->lists.items[more], run->scratch);
            more = find_list(run, &all);
        }
        found = more;
    }
    return found;
}

static void list_addresses(struct run *run)
{
    const struct basis *b = run->basis;
    struct plan *plan = run->plan;
    plan->addresses = arena_array(run->arena, b->address_count, sizeof(*plan->addresses));
    for (size_t i = 0; i < b->address_count; i++)
        plan->addresses[i].interfaces = find_interfaces(run, &b->addresses[i]) & INT32_MAX;
    plan->lists = arena_array(run->arena, run->lists.len, sizeof(*plan->lists));
    for (size_t i = 0; i < run->lists.len; i++)
        plan->lists[i] = run->lists.items[i];
    vec_done(&run->lists);
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
    read_terms(&run);
    decide_all(&run);
    list_addresses(&run);
    return run.plan;
}

void plan_done(struct plan *plan)
{
    if (plan)
        plan->basis = basis_unref(plan->basis);
}

/* --- claims ---------------------------------------------------------------------------------- */

_Static_assert((int)PLAN_NO_INTERFACE == (int)CLAIM_TIERS, "those that can claim come first");

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
    struct nodeset nodes = basis_nodes(b, unit);
    struct elect_unit question = question_of(b, unit, &nodes);
    size_t rank = elect_rank(elect, &question, b->node, scratch);
    standing.epoch = unit->epoch;
    standing.rank = rank < UINT16_MAX ? (uint16_t)rank : UINT16_MAX;
    return standing;
}
