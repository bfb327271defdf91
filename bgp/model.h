/* What this node says over BGP: sessions, routes by class, and why a Service is not announced.
 *
 * Every node announces every Service that it can serve, so no node asks another: with
 * externalTrafficPolicy Cluster each one does as long as some endpoint serves, with Local those
 * where one does. Pure, and sorted: equal inputs give equal models. */
#ifndef BGP_MODEL_H
#define BGP_MODEL_H

#include "bgp/routes.h"
#include "common/election/reason.h"

enum model_drain {
    MODEL_SERVES,
    MODEL_DRAINS, /* peers are asked to go elsewhere (RFC 8326), routes stay */
    MODEL_DRAINED /* nothing is announced any more; sessions stay */
};

struct model_input {
    struct str node;      /* our name, as Node objects have it */
    struct str lb_class;  /* serve Services of this class; empty: those without one */
    bool ignore_excluded; /* announce also from a node that is labelled as excluded */
    enum model_drain drain;
    uint16_t listen_port; /* of BIRD; 0: 179 */
    /* In force: pools, BGP advertisements, peers, BFD profiles, names of communities. */
    const struct validated *config;
    struct objects services, slices, nodes, secrets; /* all there are, sorted by key */
    const struct session_path *paths;
    size_t path_count;
};

struct model_service {
    struct str key;
    enum reason reason; /* REASON_NONE: announced from here */
    const struct ip *ips;
    size_t ip_count;
    const struct prefix *prefixes; /* with REASON_NONE */
    size_t prefix_count;
    size_t claim_count;    /* of advertisements on prefixes */
    struct str_list peers; /* names of the BGPPeers that get it from here, sorted */
};

struct model {
    struct ip router_id;
    struct session *sessions; /* sorted by the peer's name */
    size_t session_count;
    struct routes routes;
    struct model_service *services; /* sorted by key: those of type LoadBalancer, of our class */
    size_t service_count;
    struct diag_list findings; /* about peers and advertisements of this node; see model_done */
};

/* Everything is in the arena; nothing of the input is borrowed. */
struct model *model_make(const struct model_input *input, struct arena *arena);

/* Frees the list of findings; the rest goes with the arena. NULL is fine. */
void model_done(struct model *model);

/* The entry of a Service, or NULL. model may be NULL. */
const struct model_service *model_find(const struct model *model, struct str key);

#endif
