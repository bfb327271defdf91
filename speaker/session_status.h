/* What a node shows of its BGP sessions: a BGPSessionStatus for each peer, in our namespace. Pure.
 */
#ifndef SPEAKER_SESSION_STATUS_H
#define SPEAKER_SESSION_STATUS_H

#include "crd/bgpsessionstatus.h"
#include "crd/kinds.h"

/* What is to be shown. */
struct session_want {
    struct str namespace, node; /* ours */
    struct str peer;            /* name of the BGPPeer */
    struct str address;         /* may be empty */
    bool up;
    int64_t since; /* seconds since 1970; 0: not known */
    struct str why;
    const struct owner_ref *owner; /* the pod; NULL: none */
};

/* "tor.n1"; a hash of that when it is too long for a name. In the arena. */
struct str session_status_name(struct str peer, struct str node, struct arena *arena);

/* Does an object (NULL: there is none) show it? The time of a session that is down is no reason to
 * write: each attempt may begin it anew. Nor is one that is two seconds off. */
bool session_status_shows(const struct object *shown, const struct session_want *want);

/* The whole object, to be applied; in the arena. */
struct str session_status_body(const struct session_want *want, struct arena *arena);

#endif
