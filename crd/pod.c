#include "crd/pod.h"

#include "crd/object_rows.h"

/* Spec and status fill the pod itself. */
#define AT(member) offsetof(struct pod, member)
static const struct field spec_fields[] = {
    {"nodeName", FIELD_STR, AT(node_name)},
};
static const struct shape spec_shape = SHAPE(struct pod, spec_fields, 0);

static const struct field status_fields[] = {
    {"phase", FIELD_STR, AT(phase)},
    {"hostIP", FIELD_STR, AT(host_ip)},
    {"podIP", FIELD_STR, AT(pod_ip)},
};
static const struct shape status_shape = SHAPE(struct pod, status_fields, 0);

static const struct field pod_fields[] = {
    OBJECT_ROWS(struct pod),
    {"spec", FIELD_OBJECT, 0, .nested = &spec_shape},
    {"status", FIELD_OBJECT, 0, .nested = &status_shape},
};
#undef AT
const struct shape pod_shape = SHAPE(struct pod, pod_fields, 0);

static const struct field namespace_fields[] = {
    OBJECT_ROWS(struct namespace),
};
const struct shape namespace_shape = SHAPE(struct namespace, namespace_fields, 0);

static const struct field deployment_fields[] = {
    OBJECT_ROWS(struct deployment),
};
const struct shape deployment_shape = SHAPE(struct deployment, deployment_fields, 0);
