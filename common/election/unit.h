/* Units: what one node answers for as a whole. Addresses that must stay together make a unit: those
 * of one Service, and Services that share an address, however long the chain. Pure. */
#ifndef COMMON_ELECTION_UNIT_H
#define COMMON_ELECTION_UNIT_H

#include "common/election/eligible.h"
#include "common/election/placement.h"

/* A Service that is to be put into its unit. */
struct unit_member {
    const struct service *service;
    struct candidacy candidacy;       /* of the Service; without standing it is a unit by itself */
    uint32_t unit;                    /* set: the index of the first member of its unit */
    enum placement_verdict placement; /* set: what its published order is worth */
};

struct unit {
    const struct candidacy *first; /* of the members that stand; NULL: nobody may announce it */
    struct nodeset nodes;          /* that may announce all members that stand; may be empty */
    const struct ip *ip;           /* names it in the election: the smallest first address */
    struct placement placement;    /* of the highest epoch; without nodes: none is published */
};

/* An address of a member that stands. */
struct unit_address {
    struct ip ip;
    uint32_t member;
};

struct unit_addresses {
    struct unit_address *items;
    size_t count;
};

/* All addresses of members that stand, sorted, and for each by member. In the arena. */
struct unit_addresses unit_addresses(const struct unit_member *members, size_t count,
                                     struct arena *arena);

/* Puts Services into units by their addresses: sets what is to be set in members, and returns the
 * units, one at the index of the first member of each. In the arena; the sets of nodes of
 * candidacies are used up, orders are borrowed from the Services. */
struct unit *unit_gather(struct unit_member *members, size_t count,
                         const struct unit_addresses *addresses, struct arena *arena);

#endif
