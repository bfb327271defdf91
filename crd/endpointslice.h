/* EndpointSlice: the fields of discovery.k8s.io/v1 EndpointSlice that are used. */
#ifndef CRD_ENDPOINTSLICE_H
#define CRD_ENDPOINTSLICE_H

#include "crd/object.h"

struct endpoint {
    struct str_list addresses;
    struct str node_name; /* empty: not known */
    struct endpoint_conditions {
        bool ready, serving, terminating;
    } conditions;
    bool can_serve;  /* ready, or terminating but still serving */
    unsigned others; /* of a reduced slice: how many more on this node can serve */
};

struct endpoint_port {
    struct str name, protocol;
    int64_t port;
};

struct endpointslice {
    struct object object;
    struct str address_type; /* "IPv4", "IPv6", "FQDN" */
    struct list endpoints;   /* struct endpoint */
    struct list ports;       /* struct endpoint_port */
    struct str service;      /* key of the Service: "namespace/name"; empty: of none */
};

extern const struct shape endpointslice_shape;

/* Of a slice (whose one reference is taken over), in `keep` (object.h), only what says where the
 * Service is served: its name as a label, and each node that has endpoints which can serve it,
 * once. What cannot be read stays as it is. Encoded and decoded again it is the same, but for
 * `others`. Thousands of them are kept. */
struct object *endpointslice_reduce(struct object *object, struct keep *keep);

void endpointslice_check(struct object *object);

#endif
