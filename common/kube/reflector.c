/* Flow: reflector_step (reflector_state.h) says what to do, `step` does it; bodies are taken apart
 * by list_page.h and watch_frame.h while they arrive, and each object is decoded by itself, so
 * that no page is ever held as a whole. `epoch` counts what was begun or cancelled: a loop over
 * received bytes ends when a call to the owner has changed it. */
#include "common/kube/reflector.h"

#include <errno.h>
#include <malloc.h>
#include <sodium.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/sbuf.h"
#include "common/kube/list_page.h"
#include "common/kube/path.h"
#include "common/kube/reflector_objects.h"
#include "common/kube/reflector_state.h"
#include "common/kube/status.h"
#include "common/kube/watch_event.h"
#include "common/kube/watch_frame.h"

enum {
    PAGE = 250,
    LIST_TIMEOUT_MS = 60000,
    WATCH_SILENCE_MS = 150000, /* bookmarks come each minute */
    TRIM_OBJECTS = 1000,       /* a list this long leaves memory to give back */
    /* A Service that was passed over would lose its address to another one, so none that can be
     * stored is. etcd stores 1.5 MiB of what is not JSON; there a byte can be as short as it is in
     * "<", for which the server writes six, and of small members even a little more are made. */
    SERVICE_MAX = 10 * 1024 * 1024,
};

struct reflector {
    struct client *client;
    struct loop *loop;
    struct reflector_config config;
    const struct kind *kind;
    struct reflector_objects objects;
    struct arena *arena;   /* of namespace and collection */
    struct str collection; /* path */
    struct path_choice choice;
    struct reflector_state state;
    struct client_call *call;
    struct loop_timer *timer;
    unsigned epoch;
    struct list_page page;
    struct watch_frame frame;
    struct sbuf next; /* token of the next page */
    bool fresh;       /* a list was completed since the last reflector_relist */
    bool absent;      /* the server does not know the kind, or what is optional is kept from us */
    struct sbuf trouble; /* the last failure, until something works */
    struct reflector_counts counts;
};

static void step(struct reflector *r, const struct reflector_event *event);

static size_t default_max(enum kind_id kind)
{
    return kind == KIND_SERVICE ? SERVICE_MAX : WATCH_FRAME_LIMIT;
}

struct reflector *reflector_new(struct client *client, const struct cache *cache,
                                const struct reflector_config *config)
{
    struct reflector *r = heap_alloc(sizeof(*r));
    *r = (struct reflector){
        .client = client,
        .loop = client_loop(client),
        .config = *config,
        .kind = kinds_get(config->kind),
        .arena = arena_new(0),
    };
    r->config.namespace = arena_str(r->arena, config->namespace);
    r->choice.name = arena_str(r->arena, config->name);
    r->choice.labels = arena_str(r->arena, config->labels);
    r->config.object_max = config->object_max ? config->object_max : default_max(config->kind);
    r->config.page = config->page ? config->page : PAGE;
    r->collection = kinds_path(r->kind, r->config.namespace, STR(""), r->arena);
    reflector_objects_init(&r->objects, &r->config, cache);
    reflector_state_init(&r->state);
    return r;
}

static void list_done(struct reflector *r)
{
    list_page_done(&r->page);
    list_page_init(&r->page, r->config.object_max);
    reflector_objects_abandon(&r->objects);
    sbuf_done(&r->next);
}

static void cancel(struct reflector *r)
{
    r->call = client_cancel(r->call);
    r->timer = loop_timer_cancel(r->timer);
    r->epoch++;
    watch_frame_done(&r->frame);
}

struct reflector *reflector_free(struct reflector *r)
{
    if (!r)
        return NULL;
    cancel(r);
    list_done(r);
    reflector_objects_done(&r->objects);
    sbuf_done(&r->trouble);
    (void)arena_free(r->arena);
    free(r);
    return NULL;
}

