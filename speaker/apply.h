/* Carries out a plan: one ARP responder on each interface that is used, and the rounds of
 * announcements.
 *
 * A difference between the plan and what is announced becomes one call on the responders of the
 * interfaces concerned, which answer for the address from that moment on, or no longer. An address
 * is announced when it comes to an interface, when that interface's carrier comes back and when its
 * Ethernet address changes. */
#ifndef SPEAKER_APPLY_H
#define SPEAKER_APPLY_H

#include "arp/responder.h"
#include "speaker/iface.h"
#include "speaker/plan.h"

struct apply;

/* seed: secret, of the table of addresses. */
struct apply *apply_new(struct loop *loop, uint64_t seed);

/* Stops to answer for everything. NULL is fine; returns NULL. */
struct apply *apply_free(struct apply *apply);

/* From now on the plan is what is announced. Interfaces that cannot be listened on are tried again
 * until a later call leaves them out. Nothing is borrowed. */
void apply_run(struct apply *apply, const struct iface *ifaces, size_t count,
               const struct plan *plan);

/* Is there a responder on that interface? ret_figures (may be NULL) gets its counts. */
bool apply_listens(const struct apply *apply, uint32_t interface,
                   struct responder_figures *ret_figures);

/* Counts of an address over the life of the process; they go on when it comes back. */
struct apply_figures {
    struct ip ip;
    uint64_t requests, replies, gratuitous;
};

/* All addresses that were ever announced, sorted, in the arena. */
struct apply_figures *apply_figures(const struct apply *apply, struct arena *arena,
                                    size_t *ret_count);

/* One address; zeros when it never was announced. */
struct apply_figures apply_figures_of(const struct apply *apply, const struct ip *ip);

#endif
