/* From records to writes: one at a time per object, many objects at once.
 *
 * A write carries the resourceVersion it was made for. From then on the cached version is behind
 * ("ahead" below) until a newer one arrives; whatever is planned meanwhile goes by the record, not
 * by that version's status. A conflict means that a newer version exists: the write is made anew
 * from it. */
#include <errno.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "controller/controller.h"
#include "crd/service.h"

enum { RETRY_FIRST_MS = 20, RETRY_MAX_MS = 30 * 1000 };

struct flight {
    struct controller *controller;
    struct arena *arena; /* of the texts */
    struct str id;
    struct str base;          /* resourceVersion the write was made for */
    struct ip ips[ALLOC_IPS]; /* that a Service will show by it */
    size_t ip_count;
    bool is_deletion;
    bool is_release; /* only lets go of addresses; what the record says is still to be written */
    struct source_request *request; /* NULL: answered, its version has not been seen yet */
    uint64_t started_ns;
};

static struct flight *flight_free(struct controller *c, struct flight *flight)
{
    (void)map_remove(&c->flights, flight->id);
    (void)source_cancel(flight->request);
    (void)arena_free(flight->arena);
    return NULL; /* the flight itself lives in its arena */
}

/* Has the write given the Service all the addresses of the record, and no others? */
static bool gave_all(const struct flight *flight, const struct plan_record *record)
{
    bool same = record && !flight->is_release && record->ip_count == flight->ip_count;
    for (size_t i = 0; same && i < record->ip_count; i++)
        same = ip_eq(&record->ips[i], &flight->ips[i]);
    return same;
}

/* The notes of a Service's record become Events now that the change is written. Those of a
 * decision that is newer than the write wait for their own. */
static void tell_notes(struct controller *c, const struct flight *flight,
                       const struct object *service)
{
    const struct plan_record *record = c->plan ? plan_get(c->plan, service->key) : NULL;
    if (!gave_all(flight, record))
        return;
    for (size_t i = 0; i < record->note_count; i++) {
        const struct plan_note *note = &record->notes[i];
        struct source_event event = {
            .about = service,
            .warning = note->warning,
            .reason = str_from(note->reason),
            .action = STR("Allocate"),
            .message = note->message,
        };
        source_event(c->source, &event);
        log_info("service event", kv_str("service", service->key), kv_cstr("reason", note->reason),
                 kv_str("message", note->message));
    }
    plan_forget_notes(c->plan, service->key);
}

/* Does the result leave open whether the write was done, or will be? */
static bool is_unsure(int result)
{
    static const int answers[] = {0,       ERR_CONFLICT, ERR_REMOTE, ERR_GONE, ERR_TOO_LARGE,
                                  -ENOENT, -EACCES,      -EPERM};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (result == answers[i])
            return false;
    }
    return true;
}

/* The answer to a write, and what the queue is to do about it. */
static enum work_result settle(struct controller *c, struct flight *flight, int result,
                               struct str message, struct str version)
{
    const struct object *object = status_find(c, flight->id);
    if (result == 0) {
        reconcile_fence_pass(c, flight->id, version);
        (void)unsure_pass(c->unsure, flight->id, version); /* the flight is known to be done */
        if (object && object->kind->id == KIND_SERVICE)
            tell_notes(c, flight, object);
        bool seen = !object || !str_eq(object->resource_version, flight->base) ||
                    str_eq(version, flight->base);
        if (seen)
            (void)flight_free(c, flight);
        return WORK_DONE;
    }
    if (result != ERR_CONFLICT && result != -ENOENT)
        log_warn("write failed", kv_str("object", flight->id), kv_err(result),
                 kv_str("answer", message));
    bool is_final = flight->is_deletion && result == ERR_REMOTE; /* it stays, as it was */
    if (object && object->kind->id == KIND_SERVICE && is_unsure(result))
        unsure_add(c->unsure, flight->id, flight->base, flight->ips, flight->ip_count);
    (void)flight_free(c, flight);
    if (object && object->kind->id == KIND_SERVICE)
        apply_update_handover(c, object->key);
    /* Gone: its deletion is on the way. Anything else is tried again, a conflict with the version
     * that caused it. */
    return is_final || (result == -ENOENT && !object) ? WORK_DONE : WORK_ERROR;
}

static void written(void *ctx, int result, struct str message, struct str version)
{
    struct flight *flight = ctx;
    struct controller *c = flight->controller;
    scoped_ptr(arena) struct arena *scratch = arena_new(256);
    struct str id = arena_str(scratch, flight->id);
    flight->request = NULL;
    controller_metrics_write(c->metrics, result, loop_clock_ns() - flight->started_ns);
    enum work_result outcome = settle(c, flight, result, message, version);
    work_queue_finish(c->queue, id, outcome, 0);
}

/* What a Service will show by this write, and whether that is all that its record says. */
static void note_effect(struct controller *c, struct flight *flight, const struct object *object)
{
    if (!object || object->kind->id != KIND_SERVICE)
        return;
    const struct plan_record *record = plan_get(c->plan, object->key);
    const struct service *service = (const struct service *)object;
    flight->is_release = status_must_wait(c, record, service);
    for (size_t i = 0; i < record->ip_count; i++) {
        if (!flight->is_release || service_shows(service, &record->ips[i]))
            flight->ips[flight->ip_count++] = record->ips[i];
    }
}

