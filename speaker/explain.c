#include "speaker/explain.h"

#include "common/base/sorted.h"
#include "common/json/patch.h"
#include "speaker/bgp_rest.h"
#include "speaker/carrier_rest.h"

struct run {
    const struct speaker *speaker;
    const struct plan *plan;
    struct patch json;
    struct arena *arena;
};

static struct str node_of(const struct run *run)
{
    return speaker_node(run->speaker);
}

/* --- the local segment ----------------------------------------------------------------------- */

static struct str say_state(const struct run *run, const struct apply_figures *figures)
{
    static const char *const sentences[] = {
        [TENURE_NONE] = "this node does nothing about it",
        [TENURE_PROBING] = ("it is this node's and new: it is being found out whether another host "
                            "uses it"),
        [TENURE_REFUSED] = "another host uses it: it is not announced",
        [TENURE_OWNING] = "it is this node's: answered for and announced",
    };
    _Static_assert(sizeof(sentences) / sizeof(sentences[0]) == TENURE_HANDING, "two follow");
    if (figures->state == TENURE_HANDING)
        return arena_printf(run->arena,
                            "it is for node \"" STR_FMT "\", and answered for here until that one "
                            "says that it answers",
                            STR_ARG(figures->peer));
    if (figures->state == TENURE_YIELDING)
        return arena_printf(run->arena, "node \"" STR_FMT "\" has a better claim",
                            STR_ARG(figures->peer));
    return str_from(sentences[figures->state]);
}

/* What is done about an address; "none" for one that there never was anything to do about. */
static struct apply_figures figures_of(const struct run *run, const struct ip *ip)
{
    size_t count;
    const struct apply_figures *all =
        apply_figures(speaker_apply(run->speaker), run->arena, &count);
    for (size_t i = 0; i < count; i++) {
        if (ip_eq(&all[i].ip, ip))
            return all[i];
    }
    return (struct apply_figures){.ip = *ip, .state = TENURE_NONE};
}

/* Adds what is known of an address to the object that is open. */
static void put_address(struct run *run, const struct ip *ip)
{
    struct apply_figures figures = figures_of(run, ip);
    patch_str(&run->json, "ip", str_from(ip_format(ip).text));
    patch_str(&run->json, "state", str_from(tenure_state_name(figures.state)));
    patch_str(&run->json, "member", figures.peer);
    patch_str(&run->json, "message", say_state(run, &figures));
    patch_str(&run->json, "carried",
              carrier_rest_say(speaker_carrier(run->speaker), ip, run->arena));
}

static struct str say_reason(const struct run *run, const struct plan_service *service)
{
    if (service->reason != REASON_NOT_OWNER || service->owner.len == 0)
        return str_from(reason_say(plan_reason(service), REASON_BY_LAYER2));
    return arena_printf(run->arena, "node \"" STR_FMT "\" is elected", STR_ARG(service->owner));
}

static void put_layer2(struct run *run, const struct plan_service *service)
{
    struct patch *json = &run->json;
    patch_open(json, "layer2");
    patch_bool(json, "announced", service->announced);
    patch_str(json, "reason", str_from(reason_name(plan_reason(service))));
    patch_str(json, "message", say_reason(run, service));
    patch_str(json, "owner", service->owner);
    patch_str(json, "tier", str_from(plan_tier_name(service->tier)));
    patch_str(json, "placement", str_from(placement_verdict_name(service->placement)));
    patch_int(json, "epoch", (int64_t)service->epoch);
    patch_list(json, "addresses");
    for (size_t i = 0; i < service->ip_count; i++) {
        patch_open(json, NULL);
        put_address(run, &service->ips[i]);
        patch_close(json);
    }
    patch_close(json);
    patch_close(json);
}

/* --- BGP ------------------------------------------------------------------------------------- */

/* The class of a prefix, or NULL. ret_weight: of the prefix; 0: none. */
static const struct route_class *find_class(const struct model *model, const struct prefix *prefix,
                                            unsigned *ret_weight)
{
    for (size_t i = 0; i < model->routes.class_count; i++) {
        const struct route_class *class = &model->routes.classes[i];
        bool v4 = prefix->base.family == IP_V4;
        const struct prefix *all = v4 ? class->v4 : class->v6;
        const unsigned *weights = v4 ? class->v4_weights : class->v6_weights;
        bool found;
        size_t at = sorted_place(prefix, all, v4 ? class->v4_count : class->v6_count, sizeof(*all),
                                 prefix_cmp_ptr, &found);
        if (found) {
            *ret_weight = weights ? weights[at] : 0;
            return class;
        }
    }
    return NULL;
}

static const struct route_export *find_export(const struct model *model,
                                              const struct prefix *prefix, size_t session,
                                              unsigned *ret_weight)
{
    const struct route_class *class = find_class(model, prefix, ret_weight);
    for (size_t i = 0; class && i < class->export_count; i++) {
        if (class->exports[i].session == session)
            return &class->exports[i];
    }
    return NULL;
}

