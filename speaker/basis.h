/* What an election is held on: everything about the Services that follows from objects alone. It is
 * made when an object changes, which is the larger part of the work, and stands while members come
 * and go, so that a fail-over only has to elect again. Pure; nothing of a snapshot is borrowed.
 *
 * There is one for as long as the speaker runs, with an entry for each of many thousands of
 * Services and addresses: what is the same for many of them is written once, and they have its
 * index. */
#ifndef SPEAKER_BASIS_H
#define SPEAKER_BASIS_H

#include "common/election/nodeset.h"
#include "common/election/placement.h"
#include "common/election/reason.h"
#include "common/net/ip.h"
#include "speaker/snapshot.h"

struct basis_advertisement {
    struct nodeset reach;       /* the nodes that it names, available or not */
    struct str_list interfaces; /* names; empty: all */
};

/* What is the same for Services to which the same advertisements apply. */
struct basis_terms {
    const uint32_t *advertisements; /* by index */
    uint32_t advertisement_count;
    const int64_t *scores; /* preference for each node; NULL: all are alike */
};

#define BASIS_NONE UINT32_MAX

/* A Service of type LoadBalancer and of our class. */
struct basis_service {
    struct str key;
    const struct ip *ips; /* of its status */
    uint32_t ip_count;
    uint32_t unit;     /* by index; BASIS_NONE: it does not stand, nobody is to be elected */
    uint32_t terms;    /* by index; of one that stands */
    uint8_t reason;    /* why this node may not announce it; REASON_NONE: it is to be elected */
    uint8_t placement; /* enum placement_verdict: what its published order is worth */
    bool families[2];  /* has IPv4, IPv6 addresses */
};

/* Services that stand and must stay together: one node is elected for them. */
struct basis_unit {
    uint64_t epoch;   /* of its published order; 0 when there is none */
    uint32_t order;   /* the published order: where it begins in the basis' */
    uint32_t ordered; /* how many nodes it has; unknown ones are left out */
    uint32_t nodes;   /* that may announce all of it, by their objects: a set, by index */
    uint32_t terms;   /* of its first Service, whose preferences count */
    uint32_t address; /* that names it in the hash election, by index */
};

/* An address of Services that stand. */
struct basis_address {
    const uint32_t *services; /* by index, ascending; at least one, all of one unit */
    uint32_t service_count;
    struct ip ip;
};

struct basis {
    struct arena *arena; /* of everything */
    unsigned refs;
    struct str_list nodes;    /* names, sorted */
    size_t node;              /* this one's index; the number of nodes when it is not known */
    struct nodeset draining;  /* their users want them empty */
    struct nodeset available; /* may announce anything, by their objects */
    struct basis_advertisement *advertisements;
    size_t advertisement_count;
    struct basis_terms *terms;
    size_t terms_count;
    struct basis_service *services; /* sorted by key */
    size_t service_count;
    struct basis_unit *units;
    size_t unit_count;
    struct basis_address *addresses; /* sorted */
    size_t address_count;
    uint32_t *orders; /* published ones: indices of nodes, the owner first */
    uint64_t *sets;   /* of nodes, of as many words each as `available` */
};

/* The caller owns the one reference. */
struct basis *basis_make(const struct snapshot *snapshot);
struct basis *basis_ref(struct basis *basis);
struct basis *basis_unref(struct basis *basis); /* NULL is fine; returns NULL */
SCOPE_DEFINE(basis, struct basis, basis_unref)

/* The address, or NULL when no Service that stands has it. */
const struct basis_address *basis_find(const struct basis *basis, const struct ip *ip);

/* The nodes that may announce all of a unit, by their objects; may be empty. Borrowed. */
struct nodeset basis_nodes(const struct basis *basis, const struct basis_unit *unit);

#endif
