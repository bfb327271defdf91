#include "speaker/rest.h"

#include <stdlib.h>

#include "common/httpd/http.h"
#include "common/json/patch.h"
#include "common/program/program_findings.h"
#include "common/program/program_servers.h"
#include "common/program/program_service.h"
#include "speaker/bgp_rest.h"
#include "speaker/carrier_rest.h"
#include "speaker/explain.h"

struct rest {
    const struct speaker *speaker;
    struct speaker_metrics *metrics;
    struct program_servers *servers;
};

/* --- announcements --------------------------------------------------------------------------- */

/* Nothing when it is not announced by plan. */
static void put_planned(struct patch *json, const struct plan *plan, const struct ip *ip)
{
    struct plan_address address;
    struct str service;
    bool planned = plan_find_address(plan, ip, &address);
    patch_list(json, "services");
    for (size_t next = 0; planned && plan_next_service(plan, &address, &next, &service);)
        patch_str(json, NULL, service);
    patch_close(json);
    patch_list(json, "interfaces");
    for (size_t i = 0; planned && i < address.interfaces.count; i++)
        patch_str(json, NULL, address.interfaces.items[i]);
    patch_close(json);
}

static void put_address(struct patch *json, const struct plan *plan,
                        const struct apply_figures *figures)
{
    patch_open(json, NULL);
    patch_str(json, "ip", str_from(ip_format(&figures->ip).text));
    patch_str(json, "state", str_from(tenure_state_name(figures->state)));
    patch_str(json, "member", figures->peer);
    put_planned(json, plan, &figures->ip);
    patch_int(json, "requests", (int64_t)figures->requests);
    patch_int(json, "replies", (int64_t)figures->replies);
    patch_int(json, "gratuitous", (int64_t)figures->gratuitous);
    patch_close(json);
}

static void put_addresses(struct patch *json, const struct speaker *speaker, struct arena *arena)
{
    size_t count;
    const struct apply_figures *all = apply_figures(speaker_apply(speaker), arena, &count);
    patch_list(json, "addresses");
    for (size_t i = 0; i < count; i++) {
        if (all[i].state != TENURE_NONE)
            put_address(json, speaker_plan(speaker), &all[i]);
    }
    patch_close(json);
}

static void put_service(struct patch *json, const struct plan_service *service)
{
    patch_open(json, NULL);
    program_service_put(json, service->key, service->ips, service->ip_count);
    patch_bool(json, "announced", service->announced);
    patch_str(json, "reason", str_from(reason_name(plan_reason(service))));
    patch_str(json, "owner", service->owner);
    patch_str(json, "tier", str_from(plan_tier_name(service->tier)));
    patch_str(json, "placement", str_from(placement_verdict_name(service->placement)));
    patch_int(json, "epoch", (int64_t)service->epoch);
    patch_close(json);
}

static void put_interface(struct patch *json, const struct speaker *speaker,
                          const struct iface *iface)
{
    patch_open(json, NULL);
    patch_str(json, "name", iface->name);
    patch_str(json, "mac", str_from(mac_format(&iface->mac).text));
    patch_str(json, "state", str_from(iface_verdict_name(iface_judge(iface))));
    patch_bool(json, "carrier", iface->running);
    patch_str(json, "linkLocal",
              ip_is_set(&iface->link_local) ? str_from(ip_format(&iface->link_local).text)
                                            : STR(""));
    patch_bool(json, "listening", apply_listens(speaker_apply(speaker), iface->index, NULL));
    patch_close(json);
}

static void put_interfaces(struct patch *json, const struct speaker *speaker, struct arena *arena)
{
    size_t count;
    const struct iface *ifaces = netlink_list(speaker_netlink(speaker), arena, &count);
    patch_list(json, "interfaces");
    for (size_t i = 0; i < count; i++)
        put_interface(json, speaker, &ifaces[i]);
    patch_close(json);
}

