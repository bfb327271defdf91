/* A set of numbers as maximal runs of consecutive ones: O(log n) in the number of runs. */
#ifndef CONTROLLER_RUNS_H
#define CONTROLLER_RUNS_H

#include <stdbool.h>

#include "common/net/ip.h"
#include "controller/tree.h"

/* Empty after runs_init. */
struct runs {
    struct tree tree;
};

void runs_init(struct runs *runs, uint64_t seed);
void runs_done(struct runs *runs);

/* value must not be in the set. */
void runs_add(struct runs *runs, ip_value value);

/* value must be in the set. */
void runs_remove(struct runs *runs, ip_value value);

/* The least number up to `last` that is not in the set; false when all are. */
bool runs_first_gap(const struct runs *runs, ip_value last, ip_value *ret);

#endif
