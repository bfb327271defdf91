/* The kernel's rules (nf_tables) for what is carried (carry.h), as a batch of netlink messages for
 * each family, which the kernel takes as a whole or not at all. In the words of nft(8), for IPv4:
 *
 *     table ip stentor {
 *         map former { type ipv4_addr : ipv4_addr; flags timeout; elements = { … } }
 *         chain late {
 *             type filter hook prerouting priority -150;
 *             ip protocol tcp ct state invalid,new tcp flags & syn == 0 ip daddr @former
 *                 ip ttl > 16 ip ttl set 16
 *             ip protocol tcp ct state invalid,new tcp flags & syn == 0
 *                 counter dup to ip daddr map @former drop
 *         }
 *     }
 *
 * An element is "ADDRESS timeout TIME comment "NODE" : NODE'S-ADDRESS"; when it came is kept beside
 * the comment, so that the next process can go on (carry_answer.h). -150 is behind conntrack, which
 * knows by then whose the packet is, and before kube-proxy's DNAT. The kernel takes 1 from the TTL
 * of what it sends on, so that nothing goes round for ever. Pure.
 */
#ifndef SPEAKER_CARRY_BATCH_H
#define SPEAKER_CARRY_BATCH_H

#include "common/base/str.h"
#include "speaker/carry.h"

#define CARRY_TABLE "stentor"
#define CARRY_CHAIN "late"
#define CARRY_MAP "former"

enum {
    CARRY_COMMENT = 0, /* kinds of what is kept with an element: nft(8)'s comment, with its NUL */
    CARRY_MOVED = 83,  /* carry.moved_ms, big endian */
};

/* A batch that puts those of the family in force that are not over, in the place of what was; with
 * none, it removes the table. In the arena. */
struct str carry_batch(enum ip_family family, const struct carry *list, size_t count,
                       uint64_t now_ms, struct arena *arena);

/* A batch that makes the latter of the former, which must be in force, by their differences: both
 * sorted by address, and neither over as a whole. The kernel does not take it when something else
 * is in force. Empty: there is no difference. In the arena. */
struct str carry_change(enum ip_family family, const struct carry *before, size_t before_count,
                        const struct carry *after, size_t after_count, uint64_t now_ms,
                        struct arena *arena);

/* A batch that changes nothing and that the kernel takes if it takes the other ones. */
struct str carry_trial(enum ip_family family, struct arena *arena);

#endif
