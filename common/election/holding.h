/* The addresses that a Service holds, and the pool that they are of. Pure. */
#ifndef COMMON_ELECTION_HOLDING_H
#define COMMON_ELECTION_HOLDING_H

#include "common/election/reason.h"
#include "crd/service.h"
#include "crd/validate.h"

struct holding {
    const struct ip *ips; /* of its status, each once; those without an address are others' */
    size_t ip_count;
    size_t pool; /* the first that holds all of them, by index; with REASON_NONE */
};

/* REASON_NONE, or why there is nothing to announce: the Service cannot be read, it has no address,
 * one that is none, or no pool holds all of them. pools: those in force. The addresses are in the
 * arena, and set with any reason. */
enum reason holding_read(const struct service *service, const struct objects *pools,
                         struct arena *arena, struct holding *ret);

/* The first pool that holds all of these addresses: its index, or the number of pools. */
size_t holding_pool(const struct ip *ips, size_t count, const struct objects *pools);

#endif
