#include "crd/bgpsessionstatus.h"

#include "crd/object_rows.h"

#define AT(member) offsetof(struct bgpsessionstatus_status, member)
static const struct field status_fields[] = {
    {"node", FIELD_STR, AT(node)},       {"peer", FIELD_STR, AT(peer)},
    {"address", FIELD_STR, AT(address)}, {"state", FIELD_STR, AT(state)},
    {"since", FIELD_TIME, AT(since)},    {"message", FIELD_STR, AT(message)},
};
#undef AT
static const struct shape status_shape = SHAPE(struct bgpsessionstatus_status, status_fields, 0);

static const struct field fields[] = {
    OBJECT_ROWS(struct bgpsessionstatus),
    {"status", FIELD_OBJECT, offsetof(struct bgpsessionstatus, status), .nested = &status_shape},
};
const struct shape bgpsessionstatus_shape = SHAPE(struct bgpsessionstatus, fields, SHAPE_STRICT);
