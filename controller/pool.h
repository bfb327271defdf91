/* Address pools: what may be handed out, and to whom.
 *
 * A pool set is built whole from the accepted IPAddressPools and IPReservations, never changes, and
 * is freed whole. It cuts every pool into segments: stretches of addresses of one family that may
 * all be given to the same Services. Excluded addresses are in no segment; reserved addresses are
 * in segments of their own. With avoid_buggy, IPv4 addresses that end in .0 or .255 are no part of
 * the pool at all. Inside a segment an address has an index, counted from 0 without a gap, so that
 * searching and counting never meet an address that does not exist.
 *
 * Pure: no clock, no log. Not thread safe, but it is never written to after it is built. */
#ifndef CONTROLLER_POOL_H
#define CONTROLLER_POOL_H

#include "common/base/diag.h"
#include "common/net/range.h"

struct str_map; /* labels; common/json/fields.h. Only handed on to `selects`. */

/* One accepted IPAddressPool in plain terms. Everything but `selectors` is copied. */
struct pool_input {
    struct str name;
    struct str object;          /* "IPAddressPool/ns/name", for findings */
    bool auto_assign;           /* spec.autoAssign */
    bool avoid_buggy;           /* spec.avoidBuggyIPs */
    const struct range *ranges; /* spec.addresses, in that order */
    size_t range_count;
    const struct range *excluded; /* spec.excludeAddresses, any order, may overlap */
    size_t excluded_count;

    bool pinned;                /* spec.serviceAllocation is present */
    int64_t priority;           /* 1 is tried first; 0 and below last */
    bool by_namespace;          /* namespaces or namespaceSelectors were given … */
    struct str_list namespaces; /* … and these are the names they stand for; none: matches nobody */
    bool by_labels;             /* serviceSelectors were given … */
    bool (*selects)(const void *selectors, const struct str_map *labels); /* … and one matches */
    const void *selectors; /* borrowed: must live as long as the set */
};

/* One range of an accepted IPReservation. */
struct pool_reservation {
    struct str object; /* "IPReservation/ns/name", for findings and refusals */
    struct str owner;  /* "namespace/name" of a Service, or "namespace": any Service in it */
    struct range range;
};

enum { POOL_FAMILIES = 2 }; /* index 0 is IPv4, 1 is IPv6 */

/* Addresses of one family of one pool that the same Services may have. */
struct pool_segment {
    struct ip first, last; /* both are addresses of the pool */
    ip_value last_index;   /* index of `last`; the segment has last_index + 1 addresses */
    uint32_t pool;         /* index in the set */
    bool avoid_buggy;
    struct str owner;       /* as in pool_reservation; empty: open to everybody */
    struct str reservation; /* its object, empty when open */
};

/* Segments of one family of one pool, as indices in the set: reserved ones first, sorted by owner,
 * then the open ones; each kind in the order of spec.addresses. */
struct pool_family {
    uint32_t first, open, end;
    int64_t capacity;      /* addresses in all, saturating at INT64_MAX */
    int64_t open_capacity; /* addresses in open segments, saturating at INT64_MAX */
};

struct pool {
    struct str name;
    bool auto_assign, avoid_buggy, pinned, by_namespace, by_labels;
    int64_t priority;
    struct str_list namespaces; /* sorted */
    bool (*selects)(const void *selectors, const struct str_map *labels);
    const void *selectors;
    struct pool_family families[POOL_FAMILIES];
};

struct pool_set {
    struct arena *arena;
    struct pool *pools; /* sorted by name */
    uint32_t count;
    struct pool_segment *segments; /* by pool, family, then as pool_family says */
    uint32_t segment_count;
    uint32_t *by_address; /* the segments sorted by address */
    uint32_t *pinned;     /* pools with serviceAllocation and autoAssign, by priority then name */
    uint32_t pinned_count;
    uint32_t *unpinned; /* pools without serviceAllocation and with autoAssign, by name */
    uint32_t unpinned_count;
};

/* Builds a set. The order of the inputs is their precedence: a pool that overlaps an earlier one,
 * overlaps itself, has no ranges, or has an earlier one's name is left out, with an error in
 * `found`; so is the part of a reservation that an earlier reservation already has. A reservation
 * that meets no pool is a note. Never NULL; the caller owns the set. */
struct pool_set *pool_set_build(const struct pool_input *pools, size_t pool_count,
                                const struct pool_reservation *reservations,
                                size_t reservation_count, struct diag_list *found);

/* NULL is fine. Returns NULL. */
struct pool_set *pool_set_free(struct pool_set *set);

SCOPE_DEFINE(pool_set, struct pool_set, pool_set_free)

/* The pool of that name, or NULL. O(log n). */
const struct pool *pool_set_find(const struct pool_set *set, struct str name);

/* The segment that contains the address, or NULL when no pool does (excluded and avoided
 * addresses are in none). O(log n). */
const struct pool_segment *pool_set_locate(const struct pool_set *set, const struct ip *ip);

/* Does the pool's serviceAllocation let this Service in? True without one. The namespace must be
 * one of those named or selected, and a selector must match the labels; a selector list that
 * stands for nothing lets nobody in. */
bool pool_admits(const struct pool *pool, struct str namespace, const struct str_map *labels);

/* May the Service `key` ("namespace/name") have addresses of this segment? */
bool pool_segment_admits(const struct pool_segment *segment, struct str key, struct str namespace);

/* The index of an address of the segment, and the address of an index (<= last_index). */
ip_value pool_segment_index(const struct pool_segment *segment, const struct ip *ip);
struct ip pool_segment_ip(const struct pool_segment *segment, ip_value index);

/* 0 for IPv4, 1 for IPv6. */
static inline unsigned pool_slot(const struct ip *ip)
{
    return ip->family == IP_V6;
}

#endif
