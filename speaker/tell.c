#include "speaker/tell.h"

#include <stdlib.h>

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

enum tell_kind {
    TELL_CHANGED, /* only where it is announced */
    TELL_ANNOUNCED,
    TELL_WITHDRAWN,
    TELL_GONE, /* in no plan any more */
    TELL_NO_INTERFACE,
    TELL_PLACEMENT, /* its published order is worth nothing */
};

enum { TELL_BATCH = 64 };

struct tell_item {
    enum tell_kind kind;
    const char *reason;
    uint64_t epoch;
    struct str service, owner; /* behind it */
};

static void add(struct tell *tell, enum tell_kind kind, const struct plan_service *service,
                const char *reason)
{
    size_t size = service->key.len + service->owner.len;
    struct tell_item *item = heap_alloc(sizeof(*item) + size);
    char *text = (char *)(item + 1);
    for (size_t i = 0; i < service->key.len; i++)
        text[i] = service->key.ptr[i];
    for (size_t i = 0; i < service->owner.len; i++)
        text[service->key.len + i] = service->owner.ptr[i];
    *item = (struct tell_item){
        .kind = kind,
        .reason = reason,
        .epoch = service->epoch,
        .service = {.ptr = text, .len = service->key.len},
        .owner = {.ptr = text + service->key.len, .len = service->owner.len},
    };
    vec_push(&tell->items, item);
}

/* --- telling --------------------------------------------------------------------------------- */

static void tell_announced(const struct tell *tell, const struct tell_item *item)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    log_info("service announced", kv_str("service", item->service), kv_uint("epoch", item->epoch));
    tell_event(tell, item->service, false, STR("nodeAssigned"),
               arena_printf(scratch,
                            "announcing from node \"" STR_FMT "\" with protocol \"layer2\"",
                            STR_ARG(tell->node)));
}

static void tell_no_interface(const struct tell *tell, const struct tell_item *item)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    log_warn("service has no interface to be announced on", kv_str("service", item->service));
    tell_event(tell, item->service, true, STR("announceFailed"),
               arena_printf(scratch,
                            "node \"" STR_FMT "\" owns the address but has none of the interfaces "
                            "that the L2Advertisements name",
                            STR_ARG(tell->node)));
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

static void tell_item(const struct tell *tell, const struct tell_item *item)
{
    switch (item->kind) {
    case TELL_ANNOUNCED:
        tell_announced(tell, item);
        break;
    case TELL_WITHDRAWN:
        log_info("service withdrawn", kv_str("service", item->service),
                 kv_cstr("reason", item->reason), kv_str("owner", item->owner));
        break;
    case TELL_GONE:
        log_info("service withdrawn", kv_str("service", item->service),
                 kv_cstr("reason", reason_name(reason_gone(tell, item->service))));
        break;
    case TELL_NO_INTERFACE:
        tell_no_interface(tell, item);
        return;
    case TELL_PLACEMENT:
        log_warn("published placement ignored", kv_str("service", item->service),
                 kv_cstr("reason", item->reason));
        return;
    case TELL_CHANGED:
        break;
    }
    tell->changed(tell->ctx, item->service, item->kind == TELL_ANNOUNCED);
}

bool tell_some(struct tell *tell)
{
    for (size_t i = 0; i < TELL_BATCH && tell->next < tell->items.len; i++) {
        struct tell_item *item = tell->items.items[tell->next++];
        tell_item(tell, item);
        free(item);
    }
    if (tell->next < tell->items.len)
        return true;
    tell_done(tell);
    return false;
}

void tell_done(struct tell *tell)
{
    for (size_t i = tell->next; i < tell->items.len; i++)
        free(tell->items.items[i]);
    vec_done(&tell->items);
    tell->next = 0;
}

/* --- finding --------------------------------------------------------------------------------- */

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

/* before: NULL when it is new. */
static void find_changes(struct tell *tell, const struct plan_service *before,
                         const struct plan_service *after)
{
    enum placement_verdict worth = before ? before->placement : PLACEMENT_NOT_PUBLISHED;
    enum reason reason = before ? before->reason : REASON_SERVICE_DELETED;
    bool was = before && before->announced;
    if (after->placement != worth && after->placement > PLACEMENT_NOT_PUBLISHED)
        add(tell, TELL_PLACEMENT, after, placement_verdict_name(after->placement));
    if (after->announced && !was)
        add(tell, TELL_ANNOUNCED, after, NULL);
    else if (was && !after->announced)
        add(tell, TELL_WITHDRAWN, after, reason_name(after->reason));
    else if (was && (before->all_interfaces != after->all_interfaces ||
                     !same_list(&before->interfaces, &after->interfaces)))
        add(tell, TELL_CHANGED, after, NULL);
    if (after->reason == REASON_NO_INTERFACE && reason != REASON_NO_INTERFACE)
        add(tell, TELL_NO_INTERFACE, after, NULL);
}

static void mark_addresses(const struct tell *tell, struct plan *plan)
{
    const struct basis *basis = plan->basis;
    for (size_t i = 0; i < basis->address_count; i++) {
        struct plan_place *place = &plan->addresses[i];
        place->announced =
            place->interfaces && tell->owns(tell->ctx, &basis->addresses[i].ip) ? 1 : 0;
    }
}

/* A Service is announced when an address of it is. */
static void mark_service(struct plan *plan, size_t index)
{
    const struct basis_service *service = &plan->basis->services[index];
    struct plan_verdict *verdict = &plan->services[index];
    struct plan_address address;
    verdict->announced = false;
    for (size_t i = 0; verdict->reason == REASON_NONE && i < service->ip_count; i++) {
        if (plan_find_address(plan, &service->ips[i], &address) && address.announced)
            verdict->announced = true;
    }
}

/* Plans of one basis have the same Services in the same places. */
static bool find_counterpart(const struct plan *before, const struct plan *after, size_t index,
                             struct plan_service *ret)
{
    if (!before || before->basis != after->basis)
        return plan_find(before, after->basis->services[index].key, ret);
    *ret = plan_service_at(before, index);
    return true;
}

static void find_gone(struct tell *tell, const struct plan *before, const struct plan *after)
{
    struct plan_service old, new;
    for (size_t i = 0; i < before->basis->service_count; i++) {
        old = plan_service_at(before, i);
        if (old.announced && !plan_find(after, old.key, &new))
            add(tell, TELL_GONE, &old, NULL);
    }
}

void tell_plans(struct tell *tell, const struct plan *before, struct plan *after)
{
    struct plan_service old, new;
    mark_addresses(tell, after);
    for (size_t i = 0; i < after->basis->service_count; i++) {
        bool known = find_counterpart(before, after, i, &old);
        mark_service(after, i); /* of the same plan perhaps */
        new = plan_service_at(after, i);
        find_changes(tell, known ? &old : NULL, &new);
    }
    if (before && before->basis != after->basis)
        find_gone(tell, before, after);
}

void tell_findings(const struct diag_list *list)
{
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        log_warn("input refused", kv_str("object", diag->object), kv_str("field", diag->field),
                 kv_str("reason", diag->message));
    }
}
