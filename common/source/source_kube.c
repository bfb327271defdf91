#include "common/source/source_kube.h"

#include <assert.h>
#include <sys/queue.h>

#include "common/base/log.h"
#include "common/base/sbuf.h"
#include "common/kube/lease.h"
#include "common/kube/writer.h"
#include "common/source/saved.h"
#include "common/source/source_ops.h"

/* How long a server may take for the first lists before saved state is used; when it refuses, that
 * is done at once. */
enum { PATIENCE_MS = 2000 };

/* A write that is not done. */
struct kube_request {
    struct source_request request; /* first */
    LIST_ENTRY(kube_request) link;
    struct write *write;
    void (*done)(void *ctx, int result, struct str message, struct str resource_version);
    void *ctx;
};

struct source_kube {
    struct source source; /* first */
    struct loop *loop;
    struct client *client;
    struct writer *writer;
    LIST_HEAD(, kube_request) requests;
    struct events *events;
    struct lease *lease;
    struct source_election election; /* whom to tell; its texts are not kept */
    struct reflector *reflectors[KIND_COUNT];
    size_t reflector_count;
    struct saved *saved;         /* NULL: nothing is saved */
    struct loop_timer *patience; /* until saved state is used */
    size_t object_max;
    bool syncing;                  /* `synced` is owed */
    struct loop_timer *refreshing; /* deferred */
    struct loop_timer *reporting;  /* deferred: findings */
    struct loop_timer *resigning;  /* deferred: there was nothing to resign */
    void (*resigned)(void *ctx);
    void *resigned_ctx;
};

static struct source_kube *kube_of(const struct source *source)
{
    return (struct source_kube *)(uintptr_t)source;
}

/* Calls of the reflectors. */

static void on_put(void *ctx, struct object *object)
{
    struct source_kube *kube = ctx;
    object = source_reduce(&kube->source, object);
    if (kube->saved)
        saved_note(kube->saved, cache_get(kube->source.cache, object->kind->id, object->key),
                   object);
    source_put(&kube->source, object);
}

static void on_remove(void *ctx, enum kind_id kind, struct str key)
{
    struct source_kube *kube = ctx;
    if (kube->saved)
        saved_note(kube->saved, cache_get(kube->source.cache, kind, key), NULL);
    source_remove(&kube->source, kind, key);
}

/* --- saved state ----------------------------------------------------------------------------- */

static struct reflector *reflector_of(const struct source_kube *kube, enum kind_id kind)
{
    for (size_t i = 0; i < kube->reflector_count; i++) {
        if (reflector_kind(kube->reflectors[i]) == kind)
            return kube->reflectors[i];
    }
    return NULL;
}

/* What the server has told already is true, and of other kinds or namespaces nothing is asked. */
static void on_saved(void *ctx, struct object *owned)
{
    struct source_kube *kube = ctx;
    scoped_ptr(object) struct object *object = owned;
    struct reflector *reflector = reflector_of(kube, object->kind->id);
    if (!reflector || reflector_is_listed(reflector) ||
        !reflector_follows(reflector, object_namespace(object)) ||
        cache_get(kube->source.cache, object->kind->id, object->key))
        return;
    source_put(&kube->source, source_reduce(&kube->source, take_ptr(object)));
}

static void read_saved(struct source_kube *kube)
{
    if (!kube->syncing || saved_load(kube->saved, on_saved, kube) == 0)
        return;
    kube->source.saved.stale = true;
    log_warn("the api server does not answer: working from saved state",
             kv_str("server", client_server(kube->client)));
    if (kube->source.calls.synced)
        kube->source.calls.synced(kube->source.calls.ctx);
}

static void on_impatience(void *ctx)
{
    struct source_kube *kube = ctx;
    kube->patience = NULL;
    read_saved(kube);
}

/* The server refuses: there is nothing to be patient for. */
static void use_saved(struct source_kube *kube)
{
    if (!kube->patience)
        return; /* done, or never to be done */
    kube->patience = loop_timer_cancel(kube->patience);
    read_saved(kube);
}

