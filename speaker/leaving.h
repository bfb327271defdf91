/* A clean end: this node tells the others that it is about to go, goes on answering until each
 * address has its new owner, and takes its leave. It takes LEAVING_MS at most. */
#ifndef SPEAKER_LEAVING_H
#define SPEAKER_LEAVING_H

#include "speaker/duty.h"

/* For hand-overs; taking leave comes to GOSSIP_LEAVE_MS more, and both to less than the two seconds
 * that pods are given in MetalLB's manifests. */
enum { LEAVING_MS = 1300, LEAVING_LOOK_MS = 5 };

struct leaving;

/* Begins; `done` is called from the loop when this node may go. Plans must be made while it lasts:
 * the owner calls leaving_planned after each. All borrowed until the end. */
struct leaving *leaving_start(struct loop *loop, struct peers *peers, const struct duty *duty,
                              void (*done)(void *ctx), void *ctx);
/* NULL is fine; returns NULL. */
struct leaving *leaving_cancel(struct leaving *leaving);

/* A plan was carried out, in which this node is of that tier. */
void leaving_planned(struct leaving *leaving, enum plan_tier tier);

#endif
