/* Which nodes may announce a Service on the local segment: every rule up to the election.
 *
 * A node may when it is named by an L2Advertisement of the Service's pool, its network is
 * available, it is not labelled node.kubernetes.io/exclude-from-external-load-balancers, and, with
 * externalTrafficPolicy Local, an endpoint on it can serve. A Service that no endpoint can serve is
 * announced by nobody. An advertisement without node selectors names all nodes, one without
 * service selectors all Services. Whoever asks comes to the same set. Pure. */
#ifndef COMMON_ELECTION_ELIGIBLE_H
#define COMMON_ELECTION_ELIGIBLE_H

#include "common/election/nodeset.h"
#include "common/election/reason.h"
#include "crd/service.h"
#include "crd/validate.h"

/* What is judged by. */
struct eligible_input {
    bool ignore_excluded; /* nodes that are labelled as excluded may announce as well */
    uint64_t seed;        /* of hash tables; secret when strangers choose names */
    /* Sorted by key; nodes: the numbers of nodes are indices in it. Configuration is what is in
     * force. */
    struct objects slices, nodes, pools, advertisements;
};

struct eligible;
struct l2advertisement;

/* Tables over an input, in the arena. Its slices, pools and advertisements are borrowed, its nodes
 * are not. */
struct eligible *eligible_new(const struct eligible_input *input, struct arena *arena);

struct candidacy {
    enum reason reason; /* why no node may announce it; REASON_NONE: it stands */
    bool stands;        /* its node is to be elected among `nodes` */
    uint32_t ip_count, advertisement_count;
    struct nodeset nodes;         /* may be empty */
    const struct ip *ips;         /* of its status */
    const size_t *advertisements; /* those that apply, by index */
};

/* Judges a Service of type LoadBalancer; what ret points to is in the arena. */
void eligible_judge(const struct eligible *eligible, const struct service *service,
                    struct arena *arena, struct candidacy *ret);

/* The same as if its status showed just these addresses (borrowed, at least one), and whatever its
 * endpoints are: that none can serve, or where those are that can, is the caller's to judge. */
void eligible_judge_at(const struct eligible *eligible, const struct service *service,
                       const struct ip *ips, size_t count, struct arena *arena,
                       struct candidacy *ret);

/* How much the advertisements prefer each node, by index, in the arena: the sum of the weights of
 * all preferences that it meets. NULL when they prefer none. */
int64_t *eligible_scores(const struct eligible *eligible, const struct candidacy *candidacy,
                         struct arena *arena);

/* Do the advertisements of the Service name the node, whether it is available or not? False for
 * what is no number of a node. */
bool eligible_names(const struct eligible *eligible, const struct candidacy *candidacy,
                    size_t node);

/* Those of the node's interfaces (names, sorted) to announce a Service on: the ones that its
 * advertisements name for this node, all when one of those names none. In the arena. */
struct str_list eligible_interfaces(const struct eligible *eligible,
                                    const struct candidacy *candidacy, size_t node,
                                    const struct str_list *interfaces, struct arena *arena);

/* The nodes that the advertisement of that index names, available or not; and the nodes that are
 * available. Borrowed from the tables. */
const struct nodeset *eligible_reach(const struct eligible *eligible, size_t advertisement);
const struct nodeset *eligible_available(const struct eligible *eligible);

/* How many advertisements there are, and the one of that index. */
size_t eligible_advertisement_count(const struct eligible *eligible);
const struct l2advertisement *eligible_advertisement(const struct eligible *eligible, size_t index);

/* The index of the node of that name, or the number of nodes when there is none. */
size_t eligible_node(const struct eligible *eligible, struct str name);

#endif