static void put_route(struct run *run, const struct model *model, const struct prefix *prefix,
                      size_t session, const struct bgp_view *view)
{
    struct patch *json = &run->json;
    unsigned weight = 0;
    const struct route_export *export = find_export(model, prefix, session, &weight);
    bool carried = session_carries(&model->sessions[session], prefix->base.family);
    struct str why = view->why;
    if (!export)
        why = STR("no BGPAdvertisement of it is for this peer");
    else if (!carried)
        why = STR("the session does not carry this address family");
    patch_open(json, NULL);
    patch_str(json, "prefix", str_from(prefix_format(prefix).text));
    patch_str(json, "peer", view->peer);
    patch_bool(json, "sent", export && carried && view->state == STATUS_ESTABLISHED);
    patch_str(json, "message", why);
    if (export)
        bgp_rest_put_attributes(json, export, run->arena);
    if (export && weight)
        patch_int(json, "weight", weight);
    patch_close(json);
}

static void put_bgp(struct run *run, struct str key)
{
    struct bgp *bgp = speaker_bgp(run->speaker);
    const struct model *model = bgp_model(bgp);
    const struct model_service *service = model_find(model, key);
    struct patch *json = &run->json;
    size_t count;
    const struct bgp_view *views = bgp_views(bgp, run->arena, &count);
    struct str message = STR("this node does no BGP");
    if (service)
        message = str_from(reason_say(service->reason, REASON_BY_BGP));
    if (service && service->reason == REASON_NONE && count == 0)
        message = STR("no BGPPeer selects this node");
    patch_open(json, "bgp");
    patch_bool(json, "announced", service && service->reason == REASON_NONE && count);
    patch_str(json, "reason", service ? str_from(reason_name(service->reason)) : STR(""));
    patch_str(json, "message", message);
    patch_list(json, "routes");
    for (size_t i = 0; service && i < service->prefix_count; i++) {
        for (size_t j = 0; j < count; j++)
            put_route(run, model, &service->prefixes[i], j, &views[j]);
    }
    patch_close(json);
    patch_close(json);
}

/* --- answers --------------------------------------------------------------------------------- */

/* Adds the members of a Service to the object that is open. */
static void put_service(struct run *run, const struct plan_service *service)
{
    patch_str(&run->json, "service", service->key);
    put_layer2(run, service);
    put_bgp(run, service->key);
}

/* False, with an error in the response, before the first plan. */
static bool begin(const struct speaker *speaker, const struct http_request *request,
                  struct http_response *response, struct run *ret)
{
    *ret = (struct run){.speaker = speaker, .plan = speaker_plan(speaker), .arena = request->arena};
    if (!ret->plan)
        http_error(response, 503, "nothing has been planned yet");
    return ret->plan != NULL;
}

static void answer(struct run *run, struct http_response *response)
{
    patch_close(&run->json);
    patch_give(&run->json, &response->body);
    sbuf_putc(&response->body, '\n');
}

void explain_service(const struct speaker *speaker, struct str key,
                     const struct http_request *request, struct http_response *response)
{
    struct run run;
    if (!begin(speaker, request, response, &run))
        return;
    struct plan_service service;
    if (!plan_find(run.plan, key, &service)) {
        http_error(response, 404,
                   "this node knows no Service " STR_FMT " of type LoadBalancer and of its class",
                   STR_ARG(key));
        return;
    }
    patch_open(&run.json, NULL);
    patch_str(&run.json, "node", node_of(&run));
    put_service(&run, &service);
    answer(&run, response);
}

static bool has_address(const struct plan_service *service, const struct ip *ip)
{
    for (size_t i = 0; i < service->ip_count; i++) {
        if (ip_eq(&service->ips[i], ip))
            return true;
    }
    return false;
}

void explain_address(const struct speaker *speaker, struct str text,
                     const struct http_request *request, struct http_response *response)
{
    struct run run;
    struct ip ip;
    if (ip_parse(text, &ip) < 0) {
        http_error(response, 400, "\"" STR_FMT "\" is not an address", STR_ARG(text));
        return;
    }
    if (!begin(speaker, request, response, &run))
        return;
    patch_open(&run.json, NULL);
    patch_str(&run.json, "node", node_of(&run));
    put_address(&run, &ip);
    patch_list(&run.json, "services");
    for (size_t i = 0; i < run.plan->basis->service_count; i++) {
        struct plan_service service = plan_service_at(run.plan, i);
        if (!has_address(&service, &ip))
            continue;
        patch_open(&run.json, NULL);
        put_service(&run, &service);
        patch_close(&run.json);
    }
    patch_close(&run.json);
    answer(&run, response);
}
