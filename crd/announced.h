/* ServiceL2Status and ServiceBGPStatus: which node announces a Service, written by that node.
 * Schemas: schemas/servicel2status.yaml, schemas/servicebgpstatus.yaml. */
#ifndef CRD_ANNOUNCED_H
#define CRD_ANNOUNCED_H

#include "crd/object.h"

/* Their labels: the node, and the name and namespace of the Service. */
#define ANNOUNCED_NODE "metallb.io/node"
#define ANNOUNCED_NAME "metallb.io/service-name"
#define ANNOUNCED_NAMESPACE "metallb.io/service-namespace"

struct announced_interface {
    struct str name;
};

struct servicel2status {
    struct object object;
    struct servicel2status_status {
        struct str node, service_name, service_namespace;
        struct list interfaces; /* struct announced_interface; empty: all of the node's */
    } status;
};

struct servicebgpstatus {
    struct object object;
    struct servicebgpstatus_status {
        struct str node, service_name, service_namespace;
        struct str_list peers; /* names of BGPPeers, sorted */
    } status;
};

/* Of such an object, of either kind (whose one reference is taken over), only its names, its
 * status, and its labels unless they say exactly what the status says, in `keep` (object.h). One
 * that is refused stays as it is. Thousands of them are kept. */
struct object *announced_reduce(struct object *object, struct keep *keep);

/* "namespace/name" of the Service that such an object, of either kind, is about: by its labels, by
 * its status when it has none. Nothing when it is about none. */
void announced_service(const struct object *object, struct sbuf *out);

extern const struct shape servicel2status_shape, servicebgpstatus_shape;

#endif
