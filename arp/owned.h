/* The addresses that matter on one interface, found by hash: those that are answered for, and those
 * that are watched because they are being probed. Looking one up allocates nothing. Pure. */
#ifndef ARP_OWNED_H
#define ARP_OWNED_H

#include "common/base/scope.h"
#include "common/net/ip.h"

struct owned;

struct owned_address {
    struct ip ip;
    bool is_owned;     /* else it is watched only */
    bool is_waiting;   /* for room to be announced */
    unsigned watchers; /* probes under way */
    /* Counted by the responder. */
    uint64_t received;  /* requests for it that were worth an answer */
    uint64_t answered;  /* replies sent */
    uint64_t announced; /* gratuitous frames sent */
};

struct owned *owned_new(void);
struct owned *owned_free(struct owned *owned); /* NULL is fine; returns NULL */
SCOPE_DEFINE(owned, struct owned, owned_free)

/* Adding twice is adding once; the counts go on. Removing forgets them. All four say whether the
 * table has got an entry that it had not, or lost one. */
bool owned_add(struct owned *owned, const struct ip *ip);
bool owned_remove(struct owned *owned, const struct ip *ip);

/* Watches an address, owned or not, until as many calls of unwatch. */
bool owned_watch(struct owned *owned, const struct ip *ip);
bool owned_unwatch(struct owned *owned, const struct ip *ip);

/* The entry of an address that is owned or watched, or NULL; valid until it is neither. */
struct owned_address *owned_get(const struct owned *owned, const struct ip *ip);

/* All entries in no particular order: *cursor starts at 0. NULL at the end. */
struct owned_address *owned_next(const struct owned *owned, size_t *cursor);

#endif