static void put_member(struct patch *json, const struct gossip_member *member)
{
    patch_open(json, NULL);
    patch_str(json, "name", member->name);
    patch_str(json, "state", str_from(gossip_state_name(member->state)));
    patch_str(json, "address", str_from(ip_format(&member->address).text));
    patch_str(json, "role", str_from(gossip_role_name(member->meta.role)));
    patch_bool(json, "self", member->self);
    patch_bool(json, "held", member->meta.held);
    patch_bool(json, "starting", member->meta.starting);
    patch_bool(json, "leaving", member->meta.leaving);
    patch_list(json, "interfaces");
    for (size_t i = 0; i < member->meta.count; i++)
        patch_str(json, NULL, member->meta.interfaces[i].name);
    patch_close(json);
    patch_close(json);
}

static void put_members(struct patch *json, const struct speaker *speaker, struct arena *arena)
{
    size_t count;
    const struct gossip_member *members = peers_list(speaker_peers(speaker), arena, &count);
    patch_bool(json, "watches", peers_watch(speaker_peers(speaker)));
    patch_list(json, "members");
    for (size_t i = 0; i < count; i++)
        put_member(json, &members[i]);
    patch_close(json);
}

static void show_announcements(void *ctx, const struct http_request *request,
                               struct http_response *response)
{
    const struct speaker *speaker = ((const struct rest *)ctx)->speaker;
    const struct plan *plan = speaker_plan(speaker);
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_str(&json, "node", speaker_node(speaker));
    patch_bool(&json, "ready", plan != NULL);
    patch_bool(&json, "stale", speaker_saved(speaker).stale);
    put_addresses(&json, speaker, request->arena);
    patch_list(&json, "services");
    for (size_t i = 0; plan && i < plan->basis->service_count; i++) {
        struct plan_service service = plan_service_at(plan, i);
        put_service(&json, &service);
    }
    patch_close(&json);
    carrier_rest_put(&json, speaker_carrier(speaker));
    put_interfaces(&json, speaker, request->arena);
    put_members(&json, speaker, request->arena);
    patch_list(&json, "findings");
    program_findings_put(&json, speaker_input_findings(speaker));
    program_findings_put(&json, speaker_findings(speaker));
    patch_close(&json);
    patch_close(&json);
    patch_give(&json, &response->body);
    sbuf_putc(&response->body, '\n');
}

/* --- BGP ------------------------------------------------------------------------------------- */

static void show_bgp(void *ctx, const struct http_request *request, struct http_response *response)
{
    const struct speaker *speaker = ((const struct rest *)ctx)->speaker;
    scoped_patch struct patch json = {0};
    bgp_rest_put(&json, speaker_bgp(speaker), speaker_node(speaker), request->arena);
    patch_give(&json, &response->body);
    sbuf_putc(&response->body, '\n');
}

/* --- why ------------------------------------------------------------------------------------- */

static void show_service(void *ctx, const struct http_request *request,
                         struct http_response *response)
{
    struct str key = arena_printf(request->arena, STR_FMT "/" STR_FMT,
                                  STR_ARG(request->parameters[0]), STR_ARG(request->parameters[1]));
    explain_service(((const struct rest *)ctx)->speaker, key, request, response);
}

static void show_address(void *ctx, const struct http_request *request,
                         struct http_response *response)
{
    explain_address(((const struct rest *)ctx)->speaker, request->parameters[0], request, response);
}

/* --- metrics and health ---------------------------------------------------------------------- */

static void refresh_interfaces(struct rest *rest, struct arena *arena)
{
    size_t count;
    struct responder_figures figures;
    const struct iface *ifaces = netlink_list(speaker_netlink(rest->speaker), arena, &count);
    speaker_metrics_clear_interfaces(rest->metrics);
    for (size_t i = 0; i < count; i++) {
        if (apply_listens(speaker_apply(rest->speaker), ifaces[i].index, &figures))
            speaker_metrics_interface(rest->metrics, ifaces[i].name, &figures);
    }
}

