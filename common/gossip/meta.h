/* What a member says of itself to all others: a plain value and its bytes. */
#ifndef COMMON_GOSSIP_META_H
#define COMMON_GOSSIP_META_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/net/mac.h"
#include "common/net/wire.h"

enum {
    META_NAME_MAX = 15, /* of an interface: the kernel's limit */
    META_MACS_MAX = 64,
    META_INTERFACES_MAX = 255,
    /* Room for 32 interfaces, whatever they are; for more with shorter names or shared addresses,
     * as those of VLANs are. */
    META_SIZE_MAX = 4 + 32 * (META_NAME_MAX + 2 + 6)
};

enum gossip_role {
    GOSSIP_SPEAKER,  /* may answer for addresses */
    GOSSIP_OBSERVER, /* only watches: the controller */
};

/* An interface on which the member can answer now: up, with carrier, not excluded. */
struct meta_interface {
    struct str name;
    struct mac mac;
    bool ipv4; /* ARP works on it */
    bool ipv6; /* it has a link-local address, so that NDP works on it */
    /* An advertisement that the member knows of names it. Not told: where not all have room, these
     * have it first. */
    bool named;
};

/* An interface that is not listed counts for others as one that the member has not, also when it is
 * `truncated`. It judges itself by what it has (member_list gives its own interfaces whole), so at
 * worst it answers for what another one, not knowing better, answers for too, which the two of them
 * settle (speaker/tenure.h). Were it believed to have what it lacks, nobody might answer. */
struct member_meta {
    enum gossip_role role;
    bool held;      /* it came back from what the others took for its death, and not long ago */
    bool leaving;   /* it is on its way out: it serves what nobody else does */
    bool starting;  /* a speaker that knows of nothing to serve yet */
    bool truncated; /* it has interfaces that are not listed; but see below */
    const struct meta_interface *interfaces; /* sorted by name */
    size_t count;
};

const char *gossip_role_name(enum gossip_role role);

/* Writes at most META_SIZE_MAX bytes: as many interfaces as have room, those that are named first,
 * in the order they are given in. With some left out, and with any whose name is empty or too long,
 * the bytes say truncated. */
void meta_encode(const struct member_meta *meta, struct wire *out);

/* Reads the rest of the cursor whole; texts are copied to the arena. 0, or ERR_SYNTAX. What
 * decodes encodes to the same bytes. */
int meta_decode(struct wire *in, struct arena *arena, struct member_meta *ret)
    __attribute__((warn_unused_result));

/* A copy in the arena. */
struct member_meta meta_copy(const struct member_meta *meta, struct arena *arena);

/* The interface of that name, or NULL. */
const struct meta_interface *meta_find(const struct member_meta *meta, struct str name);

#endif
