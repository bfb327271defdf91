/* The allocator: which Service has which addresses.
 *
 * It knows the pools (one pool_set, replaced whole), what every Service holds, and decides claims
 * and wishes. It keeps MetalLB's rules (choice of pool, first fit, dual stack, sharing keys, edits
 * of pools win) and answers with a named outcome and a sentence. Free addresses, also those that
 * may be shared, are found in O(log n) whatever the size of the pool.
 *
 * Order of work after a start: alloc_set_pools, then alloc_claim for every Service that has
 * addresses in its status, and only then alloc_find for the others.
 *
 * Pure and deterministic: equal calls in equal order give equal answers. One owner (the
 * controller's plan), not thread safe. Nothing borrowed from a request is kept. */
#ifndef CONTROLLER_ALLOC_H
#define CONTROLLER_ALLOC_H

#include "common/base/arena.h"
#include "common/net/ip.h"
#include "controller/pool.h"

struct alloc;

enum alloc_outcome {
    ALLOC_OK,
    ALLOC_NO_POOL,             /* no pool hands out addresses to this Service by itself */
    ALLOC_POOL_EXHAUSTED,      /* the pools that would are full (or lack the family) */
    ALLOC_UNKNOWN_POOL,        /* the pool asked for does not exist */
    ALLOC_POOL_NOT_COMPATIBLE, /* the pool's serviceAllocation does not let this Service in */
    ALLOC_POOL_MISMATCH,       /* the addresses are not in the pool asked for */
    ALLOC_NOT_IN_ANY_POOL,     /* an address is in no pool (or excluded, or avoided) */
    ALLOC_POOLS_DIFFER,        /* two addresses are in two pools */
    ALLOC_FAMILY_MISMATCH,     /* the addresses do not fit the Service's families */
    ALLOC_SHARING_KEY,         /* in use by others with whom it may not be shared */
    ALLOC_PORT_IN_USE,         /* shared, but another Service has the port */
    ALLOC_RESERVED,            /* kept for somebody else */
    ALLOC_QUARANTINED,         /* may not be given now (an address conflict, for example) */
    ALLOC_OUTCOME_COUNT
};

/* "Allocated", "NoPool", "PoolExhausted", …: the reason of a condition. */
const char *alloc_outcome_name(enum alloc_outcome outcome);

enum alloc_protocol { ALLOC_TCP, ALLOC_UDP, ALLOC_SCTP };

struct alloc_port {
    enum alloc_protocol protocol;
    uint16_t port;
};

/* The families of the Service's cluster IPs. */
enum alloc_families { ALLOC_V4, ALLOC_V6, ALLOC_DUAL };

/* spec.ipFamilyPolicy. */
enum alloc_policy { ALLOC_SINGLE, ALLOC_PREFER_DUAL, ALLOC_REQUIRE_DUAL };

enum { ALLOC_IPS = 2 }; /* a Service has at most two addresses */

/* A Service as the allocator sees it. All borrowed for the call. */
struct alloc_request {
    struct str key; /* "namespace/name" */
    struct str namespace;
    const struct str_map *labels;
    struct str sharing_key; /* empty: shares with nobody */
    struct str backend_key; /* "" for externalTrafficPolicy Cluster, else the selector's text */
    const struct alloc_port *ports;
    size_t port_count;
    enum alloc_families families;
    enum alloc_policy policy;
    enum ip_family primary;   /* of spec.ipFamilies[0]; IP_NONE counts as IPv4 */
    struct str pool;          /* asked for by annotation; empty: any */
    struct ip ips[ALLOC_IPS]; /* claim: those in the status; find: those asked for */
    size_t ip_count;
};

struct alloc_answer {
    enum alloc_outcome outcome;
    struct ip ips[ALLOC_IPS]; /* what the Service now holds; those asked for in the order asked for,
                                 others IPv4 first */
    size_t count;
    struct str pool;    /* that they are from; the allocator's until the next alloc_set_pools */
    struct str message; /* why not, one sentence without a full stop, in the arena; empty for OK */
    bool freed; /* addresses, ports or a sharing key were given up: those who wait may try again */
};