/* Objects from the file have no version; what is left of them when the kind has been listed (it is
 * not even installed, for else the list has named or swept them) is gone. */
static void drop_saved(struct source_kube *kube, enum kind_id kind)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct object **all = cache_list(kube->source.cache, kind, arena, &count);
    struct str_list gone = {.items = arena_array(arena, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++) {
        if (!all[i]->resource_version.len)
            gone.items[gone.count++] = arena_str(arena, all[i]->key);
    }
    for (size_t i = 0; i < gone.count; i++)
        source_remove(&kube->source, kind, gone.items[i]);
}

/* Everything has been listed: what is there is the server's. */
static void server_answers(struct source_kube *kube)
{
    kube->patience = loop_timer_cancel(kube->patience);
    if (kube->source.saved.stale)
        log_info("the api server answers, saved state is replaced",
                 kv_str("server", client_server(kube->client)));
    kube->source.saved.stale = false;
    if (kube->saved)
        saved_begin(kube->saved);
}

static void on_listed(void *ctx, struct reflector *reflector)
{
    struct source_kube *kube = ctx;
    if (kube->source.saved.stale)
        drop_saved(kube, reflector_kind(reflector));
    for (size_t i = 0; i < kube->reflector_count; i++)
        if (!reflector_is_listed(kube->reflectors[i]))
            return;
    if (!kube->syncing || kube->refreshing) /* what is listed now is older than was asked for */
        return;
    kube->syncing = false;
    server_answers(kube);
    if (kube->source.calls.synced)
        kube->source.calls.synced(kube->source.calls.ctx);
}

static void on_report(void *ctx)
{
    struct source_kube *kube = ctx;
    kube->reporting = NULL;
    bool refused = false;
    struct diag_list *list = source_reset_findings(&kube->source);
    for (size_t i = 0; i < kube->reflector_count; i++) {
        const struct reflector *reflector = kube->reflectors[i];
        reflector_findings(reflector, list);
        refused = refused ||
                  (!reflector_is_listed(reflector) && reflector_counts(reflector).failures > 0);
    }
    if (refused)
        use_saved(kube);
    if (kube->source.calls.findings)
        kube->source.calls.findings(kube->source.calls.ctx);
}

static void on_findings(void *ctx)
{
    struct source_kube *kube = ctx;
    if (!kube->reporting)
        kube->reporting = loop_defer(kube->loop, on_report, kube);
}

/* Operations of the source. */

static void kube_start(struct source *source, const struct source_follow *follow, size_t count)
{
    struct source_kube *kube = kube_of(source);
    assert(count <= KIND_COUNT && kube->reflector_count == 0);
    kube->syncing = true;
    for (size_t i = 0; i < count; i++) {
        struct reflector_config config = {
            .kind = follow[i].kind,
            .namespace = follow[i].namespace,
            .name = follow[i].name,
            .labels = follow[i].labels,
            .optional = follow[i].optional,
            .object_max = kube->object_max,
            .put = on_put,
            .remove = on_remove,
            .listed = on_listed,
            .findings = on_findings,
            .ctx = kube,
        };
        kube->reflectors[i] = reflector_new(kube->client, source->cache, &config);
    }
    kube->reflector_count = count;
    if (kube->saved)
        kube->patience = loop_timer_start(kube->loop, PATIENCE_MS, 0, on_impatience, kube);
    for (size_t i = 0; i < count; i++)
        reflector_start(kube->reflectors[i]);
}

/* From the loop, since a relist must not come from inside a call about an object of it. */
static void on_refresh(void *ctx)
{
    struct source_kube *kube = ctx;
    kube->refreshing = NULL;
    kube->syncing = true;
    for (size_t i = 0; i < kube->reflector_count; i++)
        reflector_relist(kube->reflectors[i]);
}

