#include "speaker/basis.h"

#include "common/base/vec.h"
#include "common/election/unit.h"
#include "crd/l2advertisement.h"
#include "crd/node.h"

/* One making. */
struct making {
    const struct snapshot *snapshot;
    struct basis *basis;
    const struct eligible *eligible;
    struct arena *scratch;
    struct unit_member *members; /* one for each Service */
};

static struct str_list copy_list(const struct str_list *list, struct arena *arena)
{
    struct str_list copy = {.items = arena_array(arena, list->count, sizeof(struct str)),
                            .count = list->count};
    for (size_t i = 0; i < list->count; i++)
        copy.items[i] = arena_str(arena, list->items[i]);
    return copy;
}

static struct nodeset copy_set(const struct nodeset *set, struct arena *arena)
{
    struct nodeset copy = {.words = arena_array(arena, set->count, sizeof(uint64_t)),
                           .count = set->count};
    nodeset_unite(&copy, set);
    return copy;
}

/* --- nodes and advertisements ---------------------------------------------------------------- */

static void read_nodes(struct making *m)
{
    struct basis *b = m->basis;
    const struct objects *nodes = &m->snapshot->nodes;
    b->nodes.items = arena_array(b->arena, nodes->count, sizeof(struct str));
    b->draining = nodeset_new(nodes->count, b->arena);
    for (size_t i = 0; i < nodes->count; i++) {
        b->nodes.items[b->nodes.count++] = arena_str(b->arena, nodes->items[i]->key);
        if (((const struct node *)nodes->items[i])->draining)
            nodeset_add(&b->draining, i);
    }
    b->node = eligible_node(m->eligible, m->snapshot->node);
    b->available = copy_set(eligible_available(m->eligible), b->arena);
}

static void read_advertisements(struct making *m)
{
    struct basis *b = m->basis;
    const struct objects *all = &m->snapshot->advertisements;
    b->advertisements = arena_array(b->arena, all->count, sizeof(*b->advertisements));
    for (size_t i = 0; i < all->count; i++) {
        const struct l2advertisement *ad = (const struct l2advertisement *)all->items[i];
        b->advertisements[b->advertisement_count++] = (struct basis_advertisement){
            .reach = copy_set(eligible_reach(m->eligible, i), b->arena),
            .interfaces = copy_list(&ad->spec.interfaces, b->arena),
        };
    }
}

/* --- Services -------------------------------------------------------------------------------- */

static void copy_addresses(struct basis_service *s, const struct candidacy *c, struct arena *arena)
{
    s->ips = arena_array(arena, c->ip_count, sizeof(struct ip));
    for (size_t i = 0; i < c->ip_count; i++) {
        s->ips[s->ip_count++] = c->ips[i];
        s->families[c->ips[i].family == IP_V6] = true;
    }
    s->advertisements = arena_array(arena, c->advertisement_count, sizeof(size_t));
    for (size_t i = 0; i < c->advertisement_count; i++)
        s->advertisements[s->advertisement_count++] = c->advertisements[i];
}

static void read_service(struct making *m, const struct service *service)
{
    struct basis *b = m->basis;
    struct basis_service *s = &b->services[b->service_count];
    struct unit_member *member = &m->members[b->service_count++];
    member->service = service;
    eligible_judge(m->eligible, service, m->scratch, &member->candidacy);
    s->key = arena_str(b->arena, service->object.key);
    s->reason = member->candidacy.reason;
    s->stands = member->candidacy.stands;
    if (s->stands && !eligible_names(m->eligible, &member->candidacy, b->node))
        s->reason = REASON_NO_ADVERTISEMENT;
    copy_addresses(s, &member->candidacy, b->arena);
}

static void read_services(struct making *m)
{
    const struct objects *services = &m->snapshot->services;
    m->members = arena_array(m->scratch, services->count, sizeof(*m->members));
    m->basis->services = arena_array(m->basis->arena, services->count, sizeof(*m->basis->services));
    for (size_t i = 0; i < services->count; i++) {
        const struct service *service = (const struct service *)services->items[i];
        if (service->is_load_balancer && service_is_of_class(service, m->snapshot->lb_class))
            read_service(m, service);
    }
}

