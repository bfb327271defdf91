/* How long to wait before trying again: doubling, with a cap and jitter. */
#ifndef COMMON_KUBE_BACKOFF_H
#define COMMON_KUBE_BACKOFF_H

#include <stdint.h>

struct backoff {
    uint64_t base_ms, cap_ms;
    unsigned failures; /* since the last success */
};

/* The wait after one more failure: between half and all of min(cap, base * 2^failures), chosen by
 * `random` (any 32 bits), and never less than retry_after_ms (what the server asked for; 0: it
 * did not), to which up to an eighth is added, so that clients told the same do not come back
 * together. */
uint64_t backoff_next(struct backoff *backoff, uint64_t retry_after_ms, uint32_t random);

/* It worked: the next failure waits for the base again. */
void backoff_reset(struct backoff *backoff);

#endif
