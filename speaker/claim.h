/* What speakers say to each other about addresses: "I answer for it", "do you?". Sent as small user
 * messages of common/gossip, which seals them and names the sender; they may be lost, doubled or
 * reordered. Every message says when it was sent by the sender's monotonic clock, so that one that
 * is older than another that is here already can be left aside; an answer says when its question
 * was sent, so that it is known what it is an answer to. Pure.
 *
 *     byte        1, the kind of message
 *     byte        bit 0: a question: the receiver is to say the same about each address
 *     8 bytes     when it was sent, in milliseconds
 *     8 bytes     when the question was sent that it answers; 0: none
 *     then for each address, to the end:
 *       byte      bit 0: IPv6, bit 1: answers, bit 2: claims, bits 3 and 4: tier, others 0
 *       8 bytes   epoch
 *       2 bytes   rank
 *       4 or 16   address */
#ifndef SPEAKER_CLAIM_H
#define SPEAKER_CLAIM_H

#include "common/net/ip.h"

enum {
    CLAIM_MESSAGE_MAX = 1000, /* bytes */
    CLAIM_COUNT_MAX = 65,     /* addresses in one message, at most */
    CLAIM_TIERS = 3,
};

/* How good a member's claim is, as it sees itself: the higher epoch is the better one, then the
 * lower tier, then the lower rank. */
struct claim_standing {
    uint64_t epoch; /* of the order that was published; 0: none was */
    uint8_t tier;   /* 0: like most, 1: held, 2: leaving */
    uint16_t rank;  /* its own place in the order */
};

struct claim {
    struct ip ip;
    bool answers; /* the sender answers for the address */
    bool claims;  /* by its plan the address is its own */
    struct claim_standing standing;
};

/* Below 0 when a's claim is the better one, above 0 when b's is. With equal standings the smaller
 * name is; 0 for the same name only. */
int claim_cmp(const struct claim_standing *a, struct str a_name, const struct claim_standing *b,
              struct str b_name);

/* A message under construction. */
struct claim_message {
    uint8_t bytes[CLAIM_MESSAGE_MAX];
    size_t size;
};

struct claim_header {
    bool question;
    uint64_t sent;    /* milliseconds */
    uint64_t replies; /* to the question sent then; 0: to none */
};

void claim_begin(struct claim_message *message, const struct claim_header *header);
/* False when there is no room: nothing is added. */
bool claim_add(struct claim_message *message, const struct claim *claim);
bool claim_is_empty(const struct claim_message *message);

struct claim_list {
    struct claim items[CLAIM_COUNT_MAX];
    size_t count; /* at least one */
    struct claim_header header;
};

/* Reads a message. 0, ERR_TRUNCATED, ERR_TOO_LARGE, or ERR_PROTOCOL. */
int claim_parse(const void *bytes, size_t size, struct claim_list *ret)
    __attribute__((warn_unused_result));

#endif
