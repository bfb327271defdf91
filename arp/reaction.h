/* What one received frame means to us: whether it is answered or dropped and why, and whether
 * another station says in it that an address is its own. The same for ARP and NDP. */
#ifndef ARP_REACTION_H
#define ARP_REACTION_H

#include "arp/owned.h"
#include "common/net/mac.h"

enum reaction_protocol { REACTION_ARP, REACTION_NDP, REACTION_PROTOCOLS };

/* "arp", "ndp". */
const char *reaction_protocol_name(enum reaction_protocol protocol);

enum reaction_verdict {
    REACTION_ANSWERED,
    REACTION_STALLED,       /* worth an answer, which was not allowed just now */
    REACTION_CLAIMED,       /* another station has, or takes, an address of ours */
    REACTION_MALFORMED,     /* truncated, tagged, or not as its protocol wants it */
    REACTION_NO_REQUEST,    /* a reply or advertisement, or an unknown operation */
    REACTION_OWN_FRAME,     /* was sent by ourselves and has come back */
    REACTION_BAD_SENDER,    /* the answer would go to no single station */
    REACTION_NOT_OURS,      /* is about an address that is not answered for here */
    REACTION_OTHER_STATION, /* sent neither to all (or the address's group) nor to us */
    REACTION_VERDICTS
};

/* "answered", "malformed" and so on, for metrics and logs. */
const char *reaction_verdict_name(enum reaction_verdict verdict);

/* How a station claims an address. */
enum reaction_claim {
    CLAIM_NONE,
    CLAIM_ANNOUNCED, /* unasked: gratuitous ARP, or an advertisement without Solicited */
    CLAIM_ANSWERED,  /* as an answer to somebody */
    CLAIM_USED,      /* by asking for something else from it */
    CLAIM_PROBED,    /* is about to take it, as we are: only for addresses that we probe */
    CLAIM_KINDS
};

/* "announced" and so on. */
const char *reaction_claim_name(enum reaction_claim claim);

/* Is this the address of one station, so that an answer can be sent to it? */
bool reaction_is_station(const struct mac *mac);

/* As large as any answer: Ethernet, IPv6, advertisement with its option. */
enum { REACTION_FRAME_MAX = 86 };

struct reaction {
    enum reaction_verdict verdict;
    struct owned_address *asked; /* with REACTION_ANSWERED: the address asked for */
    enum reaction_claim claim;   /* with any verdict */
    struct ip claimed;           /* unless CLAIM_NONE */
    struct mac claimant;
    size_t frame_size; /* with REACTION_ANSWERED: the answer */
    uint8_t frame[REACTION_FRAME_MAX];
};

#endif
