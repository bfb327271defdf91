/* The allocator's books: who holds which address, and where the free ones are.
 *
 * Per segment the taken indices are kept as runs, so the first free one is where the first run
 * ends. Per pair of sharing and backend key there is a share, which finds the first address that
 * may be joined.
 *
 * This part decides nothing: its callers have checked that what they enter is allowed. */
#ifndef CONTROLLER_HOLDINGS_H
#define CONTROLLER_HOLDINGS_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "controller/alloc.h"
#include "controller/runs.h"
#include "controller/share.h"

struct address;
struct holder;

/* One Service's use of one address; part of the holder, linked from the address. */
struct hold {
    struct address *address;
    struct holder *holder;
    struct hold *prev, *next; /* other users of the address, in order of arrival */
};

/* A Service that holds addresses. One block of memory with its ports and key. */
struct holder {
    struct str key;
    struct share *share; /* NULL: shares with nobody */
    struct hold holds[ALLOC_IPS];
    size_t hold_count;
    struct port_list ports;
};

struct port_use {
    uint32_t port;
    struct holder *holder;
};

#define HOLDINGS_NOWHERE UINT32_MAX

/* What only an address has whose users have a sharing key. */
struct sharing {
    struct share *share;
    struct share_member member;
    struct address *address;
    VEC(struct port_use) uses; /* sorted by port; kept only while there are several users */
};

/* An address that is in use or in quarantine. */
struct address {
    struct ip ip;
    bool quarantined;
    uint32_t user_count;
    struct hold *first, *last;
    struct spot spot;        /* segment HOLDINGS_NOWHERE: in no pool, and then only in quarantine */
    struct sharing *sharing; /* owned; NULL: at most one user, who shares with nobody */
};

struct family_count {
    int64_t assigned, assigned_reserved; /* addresses in use; of them in reserved segments */
    int64_t quarantined;                 /* not in use, in open segments */
};

struct holdings {
    const struct pool_set *set; /* borrowed */
    struct map holders;         /* key → struct holder */
    struct map addresses;       /* ip_key → struct address */
    struct map shares;          /* struct share */
    struct runs *taken;         /* per segment of the set: indices in use or in quarantine */
    uint64_t *open;             /* one bit per segment: it has a free address */
    struct family_count (*counts)[POOL_FAMILIES]; /* per pool */
    uint64_t seed;
};

/* Empty books over a set, which must outlive them. */
void holdings_init(struct holdings *h, const struct pool_set *set, uint64_t seed);
void holdings_done(struct holdings *h);

/* NULL when the Service holds nothing, when the address is neither used nor in quarantine. */
struct holder *holdings_holder(const struct holdings *h, struct str key);
struct address *holdings_address(const struct holdings *h, const struct ip *ip);

/* The share of two keys, by its name; NULL when none of its addresses is in use. */
struct str holdings_share_name(struct str sharing, struct str backend, struct arena *arena);
struct share *holdings_share(const struct holdings *h, struct str name);

/* The share of the address's users, or NULL. */
static inline struct share *holdings_share_of(const struct address *address)
{
    return address->sharing ? address->sharing->share : NULL;
}

/* Somebody else than `self` who has one of the ports on the address, or NULL; and which port. */
struct holder *holdings_clash(const struct address *address, const struct port_list *ports,
                              const struct holder *self, uint32_t *ret_port);

/* Do the two lists have a port in common? Any of them goes to ret_port, which may be NULL. */
bool holdings_ports_meet(const struct port_list *a, const struct port_list *b, uint32_t *ret_port);

/* The first free spot of the segments from..to (to not included): O(log n). */
bool holdings_first_free(const struct holdings *h, uint32_t from, uint32_t to, struct spot *ret);

/* The first spot of those segments that the share has in use, without quarantine and without any
 * of the ports. */
bool holdings_first_shared(const struct share *share, uint32_t from, uint32_t to,
                           const struct port_list *ports, struct spot *ret);

/* Enters a new holder (key not yet there) with addresses that are all in the set. share_name is
 * empty when it shares with nobody. All is copied. */
struct holder *holdings_add(struct holdings *h, struct str key, struct str share_name,
                            const struct port_list *ports, const struct ip *ips, size_t count);

/* Adds a second address to a holder, which is made anew with IPv4 first. */
void holdings_grow(struct holdings *h, struct holder *holder, const struct ip *ip,
                   struct arena *arena);

/* Removes and frees the Service's holder; false when it has none. */
bool holdings_remove(struct holdings *h, struct str key);

void holdings_quarantine(struct holdings *h, const struct ip *ip, bool on);

/* The pool of a holder. */
const struct pool *holdings_pool(const struct holdings *h, const struct holder *holder);

#endif
