/* Node: the fields of core/v1 Node that are used. */
#ifndef CRD_NODE_H
#define CRD_NODE_H

#include "common/net/ip.h"
#include "crd/object.h"

struct node_address {
    struct str type, text; /* "InternalIP", "Hostname" … */
    struct ip ip;          /* unset when the text is no address */
};

struct node_condition {
    struct str type, status;
};

struct node {
    struct object object;
    bool unschedulable;
    struct list addresses;    /* struct node_address */
    struct list conditions;   /* struct node_condition */
    bool ready;               /* condition Ready is True */
    bool network_unavailable; /* condition NetworkUnavailable is True */
    bool draining;            /* has the annotation stentor.io/drain, whatever its value */
    bool excluded; /* has the label node.kubernetes.io/exclude-from-external-load-balancers */
};

extern const struct shape node_shape;

void node_check(struct object *object);

#endif
