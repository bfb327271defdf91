#include "speaker/basis.h"

#include <assert.h>
#include <string.h>

#include "common/base/vec.h"
#include "common/election/unit.h"
#include "crd/l2advertisement.h"
#include "crd/node.h"

/* How many of the entries before are looked at for an equal one: neighbours are alike. */
enum { RECENT = 8 };

/* One making. */
struct making {
    const struct snapshot *snapshot;
    struct basis *basis;
    const struct eligible *eligible;
    struct arena *scratch;
    struct unit_member *members; /* one for each Service */
    struct unit_addresses held;  /* the addresses of those that stand */
    const struct unit *gathered; /* at the index of the first member of each */
    uint32_t *firsts;            /* of each Service that stands: its first address, by index */
    VEC(struct basis_terms) terms;
    VEC(uint32_t) orders;
    VEC(uint64_t) sets;
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

static void judge_services(struct making *m)
{
    const struct objects *services = &m->snapshot->services;
    assert(services->count < BASIS_NONE);
    m->members = arena_array(m->scratch, services->count, sizeof(*m->members));
    for (size_t i = 0; i < services->count; i++) {
        const struct service *service = (const struct service *)services->items[i];
        if (!service->is_load_balancer || !service_is_of_class(service, m->snapshot->lb_class))
            continue;
        struct unit_member *member = &m->members[m->basis->service_count++];
        member->service = service;
        eligible_judge(m->eligible, service, m->scratch, &member->candidacy);
    }
}

static bool is_same(const struct basis_terms *terms, const struct candidacy *c)
{
    bool same = terms->advertisement_count == c->advertisement_count;
    for (size_t i = 0; same && i < c->advertisement_count; i++)
        same = terms->advertisements[i] == c->advertisements[i];
    return same;
}

static uint32_t find_terms(struct making *m, const struct candidacy *c)
{
    struct arena *arena = m->basis->arena;
    for (size_t i = m->terms.len, end = i > RECENT ? i - RECENT : 0; i > end; i--) {
        if (is_same(&m->terms.items[i - 1], c))
            return (uint32_t)(i - 1);
    }
    uint32_t *advertisements = arena_array(arena, c->advertisement_count, sizeof(uint32_t));
    for (size_t i = 0; i < c->advertisement_count; i++)
        advertisements[i] = (uint32_t)c->advertisements[i];
    vec_push(&m->terms,
             ((struct basis_terms){.advertisements = advertisements,
                                   .advertisement_count = (uint32_t)c->advertisement_count,
                                   .scores = eligible_scores(m->eligible, c, arena)}));
    return (uint32_t)(m->terms.len - 1);
}

static enum reason reason_of(const struct making *m, const struct candidacy *c)
{
    bool named = !c->stands || eligible_names(m->eligible, c, m->basis->node);
    return named ? c->reason : REASON_NO_ADVERTISEMENT;
}

static void read_services(struct making *m)
{
    struct basis *b = m->basis;
    size_t text = 0;
    for (size_t i = 0; i < b->service_count; i++)
        text += m->members[i].service->object.key.len;
    b->services = arena_array(b->arena, b->service_count, sizeof(*b->services));
    char *keys = arena_array(b->arena, text, 1);
    for (size_t i = 0; i < b->service_count; i++) {
        const struct candidacy *c = &m->members[i].candidacy;
        struct str key = m->members[i].service->object.key;
        memcpy(keys, key.ptr, key.len);
        b->services[i] = (struct basis_service){
            .key = {.ptr = keys, .len = key.len},
            .ip_count = (uint32_t)c->ip_count,
            .unit = BASIS_NONE,
            .terms = c->stands ? find_terms(m, c) : BASIS_NONE,
            .reason = (uint8_t)reason_of(m, c),
            .placement = (uint8_t)m->members[i].placement,
        };
        keys += key.len;
    }
}

/* --- addresses ------------------------------------------------------------------------------- */

/* A Service with one address has it from there. */
static void list_addresses(struct making *m)
{
    struct basis *b = m->basis;
    const struct unit_address *all = m->held.items;
    size_t distinct = 0;
    for (size_t i = 0; i < m->held.count; i++)
        distinct += i == 0 || !ip_eq(&all[i - 1].ip, &all[i].ip);
    uint32_t *services = arena_array(b->arena, m->held.count, sizeof(*services));
    b->addresses = arena_array(b->arena, distinct, sizeof(*b->addresses));
    for (size_t i = 0; i < m->held.count; i++) {
        if (i == 0 || !ip_eq(&all[i - 1].ip, &all[i].ip))
            b->addresses[b->address_count++] =
                (struct basis_address){.ip = all[i].ip, .services = &services[i]};
        struct basis_address *address = &b->addresses[b->address_count - 1];
        uint32_t service = all[i].member;
        address->service_count++;
        services[i] = service;
        b->services[service].ips = &address->ip;
        if (ip_eq(&address->ip, &m->members[service].candidacy.ips[0]))
            m->firsts[service] = (uint32_t)(b->address_count - 1);
    }
}

/* Whether what list_addresses() has found for it is all of its addresses. */
static bool has_ips(const struct basis_service *service)
{
    return service->ip_count == 0 || (service->ip_count == 1 && service->ips);
}

static void copy_ips(struct making *m)
{
    struct basis *b = m->basis;
    size_t count = 0;
    for (size_t i = 0; i < b->service_count; i++)
        count += has_ips(&b->services[i]) ? 0 : b->services[i].ip_count;
    struct ip *ips = arena_array(b->arena, count, sizeof(*ips));
    for (size_t i = 0; i < b->service_count; i++) {
        struct basis_service *s = &b->services[i];
        const struct candidacy *c = &m->members[i].candidacy;
        for (size_t j = 0; j < s->ip_count; j++)
            s->families[c->ips[j].family == IP_V6] = true;
        if (has_ips(s))
            continue;
        s->ips = ips;
        for (size_t j = 0; j < s->ip_count; j++)
            *ips++ = c->ips[j];
    }
}

/* --- units ----------------------------------------------------------------------------------- */

static uint32_t find_set(struct making *m, const struct nodeset *set)
{
    size_t words = set->count, count = words ? m->sets.len / words : 0;
    for (size_t i = count, end = i > RECENT ? i - RECENT : 0; i > end; i--) {
        struct nodeset other = {.words = m->sets.items + (i - 1) * words, .count = words};
        if (nodeset_eq(set, &other))
            return (uint32_t)(i - 1);
    }
    for (size_t i = 0; i < words; i++)
        vec_push(&m->sets, set->words[i]);
    return (uint32_t)count;
}

static bool same_order(const uint32_t *a, const uint32_t *b, size_t count)
{
    size_t i = 0;
    while (i < count && a[i] == b[i])
        i++;
    return i == count;
}

/* Where the order begins that is the last of those gathered, from `begin` on: if one of the units
 * before has the same, it stands there, and not twice. */
static uint32_t share_order(struct making *m, size_t begin)
{
    const struct basis *b = m->basis;
    size_t count = m->orders.len - begin;
    for (size_t i = b->unit_count, end = i > RECENT ? i - RECENT : 0; i > end; i--) {
        const struct basis_unit *unit = &b->units[i - 1];
        const uint32_t *orders = m->orders.items;
        if (unit->ordered == count &&
            (!count || same_order(orders + unit->order, orders + begin, count))) {
            m->orders.len = begin;
            return unit->order;
        }
    }
    return (uint32_t)begin;
}

static void copy_order(struct making *m, struct basis_unit *to, const struct placement *placement)
{
    size_t begin = m->orders.len;
    for (size_t i = 0; i < placement->nodes.count; i++) {
        size_t node = eligible_node(m->eligible, placement->nodes.items[i]);
        if (node < m->basis->nodes.count)
            vec_push(&m->orders, (uint32_t)node);
    }
    to->epoch = placement->epoch;
    to->ordered = (uint32_t)(m->orders.len - begin);
    to->order = share_order(m, begin);
}

static void read_unit(struct making *m, const struct unit *from, struct basis_service *first)
{
    struct basis *b = m->basis;
    struct basis_unit *to = &b->units[b->unit_count];
    *to = (struct basis_unit){
        .nodes = find_set(m, &from->nodes), .terms = first->terms, .address = BASIS_NONE};
    copy_order(m, to, &from->placement);
    first->unit = (uint32_t)b->unit_count++;
}

static void read_units(struct making *m)
{
    struct basis *b = m->basis;
    size_t count = 0;
    for (size_t i = 0; i < b->service_count; i++)
        count += m->gathered[i].first != NULL;
    b->units = arena_array(b->arena, count, sizeof(*b->units));
    for (size_t i = 0; i < b->service_count; i++) {
        size_t first = m->members[i].unit;
        if (!m->members[i].candidacy.stands)
            continue;
        if (first == i)
            read_unit(m, &m->gathered[i], &b->services[i]);
        uint32_t unit = b->services[i].unit = b->services[first].unit;
        if (m->firsts[i] < b->units[unit].address)
            b->units[unit].address = m->firsts[i];
    }
}

/* --- what is the same for many --------------------------------------------------------------- */

/* A copy of what was gathered, of its very size. */
static void *settle(struct arena *arena, const void *items, size_t count, size_t size)
{
    void *copy = arena_array(arena, count, size);
    if (count)
        memcpy(copy, items, count * size);
    return copy;
}

static void settle_all(struct making *m)
{
    struct basis *b = m->basis;
    b->terms_count = m->terms.len;
    b->terms = settle(b->arena, m->terms.items, m->terms.len, sizeof(*b->terms));
    b->orders = settle(b->arena, m->orders.items, m->orders.len, sizeof(*b->orders));
    b->sets = settle(b->arena, m->sets.items, m->sets.len, sizeof(*b->sets));
    vec_done(&m->terms);
    vec_done(&m->orders);
    vec_done(&m->sets);
}

/* --- asking ---------------------------------------------------------------------------------- */

struct nodeset basis_nodes(const struct basis *b, const struct basis_unit *unit)
{
    size_t words = b->available.count;
    return (struct nodeset){.words = b->sets + unit->nodes * words, .count = words};
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
        .seed = snapshot->seed,
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
    judge_services(&m);
    m.held = unit_addresses(m.members, m.basis->service_count, scratch);
    m.gathered = unit_gather(m.members, m.basis->service_count, &m.held, scratch);
    m.firsts = arena_array(scratch, m.basis->service_count, sizeof(*m.firsts));
    read_services(&m);
    list_addresses(&m);
    copy_ips(&m);
    read_units(&m);
    settle_all(&m);
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
