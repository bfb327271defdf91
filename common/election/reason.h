/* Why a Service is not announced by this node, under the names that MetalLB's users know where it
 * has one for it. */
#ifndef COMMON_ELECTION_REASON_H
#define COMMON_ELECTION_REASON_H

enum reason {
    REASON_NONE,                 /* it is announced */
    REASON_NOT_OWNER,            /* another node announces it, or nobody can serve it */
    REASON_NO_ADVERTISEMENT,     /* no L2Advertisement of its pool includes this node */
    REASON_SHARED_WITH_SELECTOR, /* it may share its address, but an advertisement picks Services */
    REASON_NOT_LOAD_BALANCER,
    REASON_NO_IP,
    REASON_INVALID_IP,     /* its status holds a text that is no address */
    REASON_IP_NOT_ALLOWED, /* no pool in force holds all of its addresses */
    REASON_SERVICE_DELETED,
    REASON_INVALID_SERVICE, /* the object cannot be read */
    REASON_NO_INTERFACE,    /* this node owns it, but has no interface to announce it on */
    /* over BGP */
    REASON_CONFLICTING_ADVERTISEMENTS, /* they give one prefix several local preferences */
    REASON_NETWORK_UNAVAILABLE,        /* this node's condition says so */
    REASON_NODE_EXCLUDED,              /* by its label */
    REASON_NO_LOCAL_ENDPOINTS,         /* externalTrafficPolicy Local, and none serves here */
    REASON_NO_ENDPOINTS,               /* none serves anywhere */
    REASON_NOT_ANSWERED, /* this node is elected, but answers for no address of it: not yet, or as
                            another host does; only in reports */
    REASON_NODE_DRAINED, /* what was announced has been withdrawn from here */
    REASON_COUNT
};

/* "notOwner" and so on; "announced" for REASON_NONE. */
const char *reason_name(enum reason reason);

enum reason_way { REASON_BY_LAYER2, REASON_BY_BGP, REASON_WAYS };

/* The same in a sentence without a capital and a full stop, as that way of announcing means it;
 * empty for REASON_NONE. Each pair has one. */
const char *reason_say(enum reason reason, enum reason_way way);

#endif
