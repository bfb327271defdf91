/* The hash election of layer 2: which node answers for an address when no placement is published.
 *
 * Higher preference score first, then ascending SHA-256 of "<node>#<address>" compared as 32 bytes,
 * the address in its canonical text: MetalLB's order exactly, so that a cluster that changes over
 * keeps its owners. Every member computes the same from the same candidates; taking a candidate
 * away does not change the order of the others. */
#ifndef COMMON_ELECTION_ELECTION_H
#define COMMON_ELECTION_ELECTION_H

#include "common/base/arena.h"
#include "common/net/ip.h"

struct election_candidate {
    struct str name; /* of the node; no two the same */
    int64_t score;   /* sum of the weights of the preferences that the node meets; usually 0 */
};

/* The candidates as indices in order of election, the winner first: count of them, in the arena.
 * The order of the input does not matter. For a Service with several addresses, `ip` is the first
 * of its status. */
uint32_t *election_order(const struct election_candidate *candidates, size_t count,
                         const struct ip *ip, struct arena *arena);

/* The first of that order alone, which costs less. count is at least 1. */
size_t election_winner(const struct election_candidate *candidates, size_t count,
                       const struct ip *ip);

#endif
