/* Which nodes may announce a Service on the local segment: every rule up to the election.
 *
 * A node may when it is named by an L2Advertisement of the Service's pool, its network is
 * available, it is not labelled node.kubernetes.io/exclude-from-external-load-balancers, and, with
 * externalTrafficPolicy Local, an endpoint on it can serve. A Service that no endpoint can serve is
 * announced by nobody. An advertisement without node selectors names all nodes, one without
 * service selectors all Services. Every speaker comes to the same set. Pure. */
#ifndef SPEAKER_ELIGIBLE_H
#define SPEAKER_ELIGIBLE_H

#include "crd/service.h"
#include "speaker/nodeset.h"
#include "speaker/reason.h"
#include "speaker/snapshot.h"

struct eligible;

/* Tables over a snapshot, which is borrowed; all in the arena. */
struct eligible *eligible_new(const struct snapshot *snapshot, struct arena *arena);

struct candidacy {
    enum reason reason;   /* why this node may not announce it; REASON_NONE: it is to be elected */
    bool stands;          /* some node may: `nodes` counts, also when reason is set */
    struct nodeset nodes; /* by index in the snapshot's nodes; may be empty */
    const struct ip *ips; /* of its status */
    size_t ip_count;
    const size_t *advertisements; /* those that apply, by index in the snapshot's */
    size_t advertisement_count;
};

/* Judges a Service of type LoadBalancer of the snapshot; what ret points to is in the arena. */
void eligible_judge(const struct eligible *eligible, const struct service *service,
                    struct arena *arena, struct candidacy *ret);

/* How much the advertisements prefer each node, by index, in the arena: the sum of the weights of
 * all preferences that it meets. NULL when they prefer none. */
int64_t *eligible_scores(const struct eligible *eligible, const struct candidacy *candidacy,
                         struct arena *arena);

/* The interfaces of this node to announce a Service on: those that its advertisements name, all
 * when one names none. Sorted names, in the arena. */
struct str_list eligible_interfaces(const struct eligible *eligible,
                                    const struct candidacy *candidacy, struct arena *arena);

/* The index of the node of that name, or the number of nodes when there is none. */
size_t eligible_node(const struct eligible *eligible, struct str name);

#endif
