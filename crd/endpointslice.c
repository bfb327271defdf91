#include "crd/endpointslice.h"

#include "crd/object_rows.h"

#define SERVICE_NAME "kubernetes.io/service-name"

/* A condition that is not given: ready counts as true, by the API's words. */
#define AT(member) offsetof(struct endpoint_conditions, member)
static const struct field conditions_fields[] = {
    {"ready", FIELD_BOOL, AT(ready), .fallback = "true"},
    {"serving", FIELD_BOOL, AT(serving)},
    {"terminating", FIELD_BOOL, AT(terminating)},
};
#undef AT
static const struct shape conditions_shape =
    SHAPE(struct endpoint_conditions, conditions_fields, 0);

#define AT(member) offsetof(struct endpoint, member)
static const struct field endpoint_fields[] = {
    {"addresses", FIELD_STR_LIST, AT(addresses)},
    {"nodeName", FIELD_STR, AT(node_name)},
    {"conditions", FIELD_OBJECT, AT(conditions), .fallback = OBJECT_EMPTY,
     .nested = &conditions_shape},
};
#undef AT
static const struct shape endpoint_shape = SHAPE(struct endpoint, endpoint_fields, 0);

#define AT(member) offsetof(struct endpoint_port, member)
static const struct field port_fields[] = {
    {"name", FIELD_STR, AT(name)},
    {"protocol", FIELD_STR, AT(protocol), .fallback = "\"TCP\""},
    {"port", FIELD_INT, AT(port), .min = 0, .max = UINT16_MAX},
};
#undef AT
static const struct shape port_shape = SHAPE(struct endpoint_port, port_fields, 0);

#define AT(member) offsetof(struct endpointslice, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct endpointslice),
    {"addressType", FIELD_STR, AT(address_type)},
    {"endpoints", FIELD_LIST, AT(endpoints), .nested = &endpoint_shape},
    {"ports", FIELD_LIST, AT(ports), .nested = &port_shape},
};
#undef AT
const struct shape endpointslice_shape = SHAPE(struct endpointslice, fields, 0);

void endpointslice_check(struct object *object)
{
    struct endpointslice *slice = (struct endpointslice *)object;
    struct str service = object_label(object, STR(SERVICE_NAME), NULL);
    if (service.len)
        slice->service = arena_printf(object->arena, STR_FMT "/" STR_FMT,
                                      STR_ARG(object_namespace(object)), STR_ARG(service));
    struct endpoint *endpoints = slice->endpoints.items;
    for (size_t i = 0; i < slice->endpoints.count; i++)
        endpoints[i].can_serve = endpoints[i].conditions.ready || endpoints[i].conditions.serving;
}

static struct endpoint *find_node(struct endpoint *all, size_t count, struct str node)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(all[i].node_name, node))
            return &all[i];
    }
    return NULL;
}

/* The endpoints of the reduced slice, texts borrowed; in the arena. */
static struct list reduce_endpoints(const struct list *endpoints, struct arena *arena,
                                    size_t *ret_texts)
{
    const struct endpoint *all = endpoints->items;
    struct endpoint *kept = arena_array(arena, endpoints->count, sizeof(*kept));
    size_t count = 0;
    *ret_texts = 0;
    for (size_t i = 0; i < endpoints->count; i++) {
        struct endpoint *first = find_node(kept, count, all[i].node_name);
        if (first && all[i].can_serve)
            first->others++;
        if (!all[i].can_serve || first)
            continue;
        kept[count++] = (struct endpoint){
            .node_name = all[i].node_name, .conditions.ready = true, .can_serve = true};
        *ret_texts += all[i].node_name.len + 1;
    }
    return (struct list){.items = kept, .count = count};
}

/* Its key, and the label that it follows from, which is at `label`; the label's text is a part of
 * the key, behind the namespace. */
static void set_service(struct endpointslice *slice, struct str service, size_t namespace_len,
                        struct str_pair *label)
{
    if (!service.len)
        return;
    slice->service = arena_str(slice->object.arena, service);
    *label = (struct str_pair){.key = STR(SERVICE_NAME),
                               .value = str_slice(slice->service, namespace_len + 1, service.len)};
    slice->object.labels = (struct str_map){.items = label, .count = 1};
}

struct object *endpointslice_reduce(struct object *object, struct keep *keep)
{
    const struct endpointslice *slice = (const struct endpointslice *)object;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    enum { ROUNDED = 15 }; /* between two arrays */
    size_t texts;
    if (object->refused)
        return object;
    struct list kept = reduce_endpoints(&slice->endpoints, scratch, &texts);
    size_t extra = kept.count * sizeof(struct endpoint) + ROUNDED + sizeof(struct str_pair) +
                   texts + slice->service.len + 1;
    struct endpointslice *small = (struct endpointslice *)object_copy_begin(object, keep, extra);
    struct arena *arena = small->object.arena;
    struct endpoint *endpoints = arena_array(arena, kept.count, sizeof(*endpoints));
    struct str_pair *label = arena_alloc(arena, sizeof(*label));
    for (size_t i = 0; i < kept.count; i++) {
        endpoints[i] = ((const struct endpoint *)kept.items)[i];
        endpoints[i].node_name = arena_str(arena, endpoints[i].node_name);
    }
    small->endpoints = (struct list){.items = endpoints, .count = kept.count};
    set_service(small, slice->service, object->namespace_len, label);
    object_copy_end(&small->object, object);
    (void)object_unref(object);
    return &small->object;
}
