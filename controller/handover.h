/* How an address passes from one Service to another: first the status of the one that gives it up
 * is seen without it, and only then is it written into the other's. Both writes at once could
 * arrive in the wrong order, and then two Services would show one address, for a moment or, when
 * the controller dies between the two, until the next one leads.
 *
 * Kept here are those who still show what is no longer theirs (givers), and who waits for that.
 * Pure. */
#ifndef CONTROLLER_HANDOVER_H
#define CONTROLLER_HANDOVER_H

#include "common/base/arena.h"
#include "common/net/ip.h"

struct handover;

struct handover *handover_new(void);
/* NULL is fine; returns NULL. */
struct handover *handover_free(struct handover *handover);
SCOPE_DEFINE(handover, struct handover, handover_free)

/* At most two that are shown, two of a write under way, and four of writes without an answer. */
enum { HANDOVER_IPS = 8 };

/* The Service `id` shows, or is about to show, just these addresses that are no longer its own; it
 * has let go of all others it gave before. Texts are copied. Returns the ids of those who waited
 * for what is now let go of by everybody, in the arena: they may ask again. */
struct str_list handover_give(struct handover *handover, struct str id, const struct ip *ips,
                              size_t count, struct arena *arena);

/* Does another Service still show one of these addresses? Then `id` is to wait, and is noted for
 * handover_give to return. */
bool handover_must_wait(struct handover *handover, struct str id, const struct ip *ips,
                        size_t count);

#endif
