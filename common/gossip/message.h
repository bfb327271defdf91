/* What members say to each other: the plain text inside a sealed datagram (seal.h).
 *
 *     type u8 · sender u64 · life u64 · target u32 · count u48 · body
 *
 * sender is a hash of the member's name; life is when that process began (microseconds since 1970),
 * so that a restarted member differs from its former self. target is a hash of the receiver's
 * sender and life: a datagram to an earlier life, or to another member at the same address, is not
 * taken. count grows with every datagram of the sender's life and makes replays known (window.h).
 *
 * Bodies are a fixed part by type, and most then carry facts: what the sender believes about
 * members. */
#ifndef COMMON_GOSSIP_MESSAGE_H
#define COMMON_GOSSIP_MESSAGE_H

#include "common/base/str.h"
#include "common/gossip/member_view.h"
#include "common/net/wire.h"

enum message_type {
    MESSAGE_HELLO = 1, /* to an address whose member is not known; no target, no body */
    MESSAGE_WHO,       /* number, facts (the sender's own): who are you? answered by IAM */
    MESSAGE_IAM,       /* number, facts (the sender's own) */
    MESSAGE_PING,      /* number, facts: answered by ACK */
    MESSAGE_ACK,       /* number, facts; also what a helper relays */
    MESSAGE_ASK,       /* number, id, life: ping that member for me; answered by ACK or NACK */
    MESSAGE_NACK,      /* number: it did not answer me either */
    MESSAGE_RUMOR,     /* facts */
    MESSAGE_CHECK,     /* hashes: are our lists the same? answered by SAME or DIGEST */
    MESSAGE_SAME,      /* no body */
    MESSAGE_DIGEST,    /* first id, last id, entries: all live members that I know in that range */
    MESSAGE_PULL,      /* ids: tell me about these; answered by RUMOR */
    MESSAGE_USER,      /* bytes for the program */
    MESSAGE_STALE,     /* life: I know a later life of yours than the one you speak for */
    MESSAGE_TYPES
};

enum {
    MESSAGE_HEAD = 1 + 8 + 8 + 4 + 6,
    MESSAGE_ACCUSERS = 4, /* in one fact */
};

struct message_head {
    enum message_type type;
    uint64_t sender, life;
    uint32_t target;
    uint64_t count; /* below 2^48 */
};

enum fact_kind {
    FACT_ALIVE = 1, /* as of this turn */
    FACT_RECORD,    /* alive, and all there is to know about it */
    FACT_SUSPECT,
    FACT_DEAD,
    FACT_LEFT,
    FACT_KINDS
};

/* Ordered by life, then turn (the incarnation: a member that denies its death takes the next one),
 * then alive < suspect < dead and left. */
struct fact {
    enum fact_kind kind;
    uint64_t id, life;
    uint32_t turn;
    uint32_t edition; /* ALIVE, RECORD: of the record; grows with each change of it */
    /* RECORD */
    struct ip address; /* not set: where its datagrams come from */
    struct str name;   /* borrowed */
    struct str meta;   /* as meta_encode writes it; borrowed */
    /* SUSPECT: who says so by itself; DEAD, LEFT: who found it first */
    uint64_t accusers[MESSAGE_ACCUSERS];
    unsigned accuser_count;
    uint16_t side; /* DEAD, LEFT: how many members were alive for who says so */
};

struct digest_entry {
    uint64_t id, life;
    uint32_t edition;
};

enum { DIGEST_ENTRY = 8 + 8 + 4 };

/* The id of a member's name, and the target of a member's life. */
uint64_t message_id(struct str name);
uint32_t message_target(uint64_t id, uint64_t life);

void message_put_head(struct wire *out, const struct message_head *head);
/* 0, or ERR_SYNTAX. */
int message_get_head(struct wire *in, struct message_head *ret) __attribute__((warn_unused_result));

/* The bytes that a fact takes. */
size_t fact_size(const struct fact *fact);
void fact_put(struct wire *out, const struct fact *fact);
/* The next fact: 0; -ENOENT at the end; ERR_SYNTAX. */
int fact_get(struct wire *in, struct fact *ret) __attribute__((warn_unused_result));

void digest_put(struct wire *out, const struct digest_entry *entry);
struct digest_entry digest_get(struct wire *in);

#endif
