/* One member's part in the gossip, as a state machine: events and time in, datagrams (not yet
 * sealed), news and the next time to be called out. No socket, clock, log or chance of its own.
 *
 * It is SWIM (Das, Gupta, Motivala 2002) with the corrections of Lifeguard (Dadgar, Phillips,
 * Currey 2017), and three things of its own:
 *
 * - Who watches whom is not left to chance: each member is pinged every MEMBER_PERIOD_US by those
 *   before it in ROSTER_RINGS circles (roster.h), so that the first ping to miss a dead member is
 *   never late. With up to ROSTER_RINGS + 1 members everyone watches all.
 * - Suspicion is a sum of evidence (watch.h), not a timer: each ping without an answer weighs what
 *   chance would have to do to lose it, from measured round trips and losses. When an answer is
 *   late, the watcher asks again every MEMBER_PRESS_US, directly and through helpers, so that a
 *   dead member is found in a moment, while losses and delays practically never add up. With
 *   MEMBER_SUSPECT_AT it tells the other watchers and the suspect itself (buddy system), whose
 *   denial ends it; each other watcher that says the same by its own pings adds as much. With
 *   MEMBER_DEAD_AT, and no sign of life for MEMBER_SILENCE_US, the member is dead, and all are told
 *   at once.
 * - Nobody takes a death for granted of whom it has just heard: it asks the member itself.
 *
 * Lifeguard's local health stretches these times when this process finds itself slow or badly
 * connected. A member that learns that others counted it dead takes the next turn (incarnation) and
 * is alive again for all; it is then `held` (meta.h), when they were at least as many as its own
 * side: of a split cluster's parts, it is the smaller one that comes back.
 *
 * A member that may have been counted dead and does not know it yet is `stalled`: after a stop of
 * its process, and when an interface comes while nobody has answered for as long. It asks everyone
 * at once. An answer says in the same datagram if we were counted dead; then lists are compared,
 * and the first member that knows nobody beyond those we count alive ends it. If nobody answers it
 * ends by itself, soonest where an interface came that hardly was the only way to the others, or
 * after another one in vain: a member that is alone keeps serving most of the time. Who is stalled
 * counts for nothing as a side.
 *
 * The same secret and port are assumed of all members; sealing is the caller's. */
#ifndef COMMON_GOSSIP_MEMBER_H
#define COMMON_GOSSIP_MEMBER_H

#include "common/base/vec.h"
#include "common/gossip/gossip_limits.h"
#include "common/gossip/member_view.h"

enum { /* microseconds */
       MEMBER_PERIOD_US = 100000,
       MEMBER_PRESS_US = 25000,
       MEMBER_SILENCE_US = 300000,
       MEMBER_STALL_US = 200000, /* less than anybody needs to find us dead */
       MEMBER_JOIN_US = 1000000,
       /* An Ethernet address that was asked for in vain is asked for each second by the kernel. */
       MEMBER_LINK_US = 1500000,
       MEMBER_LEAVE_US = 500000,
};

enum { /* thousandths of a decade, see watch.h */
       MEMBER_SUSPECT_AT = 4000,
       MEMBER_DEAD_AT = 12000,
};

/* Why a datagram was not taken. */
enum gossip_drop {
    GOSSIP_DROP_KEY,       /* not sealed with a key of ours, or damaged */
    GOSSIP_DROP_REPLAY,    /* seen before, or too old */
    GOSSIP_DROP_MALFORMED, /* sealed with our key, but not as it should be */
    GOSSIP_DROP_TARGET,    /* meant for another member, or for an earlier life of this one */
    GOSSIP_DROP_STRANGER,  /* from a member that is not known yet; it is asked who it is */
    GOSSIP_DROP_NAMESAKE,  /* from another process with our name */
    GOSSIP_DROP_FULL,      /* one member too many */
    GOSSIP_DROPS
};

struct member;

