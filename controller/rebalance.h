/* How fast units may be moved that could as well stay for a while: so many a second, one after the
 * other, or none while that is frozen. Time is an argument. Pure. */
#ifndef CONTROLLER_REBALANCE_H
#define CONTROLLER_REBALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rebalance {
    uint64_t rate; /* moves a second; at least 1 */
    bool frozen;
    uint64_t next_us; /* no move before */
};

/* How many moves may be made now: 1 when the time for it has come, else 0. */
size_t rebalance_allowed(const struct rebalance *rebalance, uint64_t now_us);

/* So many were made. */
void rebalance_spend(struct rebalance *rebalance, uint64_t now_us, size_t moves);

/* Microseconds until the next move may be made; UINT64_MAX while frozen. */
uint64_t rebalance_wait(const struct rebalance *rebalance, uint64_t now_us);

#endif