static void kube_refresh(struct source *source)
{
    struct source_kube *kube = kube_of(source);
    if (!kube->refreshing)
        kube->refreshing = loop_defer(kube->loop, on_refresh, kube);
}

static void request_free(struct kube_request *request)
{
    LIST_REMOVE(request, link);
    free(request);
}

static void on_written(void *ctx, int result, struct str message, struct str version)
{
    struct kube_request *request = ctx;
    void (*done)(void *, int, struct str, struct str) = request->done;
    void *done_ctx = request->ctx;
    request_free(request);
    if (done)
        done(done_ctx, result, message, version);
}

static struct source_request *kube_write(struct source *source, const struct source_write *write)
{
    static const enum write_verb verbs[] = {
        [SOURCE_CREATE] = WRITE_CREATE,
        [SOURCE_PATCH] = WRITE_PATCH,
        [SOURCE_PATCH_STATUS] = WRITE_PATCH_STATUS,
        [SOURCE_APPLY_STATUS] = WRITE_APPLY_STATUS,
        [SOURCE_APPLY] = WRITE_APPLY,
        [SOURCE_DELETE] = WRITE_DELETE,
        [SOURCE_DELETE_ALL] = WRITE_DELETE_ALL,
    };
    struct kube_request *request = heap_alloc(sizeof(*request));
    *request =
        (struct kube_request){.request.source = source, .done = write->done, .ctx = write->ctx};
    struct write_request sent = {
        .verb = verbs[write->verb],
        .kind = write->kind,
        .namespace = write->namespace,
        .name = write->name,
        .labels = write->labels,
        .body = write->body,
        .manager = write->manager,
        .done = on_written,
        .ctx = request,
    };
    LIST_INSERT_HEAD(&kube_of(source)->requests, request, link);
    request->write = writer_start(kube_of(source)->writer, &sent);
    return &request->request;
}

static struct source_request *kube_cancel(struct source_request *base)
{
    struct kube_request *request = (struct kube_request *)base;
    (void)writer_cancel(request->write);
    request_free(request);
    return NULL;
}

/* A write of a leader that has died must not be done after another one has read what there is. */
static uint64_t while_we_lead(void *ctx)
{
    const struct source_kube *kube = ctx;
    uint64_t left = kube->lease ? lease_left_ms(kube->lease) : 0;
    return left ? left : 1; /* it has run out: this can only come too late */
}

static void lease_changed(void *ctx, enum lease_change change)
{
    static const enum source_lead leads[] = {
        [LEASE_GAINED] = SOURCE_LEADS,
        [LEASE_SUCCEEDED] = SOURCE_SUCCEEDS,
        [LEASE_RESUMED] = SOURCE_RESUMES,
        [LEASE_LOST] = SOURCE_STANDS_BY,
    };
    const struct source_kube *kube = ctx;
    kube->election.changed(kube->election.ctx, leads[change]);
}

static void kube_elect(struct source *source, const struct source_election *election)
{
    struct source_kube *kube = kube_of(source);
    assert(!kube->lease);
    struct lease_settings settings = {
        .namespace = election->namespace,
        .name = election->name,
        .identity = election->identity,
        .lease_ms = election->lease_ms,
        .renew_ms = election->renew_ms,
        .retry_ms = election->retry_ms,
        .changed = lease_changed,
        .ctx = kube,
    };
    kube->election = *election;
    kube->lease = lease_new(kube->client, &settings);
    writer_set_limit(kube->writer, while_we_lead, kube);
}

static void on_released(void *ctx)
{
    struct source_kube *kube = ctx;
    kube->lease = lease_free(kube->lease);
    kube->resigning = loop_timer_cancel(kube->resigning);
    kube->resigned(kube->resigned_ctx);
}

static void on_nothing_to_resign(void *ctx)
{
    struct source_kube *kube = ctx;
    kube->resigning = NULL;
    kube->resigned(kube->resigned_ctx);
}

