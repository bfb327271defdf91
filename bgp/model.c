#include "bgp/model.h"

#include "common/election/holding.h"
#include "common/election/serving.h"
#include "crd/node.h"

/* An advertisement that names this node, and the pools that it is about. */
struct advertised {
    const struct bgpadvertisement *object;
    bool *pools; /* by index */
};

struct run {
    const struct model_input *input;
    const struct node *node; /* NULL: not known */
    struct serving *serving;
    struct advertised *advertised; /* sorted by key */
    size_t advertised_count;
    VEC(struct route_claim) claims; /* those of a Service follow each other */
    struct arena *arena;
    struct model *model;
};

static const struct objects *in_force(const struct run *run, enum kind_id kind)
{
    return &run->input->config->of[kind];
}

/* --- this node ------------------------------------------------------------------------------- */

static const struct node *find_node(const struct model_input *input)
{
    for (size_t i = 0; i < input->nodes.count; i++) {
        if (str_eq(input->nodes.items[i]->key, input->node))
            return (const struct node *)input->nodes.items[i];
    }
    return NULL;
}

static bool selects_node(const struct run *run, const struct list *selectors)
{
    static const struct str_map none;
    return selectors_match_or_none(selectors, run->node ? &run->node->object.meta.labels : &none);
}

/* CRC-32 of IEEE 802.3, bit by bit: for names, once. */
static uint32_t crc32_of(struct str text)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < text.len; i++) {
        crc ^= (uint8_t)text.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ UINT32_C(0xedb88320) : crc >> 1;
    }
    return ~crc;
}

/* Never left to BIRD, which would take another one when addresses come and go, and restart all
 * sessions: the node's first internal IPv4 address, else the hash of its name that MetalLB takes.
 */
static struct ip router_id(const struct run *run)
{
    const struct list *addresses = run->node ? &run->node->addresses : &(struct list){0};
    const struct node_address *all = addresses->items;
    for (size_t i = 0; i < addresses->count; i++) {
        if (str_eq(all[i].type, STR("InternalIP")) && all[i].ip.family == IP_V4 &&
            ip_is_unicast(&all[i].ip))
            return all[i].ip;
    }
    uint32_t crc = crc32_of(run->input->node);
    return ip_v4((uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                 (uint8_t)(crc >> 24 | (crc == 0)));
}

/* --- sessions and advertisements ------------------------------------------------------------- */

static void make_sessions(struct run *run)
{
    const struct objects *peers = in_force(run, KIND_BGP_PEER);
    struct session_input input = {
        .config = run->input->config,
        .secrets = &run->input->secrets,
        .paths = run->input->paths,
        .path_count = run->input->path_count,
        .listen_port = run->input->listen_port,
    };
    struct model *model = run->model;
    model->sessions = arena_array(run->arena, peers->count, sizeof(*model->sessions));
    for (size_t i = 0; i < peers->count; i++) {
        const struct bgppeer *peer = (const struct bgppeer *)peers->items[i];
        if (selects_node(run, &peer->spec.node_selectors) &&
            session_make(&input, peer, run->arena, &model->findings,
                         &model->sessions[model->session_count]))
            model->session_count++;
    }
}

static void read_advertisements(struct run *run)
{
    const struct objects *all = in_force(run, KIND_BGP_ADVERTISEMENT);
    const struct objects *pools = in_force(run, KIND_IP_ADDRESS_POOL);
    run->advertised = arena_array(run->arena, all->count, sizeof(*run->advertised));
    for (size_t i = 0; i < all->count; i++) {
        const struct bgpadvertisement *ad = (const struct bgpadvertisement *)all->items[i];
        if (!selects_node(run, &ad->spec.node_selectors))
            continue;
        struct advertised *one = &run->advertised[run->advertised_count++];
        *one = (struct advertised){.object = ad,
                                   .pools = arena_array(run->arena, pools->count, sizeof(bool))};
        for (size_t j = 0; j < pools->count; j++)
            one->pools[j] = selector_has_pool(&ad->spec.ip_address_pools,
                                              &ad->spec.ip_address_pool_selectors, pools->items[j]);
    }
}

/* --- Services -------------------------------------------------------------------------------- */

/* The advertisements that apply to a Service. */
struct selection {
    size_t *items; /* indices of `advertised` */
    size_t count;
};

/* Those of the pool that select the Service; REASON_NONE when there is one. */
static enum reason select_advertisements(const struct run *run, const struct service *service,
                                         size_t pool, struct selection *ret)
{
    bool of_pool = false;
    ret->items = arena_array(run->arena, run->advertised_count, sizeof(size_t));
    for (size_t i = 0; i < run->advertised_count; i++) {
        const struct advertised *one = &run->advertised[i];
        if (!one->pools[pool])
            continue;
        of_pool = true;
        if (selectors_match_or_none(&one->object->spec.service_selectors,
                                    &service->object.meta.labels))
            ret->items[ret->count++] = i;
    }
    return ret->count ? REASON_NONE : of_pool ? REASON_NO_ADVERTISEMENT : REASON_NOT_OWNER;
}

static bool conflict(const struct run *run, const struct selection *selection,
                     const struct holding *holding)
{
    for (size_t i = 0; i < selection->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (routes_conflict(run->advertised[selection->items[i]].object,
                                run->advertised[selection->items[j]].object, holding->ips,
                                holding->ip_count))
                return true;
        }
    }
    return false;
}

