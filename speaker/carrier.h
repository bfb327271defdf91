/* Carries late packets: of connections that were open when their address came here in a planned
 * move, to the node that had it before (carry.h), by rules of the kernel (carry_batch.h).
 *
 *     carrier_run ──▶ book (carry.h) ──batch──▶ nf_tables
 *                       ▲    ▲                     │ │
 *          at the start │    └──── put back ───────┘ │ figures
 *                       └────── what is there ───────┘
 *
 * That needs CAP_NET_ADMIN and a kernel that can do it: tried at the start, and said once. Where
 * one is missing such connections are reset as if there were nothing of this. The rules outlive the
 * speaker, as the connections do, and end by themselves (CARRY_MS); the next one takes them over.
 * While there are some, they are put back when somebody else removes them, less and less often when
 * that happens again and again, and a batch that the kernel does not take is tried again each
 * second. */
#ifndef SPEAKER_CARRIER_H
#define SPEAKER_CARRIER_H

#include "common/source/source.h"
#include "speaker/carrier_figures.h"
#include "speaker/carry.h"

struct carrier;

/* The source is borrowed: of Services and Nodes. Never NULL. */
struct carrier *carrier_open(struct loop *loop, struct source *source);
/* Leaves the rules as they are. NULL is fine; returns NULL. */
struct carrier *carrier_close(struct carrier *carrier);

/* A plan is about to be carried out: before announcements call anybody here. before: the one
 * carried out last, or NULL. */
void carrier_run(struct carrier *carrier, const struct plan *before, const struct plan *plan,
                 const struct plan_view *view);

/* All that are carried, sorted by address, some of which may be over (until_ms); borrowed until the
 * next turn of the loop. */
const struct carry *carrier_list(const struct carrier *carrier, size_t *ret_count);

/* That of an address; NULL: it is not carried. Borrowed likewise. */
const struct carry *carrier_find(const struct carrier *carrier, const struct ip *ip);

/* Asks the kernel how much it has sent on. */
struct carrier_figures carrier_figures(struct carrier *carrier);

#endif
