/* When an address is announced: at once when it has become ours, then every 1.1 s for 5 s, so that
 * hosts that refuse a second change within one second, as Linux does (ARP locktime), hear one
 * later; from then on rarely, so that switches that forget where we are before their neighbours
 * forget us learn it again. Pure: now is a monotonic time in milliseconds.
 *
 * 1.1 s is more than RetransTimer, the least time between two unsolicited advertisements (RFC 4861
 * section 7.2.6). */
#ifndef ARP_ANNOUNCE_H
#define ARP_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ANNOUNCE_PERIOD_MS = 1100,
    ANNOUNCE_FOR_MS = 5000,
    ANNOUNCE_REFRESH_MS = 60 * 1000, /* for those who set no other */
    ANNOUNCE_REFRESH_MIN_MS = 4000,
};

/* Zeroed: nothing to do. */
struct announce {
    uint64_t next;
    uint16_t left; /* of the 5 s from `next` on; 0: refreshes only */
    bool is_started;
};

/* The address has come, or the carrier, or another node may have answered meanwhile: starts the
 * rounds, or goes on with them for another 5 s from now. */
void announce_start(struct announce *announce, uint64_t now);

/* Is a round due at now? Counts it as sent. After the last of the 5 s the next is due after
 * refresh_ms, a quarter more or less, at a whole second of now, so that thousands of addresses wake
 * us once a second and not a thousand times; 0: never. chaos is the state of the choice among them
 * (chaos.h): one for all addresses of a node, another on each node. */
bool announce_take(struct announce *announce, uint64_t now, uint64_t refresh_ms, uint64_t *chaos);

/* Time of the next round: true and ret, or false when there is none. */
bool announce_next(const struct announce *announce, uint64_t *ret);

#endif
