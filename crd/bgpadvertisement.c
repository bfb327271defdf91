#include "crd/bgpadvertisement.h"

#include "crd/check.h"
#include "crd/community.h"
#include "crd/condition.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct bgpadvertisement_spec, member)
static const struct field spec_fields[] = {
    {"aggregationLength", FIELD_INT, AT(aggregation_length), .fallback = "32", .min = 1,
     .max = INT32_MAX},
    {"aggregationLengthV6", FIELD_INT, AT(aggregation_length_v6), .fallback = "128",
     .min = INT32_MIN, .max = INT32_MAX},
    {"localPref", FIELD_INT, AT(local_pref), .max = UINT32_MAX},
    {"communities", FIELD_STR_LIST, AT(communities)},
    {"ipAddressPools", FIELD_STR_LIST, AT(ip_address_pools)},
    {"ipAddressPoolSelectors", FIELD_LIST, AT(ip_address_pool_selectors),
     .nested = &selector_shape},
    {"nodeSelectors", FIELD_LIST, AT(node_selectors), .nested = &selector_shape},
    {"peers", FIELD_STR_LIST, AT(peers)},
    {"serviceSelectors", FIELD_LIST, AT(service_selectors), .nested = &selector_shape},
};
#undef AT
static const struct shape spec_shape =
    SHAPE(struct bgpadvertisement_spec, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct bgpadvertisement, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct bgpadvertisement),
    {"spec", FIELD_OBJECT, AT(spec), .fallback = OBJECT_EMPTY, .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(conditions), .nested = &conditions_status_shape},
};
#undef AT
const struct shape bgpadvertisement_shape = SHAPE(struct bgpadvertisement, fields, SHAPE_STRICT);

static void check_lengths(struct object *object, const struct bgpadvertisement_spec *spec)
{
    if (spec->aggregation_length > 32)
        check_fail(object, STR("spec.aggregationLength"),
                   "invalid aggregation length %lld for IPv4: at most 32",
                   (long long)spec->aggregation_length);
    if (spec->aggregation_length_v6 > 128)
        check_fail(object, STR("spec.aggregationLengthV6"),
                   "invalid aggregation length %lld for IPv6: at most 128",
                   (long long)spec->aggregation_length_v6);
    bool aggregates = spec->aggregation_length != 32 || spec->aggregation_length_v6 != 128;
    if (spec->service_selectors.count > 0 && aggregates)
        check_fail(object, STR("spec.serviceSelectors"),
                   "serviceSelectors and aggregationLength are mutually exclusive: an aggregate "
                   "cannot be limited to some Services");
}

/* A text without a colon may be an alias, which only validate.c can tell. */
static void check_communities(struct object *object, const struct str_list *communities)
{
    for (size_t i = 0; i < communities->count; i++) {
        struct str text = communities->items[i];
        struct community_value value;
        int r = community_parse(text, &value);
        if (r < 0 && str_contains(text, STR(":")))
            check_fail(object, check_field(object, "spec.communities[%zu]", i), STR_FMT,
                       STR_ARG(community_explain(object->arena, text)));
    }
}

void bgpadvertisement_check(struct object *object)
{
    struct bgpadvertisement_spec *spec = &((struct bgpadvertisement *)object)->spec;
    check_unique(object, &spec->ip_address_pools, "spec.ipAddressPools", "ipAddressPools");
    check_unique(object, &spec->communities, "spec.communities", "community");
    check_unique(object, &spec->peers, "spec.peers", "peers");
    selectors_check(object, &spec->ip_address_pool_selectors, "ipAddressPoolSelectors");
    selectors_check(object, &spec->node_selectors, "nodeSelectors");
    selectors_check(object, &spec->service_selectors, "serviceSelectors");
    check_lengths(object, spec);
    check_communities(object, &spec->communities);
}
