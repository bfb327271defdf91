/* L2Advertisement: what is announced by ARP and NDP. Schema: schemas/l2advertisement.yaml. */
#ifndef CRD_L2ADVERTISEMENT_H
#define CRD_L2ADVERTISEMENT_H

#include "crd/selector.h"

struct preferred_node {
    int64_t weight; /* 1..100 */
    struct selector preference;
};

struct l2advertisement_spec {
    struct str_list ip_address_pools;
    struct list ip_address_pool_selectors; /* struct selector, as the next two */
    struct list node_selectors;
    struct list service_selectors;
    struct str_list interfaces;
    struct list preferred_node_selectors; /* struct preferred_node */
};

struct l2advertisement {
    struct object object;
    struct l2advertisement_spec spec;
    struct list conditions; /* struct condition */
};

extern const struct shape l2advertisement_shape;

void l2advertisement_check(struct object *object);

#endif
