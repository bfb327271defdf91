/* What the files of the member share; nobody else includes it.
 *
 *     member.c         events, timers, meta
 *     member_input.c   datagrams: which are taken, and by whom
 *     member_output.c  what a step asks for, and how much of it may be
 *     member_list.c    what callers ask
 *     member_probe.c   pings, helpers, evidence, suspicion, death
 *     member_facts.c   what members believe of each other
 *     member_spread.c  how that is told
 *     member_join.c    getting to know members
 *     member_sync.c    comparing lists of members */
#ifndef COMMON_GOSSIP_MEMBER_INTERNAL_H
#define COMMON_GOSSIP_MEMBER_INTERNAL_H

#include "common/gossip/member.h"
#include "common/gossip/roster.h"
#include "common/gossip/seal.h"

enum {
    WHO_MAX = 64,   /* questions "who are you?" that may be open */
    RELAY_MAX = 64, /* pings for others that may be open */
    /* What may be sent beside pings and their answers, in bytes, in one go. Getting to know each
     * other does not wait behind the rest. */
    MEMBER_TOKENS_MAX = 262144,
    MEMBER_GREETINGS_MAX = 65536,
    LEAVE_MAX = 32,   /* members that are told by ourselves that we go */
    PULLS_MAX = 1024, /* records that have just been asked for */
    DATAGRAM_COST = 28 + SEAL_OVERHEAD + MESSAGE_HEAD, /* with IP and UDP headers */
};

struct who {
    uint32_t number;
    uint64_t id, life;
};

struct pull {
    uint64_t id, at;
};

struct relay {
    uint32_t number;        /* of our ping */
    uint32_t asked_number;  /* of the question */
    uint64_t asker, target; /* ids */
    uint64_t due;           /* UINT64_MAX: free */
};

struct member {
    struct member_config config;
    struct roster roster;
    struct peer *self;
    struct member_meta meta; /* ours; texts in meta_arena */
    struct arena *meta_arena;
    struct path node; /* over all paths from here */
    uint64_t random, count;
    uint32_t number; /* of the last ping */

    uint64_t next_tick, ticked_at, started_at;
    struct peer *targets[ROSTER_RINGS];
    size_t target_count;
    unsigned health;
    bool all_well; /* every ping since the last tick was answered in time */

    VEC(struct peer *) rumors; /* those with rumor_left */
    size_t rumor_at;
    uint64_t eager_at, eager_last;
    uint64_t tokens, greetings; /* what bulk and greetings may still take, in bytes */
    uint64_t tokens_at;

    VEC(struct ip) peers;  /* sorted */
    VEC(struct ip) silent; /* where no living member is */
    size_t silent_at;
    uint64_t silent_listed;
    bool has_peers, silent_stale;
    uint64_t check_at, checked_at, join_until, join_limit;
    bool settled;
    struct who who[WHO_MAX];
    size_t who_at;
    struct pull pulls[PULLS_MAX];
    VEC(uint64_t) wanted;
    unsigned conflicts; /* in the list that is being compared */
    bool lacks;         /* that list tells of somebody, or something, that is new to us */
    struct relay relays[RELAY_MAX];

    uint64_t death_at;    /* of the last death of another */
    uint64_t held_until;  /* 0: not held */
    uint64_t came_at;     /* when a member last came, or came back */
    uint64_t returned_at; /* when one last came back from the dead */
    uint16_t side;        /* how many we were before that */
    uint64_t stalled_at;  /* 0: not stalled */
    uint64_t stalled_until;
    uint64_t stalled_limit; /* no interface draws it out beyond that */
    uint64_t gone_at;       /* when an interface was last lost; 0: never */
    uint64_t vain_until;    /* nobody ended the last stall by an interface: brief ones until then */
    uint64_t brief_from;    /* no brief one before */
    bool by_interface;      /* the stall; if nobody ends it, the next ones are brief */
    uint32_t stalled_number; /* of the last ping before that */
    unsigned stalled_checks; /* how often we have asked for lists since */
    unsigned stalled_agreed; /* parts of lists in a row that told of nothing that we lack */
    bool stalled_heard;      /* somebody has answered since */
    uint64_t answered_at;    /* when the newest ping was sent that was answered */
    bool leaving, left;
    uint64_t leave_until, leave_at; /* leave_until 0: nobody waits */
    VEC(uint64_t) leave_ids;        /* who has not heard it yet */

    struct member_figures figures;
    uint64_t now; /* of this step */
    struct member_out *out;
};

/* A datagram in the making. */
struct draft {
    struct wire wire;
    uint8_t room[SEAL_PLAIN_MAX];
};

