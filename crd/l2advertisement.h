/* L2Advertisement: what is announced by ARP and NDP. Schema: schemas/l2advertisement.yaml. */
#ifndef CRD_L2ADVERTISEMENT_H
#define CRD_L2ADVERTISEMENT_H

#include "crd/selector.h"

struct preferred_node {
    int64_t weight; /* 1..100 */
    struct selector preference;
};

/* How the node that announces is found among those that may. */
enum l2_election {
    L2_ELECTION_DEFAULT,  /* as the controller's flag says */
    L2_ELECTION_BALANCED, /* the controller places, evenly */
    L2_ELECTION_HASH,     /* the speakers elect by hash, each address by itself */
};

struct l2advertisement_spec {
    struct str_list ip_address_pools;
    struct list ip_address_pool_selectors; /* struct selector, as the next two */
    struct list node_selectors;
    struct list service_selectors;
    struct str_list interfaces;
    struct list preferred_node_selectors; /* struct preferred_node */
    int election;                         /* enum l2_election */
};

struct l2advertisement {
    struct object object;
    struct l2advertisement_spec spec;
    struct list conditions; /* struct condition */
};

extern const struct shape l2advertisement_shape;

void l2advertisement_check(struct object *object);

#endif
