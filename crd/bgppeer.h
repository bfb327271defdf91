/* BGPPeer: a router to speak BGP with. Schema: schemas/bgppeer.yaml. */
#ifndef CRD_BGPPEER_H
#define CRD_BGPPEER_H

#include "common/net/ip.h"
#include "crd/object.h"

enum dynamic_asn { DYNAMIC_ASN_NONE, DYNAMIC_ASN_INTERNAL, DYNAMIC_ASN_EXTERNAL };

struct secret_ref {
    struct str name, namespace;
};

struct bgppeer_spec {
    int64_t my_asn;
    int64_t peer_asn, local_asn; /* 0: not given */
    int dynamic_asn;             /* enum dynamic_asn */
    struct str peer_address, interface, source_address, router_id;
    int64_t peer_port; /* 1..16384 */
    /* Nanoseconds, when the bool says that they were given. */
    int64_t hold_time, keepalive_time, connect_time;
    bool has_hold_time, has_keepalive_time, has_connect_time;
    struct list node_selectors; /* struct selector; empty: all nodes */
    struct str password;
    struct secret_ref password_secret;
    struct str bfd_profile, vrf;
    bool enable_graceful_restart, ebgp_multi_hop, disable_mp, dual_stack_address_family;
};

struct bgppeer {
    struct object object;
    struct bgppeer_spec spec;
    struct list conditions;                            /* struct condition */
    struct ip peer_address, source_address, router_id; /* parsed; unset when not given */
};

extern const struct shape bgppeer_shape;

/* What a change of a field of the spec costs the session; in `cost` of the table's rows. */
enum bgppeer_cost {
    BGPPEER_COST_NOTHING,  /* the session does not notice */
    BGPPEER_COST_IN_PLACE, /* it goes on, with the new value */
    BGPPEER_COST_RESTART,  /* it goes down and comes up again */
};

/* The table of the spec, for those who compare two of them; a struct bgppeer_spec. */
extern const struct shape bgppeer_spec_shape;

void bgppeer_check(struct object *object);

/* Can a password be one of TCP-MD5 and be written to the routing daemon's configuration? 1 to 80
 * bytes of UTF-8 without control characters and quotation marks ("). */
bool bgppeer_password_is_usable(struct str password);

/* The times to use, in nanoseconds: false when neither was given. One that was not given follows
 * from the other: a keepalive is a third of the hold time, a hold time three keepalives. */
bool bgppeer_timers(const struct bgppeer_spec *spec, int64_t *ret_hold, int64_t *ret_keepalive);

#endif
