#include "speaker/report.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/json/patch.h"
#include "common/loop/work_queue.h"
#include "crd/addressconflict.h"
#include "crd/state_report.h"
#include "speaker/shown.h"

enum {
    IN_FLIGHT = 8,
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 30 * 1000,
    SETTLE_MS = 2000, /* what a session does while it comes up is not worth a write */
    UNSEEN_MS = 5000, /* until an object that was made and never seen is made again */
};

static const struct str service_prefix = STR_INIT("service/"), bgp_prefix = STR_INIT("bgp/"),
                        others_prefix = STR_INIT("others/"), session_prefix = STR_INIT("session/"),
                        conflict_prefix = STR_INIT("conflict/"), state_key = STR_INIT("state");

/* A key under way, or one whose object was made and has not been seen yet. */
struct flight {
    struct report *report;
    char *key; /* heap */
    size_t key_len;
    struct source_request *request; /* NULL: answered */
    bool is_new;                    /* it makes an object */
    bool is_seen;                   /* which was seen before the answer came */
    uint64_t made_at;
};

struct report {
    struct loop *loop;
    struct source *source;
    struct report_options options;
    const struct report_calls *calls;
    void *ctx;
    struct arena *arena; /* of texts */
    struct str state_name, node_filter;
    size_t by_service, by_bgp_service; /* indexes of our statuses */
    struct work_queue *queue;
    struct map flights;   /* key → struct flight */
    struct map conflicts; /* key → body, heap */
    bool synced;
};

static struct str flight_key(const struct flight *flight)
{
    return (struct str){.ptr = flight->key, .len = flight->key_len};
}

static void flight_free(struct report *r, struct flight *flight)
{
    (void)map_remove(&r->flights, flight_key(flight));
    (void)source_cancel(flight->request);
    free(flight->key);
    free(flight);
}

static struct flight *flight_new(struct report *r, struct str key)
{
    struct flight *flight = heap_alloc(sizeof(*flight));
    char *copy = heap_alloc(key.len);
    for (size_t i = 0; i < key.len; i++)
        copy[i] = key.ptr[i];
    *flight = (struct flight){.report = r, .key = copy, .key_len = key.len};
    (void)map_put(&r->flights, flight_key(flight), flight);
    return flight;
}

/* --- writes ---------------------------------------------------------------------------------- */

static void written(void *ctx, int result, struct str message, struct str version)
{
    struct flight *flight = ctx;
    struct report *r = flight->report;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str key = arena_str(arena, flight_key(flight));
    bool is_made = flight->is_new && (result == 0 || result == ERR_CONFLICT);
    (void)version;
    flight->request = NULL;
    flight->made_at = loop_now(r->loop);
    if (!is_made || flight->is_seen)
        flight_free(r, flight);
    if (result < 0 && result != ERR_CONFLICT && result != -ENOENT)
        log_warn("report cannot be written", kv_str("report", key), kv_err(result),
                 kv_str("answer", message));
    /* What is seen next may want another write; an object that was made is waited for. */
    work_queue_finish(r->queue, key, result < 0 && !is_made ? WORK_ERROR : WORK_DONE, 0);
    if (is_made)
        work_queue_add_after(r->queue, key, 2 * (uint64_t)UNSEEN_MS);
}

static enum work_result start(struct report *r, struct str key, struct source_write *write)
{
    struct flight *flight = flight_new(r, key);
    flight->is_new = write->verb == SOURCE_CREATE;
    write->namespace = r->options.namespace;
    write->done = written;
    write->ctx = flight;
    flight->request = source_write(r->source, write);
    return WORK_PENDING;
}

/* --- statuses of Services -------------------------------------------------------------------- */

static bool find_pod(const struct report *r, struct owner_ref *ret)
{
    const struct object *pod =
        r->options.pod.len ? source_get(r->source, KIND_POD, r->options.namespace, r->options.pod)
                           : NULL;
    if (!pod)
        return false;
    *ret = (struct owner_ref){
        .api_version = STR("v1"), .kind = STR("Pod"), .name = object_name(pod), .uid = pod->uid};
    return true;
}

static enum work_result write_status(struct report *r, struct str key, enum kind_id kind,
                                     const struct shown_write *what)
{
    struct source_write write = {.verb = what->verb,
                                 .kind = kind,
                                 .name = what->name,
                                 .labels = what->labels,
                                 .body = what->body};
    return start(r, key, &write);
}