static enum work_result process(void *ctx, struct str id)
{
    struct controller *c = ctx;
    struct flight *flight = map_get(&c->flights, id);
    if (flight) /* written; the version that shows it is on the way and will bring us back */
        return WORK_DONE;
    scoped_ptr(arena) struct arena *scratch = arena_new(2048);
    struct source_write write = {0};
    if (!status_write(c, id, scratch, &write))
        return WORK_DONE;
    const struct object *object = status_find(c, id);
    struct arena *arena = arena_new(256);
    flight = arena_alloc(arena, sizeof(*flight));
    *flight = (struct flight){
        .controller = c,
        .arena = arena,
        .id = arena_str(arena, id),
        .base = arena_str(arena, object ? object->resource_version : STR("")),
        .is_deletion = write.verb == SOURCE_DELETE,
        .started_ns = loop_clock_ns(),
    };
    note_effect(c, flight, object);
    (void)map_put(&c->flights, flight->id, flight);
    write.done = written;
    write.ctx = flight;
    flight->request = source_write(c->source, &write);
    return WORK_PENDING;
}

void apply_init(struct controller *c)
{
    struct work_limits limits = {
        .in_flight = c->options.writes_in_flight,
        .backoff_min_ms = RETRY_FIRST_MS,
        .backoff_max_ms = RETRY_MAX_MS,
        .seed = c->options.seed,
    };
    c->queue = work_queue_new(c->loop, &limits, process, c);
    c->handover = handover_new();
    c->unsure = unsure_new();
}

void apply_done(struct controller *c)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&c->flights, &cursor)); cursor = 0)
        (void)flight_free(c, slot->value);
    map_done(&c->flights);
    c->queue = work_queue_free(c->queue);
    c->handover = handover_free(c->handover);
    c->unsure = unsure_free(c->unsure);
}

void apply_give_up(struct controller *c)
{
    apply_done(c);
    apply_init(c);
}

/* Adds those addresses that the record does not have. */
static void add_given_up(const struct plan_record *record, const struct ip *ips, size_t count,
                         struct ip ret[HANDOVER_IPS], size_t *ret_count)
{
    for (size_t i = 0; i < count && *ret_count < HANDOVER_IPS; i++) {
        bool keeps = !ip_is_set(&ips[i]);
        for (size_t j = 0; j < record->ip_count; j++)
            keeps |= ip_eq(&record->ips[j], &ips[i]);
        if (!keeps)
            ret[(*ret_count)++] = ips[i];
    }
}

static void wake(struct controller *c, const struct str_list *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        work_queue_add(c->queue, ids->items[i]);
}

void apply_update_handover(struct controller *c, struct str key)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(256);
    struct str id = arena_printf(scratch, "Service/" STR_FMT, STR_ARG(key));
    const struct plan_record *record = c->plan ? plan_get(c->plan, key) : NULL;
    struct ip ips[HANDOVER_IPS];
    size_t count = 0;
    if (record && !record->foreign) {
        const struct service *service = (const struct service *)record->object;
        const struct flight *flight = map_get(&c->flights, id);
        const struct service_ingress *ingress = service->status.ingress.items;
        struct ip open[UNSURE_IPS];
        size_t open_count = unsure_ips(c->unsure, id, open);
        if (flight)
            add_given_up(record, flight->ips, flight->ip_count, ips, &count);
        add_given_up(record, open, open_count, ips, &count);
        for (size_t i = 0; i < service->status.ingress.count; i++)
            add_given_up(record, &ingress[i].address, 1, ips, &count);
    }
    struct str_list freed = handover_give(c->handover, id, ips, count, scratch);
    wake(c, &freed);
}

void apply_add(struct controller *c, struct str id)
{
    work_queue_add(c->queue, id);
}

bool apply_is_ahead(const struct controller *c, const struct object *object)
{
    const struct flight *flight = map_get(&c->flights, object_id(object));
    return flight && str_eq(flight->base, object->resource_version);
}

static bool has_ip(const struct ip *ips, size_t count, const struct ip *ip)
{
    for (size_t i = 0; i < count; i++) {
        if (ip_eq(&ips[i], ip))
            return true;
    }
    return false;
}

bool apply_writes(const void *ctx, struct str key, const struct ip *ip)
{
    const struct controller *c = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(256);
    struct str id = arena_printf(scratch, "Service/" STR_FMT, STR_ARG(key));
    const struct flight *flight = map_get(&c->flights, id);
    struct ip open[UNSURE_IPS];
    size_t open_count = unsure_ips(c->unsure, id, open);
    return (flight && has_ip(flight->ips, flight->ip_count, ip)) || has_ip(open, open_count, ip);
}

void apply_seen(struct controller *c, struct str id, const struct object *object)
{
    (void)unsure_pass(c->unsure, id, object ? object->resource_version : STR(""));
    struct flight *flight = map_get(&c->flights, id);
    if (!flight || flight->request)
        return; /* the answer is still to come and will look for itself */
    if (!object || !str_eq(flight->base, object->resource_version))
        (void)flight_free(c, flight);
}

void apply_fence(const struct controller *c, struct fence *fence)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&c->flights, &cursor));) {
        const struct flight *flight = slot->value;
        if (flight->request && str_starts_with(flight->id, STR("Service/")))
            fence_add(fence, flight->id, flight->base);
    }
    unsure_fence(c->unsure, fence);
}

bool apply_is_unsure(const struct controller *c, struct str id)
{
    return unsure_is_full(c->unsure, id);
}

bool apply_is_idle(const struct controller *c)
{
    return work_queue_figures(c->queue).in_flight == 0 && unsure_is_empty(c->unsure);
}
