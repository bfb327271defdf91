/* BIRD's control socket on the loop: commands go out one after another, each when the one before
 * has been answered. */
#ifndef BGP_BIRDCTL_H
#define BGP_BIRDCTL_H

#include "bgp/reply.h"
#include "common/loop/loop.h"

struct birdctl;

/* The owner closes in `lost` or outside of all calls. */
struct birdctl_calls {
    /* BIRD is there and answers; version as reply_version has it. Comes first. */
    void (*ready)(void *ctx, const unsigned version[3]);
    /* A line of BIRD's log, when it was asked to echo it. */
    void (*echo)(void *ctx, struct str line);
    /* The connection is lost; commands have been answered with NULL. */
    void (*lost)(void *ctx, int error);
    void *ctx;
};

/* Connects. 0, or a negative errno: nobody listens at that path, or it is too long for a socket
 * (107 bytes). */
int birdctl_open(struct loop *loop, struct str path, const struct birdctl_calls *calls,
                 struct birdctl **ret) __attribute__((warn_unused_result));

/* Commands that wait are dropped without an answer. NULL is fine; returns NULL. */
struct birdctl *birdctl_close(struct birdctl *ctl);

/* Sends a command of at most 1022 bytes without a line break (what BIRD takes) when its turn comes;
 * done gets the reply, borrowed for the call, or NULL when the connection was lost. A command that
 * is not answered for 20 s loses the connection. */
void birdctl_send(struct birdctl *ctl, struct str command,
                  void (*done)(void *ctx, const struct reply *reply), void *ctx);

/* Is no command under way or waiting? */
bool birdctl_is_idle(const struct birdctl *ctl);

#endif
