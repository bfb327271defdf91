/* Prefixes to announce, sorted into classes of those that are announced alike.
 *
 * A class is a set of BGPAdvertisements: all of them together say which session gets its prefixes,
 * and with which attributes. Prefixes of several Services or advertisements are merged: their
 * communities are united, and the most preferred of their other attributes counts; endpoints add
 * up. Every advertisement of this node has a class of its own even without prefixes, so that the
 * first one changes no filter. Pure. */
#ifndef BGP_ROUTES_H
#define BGP_ROUTES_H

#include "bgp/session.h"
#include "common/net/prefix.h"
#include "crd/bgpadvertisement.h"
#include "crd/community.h"

struct route_class;

/* A prefix that an advertisement wants announced. */
struct route_claim {
    struct prefix prefix;
    size_t advertisement;      /* index among those of the input */
    unsigned weight;           /* endpoints behind it, when that is to be told; else 0 */
    struct route_class *class; /* set by routes_make: that of the prefix */
    uint64_t rank;             /* its own, for sorting */
};

struct routes_input {
    const struct validated *config;                 /* in force: names of communities */
    const struct bgpadvertisement **advertisements; /* of this node, sorted by key */
    size_t advertisement_count;
    const struct session *sessions;
    size_t session_count;
    bool draining; /* tell the peers to go elsewhere (RFC 8326) */
};

/* What one session gets with the prefixes of a class. */
struct route_export {
    size_t session;                            /* by index */
    int64_t local_pref, med;                   /* -1: not given */
    int64_t prepend;                           /* how many more times our AS is in the path; 0
                                                  within one AS */
    const struct community_value *communities; /* sorted, none twice */
    size_t community_count;
};

struct route_class {
    struct str name;        /* a symbol of BIRD's; the same for the same advertisements */
    struct prefix *v4, *v6; /* sorted */
    size_t v4_count, v6_count;
    size_t v4_room, v6_room;            /* of the arrays */
    const size_t *advertisements;       /* by index among those of the input; sorted */
    size_t advertisement_count;         /* one: the class is there also without prefixes */
    bool weighted;                      /* an advertisement of it wants weights: */
    unsigned *v4_weights, *v6_weights;  /* of each prefix, 0: none; NULL unless weighted */
    const struct route_export *exports; /* by session, without those that get nothing */
    size_t export_count;
};

struct routes {
    struct route_class *classes; /* sorted by name */
    size_t class_count;
};

/* Sorts the claims into classes; their order stays. All in the arena. */
void routes_make(const struct routes_input *input, struct route_claim *claims, size_t count,
                 struct arena *arena, struct diag_list *found, struct routes *ret);

/* Says anew what the sessions get, as input->draining has changed. False: that changes who gets
 * something, and the routes are of no more use. */
bool routes_export(struct routes *routes, const struct routes_input *input, struct arena *arena)
    __attribute__((warn_unused_result));

/* The class of those advertisements, by sorted indices; NULL: there is none. */
struct route_class *routes_class(const struct routes *routes, const struct routes_input *input,
                                 const size_t *advertisements, size_t count);

/* Do the two give one prefix of the Service with these addresses different local preferences? */
bool routes_conflict(const struct bgpadvertisement *a, const struct bgpadvertisement *b,
                     const struct ip *ips, size_t ip_count);

/* The prefix that an advertisement makes of an address. */
struct prefix routes_prefix(const struct bgpadvertisement *advertisement, const struct ip *ip);

#endif
