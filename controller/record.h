/* What the plan says about one Service: what it is to have, and why. */
#ifndef CONTROLLER_RECORD_H
#define CONTROLLER_RECORD_H

#include "controller/alloc.h"
#include "crd/object.h"

/* An Event to be told when the record's change has been written. */
struct plan_note {
    const char *reason; /* "IPAllocated" */
    bool warning;
    struct str message;
};

enum { PLAN_NOTES = 8 };

struct plan_record {
    struct str key;              /* "namespace/name" */
    const struct object *object; /* the version that was planned for */
    bool foreign;                /* another load balancer's: leave it alone */
    bool managed;                /* of type LoadBalancer: has a condition */
    bool allocated;              /* the condition's status */
    bool waiting;                /* could get an address when somebody gives one up */
    const char *reason;          /* of the condition: "Allocated", "PoolExhausted", … */
    struct str message;          /* of the condition */
    struct str conflict;         /* who else answers for its addresses; empty: nobody is known */
    struct ip ips[ALLOC_IPS];
    size_t ip_count;
    struct str pool;
    struct plan_note *notes; /* notes.h adds to them */
    size_t note_count;
};

#endif
