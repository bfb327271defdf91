/* What this node says over BGP: sessions, routes by class, and why a Service is not announced.
 *
 * Every node announces every Service that it can serve, so no node asks another: with
 * externalTrafficPolicy Cluster each one does as long as some endpoint serves, with Local those
 * where one does. Pure, and sorted: equal inputs give equal models. */
#ifndef BGP_MODEL_H
#define BGP_MODEL_H

#include "bgp/routes.h"
#include "common/base/vec.h"
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
    uint64_t seed;        /* of hash tables; secret when strangers choose names */
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
    size_t service_room, updates;
    enum model_drain drain;    /* as in the input */
    struct diag_list findings; /* about peers and advertisements of this node; see model_done */
};

/* Everything is in the arena; nothing of the input is borrowed. */
struct model *model_make(const struct model_input *input, struct arena *arena);

/* A Service that may have changed, or its EndpointSlices. */
struct model_touched {
    struct str key;
    const struct service *service; /* NULL: there is none */
    struct objects slices;         /* all that are of it */
};

/* What that did to the model. */
struct model_change {
    bool was, is; /* in the model */
    struct model_service before, after;
};

/* Makes of the model what model_make would make of it, when no object has changed but those, and
 * perhaps whether the node drains: what it costs does not grow with all Services. The input is as
 * that for model_make, of which services and slices are not looked at; the arena is the model's.
 * Adds what has changed to the list; a change's texts are the model's. False: the model has to be
 * made anew, because classes change, or prefixes that several Services share, or what is said of
 * all Services, or because enough has been left behind in the arena. It is of no other use then
 * than to be compared with what comes after the changes in the list. */
typedef VEC(struct model_change) model_changes;
bool model_update(struct model *model, const struct model_input *input,
                  const struct model_touched *touched, size_t count, struct arena *arena,
                  model_changes *changes) __attribute__((warn_unused_result));

/* Frees the list of findings; the rest goes with the arena. NULL is fine. */
void model_done(struct model *model);

/* The entry of a Service, or NULL. model may be NULL. */
const struct model_service *model_find(const struct model *model, struct str key);

#endif
