/* Secret and ConfigMap: named texts. A Secret's texts have no way into logs or answers. */
#ifndef CRD_SECRET_H
#define CRD_SECRET_H

#include "crd/object.h"

struct secret {
    struct object object;
    struct str type;
    struct str_map data;        /* base64 */
    struct str_map string_data; /* plain, in manifests only; wins over data */
};

struct configmap {
    struct object object;
    struct str_map data;
};

extern const struct shape secret_shape, configmap_shape;

/* The value of a key, decoded into the arena: 0, -ENOENT when there is none, ERR_SYNTAX when it is
 * no base64. */
int secret_read(const struct secret *secret, struct str key, struct arena *arena, struct str *ret)
    __attribute__((warn_unused_result));

#endif
