/* Annotations on Services, Nodes and BGPAdvertisements that we read or write, as a table. A new one
 * is one row. */
#ifndef CRD_ANNOTATIONS_H
#define CRD_ANNOTATIONS_H

#include "crd/object.h"

enum annotation_id {
    ANNOTATION_ADDRESS_POOL,
    ANNOTATION_LOAD_BALANCER_IPS,
    ANNOTATION_ALLOW_SHARED_IP,
    ANNOTATION_ALLOCATED_FROM_POOL,
    ANNOTATION_PLACEMENT,
    ANNOTATION_HANDOFF,
    ANNOTATION_NODE,
    ANNOTATION_DRAIN,
    ANNOTATION_BGP_MED,
    ANNOTATION_BGP_PREPEND,
    ANNOTATION_BGP_WEIGHTS,
    ANNOTATION_COUNT
};

enum annotation_use {
    ANNOTATION_IN, /* the user says something to us */
    ANNOTATION_OUT /* we say something to the user */
};

struct annotation {
    struct str key;        /* with its prefix: "metallb.io/address-pool" */
    struct str deprecated; /* the older key that is read too; empty: there is none */
    enum annotation_use use;
    const char *help; /* one line */
};

const struct annotation *annotations_get(enum annotation_id id);

/* The value on an object. The current key wins when it is there, even if it is empty. *ret_present
 * may be NULL. */
struct str annotations_read(const struct object *object, enum annotation_id id, bool *ret_present);

/* The first deprecated key on the object in the table's order, starting at *cursor (0 at first);
 * the empty string when there are no more. */
struct str annotations_deprecated(const struct object *object, size_t *cursor);

#endif
