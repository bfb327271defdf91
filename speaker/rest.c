#include "speaker/rest.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/httpd/httpd.h"
#include "common/json/patch.h"
#include "common/metrics/process_metrics.h"

struct rest {
    struct loop *loop;
    const struct speaker *speaker;
    struct speaker_metrics *metrics;
    struct httpd *api, *health;
    struct metrics *process;
};

/* --- announcements --------------------------------------------------------------------------- */

static void put_list(struct patch *json, const char *key, const struct str_list *list)
{
    patch_list(json, key);
    for (size_t i = 0; i < list->count; i++)
        patch_str(json, NULL, list->items[i]);
    patch_close(json);
}

static void put_address(struct patch *json, const struct speaker *speaker,
                        const struct plan_address *address)
{
    struct apply_figures figures = apply_figures_of(speaker_apply(speaker), &address->ip);
    patch_open(json, NULL);
    patch_str(json, "ip", str_from(ip_format(&address->ip).text));
    put_list(json, "services", &address->services);
    put_list(json, "interfaces", &address->interfaces);
    patch_int(json, "requests", (int64_t)figures.requests);
    patch_int(json, "replies", (int64_t)figures.replies);
    patch_int(json, "gratuitous", (int64_t)figures.gratuitous);
    patch_close(json);
}

static void put_service(struct patch *json, const struct plan_service *service)
{
    struct str namespace, name;
    (void)str_cut(service->key, '/', &namespace, &name);
    patch_open(json, NULL);
    patch_str(json, "namespace", namespace);
    patch_str(json, "name", name);
    patch_list(json, "ips");
    for (size_t i = 0; i < service->ip_count; i++)
        patch_str(json, NULL, str_from(ip_format(&service->ips[i]).text));
    patch_close(json);
    patch_bool(json, "announced", service->reason == REASON_NONE);
    patch_str(json, "reason", str_from(reason_name(service->reason)));
    patch_str(json, "owner", service->owner);
    patch_str(json, "placement", str_from(elect_verdict_name(service->placement)));
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
    patch_bool(json, "listening", apply_listens(speaker_apply(speaker), iface->index, NULL));
    patch_close(json);
}

static void put_findings(struct patch *json, const struct diag_list *list)
{
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        patch_open(json, NULL);
        patch_str(json, "object", diag->object);
        patch_str(json, "field", diag->field);
        patch_str(json, "severity", str_from(diag_severity_name(diag->severity)));
        patch_str(json, "message", diag->message);
        patch_close(json);
    }
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

static void show_announcements(void *ctx, const struct http_request *request,
                               struct http_response *response)
{
    const struct speaker *speaker = ((const struct rest *)ctx)->speaker;
    const struct plan *plan = speaker_plan(speaker);
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_str(&json, "node", speaker_node(speaker));
    patch_bool(&json, "ready", plan != NULL);
    patch_list(&json, "addresses");
    for (size_t i = 0; plan && i < plan->address_count; i++)
        put_address(&json, speaker, &plan->addresses[i]);
    patch_close(&json);
    patch_list(&json, "services");
    for (size_t i = 0; plan && i < plan->service_count; i++)
        put_service(&json, &plan->services[i]);
    patch_close(&json);
    put_interfaces(&json, speaker, request->arena);
    patch_list(&json, "findings");
    put_findings(&json, speaker_input_findings(speaker));
    put_findings(&json, speaker_findings(speaker));
    patch_close(&json);
    patch_close(&json);
    sbuf_put(&response->body, patch_text(&json));
    sbuf_putc(&response->body, '\n');
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
            speaker_metrics_interface(rest->metrics, ifaces[i].name, figures.verdicts,
                                      figures.send_errors);
    }
}

static void show_metrics(void *ctx, const struct http_request *request,
                         struct http_response *response)
{
    struct rest *rest = ctx;
    enum metrics_format format = metrics_negotiate(request->accept);
    size_t count;
    const struct apply_figures *figures =
        apply_figures(speaker_apply(rest->speaker), request->arena, &count);
    for (size_t i = 0; i < count; i++)
        speaker_metrics_address(rest->metrics, &figures[i].ip, figures[i].requests,
                                figures[i].replies, figures[i].gratuitous);
    refresh_interfaces(rest, request->arena);
    process_metrics_update(rest->process);
    const struct metrics *sets[] = {speaker_metrics_set(rest->metrics), rest->process};
    metrics_render(sets, sizeof(sets) / sizeof(sets[0]), format, &response->body);
    response->content_type = metrics_content_type(format);
}

static void show_health(void *ctx, const struct http_request *request,
                        struct http_response *response)
{
    (void)ctx;
    (void)request;
    http_text(response, 200, "ok");
}

static void show_ready(void *ctx, const struct http_request *request,
                       struct http_response *response)
{
    (void)request;
    if (speaker_is_ready(((const struct rest *)ctx)->speaker))
        http_text(response, 200, "ok");
    else
        http_text(response, 503, "listing objects and interfaces");
}

static const struct http_route api_routes[] = {
    {"GET", "/api/v1/announcements", show_announcements},
    {"GET", "/metrics", show_metrics},
};

static const struct http_route health_routes[] = {
    {"GET", "/healthz", show_health},
    {"GET", "/readyz", show_ready},
};

/* --- servers --------------------------------------------------------------------------------- */

static struct httpd *open_server(struct rest *rest, struct httpd_config *config,
                                 struct arena *arena, struct str *ret_error)
{
    struct httpd *server = NULL;
    config->ctx = rest;
    int result = httpd_open(rest->loop, config, &server);
    if (result < 0) {
        *ret_error =
            arena_printf(arena, "cannot serve %s on address \"" STR_FMT "\" port %u: %s",
                         config->name, STR_ARG(config->address), config->port, err_text(result));
        return NULL;
    }
    log_info("serving", kv_cstr("what", config->name), kv_str("address", config->address),
             kv_uint("port", httpd_port(server)));
    return server;
}

struct rest *rest_start(struct loop *loop, const struct speaker *speaker,
                        struct speaker_metrics *metrics, const struct settings *settings,
                        struct arena *arena, struct str *ret_error)
{
    struct rest *rest = heap_alloc(sizeof(*rest));
    *rest = (struct rest){
        .loop = loop, .speaker = speaker, .metrics = metrics, .process = process_metrics_new()};
    struct httpd_config api = {
        .name = "api",
        .address = settings->bind_address,
        .port = (uint16_t)settings->port,
        .routes = api_routes,
        .route_count = sizeof(api_routes) / sizeof(api_routes[0]),
    };
    struct httpd_config health = {
        .name = "health",
        .address = STR("127.0.0.1"),
        .port = (uint16_t)settings->health_port,
        .routes = health_routes,
        .route_count = sizeof(health_routes) / sizeof(health_routes[0]),
    };
    rest->api = open_server(rest, &api, arena, ret_error);
    rest->health = rest->api ? open_server(rest, &health, arena, ret_error) : NULL;
    return rest->health ? rest : rest_stop(rest);
}

struct rest *rest_stop(struct rest *rest)
{
    if (!rest)
        return NULL;
    (void)httpd_close(rest->api);
    (void)httpd_close(rest->health);
    (void)metrics_free(rest->process);
    free(rest);
    return NULL;
}
