/* What speaks against one member being alive: the pings to it that have had no answer.
 *
 * Each lost round trip weighs what it would take for chance to lose it (path_weight); the sum is
 * the evidence, in thousandths of a decade. An answer to a ping that was sent at time t proves the
 * member alive at t, and takes away all that was sent until then. Times are in microseconds. */
#ifndef COMMON_GOSSIP_WATCH_H
#define COMMON_GOSSIP_WATCH_H

#include <stddef.h>

#include "common/gossip/path.h"

enum { WATCH_ATTEMPTS = 64 };

enum attempt_state { ATTEMPT_OPEN, ATTEMPT_LOST, ATTEMPT_DENIED };

struct attempt {
    uint64_t sent, due;
    uint32_t number;
    uint8_t state;
    bool indirect; /* through a helper, who says so when it gets no answer either (DENIED) */
};

struct watch {
    struct path path;
    uint64_t alive_at;                       /* the latest time at which it was certainly alive */
    struct attempt attempts[WATCH_ATTEMPTS]; /* by time sent */
    size_t count;
    bool pressing; /* an answer is late: ask often, and through others */
    bool first;    /* not yet asked through others */
    bool accused;  /* we have said that we suspect it */
    uint64_t press_at, accuse_at;
};

void watch_init(struct watch *watch, const struct path *like, uint64_t now);

/* A ping was sent; without an answer at `due` it is lost. The oldest attempt makes room. */
void watch_add(struct watch *watch, const struct attempt *attempt);

/* The attempt of that number was answered. True when there is one; its time of sending in ret_sent.
 * `node` is told about losses too. */
bool watch_answer(struct watch *watch, uint32_t number, uint64_t now, struct path *node,
                  uint64_t *ret_sent);

/* The helper of that attempt got no answer. */
void watch_deny(struct watch *watch, uint32_t number);

/* It was alive at that time: nothing sent until then speaks against it. */
void watch_alive(struct watch *watch, uint64_t at, struct path *node);

/* Takes what is due as lost; returns how many helpers did not even say no. */
size_t watch_expire(struct watch *watch, uint64_t now);

/* Is an answer late? */
bool watch_is_late(const struct watch *watch, uint64_t now);

uint32_t watch_evidence(const struct watch *watch, const struct path *node);

/* When watch_expire or watch_is_late has news next; UINT64_MAX: never. */
uint64_t watch_next(const struct watch *watch, uint64_t now);

#endif
