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