static enum work_result run_service(struct report *r, struct str key, struct str service,
                                    bool others, struct arena *arena)
{
    struct owner_ref pod;
    struct shown_want want = {.kind = KIND_SERVICE_L2_STATUS, .node = r->options.node};
    struct shown_write write;
    bool known;
    size_t count;
    (void)str_cut(service, '/', &want.service_namespace, &want.service_name);
    want.announced = r->calls->announced(r->ctx, service, arena, &want.names, &known);
    want.owner = find_pod(r, &pod) ? &pod : NULL;
    if (!known)
        return WORK_DONE; /* report_planned comes back to it */
    if (others) {
        write = shown_clear(&want, arena);
        return want.announced ? write_status(r, key, want.kind, &write) : WORK_DONE;
    }
    const struct object *const *ours = source_by(r->source, r->by_service, service, &count);
    if (!shown_next(&want, ours, count, arena, &write))
        return WORK_DONE;
    return write_status(r, key, want.kind, &write);
}

static enum work_result run_bgp_service(struct report *r, struct str key, struct str service,
                                        struct arena *arena)
{
    struct owner_ref pod;
    struct shown_want want = {.kind = KIND_SERVICE_BGP_STATUS, .node = r->options.node};
    struct shown_write write;
    bool known;
    size_t count;
    (void)str_cut(service, '/', &want.service_namespace, &want.service_name);
    want.announced = r->calls->announced_bgp(r->ctx, service, arena, &want.names, &known) &&
                     want.names.count > 0; /* to nobody is as good as not */
    want.owner = find_pod(r, &pod) ? &pod : NULL;
    const struct object *const *ours = source_by(r->source, r->by_bgp_service, service, &count);
    if (!known || !shown_next(&want, ours, count, arena, &write))
        return WORK_DONE;
    return write_status(r, key, want.kind, &write);
}

/* --- the rest -------------------------------------------------------------------------------- */

static enum work_result run_state(struct report *r, struct arena *arena)
{
    struct owner_ref pod;
    const struct object *shown =
        source_get(r->source, KIND_CONFIGURATION_STATE, r->options.namespace, r->state_name);
    struct state_report report = {.name = r->state_name,
                                  .namespace = r->options.namespace,
                                  .component = STR("speaker"),
                                  .node = r->options.node,
                                  .owner = find_pod(r, &pod) ? &pod : NULL,
                                  .condition = STR("configReconcilerValid"),
                                  .errors = r->calls->errors(r->ctx, arena)};
    int64_t now = loop_wall_ns() / 1000000000;
    struct source_write write = {
        .verb = shown ? SOURCE_PATCH_STATUS : SOURCE_CREATE,
        .kind = KIND_CONFIGURATION_STATE,
        .name = r->state_name,
        .body = shown ? state_report_patch(&report, shown, now, arena)
                      : state_report_new(&report, arena),
    };
    return write.body.len ? start(r, state_key, &write) : WORK_DONE;
}

static enum work_result run_conflict(struct report *r, struct str key, struct str name)
{
    const char *body = map_get(&r->conflicts, key);
    if (!body)
        return WORK_DONE;
    struct source_write write = {.verb = SOURCE_APPLY,
                                 .kind = KIND_ADDRESS_CONFLICT,
                                 .name = name,
                                 .body = str_from(body),
                                 .manager = STR("stentor-speaker")};
    return start(r, key, &write);
}

static enum work_result run_session(struct report *r, struct str key, struct str peer,
                                    struct arena *arena)
{
    struct owner_ref pod;
    struct session_want want = {
        .namespace = r->options.namespace, .node = r->options.node, .peer = peer};
    struct source_write write = {.kind = KIND_BGP_SESSION_STATUS,
                                 .name = session_status_name(peer, r->options.node, arena),
                                 .manager = STR("stentor-speaker")};
    const struct object *shown = source_get(r->source, write.kind, want.namespace, write.name);
    bool known, there = r->calls->session(r->ctx, peer, arena, &want, &known);
    if (!known || (there ? session_status_shows(shown, &want) : !shown))
        return WORK_DONE;
    want.owner = find_pod(r, &pod) ? &pod : NULL;
    write.verb = there ? SOURCE_APPLY : SOURCE_DELETE;
    write.body = there ? session_status_body(&want, arena) : STR("");
    return start(r, key, &write);
}

static bool cut_prefix(struct str key, struct str prefix, struct str *ret_rest)
{
    *ret_rest = str_slice(key, prefix.len, key.len);
    return str_starts_with(key, prefix);
}

