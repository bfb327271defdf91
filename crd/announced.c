#include "crd/announced.h"

#include "crd/object_rows.h"

#define AT(member) offsetof(struct announced_interface, member)
static const struct field interface_fields[] = {
    {"name", FIELD_STR, AT(name)},
};
#undef AT
static const struct shape interface_shape = SHAPE(struct announced_interface, interface_fields, 0);

#define AT(member) offsetof(struct servicel2status_status, member)
static const struct field l2_status_fields[] = {
    {"node", FIELD_STR, AT(node)},
    {"serviceName", FIELD_STR, AT(service_name)},
    {"serviceNamespace", FIELD_STR, AT(service_namespace)},
    {"interfaces", FIELD_LIST, AT(interfaces), .nested = &interface_shape},
};
#undef AT
static const struct shape l2_status_shape =
    SHAPE(struct servicel2status_status, l2_status_fields, 0);

#define AT(member) offsetof(struct servicebgpstatus_status, member)
static const struct field bgp_status_fields[] = {
    {"node", FIELD_STR, AT(node)},
    {"serviceName", FIELD_STR, AT(service_name)},
    {"serviceNamespace", FIELD_STR, AT(service_namespace)},
    {"peers", FIELD_STR_LIST, AT(peers)},
};
#undef AT
static const struct shape bgp_status_shape =
    SHAPE(struct servicebgpstatus_status, bgp_status_fields, 0);

static const struct shape empty_shape = {.size = sizeof(struct object)};

static const struct field l2_fields[] = {
    OBJECT_ROWS(struct servicel2status),
    {"spec", FIELD_OBJECT, 0, .nested = &empty_shape},
    {"status", FIELD_OBJECT, offsetof(struct servicel2status, status), .nested = &l2_status_shape},
};
const struct shape servicel2status_shape = SHAPE(struct servicel2status, l2_fields, SHAPE_STRICT);

static const struct field bgp_fields[] = {
    OBJECT_ROWS(struct servicebgpstatus),
    {"spec", FIELD_OBJECT, 0, .nested = &empty_shape},
    {"status", FIELD_OBJECT, offsetof(struct servicebgpstatus, status),
     .nested = &bgp_status_shape},
};
const struct shape servicebgpstatus_shape =
    SHAPE(struct servicebgpstatus, bgp_fields, SHAPE_STRICT);

/* Both kinds begin alike, and a list of names is one of texts. */
_Static_assert(offsetof(struct servicel2status_status, interfaces) ==
                       offsetof(struct servicebgpstatus_status, peers) &&
                   offsetof(struct servicel2status, status) ==
                       offsetof(struct servicebgpstatus, status) &&
                   sizeof(struct announced_interface) == sizeof(struct str),
               "node, service_name, service_namespace, texts");

/* The names of interfaces or peers. */
static const struct str_list *texts_of(const struct object *object)
{
    return &((const struct servicebgpstatus *)object)->status.peers;
}

static size_t status_size(const struct object *object)
{
    const struct servicebgpstatus_status *status =
        &((const struct servicebgpstatus *)object)->status;
    const struct str_list *names = texts_of(object);
    size_t size = status->node.len + status->service_name.len + status->service_namespace.len + 3 +
                  names->count * sizeof(struct str);
    for (size_t i = 0; i < names->count; i++)
        size += names->items[i].len + 1;
    return size;
}

/* Are its labels those that go with its status, and no others? */
static bool is_labelled_alike(const struct object *object)
{
    const struct servicebgpstatus_status *status =
        &((const struct servicebgpstatus *)object)->status;
    return object->labels.count == 3 && status->service_name.len &&
           str_eq(object_label(object, STR(ANNOUNCED_NODE), NULL), status->node) &&
           str_eq(object_label(object, STR(ANNOUNCED_NAME), NULL), status->service_name) &&
           str_eq(object_label(object, STR(ANNOUNCED_NAMESPACE), NULL), status->service_namespace);
}

void announced_service(const struct object *object, struct sbuf *out)
{
    const struct servicebgpstatus_status *status =
        &((const struct servicebgpstatus *)object)->status;
    bool by_labels = object->labels.count > 0;
    struct str namespace = by_labels ? object_label(object, STR(ANNOUNCED_NAMESPACE), NULL)
                                     : status->service_namespace;
    struct str name =
        by_labels ? object_label(object, STR(ANNOUNCED_NAME), NULL) : status->service_name;
    if (!name.len)
        return;
    sbuf_put(out, namespace);
    sbuf_putc(out, '/');
    sbuf_put(out, name);
}

struct object *announced_reduce(struct object *object, struct keep *keep)
{
    const struct servicebgpstatus_status *from = &((const struct servicebgpstatus *)object)->status;
    const struct str_list *names = texts_of(object);
    if (object->refused)
        return object;
    struct str_map labels = is_labelled_alike(object) ? (struct str_map){0} : object->labels;
    struct object *small =
        object_copy_begin(object, keep, status_size(object) + object_map_size(&labels));
    struct arena *arena = small->arena;
    struct servicebgpstatus_status *to = &((struct servicebgpstatus *)small)->status;
    to->peers.items = arena_array(arena, names->count, sizeof(struct str));
    small->labels = object_map_copy(&labels, arena);
    for (; to->peers.count < names->count; to->peers.count++)
        to->peers.items[to->peers.count] = arena_str(arena, names->items[to->peers.count]);
    to->node = arena_str(arena, from->node);
    to->service_name = arena_str(arena, from->service_name);
    to->service_namespace = arena_str(arena, from->service_namespace);
    object_copy_end(small, object);
    (void)object_unref(object);
    return small;
}