static enum reason judge_node(const struct run *run)
{
    if (run->node && run->node->network_unavailable)
        return REASON_NETWORK_UNAVAILABLE;
    if (run->node && run->node->excluded && !run->input->ignore_excluded)
        return REASON_NODE_EXCLUDED;
    return REASON_NONE;
}

static enum reason judge_endpoints(const struct run *run, const struct service *service)
{
    struct serving_cursor cursor = {0};
    for (const struct endpoint *one;
         (one = serving_next(run->serving, service->object.key, &cursor));) {
        if (!service->is_local || str_eq(one->node_name, run->input->node))
            return REASON_NONE;
    }
    return service->is_local ? REASON_NO_LOCAL_ENDPOINTS : REASON_NO_ENDPOINTS;
}

/* In the order in which MetalLB asks. */
static enum reason judge(const struct run *run, const struct service *service,
                         struct holding *holding, struct selection *selection)
{
    enum reason reason =
        holding_read(service, in_force(run, KIND_IP_ADDRESS_POOL), run->arena, holding);
    if (!reason)
        reason = select_advertisements(run, service, holding->pool, selection);
    if (!reason && conflict(run, selection, holding))
        reason = REASON_CONFLICTING_ADVERTISEMENTS;
    if (!reason)
        reason = judge_node(run);
    if (!reason)
        reason = judge_endpoints(run, service);
    if (!reason && run->input->drain == MODEL_DRAINED)
        reason = REASON_NODE_DRAINED;
    return reason;
}

/* Adds a prefix to those of the Service, once. */
static void add_prefix(struct prefix *prefixes, size_t *count, const struct prefix *prefix)
{
    for (size_t i = 0; i < *count; i++) {
        if (prefix_eq(&prefixes[i], prefix))
            return;
    }
    prefixes[(*count)++] = *prefix;
}

/* How many endpoints on this node serve a Service. Only where each node serves by its own endpoints
 * do they say anything about the node. */
static unsigned count_endpoints(const struct run *run, const struct service *service)
{
    struct serving_cursor cursor = {0};
    unsigned count = 0;
    for (const struct endpoint *one;
         service->is_local && (one = serving_next(run->serving, service->object.key, &cursor));) {
        if (str_eq(one->node_name, run->input->node))
            count += 1 + one->others;
    }
    return count;
}