static enum work_result process(void *ctx, struct str key)
{
    struct report *r = ctx;
    struct flight *flight = map_get(&r->flights, key);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str rest;
    if (flight && (flight->request || loop_now(r->loop) - flight->made_at < UNSEEN_MS))
        return WORK_DONE; /* it comes back when its object is seen, or is not */
    if (flight)
        flight_free(r, flight);
    if (cut_prefix(key, service_prefix, &rest))
        return run_service(r, key, rest, false, arena);
    if (cut_prefix(key, bgp_prefix, &rest))
        return run_bgp_service(r, key, rest, arena);
    if (cut_prefix(key, others_prefix, &rest))
        return run_service(r, key, rest, true, arena);
    if (cut_prefix(key, session_prefix, &rest))
        return run_session(r, key, rest, arena);
    if (cut_prefix(key, conflict_prefix, &rest))
        return run_conflict(r, key, rest);
    return run_state(r, arena);
}

/* --- what has changed ------------------------------------------------------------------------ */

static void add(struct report *r, struct str prefix, struct str rest)
{
    scoped_sbuf struct sbuf key = {0};
    sbuf_put(&key, prefix);
    sbuf_put(&key, rest);
    work_queue_add(r->queue, sbuf_str(&key));
}

void report_service(struct report *r, struct str service, bool took)
{
    if (!r->synced)
        return;
    add(r, service_prefix, service);
    if (took)
        add(r, others_prefix, service);
}

void report_bgp_service(struct report *r, struct str service)
{
    if (r->synced)
        add(r, bgp_prefix, service);
}

void report_bgp_session(struct report *r, struct str peer)
{
    scoped_sbuf struct sbuf key = {0};
    sbuf_put(&key, session_prefix);
    sbuf_put(&key, peer);
    if (r->synced)
        work_queue_add_after(r->queue, sbuf_str(&key), SETTLE_MS);
}

void report_config(struct report *r)
{
    if (r->synced)
        work_queue_add(r->queue, state_key);
}

/* An object that was made is there now. */
static void seen(struct report *r, struct str prefix, struct str rest)
{
    scoped_sbuf struct sbuf key = {0};
    sbuf_put(&key, prefix);
    sbuf_put(&key, rest);
    struct flight *flight = map_get(&r->flights, sbuf_str(&key));
    if (flight)
        flight->is_seen = true;
    if (flight && !flight->request)
        flight_free(r, flight);
    if (r->synced)
        work_queue_add(r->queue, sbuf_str(&key));
}

bool report_is_about(const struct object *object)
{
    enum kind_id kind = object->kind->id;
    return kind == KIND_SERVICE_L2_STATUS || kind == KIND_SERVICE_BGP_STATUS ||
           kind == KIND_BGP_SESSION_STATUS || kind == KIND_CONFIGURATION_STATE || kind == KIND_POD;
}

void report_object(struct report *r, const struct object *object)
{
    scoped_sbuf struct sbuf service = {0};
    if (object->kind->id == KIND_CONFIGURATION_STATE)
        seen(r, state_key, STR(""));
    if (object->kind->id == KIND_BGP_SESSION_STATUS)
        report_bgp_session(r, ((const struct bgpsessionstatus *)object)->status.peer);
    bool bgp = object->kind->id == KIND_SERVICE_BGP_STATUS;
    if (object->kind->id != KIND_SERVICE_L2_STATUS && !bgp)
        return;
    announced_service(object, &service);
    if (service.len)
        seen(r, bgp ? bgp_prefix : service_prefix, sbuf_str(&service));
}

static void look_at_all(struct report *r, enum kind_id kind)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct object **all = source_list(r->source, kind, arena, &count);
    for (size_t i = 0; i < count; i++)
        report_object(r, all[i]);
}

void report_synced(struct report *r)
{
    r->synced = true;
    look_at_all(r, KIND_SERVICE_BGP_STATUS);
    report_config(r);
}

void report_planned(struct report *r)
{
    if (r->synced)
        look_at_all(r, KIND_SERVICE_L2_STATUS);
}

void report_bgp_planned(struct report *r)
{
    if (!r->synced)
        return;
    look_at_all(r, KIND_SERVICE_BGP_STATUS);
    look_at_all(r, KIND_BGP_SESSION_STATUS);
}

