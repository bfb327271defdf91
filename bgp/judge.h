/* Is a Service announced from here, and with which prefixes? One Service at a time, by what all of
 * them have in common: the pools, the advertisements that name this node, the node itself. Pure. */
#ifndef BGP_JUDGE_H
#define BGP_JUDGE_H

#include "bgp/model.h"
#include "common/election/serving.h"
#include "crd/node.h"

/* An advertisement that names this node, and the pools that it is about. */
struct judge_advertised {
    const struct bgpadvertisement *object;
    bool *pools; /* by index */
};

struct judge {
    const struct validated *config;
    const struct node *node; /* NULL: not known */
    struct str node_name;
    bool ignore_excluded, drained;
    struct judge_advertised *advertised; /* sorted by key */
    size_t advertised_count;
};

/* Of what is common to all Services. The advertisements are in the arena; objects are borrowed. */
void judge_init(const struct model_input *input, struct arena *arena, struct judge *ret);

/* Does a selector of nodes take this one? Without any selector it does. */
bool judge_selects_node(const struct judge *judge, const struct list *selectors);

typedef VEC(struct route_claim) judge_claims;

/* Judges a Service of type LoadBalancer and of our class. ret gets everything but its peers, in the
 * arena; its claims are added to the list, by address and then by advertisement. */
void judge_service(const struct judge *judge, const struct service *service,
                   const struct serving *serving, struct arena *arena, struct model_service *ret,
                   judge_claims *claims);

#endif