static void claim(struct run *run, const struct service *service, const struct holding *holding,
                  const struct selection *selection, struct model_service *result)
{
    unsigned endpoints = count_endpoints(run, service);
    struct prefix *prefixes =
        arena_array(run->arena, holding->ip_count * selection->count, sizeof(*prefixes));
    for (size_t i = 0; i < holding->ip_count; i++) {
        for (size_t j = 0; j < selection->count; j++) {
            struct route_claim one = {.advertisement = selection->items[j]};
            const struct bgpadvertisement *ad = run->advertised[one.advertisement].object;
            one.prefix = routes_prefix(ad, &holding->ips[i]);
            one.weight = ad->extra.weights ? endpoints : 0;
            vec_push(&run->claims, one);
            result->claim_count++;
            add_prefix(prefixes, &result->prefix_count, &one.prefix);
        }
    }
    result->prefixes = prefixes;
}

static void make_services(struct run *run)
{
    const struct objects *all = &run->input->services;
    struct model *model = run->model;
    model->services = arena_array(run->arena, all->count, sizeof(*model->services));
    for (size_t i = 0; i < all->count; i++) {
        const struct service *service = (const struct service *)all->items[i];
        if (!service->is_load_balancer || !service_is_of_class(service, run->input->lb_class))
            continue;
        struct model_service *result = &model->services[model->service_count++];
        struct holding holding;
        struct selection selection = {0};
        result->key = arena_str(run->arena, service->object.key);
        result->reason = judge(run, service, &holding, &selection);
        result->ips = holding.ips;
        result->ip_count = holding.ip_count;
        if (result->reason == REASON_NONE)
            claim(run, service, &holding, &selection, result);
    }
}

/* --- routes and who gets them ---------------------------------------------------------------- */

static void make_routes(struct run *run)
{
    const struct bgpadvertisement **ads =
        arena_array(run->arena, run->advertised_count, sizeof(*ads));
    for (size_t i = 0; i < run->advertised_count; i++)
        ads[i] = run->advertised[i].object;
    struct routes_input input = {
        .config = run->input->config,
        .advertisements = ads,
        .advertisement_count = run->advertised_count,
        .sessions = run->model->sessions,
        .session_count = run->model->session_count,
        .draining = run->input->drain == MODEL_DRAINS,
    };
    routes_make(&input, run->claims.items, run->claims.len, run->arena, &run->model->findings,
                &run->model->routes);
}

/* Sessions are sorted by the names of their peers, so that what is found in their order is. */
static void find_peers(struct run *run, const struct route_claim *claims, size_t count,
                       struct model_service *service)
{
    struct model *model = run->model;
    bool *gets = arena_array(run->arena, model->session_count, sizeof(bool));
    for (size_t i = 0; i < count; i++) {
        const struct route_class *class = claims[i].class;
        for (size_t j = 0; j < class->export_count; j++) {
            size_t session = class->exports[j].session;
            if (session_carries(&model->sessions[session], claims[i].prefix.base.family))
                gets[session] = true;
        }
    }
    service->peers.items = arena_array(run->arena, model->session_count, sizeof(struct str));
    for (size_t i = 0; i < model->session_count; i++) {
        if (gets[i])
            service->peers.items[service->peers.count++] = model->sessions[i].peer;
    }
}

/* The claims were made in the order of the Services. */
static void find_all_peers(struct run *run)
{
    size_t at = 0;
    for (size_t i = 0; i < run->model->service_count; i++) {
        struct model_service *service = &run->model->services[i];
        if (service->claim_count)
            find_peers(run, &run->claims.items[at], service->claim_count, service);
        at += service->claim_count;
    }
}

struct model *model_make(const struct model_input *input, struct arena *arena)
{
    struct run run = {
        .input = input,
        .node = find_node(input),
        .serving = serving_new(&input->slices, arena),
        .arena = arena,
        .model = arena_alloc(arena, sizeof(struct model)),
    };
    run.model->findings.arena = arena;
    run.model->router_id = router_id(&run);
    make_sessions(&run);
    read_advertisements(&run);
    make_services(&run);
    make_routes(&run);
    find_all_peers(&run);
    vec_done(&run.claims);
    return run.model;
}

void model_done(struct model *model)
{
    if (model)
        diag_done(&model->findings);
}

const struct model_service *model_find(const struct model *model, struct str key)
{
    size_t from = 0, to = model ? model->service_count : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(model->services[middle].key, key);
        if (order == 0)
            return &model->services[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}
