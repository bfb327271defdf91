/* The kernel's rules (nf_tables) for what is carried (carry.h), as one batch of netlink messages
 * that the kernel takes as a whole or not at all. In the words of nft(8), for IPv4, and likewise
 * for IPv6:
 *
 *     table ip stentor {
 *         map former { type ipv4_addr : ipv4_addr; flags timeout; elements = { ADDRESS : NODE … } }
 *         chain late {
 *             type filter hook prerouting priority -150;
 *             ip protocol tcp ct state invalid,new tcp flags & syn == 0
 *                 counter dup to ip daddr map @former drop
 *         }
 *     }
 *
 * -150 is behind conntrack, which knows by then whose the packet is, and before kube-proxy's DNAT.
 * The kernel takes 1 from the TTL of what it sends on, so that nothing goes round for ever. Pure.
 */
#ifndef SPEAKER_CARRY_BATCH_H
#define SPEAKER_CARRY_BATCH_H

#include "common/base/str.h"
#include "speaker/carry.h"

#define CARRY_TABLE "stentor"

/* A batch that puts just these in force, in the place of what was; with none, it removes the table.
 * In the arena. */
struct str carry_batch(const struct carry *list, size_t count, uint64_t now_ms,
                       struct arena *arena);

#endif