/* The list is complete: what it did not name has gone while we did not look. */
static void sweep(struct reflector *r)
{
    size_t named = reflector_objects_sweep(&r->objects);
    list_done(r);
    if (named >= TRIM_OBJECTS)
        (void)malloc_trim(0);
}

static void tell_findings(struct reflector *r)
{
    r->config.findings(r->config.ctx);
}

static void set_trouble(struct reflector *r, struct str sentence)
{
    if (str_eq(sbuf_str(&r->trouble), sentence))
        return;
    sbuf_clear(&r->trouble);
    sbuf_put(&r->trouble, sentence);
    tell_findings(r);
}

static void tell_listed(struct reflector *r)
{
    r->fresh = true;
    r->config.listed(r->config.ctx, r);
}

/* Bytes of a page. */
static void on_page_data(void *ctx, struct str bytes)
{
    struct reflector *r = ctx;
    unsigned epoch = r->epoch;
    while (bytes.len && epoch == r->epoch) {
        struct str item;
        enum list_page_result result = list_page_next(&r->page, &bytes, &item);
        if (result == LIST_PAGE_ITEM)
            reflector_objects_take_text(&r->objects, item);
        else if (result == LIST_PAGE_SKIPPED)
            reflector_objects_pass_over(&r->objects, &r->page.skipped, true);
        else if (result == LIST_PAGE_BROKEN)
            return; /* seen again when the answer is complete */
    }
}

/* Why a list or watch did not go well: a result and a sentence for people. */
struct failure {
    int result;
    uint64_t retry_after_ms;
    struct str sentence;
};

static struct failure failure_of(const struct http_response *response, struct arena *arena)
{
    /* The detail of most transport errors changes from try to try. */
    if (response->result) {
        bool distrust = response->result == -EKEYREJECTED || response->result == -EACCES;
        struct str constant = str_from(err_text(response->result));
        return (struct failure){.result = response->result,
                                .sentence =
                                    distrust ? arena_str(arena, response->error) : constant};
    }
    struct status status =
        status_decode(response->code, response->body, response->retry_after_s, arena);
    return (struct failure){status.result, status.retry_after_ms, status.message};
}

/* Tells of a failure: people once, until something works or it is another one. */
static void note_failure(struct reflector *r, const char *what, const struct failure *failure,
                         struct str detail)
{
    bool same = str_eq(sbuf_str(&r->trouble), failure->sentence);
    r->counts.failures++;
    set_trouble(r, failure->sentence);
    log_at(same ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "api server not followed",
           kv_cstr("kind", r->kind->name), kv_cstr("request", what),
           kv_str("why", failure->sentence), kv_str("detail", detail));
}

static void list_failed(struct reflector *r, struct failure *failure, struct str detail)
{
    bool unknown = failure->result == -ENOENT;
    bool absent = unknown || (r->config.optional && failure->result == -EPERM);
    bool first = absent && !r->absent;
    r->absent = absent;
    if (unknown)
        failure->sentence = STR("the kind is not installed on the server");
    note_failure(r, "list", failure, detail);
    list_done(r);
    step(r, &(struct reflector_event){.type = REFLECTOR_FAILED,
                                      .result = absent ? -ENOENT : failure->result,
                                      .retry_after_ms = failure->retry_after_ms});
    if (absent && (first || !r->fresh))
        tell_listed(r);
}

static void on_page_done(void *ctx, const struct http_response *response)
{
    struct reflector *r = ctx;
    r->call = NULL;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct failure failure = failure_of(response, arena);
    bool complete = r->page.ended && !r->page.broken;
    if (failure.result == 0 && !complete)
        failure = (struct failure){.result = ERR_PROTOCOL,
                                   .sentence = STR("the answer to a list is not a list")};
    if (failure.result) {
        list_failed(r, &failure, response->error);
        return;
    }
    struct reflector_event event = {.type = REFLECTOR_PAGE,
                                    .last = r->page.next.len == 0,
                                    .version =
                                        arena_str(arena, sbuf_str(&r->page.resource_version))};
    sbuf_clear(&r->next);
    sbuf_put(&r->next, sbuf_str(&r->page.next));
    step(r, &event);
}

