#include "ctl/world.h"

#include "common/base/vec.h"
#include "common/election/election.h"
#include "common/election/serving.h"
#include "crd/annotations.h"
#include "crd/announced.h"
#include "crd/l2advertisement.h"
#include "crd/node.h"

/* One making. */
struct making {
    const struct world_input *input;
    struct world *world;
    struct arena *arena;
    struct unit_member *members; /* one for each Service */
};

static void judge_configuration(struct making *m)
{
    struct validate_input input = {.namespace = m->input->namespace, .now = m->input->now};
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        input.of[kind] = m->input->of[kind];
    validate(&input, m->arena, &m->world->judged);
    struct eligible_input eligible = {
        .ignore_excluded = m->input->ignore_excluded,
        .slices = m->input->of[KIND_ENDPOINT_SLICE],
        .nodes = m->input->of[KIND_NODE],
        .pools = m->world->judged.of[KIND_IP_ADDRESS_POOL],
        .advertisements = m->world->judged.of[KIND_L2_ADVERTISEMENT],
    };
    m->world->eligible = eligible_new(&eligible, m->arena);
}

static void read_nodes(struct making *m)
{
    struct world *w = m->world;
    const struct objects *nodes = &m->input->of[KIND_NODE];
    const struct nodeset *available = eligible_available(w->eligible);
    w->nodes = arena_array(m->arena, nodes->count, sizeof(*w->nodes));
    for (size_t i = 0; i < nodes->count; i++)
        w->nodes[w->node_count++] = (struct world_node){
            .object = (const struct node *)nodes->items[i],
            .name = nodes->items[i]->key,
            .available = nodeset_has(available, i),
        };
}

/* --- Services -------------------------------------------------------------------------------- */

static void read_service(struct making *m, const struct service *service)
{
    struct world *w = m->world;
    struct world_service *s = &w->services[w->service_count];
    struct unit_member *member = &m->members[w->service_count++];
    member->service = service;
    eligible_judge(w->eligible, service, m->arena, &member->candidacy);
    *s = (struct world_service){
        .object = service,
        .key = service->object.key,
        .candidacy = member->candidacy,
        .nodes = nodeset_new(w->node_count, m->arena),
        .allocated = condition_find(&service->status.conditions, STR("stentor.io/Allocated")),
    };
    if (s->candidacy.stands)
        nodeset_unite(&s->nodes, &s->candidacy.nodes); /* units use the other set up */
}

static void read_services(struct making *m)
{
    const struct objects *services = &m->input->of[KIND_SERVICE];
    struct world *w = m->world;
    w->services = arena_array(m->arena, services->count, sizeof(*w->services));
    m->members = arena_array(m->arena, services->count, sizeof(*m->members));
    for (size_t i = 0; i < services->count; i++) {
        const struct service *service = (const struct service *)services->items[i];
        if (service->is_load_balancer && service_is_of_class(service, m->input->lb_class))
            read_service(m, service);
    }
}

static void add_announcer(struct making *m, const struct servicel2status *object)
{
    struct world *w = m->world;
    struct str key =
        arena_printf(m->arena, STR_FMT "/" STR_FMT, STR_ARG(object->status.service_namespace),
                     STR_ARG(object->status.service_name));
    size_t service = world_find_service(w, key), node = world_find_node(w, object->status.node);
    if (service == w->service_count)
        return;
    struct str_list *list = &w->services[service].announcers;
    struct str *items = arena_array(m->arena, list->count + 1, sizeof(struct str));
    for (size_t i = 0; i < list->count; i++)
        items[i] = list->items[i];
    items[list->count] = object->status.node;
    *list = (struct str_list){.items = items, .count = list->count + 1};
    qsort(items, list->count, sizeof(struct str), str_cmp_ptr);
    if (node < w->node_count)
        w->nodes[node].announced++;
}

static void read_announcers(struct making *m)
{
    const struct objects *statuses = &m->input->of[KIND_SERVICE_L2_STATUS];
    for (size_t i = 0; i < statuses->count; i++)
        add_announcer(m, (const struct servicel2status *)statuses->items[i]);
}

/* --- units ----------------------------------------------------------------------------------- */

static bool is_hashed(const struct making *m, const struct candidacy *candidacy)
{
    bool balanced = !m->input->hash;
    for (size_t i = 0; i < candidacy->advertisement_count; i++) {
        int election =
            eligible_advertisement(m->world->eligible, candidacy->advertisements[i])->spec.election;
        if (election == L2_ELECTION_HASH)
            return true;
        balanced = balanced || election == L2_ELECTION_BALANCED;
    }
    return !balanced;
}

