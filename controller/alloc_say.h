/* Why the allocator said no: one sentence per outcome, in the words that users of MetalLB search
 * for, with the facts behind them. All results are in the arena. */
#ifndef CONTROLLER_ALLOC_SAY_H
#define CONTROLLER_ALLOC_SAY_H

#include "controller/holdings.h"

/* ["192.0.2.1" "2001:db8::1"] */
struct str alloc_say_ips(const struct ip *ips, size_t count, struct arena *arena);

struct str alloc_say_family(const struct alloc_request *request, bool claim, struct arena *arena);
struct str alloc_say_not_in_any_pool(const struct ip *ip, struct arena *arena);
struct str alloc_say_pools_differ(const struct alloc_request *request, struct arena *arena);
struct str alloc_say_unknown_pool(struct str pool, struct arena *arena);
struct str alloc_say_mismatch(const struct alloc_request *request, struct str owning,
                              struct arena *arena);
struct str alloc_say_not_compatible(const struct alloc_request *request, struct str pool,
                                    struct arena *arena);
struct str alloc_say_reserved(const struct ip *ip, const struct pool_segment *segment,
                              struct arena *arena);
struct str alloc_say_quarantined(const struct ip *ip, struct arena *arena);
struct str alloc_say_sharing(const struct alloc_request *request, const struct address *address,
                             struct arena *arena);
struct str alloc_say_port(const struct ip *ip, uint32_t port, const struct holder *other,
                          struct arena *arena);

/* The pool asked for gives nothing. slots: bit per family (pool_slot) that was looked for. */
struct str alloc_say_pool_exhausted(const struct holdings *books, const struct pool *pool,
                                    unsigned slots, struct arena *arena);

/* No pool gives anything by itself. */
struct str alloc_say_no_pool(const struct holdings *books, const struct alloc_request *request,
                             unsigned slots, struct arena *arena);

#endif
