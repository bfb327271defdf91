/* ConfigurationState as a program reports it: what it makes of the configuration. Pure. */
#ifndef CRD_STATE_REPORT_H
#define CRD_STATE_REPORT_H

#include "crd/configurationstate.h"
#include "crd/owner.h"

struct state_report {
    struct str name; /* "controller", "speaker-n1" */
    struct str namespace;
    struct str component;          /* label metallb.io/component-type */
    struct str node;               /* label metallb.io/node-name; empty: none */
    const struct owner_ref *owner; /* NULL: none */
    struct str condition;          /* "poolReconcilerValid" */
    struct str_list errors;        /* one sentence each; none: valid */
};

/* One JSON merge patch (RFC 7396) for the status, with the object's resourceVersion as its
 * precondition, or empty text when the object shows it already. `shown` is NULL when the object
 * does not exist yet. now: seconds since 1970. */
struct str state_report_patch(const struct state_report *report, const struct object *shown,
                              int64_t now, struct arena *arena);

/* The whole object, to create it. Its status follows by a patch. */
struct str state_report_new(const struct state_report *report, struct arena *arena);

#endif