static void do_page(struct reflector *r)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    list_page_done(&r->page);
    list_page_init(&r->page, r->config.object_max);
    struct http_request request = {
        .method = "GET",
        .path = path_list(r->collection, &r->choice, r->config.page, sbuf_str(&r->next), arena),
        .timeout_ms = LIST_TIMEOUT_MS,
        .data = on_page_data,
        .done = on_page_done,
        .ctx = r,
    };
    r->epoch++;
    r->call = client_call(r->client, &request);
}

static void do_list(struct reflector *r)
{
    list_done(r);
    reflector_objects_begin(&r->objects);
    r->counts.lists++;
    do_page(r);
}

/* The watch must end, for a reason other than its answer's. */
static void end_watch(struct reflector *r, int result, uint64_t retry_after_ms)
{
    r->call = client_cancel(r->call);
    r->epoch++;
    step(r, &(struct reflector_event){
                .type = REFLECTOR_ENDED, .result = result, .retry_after_ms = retry_after_ms});
}

static void take_error(struct reflector *r, const json_t *object)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct status status = status_of(object, arena);
    log_info("watch ended by the server", kv_cstr("kind", r->kind->name),
             kv_str("why", status.message), kv_uint("code", status.code));
    end_watch(r, status.result, status.retry_after_ms);
}

static void take_event(struct reflector *r, const struct watch_event *event)
{
    struct reflector_event progress = {.type = REFLECTOR_PROGRESS,
                                       .version = event->resource_version};
    unsigned epoch = r->epoch;
    r->counts.events++;
    switch (event->type) {
    case WATCH_ADDED:
    case WATCH_MODIFIED:
        reflector_objects_take(&r->objects, event->object);
        break;
    case WATCH_DELETED: {
        const json_t *metadata = json_object_get(event->object, "metadata");
        const char *namespace = json_string_value(json_object_get(metadata, "namespace"));
        const char *name = json_string_value(json_object_get(metadata, "name"));
        reflector_objects_remove(&r->objects, str_from(namespace), str_from(name));
        break;
    }
    case WATCH_BOOKMARK:
        progress.type = REFLECTOR_BOOKMARK;
        break;
    case WATCH_ERROR:
        take_error(r, event->object);
        return;
    }
    if (epoch == r->epoch)
        step(r, &progress);
}

/* An event that was not kept or cannot be read, but can perhaps be named. */
static void take_identity(struct reflector *r, const struct identity *identity, bool too_large)
{
    enum watch_type type;
    struct str version = identity_str(&identity->resource_version);
    bool named = identity->name.len && version.len &&
                 watch_type_find(identity_str(&identity->type), &type) == 0;
    if (!named) {
        log_warn("watch brought what is no event", kv_cstr("kind", r->kind->name),
                 kv_uint("bytes", identity->bytes));
        end_watch(r, ERR_PROTOCOL, 0);
        return;
    }
    r->counts.events++;
    unsigned epoch = r->epoch;
    if (type == WATCH_DELETED) {
        reflector_objects_remove(&r->objects, identity_str(&identity->namespace),
                                 identity_str(&identity->name));
    } else {
        reflector_objects_pass_over(&r->objects, identity, too_large);
    }
    if (epoch == r->epoch)
        step(r, &(struct reflector_event){.type = REFLECTOR_PROGRESS, .version = version});
}

static void take_line(struct reflector *r, struct str line)
{
    struct watch_event event;
    int ret = watch_event_parse(line, &event);
    if (ret == 0) {
        take_event(r, &event);
        watch_event_done(&event);
        return;
    }
    struct identity identity;
    identity_init(&identity, true);
    identity_feed(&identity, line);
    take_identity(r, &identity, false);
}

static void on_watch_data(void *ctx, struct str bytes)
{
    struct reflector *r = ctx;
    unsigned epoch = r->epoch;
    while (bytes.len && epoch == r->epoch) {
        struct str line;
        enum watch_frame_result result = watch_frame_next(&r->frame, &bytes, &line);
        if (result == WATCH_FRAME_EVENT)
            take_line(r, line);
        else if (result == WATCH_FRAME_SKIPPED)
            take_identity(r, &r->frame.skipped, true);
    }
}

