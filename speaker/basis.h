/* What an election is held on: everything about the Services that follows from objects alone. It is
 * made when an object changes, which is the larger part of the work, and stands while members come
 * and go, so that a fail-over only has to elect again. Pure; nothing of a snapshot is borrowed. */
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

/* A Service of type LoadBalancer and of our class. */
struct basis_service {
    struct str key;
    enum reason reason; /* why this node may not announce it; REASON_NONE: it is to be elected */
    bool stands;        /* its node is to be elected */
    struct ip *ips;     /* of its status */
    size_t ip_count;
    bool families[2];       /* has IPv4, IPv6 addresses */
    size_t *advertisements; /* those that apply, by index */
    size_t advertisement_count;
    size_t unit;                      /* its unit: an index in units */
    enum placement_verdict placement; /* what its published order is worth */
};

/* Services that must stay together. Units are as many as Services; one with `stands` unset is
 * nothing. */
struct basis_unit {
    bool stands;
    struct nodeset nodes;  /* that may announce all of it, by their objects */
    const int64_t *scores; /* preference for each node; NULL: all are alike */
    struct ip ip;          /* names it in the hash election */
    uint64_t epoch;        /* of its published order; 0 when there is none */
    uint32_t *order;       /* the published order, as indices of nodes; unknown ones left out */
    size_t order_count;
};

/* An address of Services that stand. */
struct basis_address {
    struct ip ip;
    const size_t *services; /* by index, ascending; at least one, all of one unit */
    size_t service_count;
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
    struct basis_service *services; /* sorted by key */
    size_t service_count;
    struct basis_unit *units;
    struct basis_address *addresses; /* sorted */
    size_t address_count;
};

/* The caller owns the one reference. */
struct basis *basis_make(const struct snapshot *snapshot);
struct basis *basis_ref(struct basis *basis);
struct basis *basis_unref(struct basis *basis); /* NULL is fine; returns NULL */
SCOPE_DEFINE(basis, struct basis, basis_unref)

/* The address, or NULL when no Service that stands has it. */
const struct basis_address *basis_find(const struct basis *basis, const struct ip *ip);

#endif
