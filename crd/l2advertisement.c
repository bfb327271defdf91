#include "crd/l2advertisement.h"

#include "crd/check.h"
#include "crd/condition.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct preferred_node, member)
static const struct field preferred_fields[] = {
    {"weight", FIELD_INT, AT(weight), .flags = FIELD_REQUIRED, .min = 1, .max = 100},
    {"preference", FIELD_OBJECT, AT(preference), .flags = FIELD_REQUIRED,
     .nested = &selector_shape},
};
#undef AT
static const struct shape preferred_shape =
    SHAPE(struct preferred_node, preferred_fields, SHAPE_STRICT);

static const char *const election_names[] = {
    [L2_ELECTION_DEFAULT] = "",
    [L2_ELECTION_BALANCED] = "balanced",
    [L2_ELECTION_HASH] = "hash",
};
static const struct names elections = NAMES(election_names);

#define AT(member) offsetof(struct l2advertisement_spec, member)
static const struct field spec_fields[] = {
    {"ipAddressPools", FIELD_STR_LIST, AT(ip_address_pools)},
    {"ipAddressPoolSelectors", FIELD_LIST, AT(ip_address_pool_selectors),
     .nested = &selector_shape},
    {"nodeSelectors", FIELD_LIST, AT(node_selectors), .nested = &selector_shape},
    {"interfaces", FIELD_STR_LIST, AT(interfaces)},
    {"serviceSelectors", FIELD_LIST, AT(service_selectors), .nested = &selector_shape},
    {"preferredNodeSelectors", FIELD_LIST, AT(preferred_node_selectors),
     .nested = &preferred_shape},
    {"election", FIELD_ENUM, AT(election), .names = &elections},
};
#undef AT
static const struct shape spec_shape =
    SHAPE(struct l2advertisement_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct l2advertisement, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct l2advertisement),
    {"spec", FIELD_OBJECT, AT(spec), .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(conditions), .nested = &conditions_status_shape},
};
#undef AT
const struct shape l2advertisement_shape = SHAPE(struct l2advertisement, fields, SHAPE_STRICT);

void l2advertisement_check(struct object *object)
{
    struct l2advertisement_spec *spec = &((struct l2advertisement *)object)->spec;
    check_unique(object, &spec->ip_address_pools, "spec.ipAddressPools", "ipAddressPools");
    selectors_check(object, &spec->ip_address_pool_selectors, "ipAddressPoolSelectors");
    selectors_check(object, &spec->node_selectors, "nodeSelectors");
    selectors_check(object, &spec->service_selectors, "serviceSelectors");
    struct preferred_node *preferred = spec->preferred_node_selectors.items;
    for (size_t i = 0; i < spec->preferred_node_selectors.count; i++)
        selector_check(object, &preferred[i].preference,
                       check_field(object, "spec.preferredNodeSelectors[%zu].preference", i));
}
