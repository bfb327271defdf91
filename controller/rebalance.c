#include "controller/rebalance.h"

enum { SECOND_US = 1000 * 1000 };

uint64_t rebalance_wait(const struct rebalance *rebalance, uint64_t now_us)
{
    if (rebalance->frozen)
        return UINT64_MAX;
    return rebalance->next_us > now_us ? rebalance->next_us - now_us : 0;
}

size_t rebalance_allowed(const struct rebalance *rebalance, uint64_t now_us)
{
    return rebalance_wait(rebalance, now_us) == 0 ? 1 : 0;
}

/* Evenly apart: what was not used before is not saved up. Rounded up, so that no second has more
 * than `rate`. */
void rebalance_spend(struct rebalance *rebalance, uint64_t now_us, size_t moves)
{
    uint64_t from = rebalance->next_us > now_us ? rebalance->next_us : now_us;
    uint64_t apart = (SECOND_US + rebalance->rate - 1) / rebalance->rate;
    rebalance->next_us = from + moves * apart;
}
