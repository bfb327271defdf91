#include "crd/bgpadvertisement.h"

#include "crd/annotations.h"
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

/* --- annotations ------------------------------------------------------------------------------ */

enum { PREPEND_MAX = 16 };

static struct str annotation_field(const struct object *object, struct str key)
{
    return check_field(object, "metadata.annotations[" STR_FMT "]", STR_ARG(key));
}

/* A number up to max, or the fallback without the annotation. */
static int64_t read_number(struct object *object, enum annotation_id id, uint64_t max,
                           int64_t fallback)
{
    bool present;
    uint64_t number;
    struct str text = annotations_read(object, id, &present);
    if (!present)
        return fallback;
    if (str_to_u64(text, max, &number) == 0)
        return (int64_t)number;
    check_fail(object, annotation_field(object, annotations_get(id)->key),
               "must be a number from 0 to %llu, not \"" STR_FMT "\"", (unsigned long long)max,
               STR_ARG(text));
    return fallback;
}

static bool read_weights(struct object *object)
{
    bool present;
    struct str text = annotations_read(object, ANNOTATION_BGP_WEIGHTS, &present);
    if (present && !str_eq(text, STR("endpoints")))
        check_fail(object, annotation_field(object, annotations_get(ANNOTATION_BGP_WEIGHTS)->key),
                   "must be \"endpoints\", not \"" STR_FMT "\"", STR_ARG(text));
    return present;
}

/* A slip of the pen must not be silent. */
static void warn_of_unknown(struct object *object)
{
    const struct str_map *annotations = &object->annotations;
    for (size_t i = 0; i < annotations->count; i++) {
        struct str key = annotations->items[i].key;
        if (str_starts_with(key, STR("stentor.io/bgp-")) &&
            !str_eq(key, annotations_get(ANNOTATION_BGP_MED)->key) &&
            !str_eq(key, annotations_get(ANNOTATION_BGP_PREPEND)->key) &&
            !str_eq(key, annotations_get(ANNOTATION_BGP_WEIGHTS)->key))
            check_warn(object, annotation_field(object, key), "there is no such annotation");
    }
}

static void read_annotations(struct object *object, struct bgpadvertisement_extra *extra)
{
    extra->med = read_number(object, ANNOTATION_BGP_MED, UINT32_MAX, -1);
    extra->prepend = read_number(object, ANNOTATION_BGP_PREPEND, PREPEND_MAX, 0);
    extra->weights = read_weights(object);
    warn_of_unknown(object);
}

const char *bgpadvertisement_differs(const struct bgpadvertisement *a,
                                     const struct bgpadvertisement *b)
{
    if (a->spec.local_pref != b->spec.local_pref)
        return "spec.localPref";
    if (a->extra.med != b->extra.med)
        return "metadata.annotations[stentor.io/bgp-med]";
    if (a->extra.prepend != b->extra.prepend)
        return "metadata.annotations[stentor.io/bgp-prepend]";
    return a->extra.weights != b->extra.weights ? "metadata.annotations[stentor.io/bgp-weights]"
                                                : NULL;
}

void bgpadvertisement_check(struct object *object)
{
    read_annotations(object, &((struct bgpadvertisement *)object)->extra);
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