static struct str conflict_body(const struct report *r, const struct ip *ip, const struct mac *mac,
                                struct str interface, struct arena *arena)
{
    const struct kind *kind = kinds_get(KIND_ADDRESS_CONFLICT);
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_str(&patch, "apiVersion", kinds_api_version(kind, arena));
    patch_str(&patch, "kind", str_from(kind->name));
    patch_open(&patch, "metadata");
    patch_str(&patch, "name", addressconflict_name(ip, arena));
    patch_str(&patch, "namespace", r->options.namespace);
    patch_close(&patch);
    patch_open(&patch, "spec");
    patch_str(&patch, "address", str_from(ip_format(ip).text));
    patch_str(&patch, "node", r->options.node);
    patch_str(&patch, "interface", interface);
    patch_str(&patch, "mac", str_from(mac_format(mac).text));
    patch_time(&patch, "seen", loop_wall_ns() / 1000000000);
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

void report_conflict(struct report *r, const struct ip *ip, const struct mac *mac,
                     struct str interface)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str key = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(conflict_prefix),
                                  STR_ARG(addressconflict_name(ip, arena)));
    struct str body = conflict_body(r, ip, mac, interface, arena);
    char *entry = heap_alloc(body.len + 1 + key.len), *copy = entry + body.len + 1;
    for (size_t i = 0; i <= body.len; i++)
        entry[i] = body.ptr[i];
    for (size_t i = 0; i < key.len; i++)
        copy[i] = key.ptr[i];
    free(map_put(&r->conflicts, (struct str){.ptr = copy, .len = key.len}, entry));
    work_queue_add(r->queue, key);
}

bool report_has_status(const struct report *r, struct str service)
{
    size_t count;
    (void)source_by(r->source, r->by_service, service, &count);
    return count > 0;
}

/* --- life ------------------------------------------------------------------------------------ */

struct report *report_new(struct loop *loop, struct source *source,
                          const struct report_options *options, const struct report_calls *calls,
                          void *ctx)
{
    struct report *r = heap_alloc(sizeof(*r));
    struct work_limits limits = {.in_flight = IN_FLIGHT,
                                 .backoff_min_ms = RETRY_FIRST_MS,
                                 .backoff_max_ms = RETRY_MAX_MS,
                                 .seed = options->seed};
    *r = (struct report){.loop = loop,
                         .source = source,
                         .options = *options,
                         .calls = calls,
                         .ctx = ctx,
                         .arena = arena_new(0),
                         .flights = {.seed = options->seed},
                         .conflicts = {.seed = options->seed}};
    r->state_name = arena_printf(r->arena, "speaker-" STR_FMT, STR_ARG(options->node));
    r->node_filter = arena_printf(r->arena, ANNOUNCED_NODE "=" STR_FMT, STR_ARG(options->node));
    r->by_service = source_index(source, KIND_SERVICE_L2_STATUS, announced_service);
    r->by_bgp_service = source_index(source, KIND_SERVICE_BGP_STATUS, announced_service);
    r->queue = work_queue_new(loop, &limits, process, r);
    return r;
}

struct report *report_free(struct report *r)
{
    size_t cursor = 0;
    if (!r)
        return NULL;
    for (struct map_entry *slot; (slot = map_next(&r->flights, &cursor)); cursor = 0)
        flight_free(r, slot->value);
    map_done(&r->flights);
    cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&r->conflicts, &cursor));)
        free(slot->value);
    map_done(&r->conflicts);
    (void)work_queue_free(r->queue);
    (void)arena_free(r->arena);
    free(r);
    return NULL;
}

size_t report_follow(const struct report *r, struct source_follow follow[REPORT_FOLLOWS])
{
    size_t count = 0;
    struct str namespace = r->options.namespace;
    follow[count++] = (struct source_follow){
        .kind = KIND_SERVICE_L2_STATUS, .namespace = namespace, .labels = r->node_filter};
    follow[count++] = (struct source_follow){
        .kind = KIND_SERVICE_BGP_STATUS, .namespace = namespace, .labels = r->node_filter};
    follow[count++] = (struct source_follow){
        .kind = KIND_BGP_SESSION_STATUS,
        .namespace = namespace,
        .labels = r->node_filter,
        .optional = true, /* rights of an older release do not have it */
    };
    follow[count++] = (struct source_follow){
        .kind = KIND_CONFIGURATION_STATE, .namespace = namespace, .name = r->state_name};
    if (r->options.pod.len)
        follow[count++] = (struct source_follow){
            .kind = KIND_POD, .namespace = namespace, .name = r->options.pod};
    return count;
}
