/* BGPAdvertisement: what is announced over BGP. Schema: schemas/bgpadvertisement.yaml. */
#ifndef CRD_BGPADVERTISEMENT_H
#define CRD_BGPADVERTISEMENT_H

#include "crd/selector.h"

struct bgpadvertisement_spec {
    int64_t aggregation_length;    /* 1..32 */
    int64_t aggregation_length_v6; /* at most 128; may be less than 1, which no pool can bear */
    int64_t local_pref;            /* 0: none */
    struct str_list communities;   /* values, or names that Community objects define */
    struct str_list ip_address_pools;
    struct list ip_address_pool_selectors; /* struct selector, as the next two */
    struct list node_selectors;
    struct list service_selectors;
    struct str_list peers; /* names of BGPPeers; empty: all */
};

/* What annotations add. */
struct bgpadvertisement_extra {
    int64_t med;     /* RFC 4271 section 5.1.4; -1: none */
    int64_t prepend; /* how many more times our AS is in the path, for peers of another AS */
    bool weights;    /* by endpoints on the node, as link bandwidth */
};

struct bgpadvertisement {
    struct object object;
    struct bgpadvertisement_spec spec;
    struct bgpadvertisement_extra extra; /* filled by bgpadvertisement_check */
    struct list conditions;              /* struct condition */
};

extern const struct shape bgpadvertisement_shape;

void bgpadvertisement_check(struct object *object);

/* The field ("spec.localPref", or an annotation) in which two say something else that can be said
 * only once of a prefix; NULL: they agree. */
const char *bgpadvertisement_differs(const struct bgpadvertisement *a,
                                     const struct bgpadvertisement *b);

#endif
