/* What each object's status should say, by kind. */
#include <stdlib.h>

#include "common/base/sbuf.h"
#include "common/json/rfc3339.h"
#include "common/program/program_findings.h"
#include "controller/controller.h"
#include "controller/service_patch.h"
#include "controller/silent.h"
#include "controller/status_patch.h"
#include "crd/ipreservation.h"
#include "crd/service.h"
#include "crd/state_report.h"

static int64_t now_s(void)
{
    return loop_wall_ns() / 1000000000;
}

const struct object *status_find(const struct controller *c, struct str id)
{
    struct str kind_name, rest, namespace, name;
    (void)str_cut(id, '/', &kind_name, &rest);
    if (!str_cut(rest, '/', &namespace, &name)) {
        name = namespace;
        namespace = STR("");
    }
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        if (str_eq(str_from(kinds_get((enum kind_id)kind)->name), kind_name))
            return source_get(c->source, (enum kind_id)kind, namespace, name);
    }
    return NULL;
}

bool status_must_wait(struct controller *c, const struct plan_record *record,
                      const struct service *service)
{
    struct ip added[ALLOC_IPS];
    size_t count = 0;
    for (size_t i = 0; i < record->ip_count; i++) {
        if (!service_shows(service, &record->ips[i]))
            added[count++] = record->ips[i];
    }
    return (count > 0 && (c->fence || apply_is_unsure(c, object_id(&service->object)))) ||
           handover_must_wait(c->handover, object_id(&service->object), added, count);
}

/* What the Service's record makes of it now. */
static struct str record_body(struct controller *c, const struct plan_record *record,
                              struct arena *arena)
{
    const struct object *object = record->object;
    const struct service *service = (const struct service *)object;
    if (status_must_wait(c, record, service))
        return service_patch_release(record, service, arena);
    struct str placement = placing_text(c->placing, object->key, arena);
    struct str patch =
        service_patch(record, c->placed ? &placement : NULL, service, now_s(), arena);
    if (patch.len == 0) /* a decision that changes nothing tells nobody */
        plan_forget_notes(c->plan, object->key);
    return patch;
}

static struct str service_body(struct controller *c, const struct object *object,
                               struct arena *arena)
{
    const struct plan_record *record = c->plan ? plan_get(c->plan, object->key) : NULL;
    /* The record may be of another version than the cache holds by now, which may show what a
     * former leader wrote: plan first, which brings us back. */
    if (!record || record->object != object ||
        (!object->refused && plan_is_due(c->plan, object->key)))
        return STR("");
    struct str patch = record_body(c, record, arena);
    bool is_fenced = c->fence && fence_has(c->fence, object_id(object), object->resource_version);
    if (patch.len || (!is_fenced && !apply_is_unsure(c, object_id(object))))
        return patch;
    /* Said by nobody before: the identity is one process's, and the time that of this lead. */
    struct sbuf leader = {0};
    sbuf_printf(&leader, STR_FMT " (since ", STR_ARG(c->options.identity));
    rfc3339_format(&leader, c->led_since_ns / 1000000000, (int32_t)(c->led_since_ns % 1000000000),
                   6);
    sbuf_putc(&leader, ')');
    return service_patch_fence((const struct service *)object, sbuf_move(&leader, arena), now_s(),
                               arena);
}

static struct str pool_body(struct controller *c, const struct object *object, struct arena *arena)
{
    struct status_want want = {0};
    struct alloc_usage usage[POOL_FAMILIES];
    const struct alloc *alloc = plan_alloc(c->plan);
    const struct pool *pool = pool_set_find(alloc_pools(alloc), object_name(object));
    (void)config_accepts(c->config, object, &want.why);
    for (unsigned slot = 0; pool && slot < POOL_FAMILIES; slot++)
        usage[slot] = alloc_usage(alloc, pool, slot);
    want.usage = pool ? usage : NULL;
    return status_patch(object, &want, now_s(), arena);
}

/* Addresses of the reservation that somebody holds, in order; huge ranges are walked only where
 * the plan has records. */
static struct str_list assigned_of(struct controller *c, const struct ipreservation *reservation,
                                   struct arena *arena)
{
    size_t count;
    const struct plan_record **records = plan_list(c->plan, arena, &count);
    struct str_list list = {.items = arena_array(arena, count * ALLOC_IPS, sizeof(struct str))};
    const struct range *ranges = reservation->ranges.items;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < records[i]->ip_count; j++) {
            const struct ip *ip = &records[i]->ips[j];
            struct str text = str_from(ip_format(ip).text);
            for (size_t k = 0; k < reservation->ranges.count; k++) {
                if (range_contains(&ranges[k], ip) && !str_list_has(&list, text))
                    list.items[list.count++] = arena_str(arena, text);
            }
        }
    }
    if (list.count)
        qsort(list.items, list.count, sizeof(struct str), str_cmp_ptr);
    return list;
}

