/* The decision about one received ARP frame. Pure; allocates nothing. */
#ifndef ARP_ARP_ANSWER_H
#define ARP_ARP_ANSWER_H

#include "arp/arp_packet.h"
#include "arp/reaction.h"

/* owned and mac are those of the interface on which the frame came in. Probes from 0.0.0.0 are
 * answered like other requests, so that whoever checks whether the address is free learns that it
 * is not (RFC 5227 section 2.1.1). Whoever sends a frame with one of our addresses as its sender
 * claims it (section 2.4), and so does whoever probes for one that we probe (section 2.1.1). */
struct reaction arp_answer(const void *frame, size_t size, const struct owned *owned,
                           const struct mac *mac);

#endif