/* seed: for the hash tables and trees; best a secret. It does not influence any answer. Without
 * pools until alloc_set_pools. Never NULL. */
struct alloc *alloc_new(uint64_t seed);

/* NULL is fine. Returns NULL. */
struct alloc *alloc_free(struct alloc *alloc);

SCOPE_DEFINE(alloc, struct alloc, alloc_free)

/* Replaces the pools; the allocator owns `set` from now on. Whoever has an address that is in no
 * pool any more, or two addresses that are now in different pools, loses what he has; everybody
 * else keeps his, if need be under another pool's name. ret_lost gets the keys of those who lost,
 * sorted, in the arena. O(n log n). */
void alloc_set_pools(struct alloc *alloc, struct pool_set *set, struct arena *arena,
                     struct str_list *ret_lost);

/* The pools in force. */
const struct pool_set *alloc_pools(const struct alloc *alloc);

/* The Service has request->ips in its status (one or two): may it keep them, with the ports and
 * keys it has now? Repeating a claim changes nothing. Checks families (a single address is enough
 * for a dual-stack Service that only prefers two), pools and their serviceAllocation, the pool
 * asked for, sharing keys and ports. A reservation or quarantine made since takes nothing away.
 * On any outcome but ALLOC_OK nothing has changed, and the caller decides whether to release. */
struct alloc_answer alloc_claim(struct alloc *alloc, const struct alloc_request *request,
                                struct arena *arena);

/* The Services that alone keep a claim from being granted: without them it would be. Sorted, in the
 * arena, texts borrowed until they let go; empty when the claim would be granted, or refused even
 * without them. */
struct str_list alloc_blockers(const struct alloc *alloc, const struct alloc_request *request,
                               struct arena *arena);

/* Gives up what the Service holds and finds it addresses anew: those in request->ips, or from
 * request->pool, or else by the pools' order: those with a reservation for just this Service, then
 * pinned ones by priority and name, then unpinned ones by name. Within a pool addresses reserved
 * for the Service come first, then the first in the order of spec.addresses that is free or may be
 * shared. */
struct alloc_answer alloc_find(struct alloc *alloc, const struct alloc_request *request,
                               struct arena *arena);

/* The Service holds one address and is dual stack: adds one of the other family from the same
 * pool. On any outcome but ALLOC_OK it keeps what it has. */
struct alloc_answer alloc_extend(struct alloc *alloc, const struct alloc_request *request,
                                 struct arena *arena);

/* Gives up what the Service holds. False when that was nothing. */
bool alloc_release(struct alloc *alloc, struct str key);

/* What the Service holds: number of addresses (0: nothing), which, and the pool's name (borrowed
 * until the next alloc_set_pools). ret_ips and ret_pool may be NULL. */
size_t alloc_get(const struct alloc *alloc, struct str key, struct ip ret_ips[ALLOC_IPS],
                 struct str *ret_pool);

/* Number of Services that hold addresses. */
size_t alloc_count(const struct alloc *alloc);

/* Keys of the Services that have this address, sorted, in the arena (texts borrowed until they
 * let go of it). */
struct str_list alloc_users(const struct alloc *alloc, const struct ip *ip, struct arena *arena);

/* An address in quarantine is not given to anybody who does not have it yet. */
void alloc_quarantine(struct alloc *alloc, const struct ip *ip, bool on);
bool alloc_is_quarantined(const struct alloc *alloc, const struct ip *ip);

/* Counters of one pool and family (pool_slot): distinct addresses, not Services. Available are
 * those that somebody without a reservation could be given. Capacity saturates at INT64_MAX. */
struct alloc_usage {
    int64_t capacity, assigned, available;
};

struct alloc_usage alloc_usage(const struct alloc *alloc, const struct pool *pool, unsigned slot);

#endif
