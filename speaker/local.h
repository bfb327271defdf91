/* Local hand-off as the speaker uses it: after each plan, and whenever what is done about an
 * address has changed, the addresses that want a local route (handoff_plan.h) have one (handoff.h),
 * and the Services whose addresses cannot are told why by an Event. */
#ifndef SPEAKER_LOCAL_H
#define SPEAKER_LOCAL_H

#include "common/source/source.h"
#include "speaker/apply.h"
#include "speaker/handoff.h"

struct local;

/* Removes what an earlier process left. The source is borrowed; node: our name, borrowed. Without
 * netlink everything goes on without routes, and the log says so. */
struct local *local_open(struct loop *loop, struct source *source, struct str node);

/* Removes all routes. NULL is fine; returns NULL. */
struct local *local_close(struct local *local);

/* This is what is done now. The plan is borrowed until the next call, or until local_close. */
void local_run(struct local *local, const struct plan *plan, const struct apply *apply);

struct handoff_figures local_figures(const struct local *local);

#endif
