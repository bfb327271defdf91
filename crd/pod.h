/* Pod, Namespace and Deployment: the fields of core/v1 and apps/v1 that are used. */
#ifndef CRD_POD_H
#define CRD_POD_H

#include "crd/object.h"

struct pod {
    struct object object;
    struct str node_name;              /* empty: not scheduled */
    struct str phase, host_ip, pod_ip; /* empty: not yet */
};

/* Its name and labels are all that is used. */
struct namespace
{
    struct object object;
};

/* Its uid is all that is used. */
struct deployment {
    struct object object;
};

extern const struct shape pod_shape, namespace_shape, deployment_shape;

#endif