static struct str reservation_body(struct controller *c, const struct object *object,
                                   struct arena *arena)
{
    struct str_list assigned = assigned_of(c, (const struct ipreservation *)object, arena);
    struct status_want want = {.assigned = &assigned};
    (void)config_accepts(c->config, object, &want.why);
    return status_patch(object, &want, now_s(), arena);
}

static struct str accepted_body(struct controller *c, const struct object *object,
                                struct arena *arena)
{
    struct status_want want = {0};
    (void)config_accepts(c->config, object, &want.why);
    return status_patch(object, &want, now_s(), arena);
}

/* A kind without a row has no status of ours. */
static struct str (*const bodies[KIND_COUNT])(struct controller *c, const struct object *object,
                                              struct arena *arena) = {
    [KIND_SERVICE] = service_body,
    [KIND_IP_ADDRESS_POOL] = pool_body,
    [KIND_IP_RESERVATION] = reservation_body,
    [KIND_L2_ADVERTISEMENT] = accepted_body,
    [KIND_BGP_ADVERTISEMENT] = accepted_body,
    [KIND_BGP_PEER] = accepted_body,
    [KIND_BFD_PROFILE] = accepted_body,
    [KIND_COMMUNITY] = accepted_body,
};

/* --- our own ConfigurationState -------------------------------------------------------------- */

struct str status_state_id(const struct controller *c, struct arena *arena)
{
    return arena_printf(arena, "ConfigurationState/" STR_FMT "/controller",
                        STR_ARG(c->options.namespace));
}

static bool state_write(struct controller *c, struct arena *arena, struct source_write *ret)
{
    const struct object *shown =
        source_get(c->source, KIND_CONFIGURATION_STATE, c->options.namespace, STR("controller"));
    struct state_report report = {
        .name = STR("controller"),
        .namespace = c->options.namespace,
        .component = STR("controller"),
        .condition = STR("poolReconcilerValid"),
        .errors =
            program_findings_errors(config_findings(c->config), source_findings(c->source), arena),
    };
    *ret = (struct source_write){
        .verb = shown ? SOURCE_PATCH_STATUS : SOURCE_CREATE,
        .kind = KIND_CONFIGURATION_STATE,
        .namespace = report.namespace,
        .name = report.name,
        .body = shown ? state_report_patch(&report, shown, now_s(), arena)
                      : state_report_new(&report, arena),
    };
    return ret->body.len > 0;
}

/* --- AddressConflicts ------------------------------------------------------------------------ */

/* One that is over is deleted, unless it was renewed meanwhile. */
static bool conflict_write(struct controller *c, const struct object *conflict, struct arena *arena,
                           struct source_write *ret)
{
    if (!quarantine_is_over(plan_quarantine(c->plan), object_id(conflict), now_s()))
        return false;
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    patch_open(&json, "preconditions");
    patch_str(&json, "resourceVersion", conflict->resource_version);
    patch_close(&json);
    patch_close(&json);
    *ret = (struct source_write){
        .verb = SOURCE_DELETE,
        .kind = KIND_ADDRESS_CONFLICT,
        .namespace = object_namespace(conflict),
        .name = object_name(conflict),
        .body = arena_str(arena, patch_text(&json)),
    };
    return true;
}

/* --- BGPSessionStatuses ---------------------------------------------------------------------- */

static bool session_write(struct controller *c, const struct object *session, struct arena *arena,
                          struct source_write *ret)
{
    *ret = (struct source_write){
        .verb = SOURCE_PATCH,
        .kind = KIND_BGP_SESSION_STATUS,
        .namespace = object_namespace(session),
        .name = object_name(session),
        .body = silent_patch(c->silent, session, now_s(), arena),
    };
    return ret->body.len > 0;
}

/* --- any of them ----------------------------------------------------------------------------- */

bool status_write(struct controller *c, struct str id, struct arena *arena,
                  struct source_write *ret)
{
    if (!c->active)
        return false;
    if (str_eq(id, status_state_id(c, arena)))
        return state_write(c, arena, ret);
    const struct object *object = status_find(c, id);
    if (object && object->kind->id == KIND_ADDRESS_CONFLICT)
        return conflict_write(c, object, arena, ret);
    if (object && object->kind->id == KIND_BGP_SESSION_STATUS)
        return session_write(c, object, arena, ret);
    if (!object || !bodies[object->kind->id])
        return false;
    *ret = (struct source_write){
        .verb = SOURCE_PATCH_STATUS,
        .kind = object->kind->id,
        .namespace = object_namespace(object),
        .name = object_name(object),
        .body = bodies[object->kind->id](c, object, arena),
    };
    return ret->body.len > 0;
}
