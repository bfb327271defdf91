/* Addresses in quarantine: somebody who is none of ours answers for them (AddressConflict). Who
 * asked for just this address keeps it, with a condition; nobody else has it until ten minutes
 * after the stranger was seen last.
 *
 * What a speaker says counts while it is a live member, and about stations that are no member's: a
 * node that hears no other member takes all that it hears answer for strangers. As long as it is
 * not known whether it counts, nobody gets the address, and nobody loses it.
 *
 * A quarantine is a plain value made from the objects of a moment; the next one is made from it and
 * the objects of a later moment. Pure. */
#ifndef CONTROLLER_QUARANTINE_H
#define CONTROLLER_QUARANTINE_H

#include "common/base/arena.h"
#include "common/gossip/member_view.h"
#include "common/net/ip.h"
#include "common/net/mac.h"
#include "crd/object.h"

struct quarantine_entry {
    struct ip ip;
    struct mac mac;             /* of the stranger */
    struct str node, interface; /* where it was seen */
    int64_t seen;               /* seconds since 1970, by the clock of that node */
    int64_t until;              /* by ours */
    bool doubted;               /* it is not known yet whether this counts */
};

struct quarantine;

struct quarantine_members {
    bool settled;                      /* all are listed that can be heard */
    const struct gossip_member *items; /* sorted by name */
    size_t count;
};

/* From all AddressConflicts there are. A node whose clock is ahead does not make it longer: what is
 * seen in the future was seen when we first heard of it, which is what `before` (NULL: nothing is
 * known) is for: also, what counted goes on to count when the speaker that said it dies. members:
 * NULL when there is no gossip, or none but ourselves; all counts then. Nothing of what is given is
 * kept. Never NULL. */
struct quarantine *quarantine_new(const struct quarantine *before,
                                  const struct object *const *conflicts, size_t count,
                                  const struct quarantine_members *members, int64_t now);
/* NULL is fine; returns NULL. */
struct quarantine *quarantine_free(struct quarantine *quarantine);
SCOPE_DEFINE(quarantine, struct quarantine, quarantine_free)

/* The entry of an address, or NULL when it is in none. quarantine may be NULL: nothing is. */
const struct quarantine_entry *quarantine_find(const struct quarantine *quarantine,
                                               const struct ip *ip);

/* Those in quarantine, sorted by address, one each; borrowed. */
const struct quarantine_entry *quarantine_list(const struct quarantine *quarantine,
                                               size_t *ret_count);

/* How many AddressConflicts do not count. */
size_t quarantine_rejected(const struct quarantine *quarantine);

/* When the first of those in quarantine ends, or of what does not count (seconds since 1970); 0:
 * there is none. */
int64_t quarantine_next_end(const struct quarantine *quarantine);

/* Is what the AddressConflict of this id says over, so that nothing is lost with it? False for one
 * that the quarantine was not made from. */
bool quarantine_is_over(const struct quarantine *quarantine, struct str id, int64_t now);

/* "192.0.2.7 is answered for by 02:00:5e:10:00:01, seen by node n1 on interface eth0", in the
 * arena. Seen again in the same place by the same, it says the same. */
struct str quarantine_sentence(const struct quarantine_entry *entry, struct arena *arena);

#endif
