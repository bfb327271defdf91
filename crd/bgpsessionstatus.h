/* BGPSessionStatus: a session of one node with one BGPPeer, written by that node. The
 * controller makes it unknown when the node's speaker is lost. Schema:
 * schemas/bgpsessionstatus.yaml. */
#ifndef CRD_BGPSESSIONSTATUS_H
#define CRD_BGPSESSIONSTATUS_H

#include "crd/object.h"

#define BGPSESSION_UP "Established"
#define BGPSESSION_DOWN "Down"
#define BGPSESSION_UNKNOWN "Unknown"

struct bgpsessionstatus {
    struct object object;
    struct bgpsessionstatus_status {
        struct str node, peer; /* names of a Node and a BGPPeer */
        struct str address;    /* of the router; empty: unnumbered, and nobody has come yet */
        struct str state;      /* one of the above */
        int64_t since;         /* by the node's clock, seconds since 1970; 0: not known */
        struct str message;    /* why it is not up */
    } status;
};

extern const struct shape bgpsessionstatus_shape;

#endif
