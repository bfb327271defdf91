/* What this node does about one address over time: the machine that starts and ends its answering.
 *
 *     from      to        when
 *
 *     NONE      OWNING    ours, and known to have been announced before
 *     NONE      PROBING   ours, and new
 *     PROBING   OWNING    nobody has it, or a member
 *     PROBING   REFUSED   a stranger has it
 *     REFUSED   PROBING   again and again
 *     OWNING    YIELDING  a member's claim is better
 *     YIELDING  OWNING    that member has given it up, is dead, or has the worse claim now
 *     OWNING    HANDING   another's, who lives, and we may serve
 *     HANDING   NONE      it says that it answers, by claim or on the wire
 *     HANDING   OWNING    ours again
 *     any       NONE      nobody's, or we may not serve any more
 *
 * A planned move loses nothing: the new owner answers at once, and the old one goes on until it
 * knows that. It asks, and never stops while the new owner lives and is silent. When both claim an
 * address, as after a partition or when one of them has not heard of a newer order, the worse claim
 * yields (claim.h); the two decide by the same numbers, so exactly one does. Nobody stops because
 * of what was said before there was a reason to: only an answer to a question of this very state
 * counts, or two that change their minds at the same moment might both stop. A message that is lost
 * is asked for again. Strangers are defended against (RFC 5227 section 2.4) and are never given way
 * to. Pure: now is a monotonic time in milliseconds. */
#ifndef SPEAKER_TENURE_H
#define SPEAKER_TENURE_H

#include "speaker/claim.h"

enum tenure_state {
    TENURE_NONE,     /* nothing */
    TENURE_PROBING,  /* ours, but perhaps in use by a stranger: being found out */
    TENURE_REFUSED,  /* ours, but in use by a station that is no live member's */
    TENURE_OWNING,   /* ours: answered for and announced */
    TENURE_HANDING,  /* another member's, answered for until it does */
    TENURE_YIELDING, /* ours by our plan, but another member's claim is better */
    TENURE_STATES
};

/* "none", "probing" and so on. */
const char *tenure_state_name(enum tenure_state state);

enum {
    TENURE_ASK_MS = 100,                  /* between two questions to the new owner */
    TENURE_ASK_SLOWLY_MS = 1000,          /* to one that is yielded to */
    TENURE_SILENT_MS = 3 * TENURE_ASK_MS, /* one lost message is not to make two that answer */
    TENURE_ASK_ALL = 10,        /* each so many questions to the new owner, everybody is asked */
    TENURE_ASSERTS = 30,        /* how often a former owner that does not answer is told */
    TENURE_DEFEND_MS = 10000,   /* RFC 5227 DEFEND_INTERVAL */
    TENURE_CHALLENGE_MS = 1000, /* between two questions because of what was heard on the wire */
    TENURE_PROBE_AGAIN_MS = 30000,
    TENURE_OVERLAP_MS = 500,  /* of a move to a node that cannot be asked */
    TENURE_ASKED_IN_VAIN = 3, /* questions; then what is heard on the wire is believed */
};

struct tenure {
    enum tenure_state state : 8; /* there are thousands of them */
    bool peer_hears;             /* the peer can be asked */
    bool silent;    /* HANDING: the peer has perhaps long begun; until it says that it has not, or
                       says nothing for TENURE_SILENT_MS */
    unsigned asked; /* how often the peer was asked in this state */
    struct claim_standing standing; /* of our claim, by the last plan */
    struct str peer;   /* HANDING: the new owner. YIELDING: who is yielded to. OWNING: a member that
                          may still answer and is told. Empty: nobody. Borrowed */
    uint64_t since;    /* when the state began */
    uint64_t due;      /* of the next tick; 0: none */
    uint64_t defended; /* when we defended last; 0: never */
    uint64_t challenged; /* when a member was last asked because of a frame; 0: never */
    uint64_t trespassed; /* when a station that may be one of us answered last; 0: never */
};

/* What the plan says of the address. */
enum tenure_whose { TENURE_NOBODYS, TENURE_THEIRS, TENURE_OURS };

struct tenure_plan {
    enum tenure_whose whose;
    struct claim_standing standing; /* ours */
    struct str owner;               /* THEIRS: a live node. Names must live as long as the tenure */
    bool owner_hears;  /* it is a member that can be asked; else nothing confirms but the wire */
    bool has_begun;    /* THEIRS: the owner may have answered for long, without our knowing */
    bool may_serve;    /* THEIRS: this node may still serve it, so it need not stop at once */
    bool known;        /* OURS: announced by one of us before, or not to be probed for */
    bool met;          /* OURS: members are known by now that may have been taken for strangers */
    struct str before; /* OURS: a live member that owned it by the plan before; or empty */
    bool peer_lives;   /* the tenure's peer is a live member */
};

/* What a member says of the address, and how it compares. What is older than something that the
 * member has said since is not to be given here. */
struct tenure_claim {
    struct str member; /* must live as long as the tenure */
    bool answers;      /* on all its interfaces; false: on some, perhaps, when it claims it */
    bool claims;
    uint64_t asked; /* when our question was sent that it answers; 0: it answers none */
    int order; /* of what it claims: claim_cmp(ours, theirs); above 0: theirs is the better one */
};

enum tenure_event_kind {
    TENURE_PLANNED,  /* .plan */
    TENURE_CLAIMED,  /* .claim: by a live member */
    TENURE_HEARD,    /* .member: a live one announced or answered for the address */
    TENURE_STRANGER, /* a station that is no member's, as far as is known (.unsure), did */
    TENURE_FREE,     /* the probe has ended: nobody has it */
    TENURE_TAKEN,    /* the probe has ended: such a station has it */
    TENURE_TICK,     /* `due` has come */
    TENURE_EVENTS
};

struct tenure_event {
    enum tenure_event_kind kind;
    union {
        struct tenure_plan plan;
        struct tenure_claim claim;
        struct str member;
        bool unsure; /* not all stations of members are known: it may be one of us */
    };
};

/* What is to be told of. */
enum tenure_note {
    TENURE_NOTHING,
    TENURE_CONFIRMED, /* the new owner answers: a hand-over is complete */
    TENURE_EXPIRED,   /* the overlap with a node that cannot be asked is over */
    TENURE_YIELDED,   /* to the peer */
    TENURE_RESUMED,   /* the one yielded to has given it up */
    TENURE_CONFLICT,  /* a member answers for what we answer for */
    TENURE_TRESPASS,  /* a station that is no member's answers for what we answer for */
    TENURE_IN_USE,    /* a stranger holds what was to be announced */
    TENURE_UNCLEAR,   /* the same, but it may be one of us that is not heard */
    TENURE_NOTES
};

struct tenure_actions {
    bool announce;   /* begin to announce, in rounds */
    bool defend;     /* send one announcement */
    bool probe;      /* begin to probe */
    bool probe_stop; /* it is not wanted any more */
    struct str ask;  /* send our claim to this member and ask for its own; empty: nobody */
    bool ask_all;    /* and to all others */
    enum tenure_note note;
};

/* Steps, and returns what is to be done. Whether to answer is tenure_answers() afterwards. */
struct tenure_actions tenure_step(struct tenure *tenure, const struct tenure_event *event,
                                  uint64_t now);

bool tenure_answers(const struct tenure *tenure);
/* Do we claim it? Not while we only wait for another to take it. */
bool tenure_claims(const struct tenure *tenure);

#endif
