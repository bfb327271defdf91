#include "crd/configurationstate.h"

#include "crd/condition.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct configurationstate_status, member)
static const struct field status_fields[] = {
    {"result", FIELD_STR, AT(result)},
    {"errorSummary", FIELD_STR, AT(error_summary)},
    {"conditions", FIELD_LIST, AT(conditions), .nested = &condition_shape},
};
#undef AT
static const struct shape status_shape = SHAPE(struct configurationstate_status, status_fields, 0);

static const struct field fields[] = {
    OBJECT_ROWS(struct configurationstate),
    {"status", FIELD_OBJECT, offsetof(struct configurationstate, status), .nested = &status_shape},
};
const struct shape configurationstate_shape =
    SHAPE(struct configurationstate, fields, SHAPE_STRICT);
