#include "crd/service.h"

#include "common/base/names.h"
#include "crd/annotations.h"
#include "crd/check.h"
#include "crd/condition.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct service_port, member)
static const struct field port_fields[] = {
    {"name", FIELD_STR, AT(name)},
    {"protocol", FIELD_STR, AT(protocol), .fallback = "\"TCP\""},
    {"port", FIELD_INT, AT(port), .min = 0, .max = UINT16_MAX},
    {"nodePort", FIELD_INT, AT(node_port), .min = 0, .max = UINT16_MAX},
    {"targetPort", FIELD_INT_OR_STR, AT(target_port)},
};
#undef AT
static const struct shape port_shape = SHAPE(struct service_port, port_fields, 0);

#define AT(member) offsetof(struct service_spec, member)
static const struct field spec_fields[] = {
    {"type", FIELD_STR, AT(type)},
    {"loadBalancerIP", FIELD_STR, AT(load_balancer_ip)},
    {"loadBalancerClass", FIELD_STR, AT(load_balancer_class),
     .present = AT(has_load_balancer_class)},
    {"clusterIP", FIELD_STR, AT(cluster_ip)},
    {"clusterIPs", FIELD_STR_LIST, AT(cluster_ips)},
    {"ipFamilies", FIELD_STR_LIST, AT(ip_families)},
    {"ipFamilyPolicy", FIELD_STR, AT(ip_family_policy)},
    {"externalTrafficPolicy", FIELD_STR, AT(external_traffic_policy)},
    {"ports", FIELD_LIST, AT(ports), .nested = &port_shape},
    {"selector", FIELD_MAP, AT(selector)},
};
#undef AT
static const struct shape spec_shape = SHAPE(struct service_spec, spec_fields, 0);

#define AT(member) offsetof(struct service_ingress, member)
static const struct field ingress_fields[] = {
    {"ip", FIELD_STR, AT(ip)},
    {"hostname", FIELD_STR, AT(hostname)},
};
#undef AT
static const struct shape ingress_shape = SHAPE(struct service_ingress, ingress_fields, 0);

static const struct field balancer_fields[] = {
    {"ingress", FIELD_LIST, 0, .nested = &ingress_shape},
};
static const struct shape balancer_shape = SHAPE(struct list, balancer_fields, 0);

#define AT(member) offsetof(struct service_status, member)
static const struct field status_fields[] = {
    {"loadBalancer", FIELD_OBJECT, AT(ingress), .nested = &balancer_shape},
    {"conditions", FIELD_LIST, AT(conditions), .nested = &condition_shape},
};
#undef AT
static const struct shape status_shape = SHAPE(struct service_status, status_fields, 0);

#define AT(member) offsetof(struct service, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct service),
    {"spec", FIELD_POINTER, AT(spec), .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(status), .nested = &status_shape},
};
#undef AT
const struct shape service_shape = SHAPE(struct service, fields, 0);

/* What most Services have need not be there thousands of times. */
static const struct service_spec no_spec;
static const struct service_request no_request;

/* Both families of a pair of addresses; 0 when they are of one. */
static bool are_dual(const struct ip *ips)
{
    return ips[0].family != ips[1].family;
}

static enum service_family family_of(const struct service_spec *spec)
{
    struct str_list one = {.items = (struct str *)&spec->cluster_ip, .count = 1};
    const struct str_list *texts = spec->cluster_ips.count ? &spec->cluster_ips : &one;
    if (texts->items[0].len == 0 || str_eq(texts->items[0], STR("None")))
        return SERVICE_FAMILY_NONE;
    struct ip ips[2] = {0};
    if (texts->count > 2)
        return SERVICE_FAMILY_INVALID;
    for (size_t i = 0; i < texts->count; i++)
        if (ip_parse(texts->items[i], &ips[i]) < 0)
            return SERVICE_FAMILY_INVALID;
    if (texts->count == 2)
        return are_dual(ips) ? SERVICE_FAMILY_DUAL : SERVICE_FAMILY_INVALID;
    return ips[0].family == IP_V4 ? SERVICE_FAMILY_V4 : SERVICE_FAMILY_V6;
}

/* A manifest that no API server has seen has no ClusterIPs: there the families say it. */
static enum service_family family_of_manifest(const struct service_spec *spec)
{
    const struct str_list *families = &spec->ip_families;
    if (spec->cluster_ip.len || spec->cluster_ips.count || !families->count)
        return SERVICE_FAMILY_NONE;
    bool v6 = str_list_has(families, STR("IPv6")), v4 = str_list_has(families, STR("IPv4"));
    if (families->count != (size_t)v4 + v6)
        return SERVICE_FAMILY_INVALID;
    if (v4 && v6)
        return SERVICE_FAMILY_DUAL;
    return v4 ? SERVICE_FAMILY_V4 : SERVICE_FAMILY_V6;
}

static enum ip_family_policy policy_of(struct str text)
{
    if (str_eq(text, STR("PreferDualStack")))
        return IP_FAMILY_PREFER_DUAL_STACK;
    if (str_eq(text, STR("RequireDualStack")))
        return IP_FAMILY_REQUIRE_DUAL_STACK;
    return IP_FAMILY_SINGLE_STACK;
}

