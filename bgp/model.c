#include "bgp/model.h"

#include <string.h>

#include "bgp/judge.h"
#include "bgp/routes_edit.h"
#include "common/base/sorted.h"
#include "crd/service.h"

struct run {
    const struct model_input *input;
    struct judge judge;
    judge_claims claims; /* those of a Service follow each other */
    struct arena *arena;
    struct model *model;
};

/* An update leaves what it replaces behind in the arena. So many of them, and a tenth of the number
 * of Services, are worth the memory. */
enum { UPDATES_MAX = 1000, UPDATES_SHARE = 10 };

/* --- this node ------------------------------------------------------------------------------- */

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
static struct ip router_id(const struct judge *judge)
{
    const struct list *addresses = judge->node ? &judge->node->addresses : &(struct list){0};
    const struct node_address *all = addresses->items;
    for (size_t i = 0; i < addresses->count; i++) {
        if (str_eq(all[i].type, STR("InternalIP")) && all[i].ip.family == IP_V4 &&
            ip_is_unicast(&all[i].ip))
            return all[i].ip;
    }
    uint32_t crc = crc32_of(judge->node_name);
    return ip_v4((uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                 (uint8_t)(crc >> 24 | (crc == 0)));
}

/* --- sessions ------------------------------------------------------------------------------ */

static void make_sessions(struct run *run)
{
    const struct objects *peers = &run->input->config->of[KIND_BGP_PEER];
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
        if (judge_selects_node(&run->judge, &peer->spec.node_selectors) &&
            session_make(&input, peer, run->arena, &model->findings,
                         &model->sessions[model->session_count]))
            model->session_count++;
    }
}

/* --- Services -------------------------------------------------------------------------------- */

static bool is_ours(const struct service *service, struct str lb_class)
{
    return service->is_load_balancer && service_is_of_class(service, lb_class);
}

static void make_services(struct run *run)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    const struct serving *serving = serving_new(&run->input->slices, run->input->seed, scratch);
    const struct objects *all = &run->input->services;
    struct model *model = run->model;
    model->services = arena_array(run->arena, all->count, sizeof(*model->services));
    model->service_room = all->count;
    for (size_t i = 0; i < all->count; i++) {
        const struct service *service = (const struct service *)all->items[i];
        if (is_ours(service, run->input->lb_class))
            judge_service(&run->judge, service, serving, run->arena,
                          &model->services[model->service_count++], &run->claims);
    }
}

/* --- routes and who gets them ---------------------------------------------------------------- */

/* The advertisements are in the scratch arena. */
static struct routes_input routes_input(const struct judge *judge, const struct model *model,
                                        const struct model_input *input, struct arena *scratch)
{
    const struct bgpadvertisement **ads =
        arena_array(scratch, judge->advertised_count, sizeof(*ads));
    for (size_t i = 0; i < judge->advertised_count; i++)
        ads[i] = judge->advertised[i].object;
    return (struct routes_input){
        .config = input->config,
        .advertisements = ads,
        .advertisement_count = judge->advertised_count,
        .sessions = model->sessions,
        .session_count = model->session_count,
        .draining = input->drain == MODEL_DRAINS,
    };
}

static void make_routes(struct run *run)
{
    struct routes_input input = routes_input(&run->judge, run->model, run->input, run->arena);
    routes_make(&input, run->claims.items, run->claims.len, run->arena, &run->model->findings,
                &run->model->routes);
}

/* Sessions are sorted by the names of their peers, so that what is found in their order is. */
static void find_peers(const struct model *model, const struct route_claim *claims, size_t count,
                       struct arena *arena, struct model_service *service)
{
    bool *gets = arena_array(arena, model->session_count, sizeof(bool));
    for (size_t i = 0; i < count; i++) {
        const struct route_class *class = claims[i].class;
        for (size_t j = 0; j < class->export_count; j++) {
            size_t session = class->exports[j].session;
            if (session_carries(&model->sessions[session], claims[i].prefix.base.family))
                gets[session] = true;
        }
    }
    service->peers.items = arena_array(arena, model->session_count, sizeof(struct str));
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
            find_peers(run->model, &run->claims.items[at], service->claim_count, run->arena,
                       service);
        at += service->claim_count;
    }
}

