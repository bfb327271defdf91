#include "common/kube/client.h"

#include <errno.h>
#include <sys/queue.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/sbuf.h"

enum { WARNINGS_MAX = 64 };

struct client_call {
    TAILQ_ENTRY(client_call) link;
    struct client *client;
    struct arena *arena;         /* owns the call and the request's texts */
    struct http_request request; /* the caller's, with its callbacks */
    struct http_call *http;      /* NULL: waits for credentials */
    uint64_t version;            /* of the credentials that were sent */
    bool again;                  /* this is the second try */
};

TAILQ_HEAD(client_calls, client_call);

struct client {
    struct loop *loop;
    struct auth *auth;
    struct transport *transport, *watching;
    uint64_t tls_version; /* what the transports have */
    struct client_calls calls;
    struct loop_timer *failing; /* reports calls without credentials from the loop */
    struct arena *arena;        /* of the warnings */
    struct map warnings;        /* texts of Warning headers that were logged */
};

static void on_ready(void *ctx);

struct client *client_new(struct loop *loop, const struct client_config *config,
                          struct arena *arena, struct str *ret_error)
{
    struct client *client = heap_alloc(sizeof(*client));
    *client = (struct client){.loop = loop, .arena = arena_new(0)};
    TAILQ_INIT(&client->calls);
    client->auth = auth_new(loop, &config->auth, on_ready, client, arena, ret_error);
    if (!client->auth)
        return client_free(client);
    const struct kube_config *found = auth_config(client->auth);
    struct transport_config transport = {
        .server = found->server,
        .tls_server_name = found->tls_server_name,
        .insecure = found->insecure,
        .user_agent = config->user_agent,
        .observe = config->observe,
        .ctx = config->ctx,
    };
    client->transport = transport_new(loop, &transport);
    client->watching = transport_new(loop, &transport);
    return client;
}

struct client *client_free(struct client *client)
{
    if (!client)
        return NULL;
    while (!TAILQ_EMPTY(&client->calls))
        (void)client_cancel(TAILQ_FIRST(&client->calls));
    client->failing = loop_timer_cancel(client->failing);
    client->transport = transport_free(client->transport);
    client->watching = transport_free(client->watching);
    client->auth = auth_free(client->auth);
    map_done(&client->warnings);
    (void)arena_free(client->arena);
    free(client);
    return NULL;
}

struct loop *client_loop(const struct client *client)
{
    return client->loop;
}

struct str client_namespace(const struct client *client)
{
    return auth_config(client->auth)->namespace;
}

bool client_runs_programs(const struct client *client)
{
    return auth_config(client->auth)->exec != NULL;
}

struct str client_server(const struct client *client)
{
    return auth_config(client->auth)->server;
}

static void call_free(struct client_call *call)
{
    TAILQ_REMOVE(&call->client->calls, call, link);
    (void)arena_free(call->arena);
}

/* The server's warnings (deprecated versions and the like), each text once. */
static void log_warning(struct client *client, struct str warning)
{
    if (!warning.len || map_count(&client->warnings) >= WARNINGS_MAX ||
        map_get(&client->warnings, warning))
        return;
    (void)map_put(&client->warnings, arena_str(client->arena, warning), client);
    log_warn("the api server warns", kv_str("warning", warning));
}

static void send_call(struct client_call *call);

static void on_begun(void *ctx)
{
    struct client_call *call = ctx;
    call->request.begun(call->request.ctx);
}

static void on_data(void *ctx, struct str bytes)
{
    struct client_call *call = ctx;
    call->request.data(call->request.ctx, bytes);
}

static void on_done(void *ctx, const struct http_response *response)
{
    struct client_call *call = ctx;
    struct client *client = call->client;
    call->http = NULL;
    log_warning(client, response->warning);
    if (response->result == 0 && response->code == 401 && !call->again &&
        auth_rejected(client->auth, call->version)) {
        call->again = true;
        send_call(call);
        return;
    }
    struct http_request request = call->request;
    call_free(call);
    request.done(request.ctx, response);
}

static void on_failing(void *ctx);

/* Sends the call if there are credentials; else it waits, or is reported as failed. */
static void send_call(struct client_call *call)
{
    struct client *client = call->client;
    enum auth_state state = auth_check(client->auth);
    if (state == AUTH_WAIT)
        return;
    if (state == AUTH_FAILED) {
        if (!client->failing)
            client->failing = loop_defer(client->loop, on_failing, client);
        return;
    }
    struct auth_tls tls = auth_tls(client->auth);
    if (tls.version != client->tls_version) {
        client->tls_version = tls.version;
        transport_set_tls(client->transport, tls.ca, tls.cert, tls.key);
        transport_set_tls(client->watching, tls.ca, tls.cert, tls.key);
    }
    struct http_request request = call->request;
    request.authorization = auth_header(client->auth);
    request.begun = call->request.begun ? on_begun : NULL;
    request.data = call->request.data ? on_data : NULL;
    request.done = on_done;
    request.ctx = call;
    call->version = auth_version(client->auth);
    call->http = transport_call(request.watch ? client->watching : client->transport, &request);
}

/* A call that waits for credentials, or NULL. */
static struct client_call *find_waiting(struct client *client)
{
    struct client_call *call;
    TAILQ_FOREACH(call, &client->calls, link)
    if (!call->http)
        return call;
    return NULL;
}

static void on_failing(void *ctx)
{
    struct client *client = ctx;
    client->failing = NULL;
    static const struct http_response response = {.result = -EACCES,
                                                  .error = STR_INIT("there are no credentials")};
    for (struct client_call *call; (call = find_waiting(client));) {
        if (auth_check(client->auth) != AUTH_FAILED) {
            on_ready(client);
            return;
        }
        struct http_request request = call->request;
        call_free(call);
        request.done(request.ctx, &response);
    }
}

/* The wait for credentials is over, for better or worse. */
static void on_ready(void *ctx)
{
    struct client *client = ctx;
    struct client_call *call;
    TAILQ_FOREACH(call, &client->calls, link)
    if (!call->http)
        send_call(call);
}

struct client_call *client_call(struct client *client, const struct http_request *request)
{
    struct arena *arena = arena_new(0);
    struct client_call *call = arena_alloc(arena, sizeof(*call));
    *call = (struct client_call){.client = client, .arena = arena, .request = *request};
    call->request.path = arena_str(arena, request->path);
    call->request.accept = arena_str(arena, request->accept);
    call->request.content_type = arena_str(arena, request->content_type);
    call->request.body = arena_str(arena, request->body);
    TAILQ_INSERT_TAIL(&client->calls, call, link);
    send_call(call);
    return call;
}

struct client_call *client_cancel(struct client_call *call)
{
    if (!call)
        return NULL;
    call->http = transport_cancel(call->http);
    call_free(call);
    return NULL;
}
