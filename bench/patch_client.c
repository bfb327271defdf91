/* The plain client that the controller is measured against: gives every Service of type
 * LoadBalancer an address by one status PATCH, 64 in flight, with no decision behind it.
 *
 * usage: patch_client KUBECONFIG
 * prints: writes=N failed=N seconds=S */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/json/patch.h"
#include "common/net/ip.h"
#include "common/source/source_kube.h"
#include "crd/service.h"

enum { IN_FLIGHT = 64 };

struct client {
    struct loop *loop;
    struct source *source;
    struct arena *arena;
    const struct object **services; /* referenced */
    size_t count, next, answered, failed;
    uint64_t started_ns;
};

static void send_next(struct client *client);

static void done(void *ctx, int result, struct str message, struct str version)
{
    struct client *client = ctx;
    (void)message;
    (void)version;
    client->answered++;
    client->failed += result < 0;
    if (client->answered < client->count) {
        send_next(client);
        return;
    }
    (void)printf("writes=%zu failed=%zu seconds=%.3f\n", client->count, client->failed,
                 (double)(loop_clock_ns() - client->started_ns) / 1e9);
    loop_stop(client->loop);
}

/* The same patch as the controller's. */
static struct str body_of(const struct object *service, size_t number, struct arena *arena)
{
    struct ip first = ip_v4(198, 19, 0, 0), ip = {0};
    struct patch patch = {0};
    (void)ip_add(&first, number, &ip);
    patch_open(&patch, NULL);
    patch_open(&patch, "metadata");
    patch_str(&patch, "resourceVersion", service->resource_version);
    patch_open(&patch, "annotations");
    patch_str(&patch, "metallb.io/ip-allocated-from-pool", STR("bench"));
    patch_close(&patch);
    patch_close(&patch);
    patch_open(&patch, "status");
    patch_open(&patch, "loadBalancer");
    patch_list(&patch, "ingress");
    patch_open(&patch, NULL);
    patch_str(&patch, "ip", str_from(ip_format(&ip).text));
    patch_close(&patch);
    patch_close(&patch);
    patch_close(&patch);
    patch_list(&patch, "conditions");
    patch_open(&patch, NULL);
    patch_str(&patch, "type", STR("stentor.io/Allocated"));
    patch_str(&patch, "status", STR("True"));
    patch_str(&patch, "reason", STR("Allocated"));
    patch_str(&patch, "message",
              arena_printf(arena, "%s from pool \"bench\"", ip_format(&ip).text));
    patch_str(&patch, "lastTransitionTime", STR("2026-01-01T00:00:00Z"));
    patch_close(&patch);
    patch_close(&patch);
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

static void send_next(struct client *client)
{
    if (client->next == client->count)
        return;
    scoped_ptr(arena) struct arena *scratch = arena_new(1024);
    const struct object *service = client->services[client->next];
    struct source_write write = {
        .verb = SOURCE_PATCH_STATUS,
        .kind = KIND_SERVICE,
        .namespace = object_namespace(service),
        .name = object_name(service),
        .body = body_of(service, client->next, scratch),
        .done = done,
        .ctx = client,
    };
    client->next++;
    (void)source_write(client->source, &write);
}

static void synced(void *ctx)
{
    struct client *client = ctx;
    if (client->services)
        return;
    size_t all;
    client->services = source_list(client->source, KIND_SERVICE, client->arena, &all);
    for (size_t i = 0; i < all; i++) {
        if (((const struct service *)client->services[i])->is_load_balancer)
            client->services[client->count++] = object_ref(client->services[i]);
    }
    client->started_ns = loop_clock_ns();
    for (size_t i = 0; i < IN_FLIGHT; i++)
        send_next(client);
}

static void changed(void *ctx, const struct object *before, const struct object *after)
{
    (void)ctx;
    (void)before;
    (void)after;
}

static void findings(void *ctx)
{
    (void)ctx;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: patch_client KUBECONFIG\n");
        return 2;
    }
    log_init("patch_client", LOG_LEVEL_WARN, LOG_FORMAT_LOGFMT);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct client client = {.loop = loop, .arena = arena};
    struct source_kube_config config = {.auth = {.kubeconfig = argv[1]},
                                        .program = STR("patch_client")};
    struct str error = {0};
    scoped_ptr(source) struct source *source = source_kube_new(loop, &config, arena, &error);
    if (!source) {
        (void)fprintf(stderr, "patch_client: " STR_FMT "\n", STR_ARG(error));
        return 1;
    }
    client.source = source;
    struct source_follow follow = {.kind = KIND_SERVICE};
    struct source_calls calls = {
        .changed = changed, .synced = synced, .findings = findings, .ctx = &client};
    source_start(source, &follow, 1, &calls);
    loop_run(loop);
    for (size_t i = 0; i < client.count; i++)
        (void)object_unref((struct object *)client.services[i]);
    return client.failed || client.count == 0;
}
