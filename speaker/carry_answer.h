/* What the kernel tells of the rules of carry_batch.h: which addresses it carries, for how long
 * still, and how much that was. Pure. */
#ifndef SPEAKER_CARRY_ANSWER_H
#define SPEAKER_CARRY_ANSWER_H

#include "common/base/vec.h"
#include "speaker/carry.h"

enum carry_topic {
    CARRY_ELEMENTS,
    CARRY_RULES, /* with what they have counted */
};

/* The netlink message that asks for all of that. In the arena. */
struct str carry_question(enum carry_topic topic, enum ip_family family, struct arena *arena);

/* Is to begin as zeros; ends with carry_answer_done. */
struct carry_answer {
    VEC(struct carry) items; /* unsorted; names in the arena, empty: it does not say */
    bool has_rule;
    uint64_t packets, bytes; /* sent on since the rule was made */
    bool complete;           /* nothing follows */
    bool torn;               /* the rules have changed meanwhile: to be asked again */
    int error;               /* a negative errno; -ENOENT: there is no such table */
};

/* Takes one datagram of an answer. now_ms: of the clock of carry.h. */
void carry_answer_take(struct carry_answer *answer, struct str datagram, uint64_t now_ms,
                       struct arena *arena);
void carry_answer_done(struct carry_answer *answer);

#endif
