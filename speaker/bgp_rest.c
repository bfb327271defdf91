#include "speaker/bgp_rest.h"

#include "common/program/program_findings.h"
#include "common/program/program_service.h"

static void put_bird(struct patch *json, const struct bgp *bgp, struct arena *arena)
{
    struct engine_figures figures = bgp_figures(bgp);
    const unsigned *version = figures.version;
    patch_open(json, "bird");
    patch_str(json, "state", str_from(life_state_name(figures.bird.state)));
    patch_int(json, "pid", figures.bird.pid);
    patch_str(json, "version",
              version[0] ? arena_printf(arena, "%u.%u.%u", version[0], version[1], version[2])
                         : STR(""));
    patch_int(json, "starts", (int64_t)figures.bird.starts);
    patch_int(json, "crashes", (int64_t)figures.bird.crashes);
    patch_bool(json, "current", figures.is_current);
    patch_int(json, "taken", (int64_t)figures.applied);
    patch_int(json, "refused", (int64_t)figures.refused);
    patch_str(json, "refusal", bgp_refusal(bgp));
    patch_str(json, "extrasRefusal", bgp_extras_refusal(bgp));
    patch_bool(json, "bfdTaken", figures.bfd_is_taken);
    patch_close(json);
}

static void put_session(struct patch *json, const struct bgp_view *view)
{
    patch_open(json, NULL);
    patch_str(json, "peer", view->peer);
    patch_str(json, "address",
              ip_is_set(&view->address) ? str_from(ip_format(&view->address).text) : STR(""));
    patch_int(json, "port", (int64_t)view->port);
    patch_str(json, "interface", view->interface);
    patch_str(json, "vrf", view->vrf);
    patch_str(json, "state", str_from(status_state_name(view->state)));
    patch_bool(json, "up", view->state == STATUS_ESTABLISHED);
    if (view->since)
        patch_time(json, "since", view->since);
    else
        patch_str(json, "since", STR(""));
    patch_str(json, "why", view->why);
    patch_str(json, "advice", view->advice);
    patch_int(json, "peerASN", (int64_t)view->peer_as);
    patch_int(json, "holdTime", (int64_t)view->hold_time);
    patch_int(json, "keepaliveTime", (int64_t)view->keepalive_time);
    patch_bool(json, "gracefulRestart", view->peer_restarts);
    patch_str(json, "bfd", view->bfd ? str_from(status_bfd_state_name(view->bfd_state)) : STR(""));
    patch_int(json, "prefixes", (int64_t)view->prefixes);
    patch_int(json, "wanted", (int64_t)view->wanted);
    patch_str(json, "protocol", view->protocol);
    patch_close(json);
}

static void put_sessions(struct patch *json, const struct bgp *bgp, struct arena *arena)
{
    size_t count;
    const struct bgp_view *views = bgp_views(bgp, arena, &count);
    patch_list(json, "sessions");
    for (size_t i = 0; i < count; i++)
        put_session(json, &views[i]);
    patch_close(json);
}

static void put_service(struct patch *json, const struct model_service *service)
{
    patch_open(json, NULL);
    program_service_put(json, service->key, service->ips, service->ip_count);
    patch_bool(json, "announced", service->reason == REASON_NONE);
    patch_str(json, "reason", str_from(reason_name(service->reason)));
    patch_str(json, "message", str_from(reason_say(service->reason, REASON_BY_BGP)));
    patch_list(json, "prefixes");
    for (size_t i = 0; i < service->prefix_count; i++)
        patch_str(json, NULL, str_from(prefix_format(&service->prefixes[i]).text));
    patch_close(json);
    patch_list(json, "peers");
    for (size_t i = 0; i < service->peers.count; i++)
        patch_str(json, NULL, service->peers.items[i]);
    patch_close(json);
    patch_close(json);
}

/* --- routes ---------------------------------------------------------------------------------- */

void bgp_rest_put_attributes(struct patch *json, const struct route_export *export,
                             struct arena *arena)
{
    patch_open(json, "attributes");
    if (export->local_pref >= 0)
        patch_int(json, "localPref", export->local_pref);
    if (export->med >= 0)
        patch_int(json, "med", export->med);
    if (export->prepend)
        patch_int(json, "prepend", export->prepend);
    patch_list(json, "communities");
    for (size_t i = 0; i < export->community_count; i++)
        patch_str(json, NULL, community_format(arena, &export->communities[i]));
    patch_close(json);
    patch_close(json);
}

static void put_export(struct patch *json, const struct model *model,
                       const struct route_export *export, struct arena *arena)
{
    const struct session *session = &model->sessions[export->session];
    patch_open(json, NULL);
    patch_str(json, "peer", session->peer);
    patch_bool(json, "ipv4", session->ipv4);
    patch_bool(json, "ipv6", session->ipv6);
    bgp_rest_put_attributes(json, export, arena);
    patch_close(json);
}

static void put_prefixes(struct patch *json, const struct prefix *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        patch_str(json, NULL, str_from(prefix_format(&prefixes[i]).text));
}

static void put_weights(struct patch *json, const struct route_class *class)
{
    patch_list(json, "weights");
    for (size_t i = 0; i < class->v4_count; i++)
        patch_int(json, NULL, class->v4_weights[i]);
    for (size_t i = 0; i < class->v6_count; i++)
        patch_int(json, NULL, class->v6_weights[i]);
    patch_close(json);
}

/* Prefixes that are announced alike, and what each peer gets with them. */
static void put_class(struct patch *json, const struct model *model,
                      const struct route_class *class, struct arena *arena)
{
    if (class->v4_count + class->v6_count == 0)
        return;
    patch_open(json, NULL);
    patch_list(json, "prefixes");
    put_prefixes(json, class->v4, class->v4_count);
    put_prefixes(json, class->v6, class->v6_count);
    patch_close(json);
    if (class->weighted)
        put_weights(json, class);
    patch_list(json, "peers");
    for (size_t i = 0; i < class->export_count; i++)
        put_export(json, model, &class->exports[i], arena);
    patch_close(json);
    patch_close(json);
}

void bgp_rest_put(struct patch *json, const struct bgp *bgp, struct str node, struct arena *arena)
{
    const struct model *model = bgp_model(bgp);
    patch_open(json, NULL);
    patch_str(json, "node", node);
    patch_bool(json, "ready", model != NULL);
    patch_str(json, "routerID", model ? str_from(ip_format(&model->router_id).text) : STR(""));
    put_bird(json, bgp, arena);
    put_sessions(json, bgp, arena);
    patch_list(json, "services");
    for (size_t i = 0; model && i < model->service_count; i++)
        put_service(json, &model->services[i]);
    patch_close(json);
    patch_list(json, "routes");
    for (size_t i = 0; model && i < model->routes.class_count; i++)
        put_class(json, model, &model->routes.classes[i], arena);
    patch_close(json);
    patch_list(json, "findings");
    if (model)
        program_findings_put(json, &model->findings);
    patch_close(json);
    patch_close(json);
}