struct member_config {
    struct str name; /* 1 to GOSSIP_NAME_MAX bytes; copied */
    enum gossip_role role;
    struct ip address; /* told to others; not set: where they see our datagrams come from */
    uint64_t life;     /* when this process began: microseconds since 1970, below GOSSIP_LIFE_MAX */
    uint64_t seed;     /* of what is random */
    uint64_t hold_us;  /* how long we are held */
};

enum member_event_type {
    MEMBER_TIMER,      /* out.wake_at has come */
    MEMBER_DATAGRAM,   /* from, bytes: opened, with our key */
    MEMBER_PEERS,      /* peers: addresses where members may be */
    MEMBER_INTERFACES, /* interfaces: what this member has */
    MEMBER_STARTED,    /* it can serve from now on */
    MEMBER_LEAVING,    /* flag: about to go, or not */
    MEMBER_LEAVE,      /* go; out.left tells when it is done */
    MEMBER_SEND,       /* name, bytes: a message to that member; out.result as gossip_send */
};

struct member_event {
    enum member_event_type type;
    struct ip from;
    struct str name, bytes;
    const struct ip *peers;
    const struct meta_interface *interfaces;
    size_t count; /* of peers or interfaces */
    bool flag;
};

struct member_send {
    struct ip to;
    size_t at, size; /* in out.bytes */
};

enum member_note_type {
    MEMBER_NOTE_STATE,   /* name went from old to new; by whom; how long it had been silent */
    MEMBER_NOTE_RESTART, /* name is another process now */
    MEMBER_NOTE_FORGOTTEN,
    MEMBER_NOTE_REFUTED,  /* we were taken for dead (new) or suspected, by whom */
    MEMBER_NOTE_HELD,     /* we are held from now on; by whom we were counted dead */
    MEMBER_NOTE_RELEASED, /* we are no longer held */
    MEMBER_NOTE_STALLED,  /* we were stopped; silent_us: for how long */
    MEMBER_NOTE_CUT_OFF,  /* the interface `name` came; nobody has answered for silent_us */
    MEMBER_NOTE_RESUMED,  /* after either: we know what some member knows, or none has told us */
    MEMBER_NOTE_NAMESAKE, /* another process at `address` has our name */
    MEMBER_NOTE_FULL,     /* no room for name */
};

/* Something worth a line in the log. Texts are in out.texts. */
struct member_note {
    enum member_note_type type;
    struct str name, by;
    struct ip address;
    enum gossip_state old, state;
    uint64_t silent_us;
};

/* What a step asks for; reused from step to step, and zeroed at first. */
struct member_out {
    VEC(struct member_send) sends;
    VEC(uint8_t) bytes;
    VEC(struct member_note) notes;
    struct arena *texts;
    struct str from, message; /* a member sent this; set when from.len */
    int result;
    bool changed; /* what member_list, member_is_settled or member_is_stalled tell */
    bool left;    /* whom to tell that we go has heard it */
    bool dropped; /* the datagram, for this reason: */
    enum gossip_drop drop;
    uint64_t wake_at;
};

struct member *member_new(const struct member_config *config, uint64_t now);
struct member *member_free(struct member *member);

/* now: monotonic, in microseconds, never less than before. */
void member_step(struct member *member, const struct member_event *event, uint64_t now,
                 struct member_out *out);

void member_out_done(struct member_out *out);

/* All members sorted by name, us among them; in the arena, texts too. */
const struct gossip_member *member_list(const struct member *member, struct arena *arena,
                                        size_t *ret_count);

bool member_is_settled(const struct member *member);
/* Also right between steps, and before the first step after a stop. */
bool member_is_stalled(const struct member *member, uint64_t now);

struct member_figures {
    uint64_t suspicions;        /* that we raised by ourselves */
    uint64_t refuted;           /* about us, that we denied */
    uint64_t deaths;            /* of others, as we learned */
    uint64_t last_detection_us; /* silence before the last death that we found ourselves */
    uint64_t rtt_us;
    unsigned health;   /* 0: well */
    size_t members[4]; /* by enum gossip_state, us included */
};

struct member_figures member_figures(const struct member *member);

#endif