static void refresh_members(struct rest *rest)
{
    const struct speaker *speaker = rest->speaker;
    const struct gossip *gossip = peers_gossip(speaker_peers(speaker));
    struct talk_figures talk = duty_talk(speaker_duty(speaker));
    for (size_t i = TENURE_NONE + 1; i < TENURE_STATES; i++)
        speaker_metrics_state(rest->metrics, (enum tenure_state)i,
                              apply_count(speaker_apply(speaker), (enum tenure_state)i));
    speaker_metrics_talk(rest->metrics, STR("sent"), talk.sent);
    speaker_metrics_talk(rest->metrics, STR("received"), talk.received);
    if (!gossip)
        return;
    struct gossip_figures figures = gossip_figures(gossip);
    speaker_metrics_members(rest->metrics, &figures.member);
    speaker_metrics_gossip(rest->metrics, STR("sent"), figures.sent, figures.sent_bytes);
    speaker_metrics_gossip(rest->metrics, STR("received"), figures.received,
                           figures.received_bytes);
    for (size_t i = 0; i < GOSSIP_DROPS; i++)
        speaker_metrics_dropped(rest->metrics, gossip_drop_name((enum gossip_drop)i),
                                figures.dropped[i]);
}

/* The addresses that are announced are one metric for layer 2 and BGP. */
static void refresh_bgp(struct rest *rest)
{
    const struct plan *plan = speaker_plan(rest->speaker);
    const struct model *model = bgp_model(speaker_bgp(rest->speaker));
    struct str node = speaker_node(rest->speaker);
    if (plan)
        speaker_metrics_plan(rest->metrics, plan, node);
    for (size_t i = 0; model && i < model->service_count; i++) {
        const struct model_service *service = &model->services[i];
        for (size_t j = 0; service->reason == REASON_NONE && j < service->ip_count; j++)
            speaker_metrics_announced_bgp(rest->metrics, service->key, node, &service->ips[j]);
    }
}

static void show_metrics(void *ctx, const struct http_request *request,
                         struct http_response *response)
{
    struct rest *rest = ctx;
    size_t count;
    const struct apply_figures *figures =
        apply_figures(speaker_apply(rest->speaker), request->arena, &count);
    for (size_t i = 0; i < count; i++)
        speaker_metrics_address(rest->metrics, &figures[i].ip, figures[i].requests,
                                figures[i].replies, figures[i].gratuitous);
    refresh_interfaces(rest, request->arena);
    struct source_saved saved = speaker_saved(rest->speaker);
    speaker_metrics_saved(rest->metrics, saved.stale, saved.writes, saved.failures, saved.damaged);
    refresh_members(rest);
    speaker_metrics_excludes(rest->metrics,
                             excludes_file_failures(speaker_excludes(rest->speaker)));
    speaker_metrics_handoff(rest->metrics, local_figures(speaker_local(rest->speaker)));
    struct carrier_figures carried = carrier_figures(speaker_carrier(rest->speaker));
    speaker_metrics_carrier(rest->metrics, &carried);
    refresh_bgp(rest);
    const struct metrics *sets[] = {speaker_metrics_set(rest->metrics),
                                    bgp_metrics(speaker_bgp(rest->speaker))};
    program_servers_show_metrics(rest->servers, sets, sizeof(sets) / sizeof(sets[0]), request,
                                 response);
}

static bool is_ready(void *ctx, const char **ret_phrase)
{
    return speaker_is_ready(((const struct rest *)ctx)->speaker, ret_phrase);
}

static const struct http_route api_routes[] = {
    {"GET", "/api/v1/announcements", show_announcements},
    {"GET", "/api/v1/bgp", show_bgp},
    {"GET", "/api/v1/explain/{address}", show_address},
    {"GET", "/api/v1/explain/{namespace}/{name}", show_service},
    {"GET", "/metrics", show_metrics},
};

/* --- servers --------------------------------------------------------------------------------- */

struct rest *rest_start(struct program *program, const struct speaker *speaker,
                        struct speaker_metrics *metrics, struct str *ret_error)
{
    struct rest *rest = heap_alloc(sizeof(*rest));
    struct program_servers_config config = {
        .routes = api_routes,
        .route_count = sizeof(api_routes) / sizeof(api_routes[0]),
        .health_address = STR("127.0.0.1"),
        .ready = is_ready,
        .ctx = rest,
    };
    rest->speaker = speaker;
    rest->metrics = metrics;
    rest->servers = program_servers_open(program, &config, ret_error);
    return rest->servers ? rest : rest_stop(rest);
}

struct rest *rest_stop(struct rest *rest)
{
    if (!rest)
        return NULL;
    (void)program_servers_close(rest->servers);
    free(rest);
    return NULL;
}
