/* What a Service asks of the allocator, held against the books: may it have these addresses, and
 * which could it have? Decides, but enters nothing. */
#ifndef CONTROLLER_WISH_H
#define CONTROLLER_WISH_H

#include "controller/holdings.h"

/* A request made ready. */
struct wish {
    const struct alloc_request *request;
    struct arena *arena;
    struct port_list ports;
    struct str share_name;
    const struct holder *self; /* claims: what the Service holds now; may be NULL */
    bool claim;
};

/* Found addresses. */
struct wish_ips {
    struct ip ips[ALLOC_IPS];
    size_t count;
};

/* Ready for a find; for a claim the caller sets self and claim. */
struct wish wish_of(const struct alloc_request *request, struct arena *arena);

/* An answer that says no. */
struct alloc_answer wish_refuse(enum alloc_outcome outcome, struct str message);

/* May the Service have the addresses of its request? */
struct alloc_answer wish_check(const struct holdings *books, const struct wish *wish);

/* Those who alone keep the claim from being granted, sorted; empty when there are none, or when it
 * would not be granted without them either. */
struct str_list wish_blockers(const struct holdings *books, const struct wish *wish);

/* The addresses that the Service gets: those asked for, or from the pool asked for, or by the
 * order of pools. ret is only set when the outcome is ALLOC_OK. */
struct alloc_answer wish_find(const struct holdings *books, const struct wish *wish,
                              struct wish_ips *ret);

/* An address of one family of a pool: one reserved for the Service, then for its namespace, then an
 * open one; in each case the first that is free or may be shared. */
bool wish_find_one(const struct holdings *books, const struct wish *wish, const struct pool *pool,
                   unsigned slot, struct ip *ret);

#endif
