/* IPReservation: addresses kept for a Service, whether it exists or not.
 * Schema: schemas/ipreservation.yaml. */
#ifndef CRD_IPRESERVATION_H
#define CRD_IPRESERVATION_H

#include "common/net/range.h"
#include "crd/object.h"

struct ipreservation_owner {
    struct str namespace, name;
};

struct ipreservation_spec {
    struct str address;
    struct str_list addresses;
    bool has_address, has_addresses;   /* exactly one is true, unless refused */
    struct ipreservation_owner *owner; /* NULL: any Service of the reservation's namespace */
    int64_t expires;                   /* seconds since 1970; 0: never */
};

struct ipreservation {
    struct object object;
    struct ipreservation_spec spec;
    struct ipreservation_status {
        struct str_list assigned_addresses;
        struct list conditions; /* struct condition */
    } status;
    struct list ranges;         /* struct range: what is reserved, in the order given */
    struct str owner_namespace; /* of the Services that may use it */
    struct str owner_name;      /* empty: any in that namespace */
};

extern const struct shape ipreservation_shape;

void ipreservation_check(struct object *object);

/* Is the reservation over at a time (seconds since 1970)? */
bool ipreservation_expired(const struct ipreservation *reservation, int64_t now);

/* May this Service use the addresses? */
bool ipreservation_admits(const struct ipreservation *reservation, struct str namespace,
                          struct str name);

#endif
