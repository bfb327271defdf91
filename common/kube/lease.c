#include "common/kube/lease.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/kube/path.h"
#include "common/kube/status.h"

struct lease {
    struct client *client;
    struct loop *loop;
    struct arena *arena; /* of the texts below */
    struct lease_settings settings;
    struct str collection, object; /* paths */
    struct lease_state state;
    struct client_call *call;
    struct loop_timer *timer, *starting;
    bool reading; /* what the call is */
    void (*released)(void *ctx);
    void *released_ctx;
};

static void step(struct lease *lease, const struct lease_event *event);

static void on_start(void *ctx)
{
    struct lease *lease = ctx;
    lease->starting = NULL;
    step(lease, &(struct lease_event){.type = LEASE_START});
}

struct lease *lease_new(struct client *client, const struct lease_settings *settings)
{
    assert(settings->lease_ms > settings->renew_ms && settings->renew_ms > settings->retry_ms);
    struct lease *lease = heap_alloc(sizeof(*lease));
    *lease = (struct lease){
        .client = client,
        .loop = client_loop(client),
        .arena = arena_new(0),
        .settings = *settings,
    };
    struct lease_settings *own = &lease->settings;
    own->namespace = arena_str(lease->arena, settings->namespace);
    own->name = arena_str(lease->arena, settings->name);
    own->identity = arena_str(lease->arena, settings->identity);
    struct str group = STR("coordination.k8s.io"), version = STR("v1"), plural = STR("leases");
    lease->collection = path_of(group, version, own->namespace, plural, STR(""), lease->arena);
    lease->object = path_of(group, version, own->namespace, plural, own->name, lease->arena);
    struct lease_config config = {.identity = own->identity,
                                  .lease_ms = own->lease_ms,
                                  .renew_ms = own->renew_ms,
                                  .retry_ms = own->retry_ms};
    lease_state_init(&lease->state, &config);
    lease->starting = loop_defer(lease->loop, on_start, lease);
    return lease;
}

struct lease *lease_free(struct lease *lease)
{
    if (!lease)
        return NULL;
    lease->call = client_cancel(lease->call);
    lease->timer = loop_timer_cancel(lease->timer);
    lease->starting = loop_timer_cancel(lease->starting);
    lease_state_done(&lease->state);
    (void)arena_free(lease->arena);
    free(lease);
    return NULL;
}

/* What an answer means to the state machine. */
static enum lease_event_type event_type(bool reading, int result)
{
    if (result == 0)
        return reading ? LEASE_READ : LEASE_WRITTEN;
    if (result == -ENOENT)
        return reading ? LEASE_ABSENT : LEASE_CONFLICT; /* removed since it was read */
    return result == ERR_CONFLICT ? LEASE_CONFLICT : LEASE_FAILED;
}

static void on_done(void *ctx, const struct http_response *response)
{
    struct lease *lease = ctx;
    lease->call = NULL;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct status status = {.result = response->result, .message = response->error};
    if (response->result == 0)
        status = status_decode(response->code, response->body, response->retry_after_s, arena);
    struct lease_event event = {.type = event_type(lease->reading, status.result)};
    if (status.result == 0) {
        json_t *tree = json_loadb(response->body.ptr, response->body.len, 0, NULL);
        event.record = lease_decode(tree, arena);
        if (!tree || !event.record.version.len)
            event.type = LEASE_FAILED;
        json_decref(tree);
    }
    if (event.type == LEASE_FAILED)
        log_warn("lease not reached", kv_str("lease", lease->settings.name),
                 kv_str("why", status.message), kv_bool("reading", lease->reading));
    step(lease, &event);
}

static void send_request(struct lease *lease, const char *method, struct str path,
                         const char *content_type, struct str body)
{
    struct http_request request = {
        .method = method,
        .path = path,
        .content_type = str_from(content_type),
        .body = body,
        .timeout_ms = lease->settings.renew_ms / 2,
        .done = on_done,
        .ctx = lease,
    };
    lease->reading = !body.len;
    lease->call = client_call(lease->client, &request);
}

static void on_timer(void *ctx)
{
    struct lease *lease = ctx;
    lease->timer = NULL;
    step(lease, &(struct lease_event){.type = LEASE_TIMER});
}

static void wake_at(struct lease *lease, uint64_t at)
{
    lease->timer = loop_timer_cancel(lease->timer);
    if (at == UINT64_MAX)
        return;
    uint64_t now = loop_now(lease->loop);
    lease->timer = loop_timer_start(lease->loop, at > now ? at - now : 0, 0, on_timer, lease);
}

static void tell_change(struct lease *lease, enum lease_change change)
{
    if (change == LEASE_UNCHANGED)
        return;
    log_info(change == LEASE_LOST ? "no longer leading" : "leading",
             kv_str("lease", lease->settings.name), kv_str("identity", lease->settings.identity),
             kv_str("holder", lease_holder(&lease->state)),
             kv_bool("succeeds", change == LEASE_SUCCEEDED));
    lease->settings.changed(lease->settings.ctx, change);
}

static void step(struct lease *lease, const struct lease_event *event)
{
    struct lease_clock clock = {
        .now = loop_now(lease->loop), .wall_ns = loop_wall_ns(), .random = randombytes_random()};
    struct lease_action action = lease_step(&lease->state, event, &clock);
    const struct lease_settings *settings = &lease->settings;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    if (action.cancel)
        lease->call = client_cancel(lease->call);
    wake_at(lease, action.wake_at);
    switch (action.deed) {
    case LEASE_NOTHING:
    case LEASE_DONE:
        break;
    case LEASE_DO_READ:
        send_request(lease, "GET", lease->object, NULL, STR(""));
        break;
    case LEASE_DO_CREATE:
        send_request(lease, "POST", lease->collection, "application/json",
                     lease_body(&action.record, settings->namespace, settings->name, arena));
        break;
    case LEASE_DO_UPDATE:
        send_request(lease, "PATCH", lease->object, "application/merge-patch+json",
                     lease_body(&action.record, settings->namespace, settings->name, arena));
        break;
    }
    tell_change(lease, action.change);
    if (action.deed == LEASE_DONE && lease->released)
        lease->released(lease->released_ctx); /* may free the lease */
}

static void on_release(void *ctx)
{
    struct lease *lease = ctx;
    lease->starting = NULL;
    step(lease, &(struct lease_event){.type = LEASE_STOP});
}

void lease_release(struct lease *lease, void (*done)(void *ctx), void *ctx)
{
    lease->released = done;
    lease->released_ctx = ctx;
    (void)loop_timer_cancel(lease->starting);
    lease->starting = loop_defer(lease->loop, on_release, lease);
}

struct str lease_leader(const struct lease *lease)
{
    return lease_holder(&lease->state);
}

uint64_t lease_left_ms(const struct lease *lease)
{
    const struct lease_state *state = &lease->state;
    uint64_t now = loop_now(lease->loop), ends = state->renewed_at + state->config.lease_ms;
    return state->leading && ends > now ? ends - now : 0;
}
