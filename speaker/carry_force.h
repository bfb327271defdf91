/* What the kernel has in force of what is carried (carry.h): put there, compared, counted.
 *
 * Each family is by itself, since a kernel may be able to do the one and not the other. */
#ifndef SPEAKER_CARRY_FORCE_H
#define SPEAKER_CARRY_FORCE_H

#include "speaker/carry.h"

struct carry_force;

/* Finds out what can be done. Never NULL. */
struct carry_force *carry_force_open(void);
/* Leaves the rules as they are. NULL is fine; returns NULL. */
struct carry_force *carry_force_close(struct carry_force *force);

/* 0: addresses of that family can be carried; otherwise a negative errno that says why not. */
int carry_force_refusal(const struct carry_force *force, enum ip_family family);

/* What an earlier process has put in force, as far as it says for which node; names in the arena.
 * Any order, at most CARRY_MAX. */
struct carry *carry_force_read(const struct carry_force *force, uint64_t now_ms,
                               struct arena *arena, size_t *ret_count);

/* Puts in force what of the list (sorted by address) is not over. 0, or why the kernel does not
 * take it all. */
int carry_force_put(struct carry_force *force, const struct carry *list, size_t count,
                    uint64_t now_ms) __attribute__((warn_unused_result));

/* Is in force what the list says, apart from what is as good as over? Unless it is, all is put in
 * force anew the next time. ret_torn: it cannot be said, since rules are changing at this moment or
 * the kernel could not be asked; to be asked again. */
bool carry_force_agrees(struct carry_force *force, const struct carry *list, size_t count,
                        uint64_t now_ms, bool *ret_torn);

/* Packets and bytes sent on since carry_force_open. Asks the kernel. */
void carry_force_count(struct carry_force *force, uint64_t *ret_packets, uint64_t *ret_bytes);

#endif
