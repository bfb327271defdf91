/* The first rows of every kind's table: what all objects have. */
#ifndef CRD_OBJECT_ROWS_H
#define CRD_OBJECT_ROWS_H

#include "crd/object.h"

/* clang-format off: rows of a table */
#define OBJECT_ROWS(type)                                                                    \
    {"apiVersion", FIELD_SKIP}, {"kind", FIELD_SKIP},                                        \
    {                                                                                        \
        "metadata", FIELD_POINTER, offsetof(type, object.meta), .flags = FIELD_REQUIRED,     \
                                                                .nested = &object_meta_shape \
    }
/* clang-format on */

/* A spec that may be left out is decoded as an empty one, so that its defaults hold. */
#define OBJECT_EMPTY "{}"

#endif
