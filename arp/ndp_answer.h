/* The decision about one received neighbor solicitation or advertisement. Pure; allocates nothing.
 *
 * Every solicitation for an address of ours is answered as its owner does: to the group or to us
 * alone, with or without the sender's link-layer address (which is then the frame's own), also from
 * somebody who checks for duplicates. What the answer says (RFC 4861 section 7.2.4, RFC 4862
 * section 5.4.3):
 *
 * - Router 0. The address is a host's: nobody is to take it for a router or, by a change of this
 *   bit, to drop one.
 * - Solicited 1 to whoever asked from an address, which confirms to it that we are reachable; 0 to
 *   all nodes when the asker has none yet.
 * - Override 1. Section 7.2.4 wants 0 for anycast and for proxies, where several may answer, or
 *   where the real owner's word counts more. Here exactly one node answers, and is the owner, so
 *   its word is to replace what a neighbour knows from before the address moved.
 * - The target link-layer address always, which section 7.2.4 wants for answers to a group and
 *   allows for others.
 * - From the address itself, as hosts do. It is ours on this interface as much as any, so that none
 *   other is needed there. */
#ifndef ARP_NDP_ANSWER_H
#define ARP_NDP_ANSWER_H

#include "arp/ndp_packet.h"
#include "arp/reaction.h"

/* owned and mac are those of the interface on which the frame came in. */
struct reaction ndp_answer(const void *frame, size_t size, const struct owned *owned,
                           const struct mac *mac);

#endif
