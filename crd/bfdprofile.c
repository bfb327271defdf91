#include "crd/bfdprofile.h"

#include "crd/condition.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct bfdprofile_spec, member)
static const struct field spec_fields[] = {
    {"receiveInterval", FIELD_INT, AT(receive_interval), .min = 10, .max = 60000},
    {"transmitInterval", FIELD_INT, AT(transmit_interval), .min = 10, .max = 60000},
    {"detectMultiplier", FIELD_INT, AT(detect_multiplier), .min = 2, .max = 255},
    {"echoInterval", FIELD_INT, AT(echo_interval), .min = 10, .max = 60000},
    {"echoMode", FIELD_BOOL, AT(echo_mode)},
    {"passiveMode", FIELD_BOOL, AT(passive_mode)},
    {"minimumTtl", FIELD_INT, AT(minimum_ttl), .min = 1, .max = 254},
};
#undef AT
static const struct shape spec_shape = SHAPE(struct bfdprofile_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct bfdprofile, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct bfdprofile),
    {"spec", FIELD_OBJECT, AT(spec), .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(conditions), .nested = &conditions_status_shape},
};
#undef AT
const struct shape bfdprofile_shape = SHAPE(struct bfdprofile, fields, SHAPE_STRICT);
