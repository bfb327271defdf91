/* What the change of an object means for the speaker: most changes in a cluster mean nothing. Pure.
 */
#ifndef SPEAKER_MATTERS_H
#define SPEAKER_MATTERS_H

#include "crd/kinds.h"

/* The ConfigMap of our namespace with a user's own configuration for BIRD, under the key "extras".
 */
#define MATTERS_EXTRAS "bgpextras"

enum matters {
    MATTERS_NOT,
    MATTERS_PLAN,       /* a plan is due */
    MATTERS_CONFIG,     /* and the configuration is to be judged anew before */
    MATTERS_BGP,        /* only BGP is to be planned */
    MATTERS_BGP_CONFIG, /* and the configuration is to be judged anew before */
};

/* before and after as source.h gives them; not of the kinds that report.h follows. balances: is the
 * Service of that name of type LoadBalancer? */
enum matters matters(const struct object *before, const struct object *after,
                     bool (*balances)(void *ctx, struct str namespace, struct str name), void *ctx);

/* Are objects of that kind of interest in all namespaces, and not in ours alone? */
bool matters_cluster_wide(enum kind_id kind);

/* Of two versions of a Node: can nothing but its draining have changed of what matters? Either may
 * be NULL. */
bool matters_drains_alone(const struct object *before, const struct object *after);

bool matters_balances(const struct object *service);

/* The object (whose one reference is taken over) as it is to be kept, as source.h's `reduce`: of
 * what there may be thousands of, only what is used, in `keep`. */
struct object *matters_reduce(struct object *object, struct keep *keep);

#endif
