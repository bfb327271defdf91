/* Carries late packets: of connections that were open when their address came here in a planned
 * move, to the node that had it before (carry.h), by rules of the kernel (carry_batch.h).
 *
 * That needs CAP_NET_ADMIN and a kernel that can do it; where one is missing it is said once, and
 * such connections are reset as if there were nothing of this. The rules outlive the speaker, as
 * the connections do, and end by themselves (CARRY_MS). */
#ifndef SPEAKER_CARRIER_H
#define SPEAKER_CARRIER_H

#include "common/source/source.h"
#include "speaker/carry.h"

struct carrier;

/* The source is borrowed: of Services and Nodes. Never NULL. */
struct carrier *carrier_open(struct source *source);
struct carrier *carrier_close(struct carrier *carrier); /* NULL is fine; returns NULL */

/* A plan is about to be carried out: before announcements call anybody here. before: the one
 * carried out last, or NULL. */
void carrier_run(struct carrier *carrier, const struct plan *before, const struct plan *plan,
                 const struct plan_view *view);

#endif
