/* The decision about one received frame: answer it, or drop it for a named reason. Pure; allocates
 * nothing. */
#ifndef ARP_ARP_ANSWER_H
#define ARP_ARP_ANSWER_H

#include "arp/arp_packet.h"
#include "arp/owned.h"

enum arp_verdict {
    ARP_ANSWERED,
    ARP_MALFORMED,     /* truncated, tagged, or no ARP for IPv4 over Ethernet */
    ARP_NO_REQUEST,    /* a reply, or an unknown operation */
    ARP_ANNOUNCEMENT,  /* a request that asks for its own sender's address: nobody waits */
    ARP_BAD_SENDER,    /* the answer would go to no single station */
    ARP_NOT_OURS,      /* asks for an address that is not answered for here */
    ARP_OTHER_STATION, /* sent neither to all nor to us */
    ARP_VERDICTS
};

/* "answered", "malformed" and so on, for metrics and logs. */
const char *arp_verdict_name(enum arp_verdict verdict);

/* owned and mac are those of the interface on which the frame came in. With ARP_ANSWERED, reply is
 * the frame to send and ret_address (may be NULL) the address asked for. Probes from 0.0.0.0 are
 * answered like other requests, so that whoever checks whether the address is free learns that it
 * is not (RFC 5227 section 2.1.1). */
enum arp_verdict arp_answer(const void *frame, size_t size, const struct owned *owned,
                            const struct mac *mac, uint8_t reply[ARP_FRAME_SIZE],
                            struct owned_address **ret_address);

#endif