static void on_watch_done(void *ctx, const struct http_response *response)
{
    struct reflector *r = ctx;
    r->call = NULL;
    r->epoch++;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct failure failure = failure_of(response, arena);
    if (failure.result)
        note_failure(r, "watch", &failure, response->error);
    step(r, &(struct reflector_event){.type = REFLECTOR_ENDED,
                                      .result = failure.result,
                                      .retry_after_ms = failure.retry_after_ms});
}

static void on_begun(void *ctx)
{
    set_trouble(ctx, STR(""));
}

static void do_watch(struct reflector *r, unsigned timeout_s)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    watch_frame_done(&r->frame);
    watch_frame_init(&r->frame, r->config.object_max);
    struct http_request request = {
        .method = "GET",
        .path =
            path_watch(r->collection, &r->choice, reflector_version(&r->state), timeout_s, arena),
        .timeout_ms = (uint64_t)timeout_s * 1000 + WATCH_SILENCE_MS,
        .silence_ms = WATCH_SILENCE_MS,
        .watch = true,
        .begun = on_begun,
        .data = on_watch_data,
        .done = on_watch_done,
        .ctx = r,
    };
    r->epoch++;
    r->counts.watches++;
    r->call = client_call(r->client, &request);
}

static void on_timer(void *ctx)
{
    struct reflector *r = ctx;
    r->timer = NULL;
    step(r, &(struct reflector_event){.type = REFLECTOR_TIMER});
}

/* The list has been swept: the owner hears of it once the watch stands. */
static void list_complete(struct reflector *r)
{
    bool was_absent = r->absent;
    r->absent = false;
    if (was_absent)
        log_info("kind is followed now", kv_cstr("kind", r->kind->name));
    set_trouble(r, STR(""));
    tell_listed(r);
}

static void step(struct reflector *r, const struct reflector_event *event)
{
    struct reflector_action action =
        reflector_step(&r->state, event, loop_now(r->loop), randombytes_random());
    if (action.cancel)
        cancel(r);
    if (action.sweep)
        sweep(r);
    switch (action.deed) {
    case REFLECTOR_NOTHING:
        break;
    case REFLECTOR_DO_LIST:
        do_list(r);
        break;
    case REFLECTOR_DO_PAGE:
        do_page(r);
        break;
    case REFLECTOR_DO_WATCH:
        do_watch(r, action.timeout_s);
        break;
    case REFLECTOR_DO_WAIT:
        r->timer = loop_timer_start(r->loop, action.wait_ms, 0, on_timer, r);
        break;
    }
    if (action.sweep)
        list_complete(r);
}

void reflector_start(struct reflector *r)
{
    step(r, &(struct reflector_event){.type = REFLECTOR_START});
}

void reflector_relist(struct reflector *r)
{
    r->fresh = false;
    step(r, &(struct reflector_event){.type = REFLECTOR_RELIST});
}

void reflector_findings(const struct reflector *r, struct diag_list *list)
{
    if (r->trouble.len)
        diag_add(list, r->absent ? DIAG_WARNING : DIAG_ERROR, str_from(r->kind->name), STR(""),
                 "cannot be followed: %s", sbuf_cstr(&r->trouble));
    reflector_objects_findings(&r->objects, list);
}

enum kind_id reflector_kind(const struct reflector *r)
{
    return r->config.kind;
}

bool reflector_follows(const struct reflector *r, struct str namespace)
{
    return !r->config.namespace.len || str_eq(namespace, r->config.namespace);
}

bool reflector_is_listed(const struct reflector *r)
{
    return r->fresh;
}

struct reflector_counts reflector_counts(const struct reflector *r)
{
    struct reflector_counts counts = r->counts;
    counts.skipped = r->objects.skipped;
    return counts;
}