static void read_published(struct making *m, struct world_unit *to,
                           const struct placement *placement)
{
    to->epoch = placement->epoch;
    to->published = arena_array(m->arena, placement->nodes.count, sizeof(*to->published));
    for (size_t i = 0; i < placement->nodes.count; i++) {
        size_t node = world_find_node(m->world, placement->nodes.items[i]);
        if (node < m->world->node_count)
            to->published[to->published_count++] = (uint32_t)node;
    }
}

/* Takes a node from the set into the order. */
static void take_node(struct world_unit *unit, struct nodeset *left, size_t node)
{
    if (!nodeset_has(left, node))
        return;
    nodeset_drop(left, node);
    unit->order[unit->order_count++] = (uint32_t)node;
}

/* The published order, then that of the hash election, of the nodes that are left in the set. */
static void order_nodes(struct making *m, struct world_unit *unit, struct nodeset *left)
{
    for (size_t i = 0; i < unit->published_count; i++)
        take_node(unit, left, unit->published[i]);
    size_t count = 0;
    struct election_candidate *candidates =
        arena_array(m->arena, nodeset_size(left), sizeof(*candidates));
    uint32_t *numbers = arena_array(m->arena, nodeset_size(left), sizeof(*numbers));
    for (size_t node = nodeset_next(left, 0); node != NODESET_END;
         node = nodeset_next(left, node + 1)) {
        numbers[count] = (uint32_t)node;
        candidates[count++] = (struct election_candidate){
            .name = m->world->nodes[node].name, .score = unit->scores ? unit->scores[node] : 0};
    }
    const uint32_t *order = election_order(candidates, count, &unit->ip, m->arena);
    for (size_t i = 0; i < count; i++)
        take_node(unit, left, numbers[order[i]]);
}

/* Nodes that are being drained come last, as the speakers have it. */
static void find_order(struct making *m, struct world_unit *unit)
{
    struct nodeset draining = nodeset_new(m->world->node_count, m->arena);
    struct nodeset normal = nodeset_new(m->world->node_count, m->arena);
    unit->order = arena_array(m->arena, nodeset_size(&unit->nodes), sizeof(*unit->order));
    for (size_t node = nodeset_next(&unit->nodes, 0); node != NODESET_END;
         node = nodeset_next(&unit->nodes, node + 1))
        nodeset_add(m->world->nodes[node].object->draining ? &draining : &normal, node);
    order_nodes(m, unit, &normal);
    order_nodes(m, unit, &draining);
}

static void read_unit(struct making *m, struct world_unit *to, const struct unit *unit)
{
    to->stands = true;
    to->nodes = nodeset_new(m->world->node_count, m->arena);
    nodeset_unite(&to->nodes, &unit->nodes);
    to->scores = eligible_scores(m->world->eligible, unit->first, m->arena);
    to->ip = *unit->ip;
    read_published(m, to, &unit->placement);
    find_order(m, to);
}

static void gather_units(struct making *m)
{
    struct world *w = m->world;
    struct unit_addresses addresses = unit_addresses(m->members, w->service_count, m->arena);
    const struct unit *units = unit_gather(m->members, w->service_count, &addresses, m->arena);
    w->units = arena_array(m->arena, w->service_count, sizeof(*w->units));
    for (size_t i = 0; i < w->service_count; i++) {
        w->services[i].unit = m->members[i].unit;
        w->services[i].placement = m->members[i].placement;
        if (units[i].first)
            read_unit(m, &w->units[i], &units[i]);
    }
    for (size_t i = 0; i < w->service_count; i++) {
        struct world_unit *unit = &w->units[w->services[i].unit];
        struct str wish = annotations_read(&w->services[i].object->object, ANNOTATION_NODE, NULL);
        if (!unit->wish.len)
            unit->wish = wish;
        unit->hashed = unit->hashed || is_hashed(m, &w->services[i].candidacy);
    }
}

/* --- addresses ------------------------------------------------------------------------------- */

struct shown {
    struct ip ip;
    size_t service;
};
typedef VEC(struct shown) shown_list;

static int by_ip(const void *a, const void *b)
{
    const struct shown *x = a, *y = b;
    int order = ip_cmp(&x->ip, &y->ip);
    if (order)
        return order;
    return x->service < y->service ? -1 : x->service > y->service;
}

