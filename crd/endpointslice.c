#include "crd/endpointslice.h"

#include "crd/object_rows.h"

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
    struct str service = object_label(object, STR("kubernetes.io/service-name"), NULL);
    if (service.len)
        slice->service = arena_printf(object->arena, STR_FMT "/" STR_FMT,
                                      STR_ARG(object->meta.namespace), STR_ARG(service));
    struct endpoint *endpoints = slice->endpoints.items;
    for (size_t i = 0; i < slice->endpoints.count; i++)
        endpoints[i].can_serve = endpoints[i].conditions.ready || endpoints[i].conditions.serving;
}
