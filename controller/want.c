#include "controller/want.h"

#include "common/base/sbuf.h"
#include "crd/annotations.h"

static struct want verdict(enum want_verdict verdict, struct str message)
{
    return (struct want){.verdict = verdict, .message = message};
}

static enum alloc_protocol protocol_of(struct str name)
{
    if (str_eq(name, STR("UDP")))
        return ALLOC_UDP;
    return str_eq(name, STR("SCTP")) ? ALLOC_SCTP : ALLOC_TCP;
}

static void read_ports(const struct service *service, struct arena *arena,
                       struct alloc_request *request)
{
    const struct service_port *from = service->spec->ports.items;
    size_t count = service->spec->ports.count;
    struct alloc_port *ports = arena_array(arena, count, sizeof(*ports));
    for (size_t i = 0; i < count; i++)
        ports[i] = (struct alloc_port){.protocol = protocol_of(from[i].protocol),
                                       .port = (uint16_t)from[i].port};
    request->ports = ports;
    request->port_count = count;
}

/* Services with policy Local share an address only when the same pods serve them: the selector is
 * part of the key. It is sorted already, so equal selectors give equal texts. */
static struct str backend_key(const struct service *service, struct arena *arena)
{
    if (!service->is_local)
        return STR("");
    struct sbuf text = {0};
    const struct str_map *selector = &service->spec->selector;
    for (size_t i = 0; i < selector->count; i++) {
        /* Not with printf, which ends a text at a NUL. */
        sbuf_puts(&text, i ? "," : "");
        sbuf_put(&text, selector->items[i].key);
        sbuf_putc(&text, '=');
        sbuf_put(&text, selector->items[i].value);
    }
    return sbuf_move(&text, arena);
}

static enum alloc_policy policy_of(enum ip_family_policy policy)
{
    switch (policy) {
    case IP_FAMILY_PREFER_DUAL_STACK:
        return ALLOC_PREFER_DUAL;
    case IP_FAMILY_REQUIRE_DUAL_STACK:
        return ALLOC_REQUIRE_DUAL;
    case IP_FAMILY_SINGLE_STACK:
        break;
    }
    return ALLOC_SINGLE;
}

static enum alloc_families families_of(enum service_family family)
{
    if (family == SERVICE_FAMILY_DUAL)
        return ALLOC_DUAL;
    return family == SERVICE_FAMILY_V6 ? ALLOC_V6 : ALLOC_V4;
}

static enum ip_family primary_of(const struct service *service)
{
    const struct str_list *families = &service->spec->ip_families;
    return families->count && str_eq(families->items[0], STR("IPv6")) ? IP_V6 : IP_V4;
}

static struct str_list read_deprecated(const struct object *object, struct arena *arena)
{
    struct str_list list = {.items = arena_array(arena, ANNOTATION_COUNT, sizeof(struct str))};
    size_t cursor = 0;
    for (struct str key; (key = annotations_deprecated(object, &cursor)).len;)
        list.items[list.count++] = key;
    return list;
}

static struct want read_request(const struct service *service, struct arena *arena)
{
    const struct object *object = &service->object;
    struct want want = {
        .verdict = WANT_ADDRESS,
        .bad_request = service->request->error,
        .deprecated = read_deprecated(object, arena),
        .request =
            {
                .key = object->key,
                .namespace = object_namespace(object),
                .labels = &object->labels,
                .sharing_key = annotations_read(object, ANNOTATION_ALLOW_SHARED_IP, NULL),
                .backend_key = backend_key(service, arena),
                .families = families_of(service->family),
                .policy = policy_of(service->policy),
                .primary = primary_of(service),
                .pool = annotations_read(object, ANNOTATION_ADDRESS_POOL, NULL),
                .ip_count = service->request->count,
            },
    };
    for (size_t i = 0; i < service->request->count; i++)
        want.request.ips[i] = service->request->ips[i];
    read_ports(service, arena, &want.request);
    return want;
}

struct want want_read(const struct service *service, struct str lb_class, struct arena *arena)
{
    if (!service_is_of_class(service, lb_class))
        return verdict(WANT_FOREIGN, STR("the Service is of another load balancer's class"));
    if (!service->is_load_balancer)
        return verdict(WANT_NOTHING, STR("the Service is not of type LoadBalancer"));
    if (service->family == SERVICE_FAMILY_NONE)
        return verdict(WANT_NO_CLUSTER_IP, STR("the Service has no cluster IP"));
    if (service->policy == IP_FAMILY_REQUIRE_DUAL_STACK && service->spec->cluster_ips.count < 2)
        return verdict(WANT_NOT_ENOUGH_CLUSTER_IPS,
                       STR("the Service requires dual stack but has only one cluster IP"));
    if (service->family == SERVICE_FAMILY_INVALID)
        return verdict(WANT_UNKNOWN_FAMILY,
                       STR("the IP family cannot be told from the Service's cluster IPs"));
    return read_request(service, arena);
}