/* member.c */
/* Encodes our meta anew; a new edition and a rumor when it differs. */
void member_renew(struct member *m);
void member_hold(struct member *m, uint64_t by);
/* Are there others, or may there be some? */
bool member_may_have_others(const struct member *m);
/* How many we are, as a side of a split. */
uint16_t member_side(const struct member *m);
/* A living member has answered our question of that number. */
void member_answered(struct member *m, const struct peer *from, uint32_t number);
/* A part of its list was compared with ours: does it tell of what we lack? */
void member_compared(struct member *m, const struct peer *from, bool lacks);
void on_same(struct member *m);

/* member_input.c */
void on_datagram(struct member *m, const struct member_event *event);

/* member_output.c */
uint32_t member_random(struct member *m, uint32_t below);
struct str member_keep(struct member *m, struct str text); /* until the next step */
void member_note(struct member *m, const struct member_note *note);
struct str member_name_of(const struct member *m, uint64_t id);
/* May this many more bytes be sent in bulk? Takes them if so. */
bool member_take_tokens(struct member *m, size_t bytes);
bool member_may_greet(struct member *m); /* the same, for one of the datagrams of getting to know */
bool member_may_knock(struct member *m); /* and for a short one to where nobody has answered */
uint64_t member_stretch(const struct member *m, uint64_t us); /* by local health */
void member_ail(struct member *m);                            /* local health gets worse */

/* Begins a datagram to a member's life. */
void draft_begin(struct member *m, struct draft *draft, enum message_type type, uint64_t id,
                 uint64_t life);
void draft_send(struct member *m, const struct draft *draft, const struct ip *to);
bool draft_fits(const struct draft *draft, size_t size);

/* member_probe.c */
void probe_retarget(struct member *m);
void probe_tick(struct member *m);
void probe_run(struct member *m);
uint64_t probe_next(const struct member *m);
/* A ping outside of any watch: with what we believe of the member. */
void probe_once(struct member *m, struct peer *peer);
void probe_forgive(struct member *m);
void on_ping(struct member *m, struct peer *from, const struct ip *address, struct wire *in);
void on_ack(struct member *m, struct peer *from, const struct ip *address, struct wire *in);
void on_ask(struct member *m, struct peer *from, struct wire *in);
void on_nack(struct member *m, struct wire *in);

/* member_spread.c */
struct fact fact_of(const struct member *m, const struct peer *peer, bool full);
void facts_spread(struct member *m, struct peer *peer, bool full);
void facts_forget(struct member *m, struct peer *peer); /* nothing more to be told about it */
void facts_fill(struct member *m, struct draft *draft);
/* Tells the member what it must know to deny it: that we count it dead, or suspect it. */
void facts_put_buddy(struct member *m, struct draft *draft, const struct peer *peer);
void facts_eager(struct member *m);
/* Of what every member could do, and a few must: is it ours to do? */
bool facts_is_mine(struct member *m);
/* News about a member goes round in full while members are few. With many, only who has it from
 * the member itself passes its record on; the others pass on that there is one, and who lacks it
 * asks. */
bool facts_in_full(const struct member *m, const struct peer *peer, const struct peer *via);

/* member_facts.c */
void facts_apply(struct member *m, struct wire *in, struct peer *via, const struct ip *from);
void facts_dead(struct member *m, struct peer *peer, enum gossip_state state, uint64_t by);

/* member_join.c */
void join_hello(struct member *m, const struct ip *to);
void join_who(struct member *m, const struct ip *to, uint64_t id, uint64_t life);
void join_tick(struct member *m);
void join_soon(struct member *m);
void on_hello(struct member *m, const struct message_head *head, const struct ip *from);
void on_who(struct member *m, const struct message_head *head, const struct ip *from,
            struct wire *in);
void on_iam(struct member *m, const struct message_head *head, const struct ip *from,
            struct wire *in);
void on_stale(struct member *m, struct wire *in);

/* member_sync.c */
void sync_check(struct member *m, const struct peer *peer);
/* Notes that a record is lacking; sync_pull then asks for all that were noted. */
void sync_want(struct member *m, uint64_t id);
void sync_pull(struct member *m, const struct peer *from);
/* Tells the member that counts this dead one alive, when it has not denied its death. */
void sync_settle(struct member *m, struct peer *peer);
void on_check(struct member *m, struct peer *from, struct wire *in);
void on_digest(struct member *m, struct peer *from, struct wire *in);
void on_pull(struct member *m, struct peer *from, struct wire *in);

#endif
