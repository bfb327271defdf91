#include "controller/rest.h"

#include <stdlib.h>

#include "common/httpd/http.h"
#include "common/json/patch.h"
#include "common/program/program_findings.h"
#include "common/program/program_servers.h"
#include "controller/explain.h"
#include "controller/report.h"
#include "controller/service_patch.h"
#include "controller/settings.h"
#include "crd/annotations.h"
#include "crd/condition.h"
#include "crd/ipaddresspool.h"

struct rest {
    struct controller *controller;
    struct program_servers *servers;
};

static void answer(struct http_response *response, struct patch *json)
{
    patch_give(json, &response->body);
    sbuf_putc(&response->body, '\n');
}

/* --- pools ----------------------------------------------------------------------------------- */

static void put_pool(struct patch *json, const struct ipaddresspool *pool)
{
    const struct condition *accepted = condition_find(&pool->status.conditions, STR("Accepted"));
    patch_open(json, NULL);
    patch_str(json, "name", object_name(&pool->object));
    patch_list(json, "addresses");
    for (size_t i = 0; i < pool->spec.addresses.count; i++)
        patch_str(json, NULL, pool->spec.addresses.items[i]);
    patch_close(json);
    patch_bool(json, "autoAssign", pool->spec.auto_assign);
    patch_bool(json, "avoidBuggyIPs", pool->spec.avoid_buggy_ips);
    patch_int(json, "assignedIPv4", pool->status.assigned_ipv4);
    patch_int(json, "assignedIPv6", pool->status.assigned_ipv6);
    patch_int(json, "availableIPv4", pool->status.available_ipv4);
    patch_int(json, "availableIPv6", pool->status.available_ipv6);
    patch_str(json, "accepted", accepted ? accepted->status : STR("Unknown"));
    patch_str(json, "message", accepted ? accepted->message : STR(""));
    patch_close(json);
}

static void list_pools(void *ctx, const struct http_request *request,
                       struct http_response *response)
{
    const struct rest *rest = ctx;
    size_t count;
    const struct object **pools =
        source_list(rest->controller->source, KIND_IP_ADDRESS_POOL, request->arena, &count);
    struct patch json = {0};
    patch_open(&json, NULL);
    patch_list(&json, "pools");
    for (size_t i = 0; i < count; i++)
        put_pool(&json, (const struct ipaddresspool *)pools[i]);
    patch_close(&json);
    patch_close(&json);
    answer(response, &json);
}

/* --- services -------------------------------------------------------------------------------- */

static void put_shown_nodes(struct patch *json, const struct service *service)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct placement placement;
    struct str text = annotations_read(&service->object, ANNOTATION_PLACEMENT, NULL);
    struct str owner = {0};
    struct str_list backups = {0};
    if (placement_parse(text, scratch, &placement) == PLACEMENT_VALID) {
        owner = placement.nodes.items[0];
        backups = (struct str_list){.items = placement.nodes.items + 1,
                                    .count = placement.nodes.count - 1};
    }
    report_nodes(json, owner, &backups);
}

/* A standby has no plan; it shows what the leader wrote. */
static void put_shown_service(struct patch *json, const struct service *service)
{
    const struct condition *shown =
        condition_find(&service->status.conditions, STR(SERVICE_CONDITION_ALLOCATED));
    const struct service_ingress *ingress = service->status.ingress.items;
    patch_open(json, NULL);
    patch_str(json, "namespace", object_namespace(&service->object));
    patch_str(json, "name", object_name(&service->object));
    patch_list(json, "ips");
    for (size_t i = 0; i < service->status.ingress.count; i++) {
        if (ingress[i].ip.len)
            patch_str(json, NULL, ingress[i].ip);
    }
    patch_close(json);
    put_shown_nodes(json, service);
    patch_str(json, "pool",
              annotations_read(&service->object, ANNOTATION_ALLOCATED_FROM_POOL, NULL));
    patch_str(json, "reason", shown ? shown->reason : STR(""));
    patch_str(json, "message", shown ? shown->message : STR(""));
    patch_close(json);
}