static void add_shown(struct world *w, size_t *slot, const struct shown *shown)
{
    struct world_address *last = w->address_count ? &w->addresses[w->address_count - 1] : NULL;
    *slot = shown->service;
    if (last && ip_eq(&last->ip, &shown->ip)) {
        last->service_count++;
        return;
    }
    w->addresses[w->address_count++] =
        (struct world_address){.ip = shown->ip,
                               .services = slot,
                               .service_count = 1,
                               .unit = w->services[shown->service].unit};
}

static void list_addresses(struct making *m)
{
    struct world *w = m->world;
    shown_list all = {0};
    for (size_t i = 0; i < w->service_count; i++) {
        const struct candidacy *c = &w->services[i].candidacy;
        for (size_t j = 0; j < c->ip_count; j++)
            vec_push(&all, ((struct shown){.ip = c->ips[j], .service = i}));
    }
    vec_sort(&all, by_ip);
    w->addresses = arena_array(m->arena, all.len, sizeof(*w->addresses));
    size_t *slots = arena_array(m->arena, all.len, sizeof(*slots));
    for (size_t i = 0; i < all.len; i++)
        add_shown(w, &slots[i], &all.items[i]);
    vec_done(&all);
}

static void count_loads(struct world *w)
{
    for (size_t i = 0; i < w->address_count; i++)
        w->units[w->addresses[i].unit].ips += w->units[w->addresses[i].unit].stands;
    for (size_t i = 0; i < w->service_count; i++) {
        const struct world_unit *unit = &w->units[i];
        if (!unit->stands || !unit->order_count)
            continue;
        w->nodes[unit->order[0]].units++;
        w->nodes[unit->order[0]].ips += unit->ips;
        if (unit->order_count > 1)
            w->nodes[unit->order[1]].standby++;
    }
}

static void find_left_out(struct world *w)
{
    for (size_t node = 0; node < w->node_count; node++) {
        size_t listed = 0, left_out = 0;
        for (size_t i = 0; i < w->service_count; i++) {
            const struct world_unit *unit = &w->units[i];
            bool serves = unit->stands && unit->published_count && nodeset_has(&unit->nodes, node);
            left_out += world_is_left_out(unit, node);
            listed += serves && !world_is_left_out(unit, node);
        }
        w->nodes[node].left_out = left_out && !listed;
    }
}

/* --- asking ---------------------------------------------------------------------------------- */

struct world *world_make(const struct world_input *input, struct arena *arena)
{
    struct making m = {
        .input = input, .world = arena_alloc(arena, sizeof(struct world)), .arena = arena};
    judge_configuration(&m);
    read_nodes(&m);
    read_services(&m);
    read_announcers(&m);
    gather_units(&m);
    list_addresses(&m);
    count_loads(m.world);
    find_left_out(m.world);
    return m.world;
}

void world_done(struct world *world)
{
    validate_done(&world->judged);
}

size_t world_find_node(const struct world *world, struct str name)
{
    return eligible_node(world->eligible, name);
}

size_t world_find_service(const struct world *world, struct str key)
{
    size_t from = 0, to = world->service_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(world->services[middle].key, key);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return world->service_count;
}

const struct world_address *world_find_address(const struct world *world, const struct ip *ip)
{
    for (size_t i = 0; i < world->address_count; i++) {
        if (ip_eq(&world->addresses[i].ip, ip))
            return &world->addresses[i];
    }
    return NULL;
}

struct str world_order_name(const struct world *world, const struct world_unit *unit, size_t place)
{
    return place < unit->order_count ? world->nodes[unit->order[place]].name : STR("");
}

const char *world_refusal(const struct world *world, const struct world_service *service,
                          size_t node)
{
    const struct world_node *n = &world->nodes[node];
    const struct world_unit *unit = &world->units[service->unit];
    if (!service->candidacy.stands)
        return "nobody may announce the Service";
    if (!eligible_names(world->eligible, &service->candidacy, node))
        return "no L2Advertisement of the pool names this node";
    if (n->object->network_unavailable)
        return "its condition NetworkUnavailable is True";
    if (!n->available)
        return "it has the label node.kubernetes.io/exclude-from-external-load-balancers";
    if (!nodeset_has(&service->nodes, node))
        return "externalTrafficPolicy is Local and no endpoint here can serve";
    if (!nodeset_has(&unit->nodes, node))
        return "it may not announce a Service that shares the address";
    return NULL;
}

bool world_is_left_out(const struct world_unit *unit, size_t node)
{
    if (!unit->stands || !unit->published_count ||
        unit->published_count >= PLACEMENT_PUBLISHED_MAX || !nodeset_has(&unit->nodes, node))
        return false;
    for (size_t i = 0; i < unit->published_count; i++) {
        if (unit->published[i] == node)
            return false;
    }
    return true;
}
