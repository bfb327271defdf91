/* When an address is announced after it has become ours: at once, and then every 1.1 s for 5 s, so
 * that hosts that refuse a second change within one second, as Linux does (ARP locktime), hear one
 * later. Pure: now is a monotonic time in milliseconds. */
#ifndef ARP_ANNOUNCE_H
#define ARP_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

enum { ANNOUNCE_PERIOD_MS = 1100, ANNOUNCE_FOR_MS = 5000 };

struct announce {
    uint64_t next, until; /* both 0: nothing to do */
};

/* Starts, or goes on for another 5 s from now. */
void announce_start(struct announce *announce, uint64_t now);

/* Is a round due at now? Counts it as sent. */
bool announce_take(struct announce *announce, uint64_t now);

/* Time of the next round: true and ret, or false when there is none. */
bool announce_next(const struct announce *announce, uint64_t *ret);

#endif