static void kube_resign(struct source *source, void (*done)(void *ctx), void *ctx)
{
    struct source_kube *kube = kube_of(source);
    kube->resigned = done;
    kube->resigned_ctx = ctx;
    if (kube->lease)
        lease_release(kube->lease, on_released, kube);
    else if (!kube->resigning)
        kube->resigning = loop_defer(kube->loop, on_nothing_to_resign, kube);
}

static void kube_event(struct source *source, const struct source_event *event)
{
    const struct object *about = event->about;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct event_note note = {
        .about =
            {
                .api_version = kinds_api_version(about->kind, arena),
                .kind = str_from(about->kind->name),
                .namespace = object_namespace(about),
                .name = object_name(about),
                .uid = about->uid,
                .resource_version = about->resource_version,
            },
        .warning = event->warning,
        .reason = event->reason,
        .action = event->action,
        .message = event->message,
    };
    events_tell(kube_of(source)->events, &note);
}

static void kube_free(struct source *source)
{
    struct source_kube *kube = kube_of(source);
    for (size_t i = 0; i < kube->reflector_count; i++)
        (void)reflector_free(kube->reflectors[i]);
    kube->patience = loop_timer_cancel(kube->patience);
    kube->saved = saved_close(kube->saved);
    kube->refreshing = loop_timer_cancel(kube->refreshing);
    kube->reporting = loop_timer_cancel(kube->reporting);
    kube->resigning = loop_timer_cancel(kube->resigning);
    while (!LIST_EMPTY(&kube->requests))
        (void)kube_cancel(&LIST_FIRST(&kube->requests)->request);
    kube->lease = lease_free(kube->lease);
    kube->events = events_free(kube->events);
    kube->writer = writer_free(kube->writer);
    kube->client = client_free(kube->client);
    free(kube);
}

static const struct source_ops kube_ops = {
    .start = kube_start,
    .refresh = kube_refresh,
    .write = kube_write,
    .cancel = kube_cancel,
    .elect = kube_elect,
    .resign = kube_resign,
    .event = kube_event,
    .free = kube_free,
};

struct source *source_kube_new(struct loop *loop, const struct source_kube_config *config,
                               struct arena *arena, struct str *ret_error)
{
    struct client_config settings = {
        .auth = config->auth,
        .user_agent = arena_printf(arena, STR_FMT "/%s", STR_ARG(config->program), STENTOR_VERSION),
        .observe = config->observe,
        .ctx = config->ctx,
    };
    struct client *client = client_new(loop, &settings, arena, ret_error);
    if (!client)
        return NULL;
    struct source_kube *kube = heap_alloc(sizeof(*kube));
    *kube = (struct source_kube){
        .loop = loop,
        .client = client,
        .object_max = config->object_max,
        .writer = writer_new(client, config->program),
    };
    kube->events = events_new(client, kube->writer, config->reporter, config->instance);
    source_init(&kube->source, &kube_ops);
    if (config->state_dir.len)
        kube->saved = saved_open(loop, config->state_dir, config->program, kube->source.cache,
                                 &kube->source.saved);
    return &kube->source;
}

struct str source_kube_namespace(const struct source *source)
{
    return client_namespace(kube_of(source)->client);
}

struct str source_kube_server(const struct source *source)
{
    return client_server(kube_of(source)->client);
}

bool source_kube_runs_programs(const struct source *source)
{
    return client_runs_programs(kube_of(source)->client);
}

struct source_kube_counts source_kube_counts(const struct source *source)
{
    const struct source_kube *kube = kube_of(source);
    struct source_kube_counts sum = {.events = events_counts(kube->events),
                                     .writes_pending = writer_pending(kube->writer)};
    for (size_t i = 0; i < kube->reflector_count; i++) {
        struct reflector_counts counts = reflector_counts(kube->reflectors[i]);
        sum.reflectors.lists += counts.lists;
        sum.reflectors.watches += counts.watches;
        sum.reflectors.events += counts.events;
        sum.reflectors.skipped += counts.skipped;
        sum.reflectors.failures += counts.failures;
    }
    return sum;
}
