#include "common/program/program_servers.h"

#include <stdlib.h>

#include "common/base/err.h"
#include "common/httpd/httpd.h"
#include "common/metrics/process_metrics.h"

struct program_servers {
    struct httpd *api, *health;
    struct metrics *process;
    bool (*ready)(void *ctx, const char **ret_phrase);
    void *ctx;
};

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
    const struct program_servers *servers = ctx;
    const char *phrase = "";
    (void)request;
    bool ready = servers->ready(servers->ctx, &phrase);
    http_text(response, ready ? 200 : 503, phrase);
}

static const struct http_route health_routes[] = {
    {"GET", "/healthz", show_health},
    {"GET", "/readyz", show_ready},
};

static struct httpd *open_server(struct program *program, const struct httpd_config *config,
                                 struct str *ret_error)
{
    struct httpd *server = NULL;
    int result = httpd_open(program->loop, config, &server);
    if (result < 0) {
        *ret_error =
            arena_printf(program->arena, "cannot serve %s on address \"" STR_FMT "\" port %u: %s",
                         config->name, STR_ARG(config->address), config->port, err_text(result));
        return NULL;
    }
    log_info("serving", kv_cstr("what", config->name), kv_str("address", config->address),
             kv_uint("port", httpd_port(server)));
    return server;
}

struct program_servers *program_servers_open(struct program *program,
                                             const struct program_servers_config *config,
                                             struct str *ret_error)
{
    const struct program_settings *settings = program->settings;
    struct program_servers *servers = heap_alloc(sizeof(*servers));
    *servers = (struct program_servers){
        .process = process_metrics_new(), .ready = config->ready, .ctx = config->ctx};
    struct httpd_config api = {
        .name = "api",
        .address = settings->bind_address,
        .port = (uint16_t)settings->port,
        .routes = config->routes,
        .route_count = config->route_count,
        .ctx = config->ctx,
    };
    struct httpd_config health = {
        .name = "health",
        .address = config->health_address,
        .port = (uint16_t)settings->health_port,
        .routes = health_routes,
        .route_count = sizeof(health_routes) / sizeof(health_routes[0]),
        .ctx = servers,
    };
    if (config->cert_dir.len) {
        struct str dir = config->cert_dir;
        api.certificate_file = arena_printf(program->arena, STR_FMT "/tls.crt", STR_ARG(dir));
        api.key_file = arena_printf(program->arena, STR_FMT "/tls.key", STR_ARG(dir));
    }
    servers->api = open_server(program, &api, ret_error);
    servers->health = servers->api ? open_server(program, &health, ret_error) : NULL;
    return servers->health ? servers : program_servers_close(servers);
}

struct program_servers *program_servers_close(struct program_servers *servers)
{
    if (!servers)
        return NULL;
    (void)httpd_close(servers->api);
    (void)httpd_close(servers->health);
    (void)metrics_free(servers->process);
    free(servers);
    return NULL;
}

void program_servers_show_metrics(struct program_servers *servers,
                                  const struct metrics *const *sets, size_t count,
                                  const struct http_request *request,
                                  struct http_response *response)
{
    enum metrics_format format = metrics_negotiate(request->accept);
    const struct metrics **all = arena_array(request->arena, count + 1, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        all[i] = sets[i];
    all[count] = servers->process;
    process_metrics_update(servers->process);
    metrics_render(all, count + 1, format, &response->body);
    response->content_type = metrics_content_type(format);
}
