#include "crd/bfdprofile.h"

#include "crd/check.h"
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

/* BIRD has neither of them. The profile is good without, so that one made for another speaker
 * serves. */
void bfdprofile_check(struct object *object)
{
    const struct bfdprofile_spec *spec = &((const struct bfdprofile *)object)->spec;
    if (spec->echo_mode)
        check_warn(object, STR("spec.echoMode"),
                   "echo mode is not supported: sessions run without it, and detect failures by "
                   "their control packets alone");
    if (spec->echo_interval)
        check_warn(object, STR("spec.echoInterval"),
                   "echoInterval has no effect: echo mode is not supported");
    if (spec->minimum_ttl)
        check_warn(object, STR("spec.minimumTtl"),
                   "minimumTtl is not supported: packets with any TTL are accepted from peers more "
                   "than one hop away, and only those with a TTL of 255 from others");
}
