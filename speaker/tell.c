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

static bool same_list(const struct str_list *a, const struct str_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!str_eq(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

static void tell_withdrawn(const struct plan_service *service)
{
    log_info("service withdrawn", kv_str("service", service->key),
             kv_cstr("reason", reason_name(service->reason)), kv_str("owner", service->owner));
}

/* Only transitions are told. was: `after` as it was before, which may be the same entry. */
static void tell_service(const struct tell *tell, const struct plan_service *before,
                         const struct plan_service *after, bool was, struct arena *scratch)
{
    enum placement_verdict worth = before ? before->placement : PLACEMENT_NOT_PUBLISHED;
    enum reason reason = before ? before->reason : REASON_SERVICE_DELETED;
    if (after->placement != worth && after->placement > PLACEMENT_NOT_PUBLISHED)
        log_warn("published placement ignored", kv_str("service", after->key),
                 kv_cstr("reason", placement_verdict_name(after->placement)));
    if (after->announced && !was)
        tell_announced(tell, after, scratch);
    else if (was && !after->announced)
        tell_withdrawn(after);
    if (after->reason == REASON_NO_INTERFACE && reason != REASON_NO_INTERFACE)
        tell_no_interface(tell, after, scratch);
    bool moved = was && (before->all_interfaces != after->all_interfaces ||
                         !same_list(&before->interfaces, &after->interfaces));
    if (was != after->announced || moved)
        tell->changed(tell->ctx, after->key, after->announced && !was);
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

static void mark_addresses(const struct tell *tell, struct plan *plan)
{
    for (size_t i = 0; i < plan->address_count; i++)
        plan->addresses[i].announced = tell->owns(tell->ctx, &plan->addresses[i].ip);
}

static bool is_announced(const struct plan *plan, const struct plan_service *service)
{
    for (size_t i = 0; service->reason == REASON_NONE && i < service->ip_count; i++) {
        const struct plan_address *address = plan_find_address(plan, &service->ips[i]);
        if (address && address->announced)
            return true;
    }
    return false;
}

/* Plans of one basis have the same Services in the same places. */
static const struct plan_service *counterpart(const struct plan *before, const struct plan *after,
                                              size_t index)
{
    if (before && before->basis == after->basis)
        return &before->services[index];
    return plan_find(before, after->services[index].key);
}

void tell_plans(const struct tell *tell, const struct plan *before, struct plan *after)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    mark_addresses(tell, after);
    for (size_t i = 0; i < after->service_count; i++) {
        const struct plan_service *was = counterpart(before, after, i);
        bool announced = was && was->announced;
        after->services[i].announced = is_announced(after, &after->services[i]);
        tell_service(tell, was, &after->services[i], announced, scratch);
    }
    for (size_t i = 0; before && before->basis != after->basis && i < before->service_count; i++) {
        const struct plan_service *gone = &before->services[i];
        if (!gone->announced || plan_find(after, gone->key))
            continue;
        log_info("service withdrawn", kv_str("service", gone->key),
                 kv_cstr("reason", reason_name(reason_gone(tell, gone->key))));
        tell->changed(tell->ctx, gone->key, false);
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
