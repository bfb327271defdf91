/* IPAddressPool: addresses for Services. Schema: schemas/ipaddresspool.yaml. */
#ifndef CRD_IPADDRESSPOOL_H
#define CRD_IPADDRESSPOOL_H

#include "common/net/range.h"
#include "crd/object.h"

/* Which Services a pool is pinned to. */
struct service_allocation {
    int64_t priority; /* 1 is tried first; 0 last */
    struct str_list namespaces;
    struct list namespace_selectors, service_selectors; /* struct selector; any may match */
};

struct ipaddresspool_spec {
    struct str_list addresses, exclude_addresses;
    bool auto_assign, avoid_buggy_ips;
    struct service_allocation *service_allocation; /* NULL: the pool is nobody's in particular */
};

struct ipaddresspool_status {
    int64_t assigned_ipv4, assigned_ipv6, available_ipv4, available_ipv6;
    bool counted;           /* the four counters were there */
    struct list conditions; /* struct condition */
};

struct ipaddresspool {
    struct object object;
    struct ipaddresspool_spec spec;
    struct ipaddresspool_status status;
    /* Parsed; unless the object is refused, as many and in the same order as the texts. The ranges
     * do not overlap each other; excludes may. */
    struct list ranges, excludes; /* struct range */
};

extern const struct shape ipaddresspool_shape;

void ipaddresspool_check(struct object *object);

#endif