static struct str request_list(struct service_request *request, struct str list,
                               struct arena *arena)
{
    const char *key = annotations_get(ANNOTATION_LOAD_BALANCER_IPS)->key.ptr;
    struct str rest = list, part;
    while (str_next(&rest, ',', &part)) {
        if (request->count == 2)
            return arena_printf(arena, "invalid %s \"" STR_FMT "\": more than two addresses", key,
                                STR_ARG(str_slice(list, 0, 128)));
        part = str_trim(part);
        if (ip_parse(part, &request->ips[request->count++]) < 0)
            return arena_printf(arena,
                                "invalid %s \"" STR_FMT "\": \"" STR_FMT "\" is no IP address", key,
                                STR_ARG(str_slice(list, 0, 128)), STR_ARG(str_slice(part, 0, 64)));
    }
    if (request->count == 2 && !are_dual(request->ips))
        return arena_printf(arena,
                            "invalid %s \"" STR_FMT "\": two addresses must be of different IP "
                            "families",
                            key, STR_ARG(str_slice(list, 0, 128)));
    return (struct str){0};
}

static void read_request(struct service *service)
{
    struct arena *arena = service->object.arena;
    struct str one = service->spec->load_balancer_ip;
    struct str list = annotations_read(&service->object, ANNOTATION_LOAD_BALANCER_IPS, NULL);
    service->request = &no_request;
    if (!one.len && !list.len)
        return;
    struct service_request *request = arena_alloc(arena, sizeof(*request));
    service->request = request;
    if (one.len && list.len) {
        request->error = arena_printf(arena, "service can not have both %s and spec.loadBalancerIP",
                                      annotations_get(ANNOTATION_LOAD_BALANCER_IPS)->key.ptr);
    } else if (list.len) {
        request->error = request_list(request, list, arena);
    } else {
        request->count = 1;
        if (ip_parse(one, &request->ips[0]) < 0)
            request->error =
                arena_printf(arena, "invalid spec.loadBalancerIP \"" STR_FMT "\": no IP address",
                             STR_ARG(str_slice(one, 0, 64)));
    }
    if (request->error.len)
        request->count = 0;
}

/* Fields that take a few words only. An API server knows the words of its own version, so they are
 * checked only in manifests that none has seen; there a typing error must not pass in silence. */
struct closed_field {
    const char *field;
    size_t offset;
    struct names words;
};

static const char *const types[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};
static const char *const policies[] = {"SingleStack", "PreferDualStack", "RequireDualStack"};
static const char *const traffic[] = {"Cluster", "Local"};
static const char *const protocols[] = {"TCP", "UDP", "SCTP"};

#define AT(member) offsetof(struct service_spec, member)
static const struct closed_field closed_fields[] = {
    {"spec.type", AT(type), NAMES(types)},
    {"spec.ipFamilyPolicy", AT(ip_family_policy), NAMES(policies)},
    {"spec.externalTrafficPolicy", AT(external_traffic_policy), NAMES(traffic)},
};
#undef AT

static void check_word(struct object *object, struct str field, struct str value,
                       const struct names *words)
{
    size_t at;
    if (value.len == 0 || names_find(words, value, &at) == 0)
        return;
    struct sbuf list = {0};
    for (size_t i = 0; i < words->count; i++)
        sbuf_printf(&list, "%s%s", i ? ", " : "", words->names[i]);
    check_fail(object, field, "must be one of %s, not \"" STR_FMT "\"", sbuf_cstr(&list),
               STR_ARG(str_slice(value, 0, 64)));
    sbuf_done(&list);
}

static void check_words(struct service *service)
{
    struct object *object = &service->object;
    static const struct names protocol_names = NAMES(protocols);
    const struct service_spec *spec = service->spec;
    const struct service_port *ports = spec->ports.items;
    for (size_t i = 0; i < sizeof(closed_fields) / sizeof(closed_fields[0]); i++) {
        const struct closed_field *row = &closed_fields[i];
        const struct str *value = (const struct str *)((const char *)spec + row->offset);
        check_word(object, str_from(row->field), *value, &row->words);
    }
    for (size_t i = 0; i < spec->ports.count; i++)
        check_word(object, check_field(object, "spec.ports[%zu].protocol", i), ports[i].protocol,
                   &protocol_names);
}

/* What an API server has let pass is never refused here: what cannot be read is told by the one
 * decision it concerns. */
void service_check(struct object *object)
{
    struct service *service = (struct service *)object;
    if (!service->spec)
        service->spec = &no_spec;
    if (object->source->origin.len)
        check_words(service);
    service->is_load_balancer = str_eq(service->spec->type, STR("LoadBalancer"));
    service->is_local = str_eq(service->spec->external_traffic_policy, STR("Local"));
    service->policy = policy_of(service->spec->ip_family_policy);
    service->family = family_of(service->spec);
    if (service->family == SERVICE_FAMILY_NONE && object->source->origin.len)
        service->family = family_of_manifest(service->spec);
    struct service_ingress *ingress = service->status.ingress.items;
    for (size_t i = 0; i < service->status.ingress.count; i++)
        if (ip_parse(ingress[i].ip, &ingress[i].address) < 0)
            ingress[i].address = (struct ip){0};
    read_request(service);
}

