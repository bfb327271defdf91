/* Sessions of this node: what a BGPPeer asks for, ready to be written for BIRD. Pure. */
#ifndef BGP_SESSION_H
#define BGP_SESSION_H

#include "common/base/diag.h"
#include "crd/bgppeer.h"
#include "crd/validate.h"

/* How this node reaches a peer now. */
struct session_path {
    struct ip peer;
    struct ip source; /* our address towards it */
    bool on_link;     /* it is on a network of one of our interfaces */
};

struct session_input {
    const struct validated *config; /* in force: BFD profiles */
    const struct objects *secrets;  /* all that are known */
    const struct session_path *paths;
    size_t path_count;
    uint16_t listen_port; /* of BIRD; 0: 179 */
};

/* RFC 5880; 0: not given, BIRD decides. */
struct session_bfd {
    bool on, passive;
    unsigned receive_ms, transmit_ms, multiplier;
};

struct session {
    struct str peer;             /* the BGPPeer's name */
    struct str name;             /* of BIRD's protocol: letters, digits and '_', not more than 63 */
    struct str object;           /* the BGPPeer's id, for findings */
    uint32_t local_as, peer_as;  /* peer_as 0: any that `internal` allows */
    bool internal;               /* within one AS */
    struct ip address;           /* of the peer; unset: whoever is on the interface */
    struct str interface;        /* unnumbered; else empty */
    struct ip source, router_id; /* unset: BIRD's choice */
    uint16_t port, listen_port;  /* the peer's; ours, 0: 179 */
    unsigned hold_s, keepalive_s; /* keepalive_s 0: BIRD's choice */
    unsigned connect_s;           /* of one attempt to connect */
    struct str password;          /* empty: none */
    struct str vrf;               /* empty: the default one */
    bool multihop, direct;        /* only when it must be said */
    bool graceful_restart;
    bool ipv4, ipv6;        /* families that it carries; at least one */
    bool extended_next_hop; /* IPv4 routes by IPv6 next hops (RFC 8950) */
    struct session_bfd bfd;
};

/* The session with a peer in force. False, with a finding, when it cannot be had: its password is
 * not there. Everything is in the arena. */
bool session_make(const struct session_input *input, const struct bgppeer *peer,
                  struct arena *arena, struct diag_list *found, struct session *ret);

/* Does it carry that family? */
bool session_carries(const struct session *session, enum ip_family family);

#endif
