#include "arp/defend.h"

bool defend_take(struct defend *defend, uint64_t now)
{
    if (now < defend->not_before)
        return false;
    defend->not_before = now + DEFEND_INTERVAL_MS;
    return true;
}