static void list_services(void *ctx, const struct http_request *request,
                          struct http_response *response)
{
    const struct controller *c = ((const struct rest *)ctx)->controller;
    struct patch json = {0};
    size_t count;
    patch_open(&json, NULL);
    patch_list(&json, "services");
    if (c->plan) {
        const struct plan_record **records = plan_list(c->plan, request->arena, &count);
        for (size_t i = 0; i < count; i++) {
            if (report_includes(records[i]))
                report_service(&json, records[i], c->placing);
        }
    } else {
        const struct object **services =
            source_list(c->source, KIND_SERVICE, request->arena, &count);
        for (size_t i = 0; i < count; i++) {
            const struct service *service = (const struct service *)services[i];
            if (service->is_load_balancer)
                put_shown_service(&json, service);
        }
    }
    patch_close(&json);
    patch_close(&json);
    answer(response, &json);
}

static void explain(void *ctx, const struct http_request *request, struct http_response *response)
{
    const struct controller *c = ((const struct rest *)ctx)->controller;
    struct str namespace = request->parameters[0], name = request->parameters[1];
    const struct object *object = source_get(c->source, KIND_SERVICE, namespace, name);
    if (!object) {
        http_error(response, 404, "there is no Service " STR_FMT "/" STR_FMT, STR_ARG(namespace),
                   STR_ARG(name));
        return;
    }
    const struct plan_record *record = c->plan ? plan_get(c->plan, object->key) : NULL;
    if (!record || !record->reason) {
        http_error(response, 503,
                   c->leader ? "nothing has been planned for this Service yet"
                             : "this replica stands by; ask the leader");
        return;
    }
    struct patch json = {0};
    explain_service(&json, c->plan, c->placing, record, (const struct service *)object);
    answer(response, &json);
}

/* --- configuration --------------------------------------------------------------------------- */

static void show_config(void *ctx, const struct http_request *request,
                        struct http_response *response)
{
    (void)request;
    const struct controller *c = ((const struct rest *)ctx)->controller;
    const struct diag_list *config = config_findings(c->config);
    const struct diag_list *source = source_findings(c->source);
    struct patch json = {0};
    patch_open(&json, NULL);
    patch_bool(&json, "leader", c->leader);
    patch_bool(&json, "valid", diag_errors(config) + diag_errors(source) == 0);
    patch_list(&json, "findings");
    program_findings_put(&json, source);
    program_findings_put(&json, config);
    patch_close(&json);
    patch_close(&json);
    answer(response, &json);
}

/* --- metrics and health ---------------------------------------------------------------------- */

static void refresh(struct controller *c)
{
    struct work_figures work = work_queue_figures(c->queue);
    controller_metrics_queue(c->metrics, work.ready + work.waiting, work.in_flight, work.retried);
    controller_metrics_pools(c->metrics, c->plan ? plan_alloc(c->plan) : NULL);
    controller_metrics_records(c->metrics, c->plan);
    controller_metrics_placing(c->metrics, c->placing, c->moves_left);
}

static void show_metrics(void *ctx, const struct http_request *request,
                         struct http_response *response)
{
    const struct rest *rest = ctx;
    const struct metrics *set = controller_metrics_set(rest->controller->metrics);
    refresh(rest->controller);
    program_servers_show_metrics(rest->servers, &set, 1, request, response);
}

static bool is_ready(void *ctx, const char **ret_phrase)
{
    const struct controller *c = ((const struct rest *)ctx)->controller;
    bool ready = controller_is_ready(c);
    if (ready)
        *ret_phrase = c->active ? "ok: leading" : "ok: standing by";
    else
        *ret_phrase = c->synced ? "planning" : "listing objects";
    return ready;
}

static const struct http_route api_routes[] = {
    {"GET", "/api/v1/pools", list_pools},
    {"GET", "/api/v1/services", list_services},
    {"GET", "/api/v1/explain/{namespace}/{name}", explain},
    {"GET", "/api/v1/config", show_config},
    {"GET", "/metrics", show_metrics},
};

/* --- servers --------------------------------------------------------------------------------- */

struct rest *rest_start(struct program *program, struct controller *controller,
                        struct str *ret_error)
{
    const struct settings *settings = (const struct settings *)program->settings;
    struct rest *rest = heap_alloc(sizeof(*rest));
    struct program_servers_config config = {
        .routes = api_routes,
        .route_count = sizeof(api_routes) / sizeof(api_routes[0]),
        .cert_dir = settings->cert_dir,
        .health_address = settings->health_address,
        .ready = is_ready,
        .ctx = rest,
    };
    rest->controller = controller;
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