struct model *model_make(const struct model_input *input, struct arena *arena)
{
    struct run run = {
        .input = input,
        .arena = arena,
        .model = arena_alloc(arena, sizeof(struct model)),
    };
    judge_init(input, arena, &run.judge);
    run.model->findings.arena = arena;
    run.model->drain = input->drain;
    run.model->router_id = router_id(&run.judge);
    make_sessions(&run);
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

static int compare_key(const void *key, const void *service)
{
    return str_cmp(*(const struct str *)key, ((const struct model_service *)service)->key);
}

/* Where the Service is, or would be. */
static size_t search(const struct model *model, struct str key, bool *ret_found)
{
    return sorted_place(&key, model->services, model->service_count, sizeof(*model->services),
                        compare_key, ret_found);
}

const struct model_service *model_find(const struct model *model, struct str key)
{
    bool found = false;
    size_t at = model ? search(model, key, &found) : 0;
    return found ? &model->services[at] : NULL;
}

/* --- updates --------------------------------------------------------------------------------- */

struct update {
    struct model *model;
    const struct model_input *input;
    struct judge judge;
    struct routes_input routes;
    struct arena *arena, *scratch;
};

static bool has_prefix(const struct model_service *service, const struct prefix *prefix)
{
    for (size_t i = 0; i < service->prefix_count; i++) {
        if (prefix_eq(&service->prefixes[i], prefix))
            return true;
    }
    return false;
}

/* Is one of the prefixes also that of a Service other than the one at `at`? */
static bool any_is_shared(const struct model *model, size_t at, const struct model_service *service)
{
    for (size_t i = 0; i < service->prefix_count; i++) {
        if (!routes_edit_has(&model->routes, &service->prefixes[i]))
            continue;
        for (size_t j = 0; j < model->service_count; j++) {
            if (j != at && has_prefix(&model->services[j], &service->prefixes[i]))
                return true;
        }
    }
    return false;
}

static bool change_routes(struct update *u, size_t at, const struct model_change *change,
                          judge_claims *claims)
{
    struct routes *routes = &u->model->routes;
    size_t here = change->was ? at : SIZE_MAX;
    if (any_is_shared(u->model, here, &change->before) ||
        any_is_shared(u->model, here, &change->after))
        return false;
    for (size_t i = 0; i < change->before.prefix_count; i++) {
        if (!routes_edit_remove(routes, &change->before.prefixes[i]))
            return false;
    }
    return routes_edit_add(routes, &u->routes, claims->items, claims->len, u->arena);
}

static void insert(struct update *u, size_t at)
{
    struct model *model = u->model;
    if (model->service_count == model->service_room) {
        model->service_room += model->service_room / 8 + 16;
        struct model_service *services =
            arena_array(u->arena, model->service_room, sizeof(*services));
        if (model->service_count)
            memcpy(services, model->services, model->service_count * sizeof(*services));
        model->services = services;
    }
    struct model_service *place = &model->services[at];
    memmove(place + 1, place, (model->service_count++ - at) * sizeof(*place));
}

static void drop(struct model *model, size_t at)
{
    struct model_service *place = &model->services[at];
    memmove(place, place + 1, (--model->service_count - at) * sizeof(*place));
}

static bool update_service(struct update *u, const struct model_touched *touched,
                           model_changes *changes)
{
    struct model *model = u->model;
    struct model_change change = {0};
    judge_claims claims = {0};
    size_t at = search(model, touched->key, &change.was);
    change.is = touched->service && is_ours(touched->service, u->input->lb_class);
    if (change.was)
        change.before = model->services[at];
    if (change.is)
        judge_service(&u->judge, touched->service,
                      serving_new(&touched->slices, u->input->seed, u->scratch), u->arena,
                      &change.after, &claims);
    bool done = change_routes(u, at, &change, &claims);
    if (done && change.is)
        find_peers(model, claims.items, claims.len, u->arena, &change.after);
    vec_done(&claims);
    if (!done)
        return false;
    if (change.is && !change.was)
        insert(u, at);
    if (change.is)
        model->services[at] = change.after;
    else if (change.was)
        drop(model, at);
    if (change.was || change.is)
        vec_push(changes, change);
    return true;
}

/* Of a drained node all Services say so, and have no routes. One that drains only tells the peers
 * something else. */
static bool update_drain(struct update *u)
{
    enum model_drain was = u->model->drain, is = u->input->drain;
    u->model->drain = is;
    return was == is || (was != MODEL_DRAINED && is != MODEL_DRAINED &&
                         routes_export(&u->model->routes, &u->routes, u->arena));
}

bool model_update(struct model *model, const struct model_input *input,
                  const struct model_touched *touched, size_t count, struct arena *arena,
                  model_changes *changes)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct update u = {.model = model, .input = input, .arena = arena, .scratch = scratch};
    model->updates += count + (model->drain != input->drain);
    if (model->updates > UPDATES_MAX + model->service_count / UPDATES_SHARE)
        return false;
    judge_init(input, scratch, &u.judge);
    u.routes = routes_input(&u.judge, model, input, scratch);
    if (!update_drain(&u))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!update_service(&u, &touched[i], changes))
            return false;
    }
    return true;
}
