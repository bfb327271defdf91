/* BGPSessionStatus: a session of one node with one BGPPeer, written by that node. Schema:
 * schemas/bgpsessionstatus.yaml. */
#ifndef CRD_BGPSESSIONSTATUS_H
#define CRD_BGPSESSIONSTATUS_H

#include "crd/object.h"

struct bgpsessionstatus {
    struct object object;
    struct bgpsessionstatus_status {
        struct str node, peer; /* names of a Node and a BGPPeer */
        struct str address;    /* of the router; empty: unnumbered, and nobody has come yet */
        struct str state;      /* "Established" or "Down" */
        int64_t since;         /* by the node's clock, seconds since 1970; 0: not known */
        struct str message;    /* why it is down */
    } status;
};

extern const struct shape bgpsessionstatus_shape;

#endif
