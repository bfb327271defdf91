#include "controller/explain.h"

#include "controller/report.h"
#include "crd/annotations.h"

static void put_ips(struct patch *json, const char *key, const struct ip *ips, size_t count)
{
    patch_list(json, key);
    for (size_t i = 0; i < count; i++)
        patch_str(json, NULL, str_from(ip_format(&ips[i]).text));
    patch_close(json);
}

static void put_wish(struct patch *json, const struct service *service)
{
    const struct object *object = &service->object;
    patch_open(json, "asksFor");
    put_ips(json, "ips", service->request->ips, service->request->count);
    patch_str(json, "pool", annotations_read(object, ANNOTATION_ADDRESS_POOL, NULL));
    patch_str(json, "sharingKey", annotations_read(object, ANNOTATION_ALLOW_SHARED_IP, NULL));
    patch_str(json, "loadBalancerClass", service->spec->load_balancer_class);
    if (service->request->error.len)
        patch_str(json, "error", service->request->error);
    patch_close(json);
}

static void put_shown(struct patch *json, const struct service *service)
{
    const struct service_ingress *ingress = service->status.ingress.items;
    patch_list(json, "shows");
    for (size_t i = 0; i < service->status.ingress.count; i++)
        patch_str(json, NULL, ingress[i].ip.len ? ingress[i].ip : ingress[i].hostname);
    patch_close(json);
}

/* Who has the addresses that the Service asks for, or shares those it has. */
static void put_users(struct patch *json, const struct alloc *alloc, const struct ip *ips,
                      size_t count)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    patch_list(json, "usedBy");
    for (size_t i = 0; i < count; i++) {
        struct str_list users = alloc_users(alloc, &ips[i], scratch);
        patch_open(json, NULL);
        patch_str(json, "ip", str_from(ip_format(&ips[i]).text));
        patch_list(json, "services");
        for (size_t j = 0; j < users.count; j++)
            patch_str(json, NULL, users.items[j]);
        patch_close(json);
        patch_close(json);
    }
    patch_close(json);
}

/* Who else answers for those addresses, and until when they are in quarantine. */
static void put_conflicts(struct patch *json, const struct quarantine *quarantine,
                          const struct ip *ips, size_t count)
{
    patch_list(json, "conflicts");
    for (size_t i = 0; i < count; i++) {
        const struct quarantine_entry *entry = quarantine_find(quarantine, &ips[i]);
        if (!entry)
            continue;
        patch_open(json, NULL);
        patch_str(json, "ip", str_from(ip_format(&entry->ip).text));
        patch_str(json, "mac", str_from(mac_format(&entry->mac).text));
        patch_str(json, "node", entry->node);
        patch_str(json, "interface", entry->interface);
        patch_time(json, "seen", entry->seen);
        patch_time(json, "until", entry->until);
        patch_close(json);
    }
    patch_close(json);
}

/* What one pool means to the Service, in a sentence. */
static const char *pool_sentence(const struct pool *pool, const struct service *service,
                                 bool is_asked)
{
    const struct object *object = &service->object;
    if (!pool_admits(pool, object_namespace(object), &object->labels))
        return "its serviceAllocation does not let this Service in";
    if (is_asked)
        return "asked for";
    if (!pool->auto_assign)
        return "gives addresses only to those who ask for it (autoAssign is false)";
    return pool->pinned ? "pinned to this Service: tried before pools without serviceAllocation"
                        : "open to every Service";
}

static void put_pools(struct patch *json, const struct alloc *alloc, const struct service *service)
{
    struct str asked = annotations_read(&service->object, ANNOTATION_ADDRESS_POOL, NULL);
    const struct pool_set *set = alloc_pools(alloc);
    patch_list(json, "pools");
    for (uint32_t i = 0; i < set->count; i++) {
        const struct pool *pool = &set->pools[i];
        patch_open(json, NULL);
        patch_str(json, "name", pool->name);
        patch_int(json, "availableIPv4", alloc_usage(alloc, pool, 0).available);
        patch_int(json, "availableIPv6", alloc_usage(alloc, pool, 1).available);
        patch_str(json, "message",
                  str_from(pool_sentence(pool, service, str_eq(asked, pool->name))));
        patch_close(json);
    }
    patch_close(json);
}

static void put_placement(struct patch *json, const struct placing *placing, struct str key)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct placing_view view = {0};
    bool is_placed = placing_view(placing, key, scratch, &view);
    patch_open(json, "placement");
    report_nodes(json, view.owner, &view.backups);
    patch_int(json, "epoch", (int64_t)view.epoch);
    patch_str(json, "reason", str_from(place_why_name(view.why)));
    patch_str(json, "message",
              is_placed ? placing_sentence(&view, scratch)
                        : STR("it has no address to answer for"));
    patch_int(json, "services", (int64_t)view.members);
    patch_close(json);
}

void explain_service(struct patch *json, const struct plan *plan, const struct placing *placing,
                     const struct plan_record *record, const struct service *service)
{
    const struct alloc *alloc = plan_alloc(plan);
    bool asks = service->request->count > 0;
    const struct ip *ips = asks ? service->request->ips : record->ips;
    size_t count = asks ? service->request->count : record->ip_count;
    patch_open(json, NULL);
    patch_str(json, "service", record->key);
    patch_bool(json, "allocated", record->allocated);
    patch_str(json, "reason", str_from(record->reason));
    patch_str(json, "message", record->message);
    put_ips(json, "ips", record->ips, record->ip_count);
    patch_str(json, "pool", record->pool);
    put_placement(json, placing, record->key);
    put_wish(json, service);
    put_shown(json, service);
    put_users(json, alloc, ips, count);
    put_conflicts(json, plan_quarantine(plan), ips, count);
    put_pools(json, alloc, service);
    patch_close(json);
}
