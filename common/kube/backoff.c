#include "common/kube/backoff.h"

/* A share of range, 0 to range, by 32 random bits. */
static uint64_t share(uint64_t range, uint32_t random)
{
    return (range * random) >> 32; /* waits are below 2^32 ms, so this does not overflow */
}

uint64_t backoff_next(struct backoff *backoff, uint64_t retry_after_ms, uint32_t random)
{
    uint64_t full = backoff->base_ms;
    for (unsigned i = 0; i < backoff->failures && full < backoff->cap_ms; i++)
        full *= 2;
    if (full > backoff->cap_ms)
        full = backoff->cap_ms;
    if (full < backoff->cap_ms)
        backoff->failures++;
    uint64_t wait = full / 2 + share(full - full / 2, random);
    if (wait < retry_after_ms)
        wait = retry_after_ms + share(retry_after_ms / 8, random);
    return wait;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->failures = 0;
}
