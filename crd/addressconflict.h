/* AddressConflict: somebody who is none of ours answers for an address. The speaker that found out
 * before it announced the address for the first time writes it, into our namespace; the controller
 * then keeps the address from being given for a while. Schema: schemas/addressconflict.yaml. */
#ifndef CRD_ADDRESSCONFLICT_H
#define CRD_ADDRESSCONFLICT_H

#include "common/net/ip.h"
#include "common/net/mac.h"
#include "crd/object.h"

/* How long an address is in quarantine after the stranger was seen. */
enum { ADDRESSCONFLICT_QUARANTINE_S = 10 * 60 };

struct addressconflict_spec {
    struct str address;
    struct str node, interface; /* where the stranger was seen */
    struct str mac;             /* of the stranger */
    int64_t seen;               /* seconds since 1970 */
};

struct addressconflict {
    struct object object;
    struct addressconflict_spec spec;
    struct ip ip;   /* of spec.address; unset when the object is refused */
    struct mac mac; /* of spec.mac */
};

extern const struct shape addressconflict_shape;

void addressconflict_check(struct object *object);

/* The name of the object for an address, in the arena: the canonical text with '-' for ':', and
 * with '0' where that would begin or end with '-', which names may not ("2001:db8::" gives
 * "2001-db8--0"). No two addresses have the same name. */
struct str addressconflict_name(const struct ip *ip, struct arena *arena);

#endif