/* --- units ----------------------------------------------------------------------------------- */

static void copy_order(struct making *m, struct basis_unit *to, const struct placement *placement)
{
    to->epoch = placement->epoch;
    to->order = arena_array(m->basis->arena, placement->nodes.count, sizeof(*to->order));
    for (size_t i = 0; i < placement->nodes.count; i++) {
        size_t node = eligible_node(m->eligible, placement->nodes.items[i]);
        if (node < m->basis->nodes.count)
            to->order[to->order_count++] = (uint32_t)node;
    }
}

static void gather_units(struct making *m)
{
    struct basis *b = m->basis;
    const struct unit *units = unit_gather(m->members, b->service_count, m->scratch);
    b->units = arena_array(b->arena, b->service_count, sizeof(*b->units));
    for (size_t i = 0; i < b->service_count; i++) {
        b->services[i].unit = m->members[i].unit;
        b->services[i].placement = m->members[i].placement;
        if (!units[i].first)
            continue;
        struct basis_unit *to = &b->units[i];
        to->stands = true;
        to->nodes = copy_set(&units[i].nodes, b->arena);
        to->scores = eligible_scores(m->eligible, units[i].first, b->arena);
        to->ip = units[i].ip;
        copy_order(m, to, &units[i].placement);
    }
}

/* --- addresses ------------------------------------------------------------------------------- */

/* An address of a Service. */
struct holding {
    struct ip ip;
    size_t service;
};
typedef VEC(struct holding) holding_list;

static int by_ip(const void *a, const void *b)
{
    const struct holding *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->service < y->service ? -1 : x->service > y->service;
}

static void add_holding(struct basis *b, size_t *services, const struct holding *holding)
{
    struct basis_address *last = b->address_count ? &b->addresses[b->address_count - 1] : NULL;
    *services = holding->service;
    if (last && ip_eq(&last->ip, &holding->ip)) {
        last->service_count++;
        return;
    }
    b->addresses[b->address_count++] =
        (struct basis_address){.ip = holding->ip, .services = services, .service_count = 1};
}

static void list_addresses(struct basis *b)
{
    holding_list holdings = {0};
    for (size_t i = 0; i < b->service_count; i++) {
        const struct basis_service *s = &b->services[i];
        for (size_t j = 0; s->stands && j < s->ip_count; j++)
            vec_push(&holdings, ((struct holding){.ip = s->ips[j], .service = i}));
    }
    vec_sort(&holdings, by_ip);
    b->addresses = arena_array(b->arena, holdings.len, sizeof(*b->addresses));
    size_t *services = arena_array(b->arena, holdings.len, sizeof(*services));
    for (size_t i = 0; i < holdings.len; i++)
        add_holding(b, &services[i], &holdings.items[i]);
    vec_done(&holdings);
}

const struct basis_address *basis_find(const struct basis *b, const struct ip *ip)
{
    size_t from = 0, to = b->address_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = ip_cmp(&b->addresses[middle].ip, ip);
        if (order == 0)
            return &b->addresses[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------ */

struct basis *basis_make(const struct snapshot *snapshot)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct arena *arena = arena_new(0);
    struct eligible_input input = {
        .ignore_excluded = snapshot->ignore_excluded,
        .slices = snapshot->slices,
        .nodes = snapshot->nodes,
        .pools = snapshot->pools,
        .advertisements = snapshot->advertisements,
    };
    struct making m = {
        .snapshot = snapshot,
        .basis = arena_alloc(arena, sizeof(struct basis)),
        .eligible = eligible_new(&input, scratch),
        .scratch = scratch,
    };
    m.basis->arena = arena;
    m.basis->refs = 1;
    read_nodes(&m);
    read_advertisements(&m);
    read_services(&m);
    gather_units(&m);
    list_addresses(m.basis);
    return m.basis;
}

struct basis *basis_ref(struct basis *b)
{
    b->refs++;
    return b;
}

struct basis *basis_unref(struct basis *b)
{
    if (b && --b->refs == 0)
        (void)arena_free(b->arena);
    return NULL;
}
