#include "speaker/tell.h"

#include "common/base/log.h"
#include "crd/service.h"

void tell_event(const struct tell *tell, struct str key, bool warning, struct str reason,
                struct str message)
{
    struct str namespace, name;
    (void)str_cut(key, '/', &namespace, &name);
    const struct object *service = source_get(tell->source, KIND_SERVICE, namespace, name);
    if (!service)
        return;
    struct source_event event = {.about = service,
                                 .warning = warning,
                                 .reason = reason,
                                 .action = STR("Announce"),
                                 .message = message};
    source_event(tell->source, &event);
}

static void tell_announced(const struct tell *tell, const struct plan_service *service,
                           struct arena *scratch)
{
    log_info("service announced", kv_str("service", service->key),
             kv_uint("epoch", service->epoch));
    tell_event(tell, service->key, false, STR("nodeAssigned"),
               arena_printf(scratch,
                            "announcing from node \"" STR_FMT "\" with protocol \"layer2\"",
                            STR_ARG(tell->node)));
}

static void tell_no_interface(const struct tell *tell, const struct plan_service *service,
                              struct arena *scratch)
{
    log_warn("service has no interface to be announced on", kv_str("service", service->key));
    tell_event(tell, service->key, true, STR("announceFailed"),
               arena_printf(scratch,
                            "node \"" STR_FMT "\" owns the address but has none of the interfaces "
                            "that the L2Advertisements name",
                            STR_ARG(tell->node)));
}

/* Only transitions are told. */
static void tell_service(const struct tell *tell, const struct plan_service *before,
                         const struct plan_service *after, struct arena *scratch)
{
    enum reason was = before ? before->reason : REASON_SERVICE_DELETED;
    enum placement_verdict worth = before ? before->placement : PLACEMENT_NOT_PUBLISHED;
    if (after->placement != worth && after->placement > PLACEMENT_NOT_PUBLISHED)
        log_warn("published placement ignored", kv_str("service", after->key),
                 kv_cstr("reason", placement_verdict_name(after->placement)));
    if (after->reason == was)
        return;
    if (after->reason == REASON_NONE)
        tell_announced(tell, after, scratch);
    else if (was == REASON_NONE)
        log_info("service withdrawn", kv_str("service", after->key),
                 kv_cstr("reason", reason_name(after->reason)), kv_str("owner", after->owner));
    if (after->reason == REASON_NO_INTERFACE)
        tell_no_interface(tell, after, scratch);
}

/* Why a Service is in the plan no more. */
static enum reason reason_gone(const struct tell *tell, struct str key)
{
    struct str namespace, name;
    (void)str_cut(key, '/', &namespace, &name);
    const struct object *service = source_get(tell->source, KIND_SERVICE, namespace, name);
    return service && !((const struct service *)service)->is_load_balancer
               ? REASON_NOT_LOAD_BALANCER
               : REASON_SERVICE_DELETED;
}

void tell_plans(const struct tell *tell, const struct plan *before, const struct plan *after)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    for (size_t i = 0; i < after->service_count; i++)
        tell_service(tell, plan_find(before, after->services[i].key), &after->services[i], scratch);
    for (size_t i = 0; before && i < before->service_count; i++) {
        const struct plan_service *gone = &before->services[i];
        if (gone->reason == REASON_NONE && !plan_find(after, gone->key))
            log_info("service withdrawn", kv_str("service", gone->key),
                     kv_cstr("reason", reason_name(reason_gone(tell, gone->key))));
    }
}

void tell_findings(const struct diag_list *list)
{
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        log_warn("input refused", kv_str("object", diag->object), kv_str("field", diag->field),
                 kv_str("reason", diag->message));
    }
}
