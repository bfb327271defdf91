/* What is known about a path: how long its round trips take, and how many get lost. Times are in
 * microseconds. */
#ifndef COMMON_GOSSIP_PATH_H
#define COMMON_GOSSIP_PATH_H

#include <stdbool.h>
#include <stdint.h>

struct path {
    uint32_t rtt, deviation; /* smoothed; 0 and 0: not measured */
    uint32_t loss;           /* of round trips, 65536: all */
};

enum {
    PATH_LATE_MIN = 20000, /* a busy host needs so long to run a process at times */
    PATH_LOST_MIN = 30000,
    PATH_TIME_MAX = 1000000,
    PATH_DECADE = 1000, /* unit of path_weight */
};

/* A round trip took that long. */
void path_measure(struct path *path, uint64_t us);

/* A round trip was lost, or not. `gain` is the share of the new sample: 1/gain. */
void path_count(struct path *path, bool lost, uint32_t gain);

/* After this time an answer is late: worth asking again, says nothing yet. */
uint64_t path_late(const struct path *path);

/* After this time an answer is as good as lost: RFC 6298 section 2, with our bounds. */
uint64_t path_lost(const struct path *path);

/* What one lost round trip says against the other side being alive: minus the logarithm of its
 * probability by chance, in thousandths of a decade. Taken from the worse of the two losses; never
 * less than 5 % is assumed, so that a quiet past does not make the first loss a proof. */
uint32_t path_weight(uint32_t loss, uint32_t other_loss);

#endif
