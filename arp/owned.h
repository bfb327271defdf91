/* The addresses that this node answers for, found by hash. Looking one up allocates nothing. */
#ifndef ARP_OWNED_H
#define ARP_OWNED_H

#include "common/base/scope.h"
#include "common/net/ip.h"

struct owned;

struct owned_address {
    struct ip ip;
    const uint32_t *interfaces; /* indices on which it is answered, sorted; owned by the table */
    size_t interface_count;
    /* Counted by the responders. */
    uint64_t requests;   /* that asked for it, and were answered */
    uint64_t replies;    /* sent */
    uint64_t gratuitous; /* frames sent to announce it */
};

/* The seed keeps the hash from being guessed. */
struct owned *owned_new(uint64_t seed);
struct owned *owned_free(struct owned *owned); /* NULL is fine; returns NULL */
SCOPE_DEFINE(owned, struct owned, owned_free)

/* Adds ip, or changes its interfaces (copied, sorted). Counts go on. */
void owned_set(struct owned *owned, const struct ip *ip, const uint32_t *interfaces, size_t count);
void owned_remove(struct owned *owned, const struct ip *ip);

/* The entry, or NULL; valid until the address is removed. */
struct owned_address *owned_get(const struct owned *owned, const struct ip *ip);

/* Is the address answered on that interface? */
bool owned_has_interface(const struct owned_address *address, uint32_t interface);

/* All entries in no particular order: *cursor starts at 0. NULL at the end. */
struct owned_address *owned_next(const struct owned *owned, size_t *cursor);

#endif