/* The annotations that are kept, texts borrowed; in the arena. */
static struct str_map kept_annotations(const struct object *object, struct arena *arena)
{
    static const enum annotation_id kept[] = {ANNOTATION_ALLOW_SHARED_IP, ANNOTATION_PLACEMENT,
                                              ANNOTATION_HANDOFF};
    const struct str_map *all = &object->annotations;
    struct str_map map = {.items = arena_array(arena, all->count, sizeof(*map.items))};
    for (size_t i = 0; i < all->count; i++) {
        bool keep = false;
        for (size_t j = 0; j < sizeof(kept) / sizeof(kept[0]); j++) {
            const struct annotation *row = annotations_get(kept[j]);
            keep = keep || str_eq(all->items[i].key, row->key) ||
                   (row->deprecated.len && str_eq(all->items[i].key, row->deprecated));
        }
        if (keep)
            map.items[map.count++] = all->items[i];
    }
    return map;
}

/* Those with an address: a host name says nothing to us. */
static struct list copy_ingress(const struct service *from, struct arena *arena)
{
    const struct service_ingress *all = from->status.ingress.items;
    struct service_ingress *kept = arena_array(arena, from->status.ingress.count, sizeof(*kept));
    struct list list = {.items = kept};
    for (size_t i = 0; i < from->status.ingress.count; i++) {
        if (all[i].ip.len)
            kept[list.count++] = (struct service_ingress){.ip = arena_str(arena, all[i].ip),
                                                          .address = all[i].address};
    }
    return list;
}

static size_t ingress_size(const struct service *from)
{
    const struct service_ingress *all = from->status.ingress.items;
    size_t size = from->status.ingress.count * sizeof(*all);
    for (size_t i = 0; i < from->status.ingress.count; i++)
        size += all[i].ip.len + 1;
    return size;
}

/* Whether traffic is Local, and the class, are all that differs. */
static const struct service_spec *copy_spec(const struct service *from, struct arena *arena)
{
    static const struct service_spec common[] = {
        {.type = STR_INIT("LoadBalancer")},
        {.type = STR_INIT("LoadBalancer"), .external_traffic_policy = STR_INIT("Local")},
    };
    if (!from->spec->has_load_balancer_class)
        return &common[from->is_local];
    struct service_spec *spec = arena_alloc(arena, sizeof(*spec));
    *spec = common[from->is_local];
    spec->has_load_balancer_class = true;
    spec->load_balancer_class = arena_str(arena, from->spec->load_balancer_class);
    return spec;
}

static size_t spec_size(const struct service *from)
{
    enum { ROUNDED = 16 };
    const struct service_spec *spec = from->spec;
    return spec->has_load_balancer_class ? sizeof(*spec) + spec->load_balancer_class.len + ROUNDED
                                         : 0;
}

static void copy_duties(struct service *to, const struct service *from,
                        const struct str_map *annotations)
{
    struct arena *arena = to->object.arena;
    to->is_load_balancer = true;
    to->is_local = from->is_local;
    to->status.ingress = copy_ingress(from, arena);
    to->object.labels = object_map_copy(&from->object.labels, arena);
    to->object.annotations = object_map_copy(annotations, arena);
    to->object.uid = arena_str(arena, from->object.uid);
    to->spec = copy_spec(from, arena);
}

/* A copy that knows nothing yet. */
static struct service *begin_copy(const struct object *object, struct keep *keep, size_t extra)
{
    struct service *copy = (struct service *)object_copy_begin(object, keep, extra);
    copy->spec = &no_spec;
    copy->request = &no_request;
    return copy;
}

struct object *service_reduce(struct object *object, struct keep *keep)
{
    const struct service *service = (const struct service *)object;
    if (object->refused)
        return object;
    if (!service->is_load_balancer) {
        struct service *names = begin_copy(object, keep, 0);
        object_copy_end(&names->object, object);
        (void)object_unref(object);
        return &names->object;
    }
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str_map annotations = kept_annotations(object, scratch);
    size_t extra = ingress_size(service) + object_map_size(&object->labels) +
                   object_map_size(&annotations) + object->uid.len + 1 + spec_size(service);
    struct service *small = begin_copy(object, keep, extra);
    copy_duties(small, service, &annotations);
    object_copy_end(&small->object, object);
    (void)object_unref(object);
    return &small->object;
}

bool service_is_of_class(const struct service *service, struct str lb_class)
{
    if (lb_class.len)
        return str_eq(service->spec->load_balancer_class, lb_class);
    return !service->spec->has_load_balancer_class;
}

bool service_shows(const struct service *service, const struct ip *ip)
{
    const struct service_ingress *ingress = service->status.ingress.items;
    for (size_t i = 0; i < service->status.ingress.count; i++) {
        if (ip_eq(&ingress[i].address, ip))
            return true;
    }
    return false;
}
