/* The cluster as stentorctl sees it: what objects say about who answers for which addresses, put
 * together by the same rules as controller and speakers go by.
 *
 * Whether a node is alive is not in the objects, so every available node counts as alive here; what
 * the speakers say themselves is in ServiceL2Status (`announcers`) and in their REST answers. Pure;
 * objects are borrowed, everything else is in the arena. */
#ifndef CTL_WORLD_H
#define CTL_WORLD_H

#include "common/election/unit.h"
#include "crd/condition.h"

struct world_input {
    struct objects of[KIND_COUNT]; /* all that are known, sorted by key; kinds not followed: 0 */
    struct str namespace;          /* whose configuration counts; empty: any */
    struct str lb_class;
    bool ignore_excluded;
    bool hash; /* the controller's --election, for advertisements that do not say */
    int64_t now;
};

struct world_node {
    const struct node *object;
    struct str name;
    bool available;   /* may announce by its objects: neither excluded nor without a network */
    size_t units;     /* owned: what is balanced */
    size_t ips;       /* addresses of those */
    size_t standby;   /* units that it is the first backup of */
    bool left_out;    /* of the published orders of all units that it may serve */
    size_t announced; /* Services that it says it announces */
};

struct world_service {
    const struct service *object;
    struct str key;
    struct candidacy candidacy;        /* its nodes are the unit's */
    struct nodeset nodes;              /* that may announce it by itself */
    size_t unit;                       /* index of its unit */
    enum placement_verdict placement;  /* what its published order is worth */
    const struct condition *allocated; /* the controller's condition; NULL: none */
    struct str_list announcers;        /* nodes, by ServiceL2Status, sorted */
};

/* Services that stay together. There are as many as Services; one that does not stand is nothing.
 */
struct world_unit {
    bool stands;
    bool hashed;            /* its advertisements want the hash election */
    struct nodeset nodes;   /* that may answer for all of it */
    const int64_t *scores;  /* preference by node; NULL: all are alike */
    struct ip ip;           /* names it in the hash election */
    uint64_t epoch;         /* of its published order */
    uint32_t *published;    /* nodes of the published order that there are */
    size_t published_count; /* 0: none is published */
    uint32_t *order;        /* all that may answer, as they step in, the owner first */
    size_t order_count;
    struct str wish; /* the node that the user asks for; empty: none */
    size_t ips;      /* addresses of it */
};

struct world_address {
    struct ip ip;
    const size_t *services; /* by index, ascending; at least one */
    size_t service_count;
    size_t unit;
};

struct world {
    struct validated judged; /* pools and advertisements in force, findings */
    const struct eligible *eligible;
    struct world_node *nodes; /* sorted by name */
    size_t node_count;
    struct world_service *services; /* of type LoadBalancer and of the class, sorted by key */
    size_t service_count;
    struct world_unit *units;        /* by index of the first Service of each */
    struct world_address *addresses; /* sorted; of Services that stand or not */
    size_t address_count;
};

/* Never NULL. world_done frees what is not in the arena. */
struct world *world_make(const struct world_input *input, struct arena *arena);
void world_done(struct world *world);

/* Indices, or the count when there is none. */
size_t world_find_node(const struct world *world, struct str name);
size_t world_find_service(const struct world *world, struct str key);

/* The address, or NULL when no Service shows it. */
const struct world_address *world_find_address(const struct world *world, const struct ip *ip);

/* The name of the node at that place of a unit's order, or empty. */
struct str world_order_name(const struct world *world, const struct world_unit *unit, size_t place);

/* Does the published order of the unit, though it has room for more, leave out this node, which may
 * answer by its objects? The controller then does not count on it: its speaker is dead or was until
 * just now, it is drained, or it has not the interfaces. */
bool world_is_left_out(const struct world_unit *unit, size_t node);

/* Why a node may not announce a Service, a phrase; NULL: it may. */
const char *world_refusal(const struct world *world, const struct world_service *service,
                          size_t node);

#endif
