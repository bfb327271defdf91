/* Claims between speakers (claim.h) as they are sent and received: what is to be asked of a member
 * in one turn of the loop goes in as few messages as it takes, questions are answered, and what is
 * older than something that its sender has said since is left aside. */
#ifndef SPEAKER_TALK_H
#define SPEAKER_TALK_H

#include "common/gossip/member_view.h"
#include "common/loop/loop.h"
#include "speaker/claim.h"

struct talk;

struct talk_calls {
    /* Sends bytes to a member; may fail. */
    void (*send)(void *ctx, struct str member, struct str bytes);
    /* What this node says of an address. */
    struct claim (*say)(void *ctx, const struct ip *ip);
    /* What a member says of one. asked: when the question was sent that it answers, by our loop's
     * clock; 0: it answers none. */
    void (*heard)(void *ctx, struct str member, const struct claim *claim, uint64_t asked);
};

struct talk_figures {
    uint64_t sent, received; /* messages */
    uint64_t malformed, late;
    size_t partners; /* members that were asked or heard of, now */
};

struct talk *talk_new(struct loop *loop, const struct talk_calls *calls, void *ctx);
/* NULL is fine; returns NULL. */
struct talk *talk_free(struct talk *talk);

/* Asks a member about an address at the end of this turn of the loop, and tells it what this node
 * says of it. */
void talk_ask(struct talk *talk, struct str member, const struct ip *ip);

/* A message came from a live member. */
void talk_take(struct talk *talk, struct str member, struct str bytes);

/* The members there are: one that does not live begins anew when it is back, with a clock that may
 * have begun anew, too. Nothing is kept of who is no member. Not to be called out of a callback. */
void talk_members(struct talk *talk, const struct gossip_member *members, size_t count);

struct talk_figures talk_figures(const struct talk *talk);

#endif
