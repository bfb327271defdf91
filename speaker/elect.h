/* Which node answers for a unit: the addresses that must stay together.
 *
 * The controller publishes an order of nodes on the Service (placement.h). The effective owner is
 * the first node of that order that is eligible now; a node that it does not name comes after all
 * that it names, in the order of the hash election (common/election), which alone serves where
 * nothing is published. So every speaker that sees the same objects and members names the same
 * owner and waits for nobody. Pure. */
#ifndef SPEAKER_ELECT_H
#define SPEAKER_ELECT_H

#include "common/base/scope.h"
#include "common/election/nodeset.h"
#include "common/net/ip.h"

/* Elects, and remembers the hash elections: a hundred nodes are a hundred hashes for each unit, but
 * when some node comes or goes only few units need any. */
struct elect;

/* seed: secret, of the table of units. */
struct elect *elect_new(uint64_t seed);
struct elect *elect_free(struct elect *elect); /* NULL is fine; returns NULL */
SCOPE_DEFINE(elect, struct elect, elect_free)

/* A round of elections begins over nodes of these names, sorted, no two the same. What is
 * remembered holds for the same names only. */
void elect_begin(struct elect *elect, const struct str *names, size_t count);

struct elect_unit {
    const uint32_t *order; /* the published order, by index in the names */
    size_t order_count;    /* 0: none is published */
    struct nodeset nodes;  /* the eligible ones, by index in the names */
    const int64_t *scores; /* preference for each node by index; NULL: all are alike */
    struct ip ip;          /* names the unit in the hash election; once in a round */
};

/* The effective owner: an index in the names, or their number when no node is eligible. */
size_t elect_owner(struct elect *elect, const struct elect_unit *unit, struct arena *scratch);

/* How many of the eligible nodes come before that one, which need not be one of them. Dear: an
 * election for each call. */
size_t elect_rank(const struct elect *elect, const struct elect_unit *unit, size_t node,
                  struct arena *scratch);

/* The round ends: units that it did not ask about are forgotten. */
void elect_end(struct elect *elect);

#endif
