#include "speaker/pace.h"

enum { NS_PER_MS = 1000000 };

uint64_t pace_delay_ms(uint64_t now, uint64_t started, uint64_t ended)
{
    uint64_t due = ended + (ended - started) * (PACE_SHARE - 1);
    uint64_t wait_ms = due > now ? (due - now) / NS_PER_MS : 0;
    return wait_ms < PACE_LONGEST_MS ? wait_ms : PACE_LONGEST_MS;
}
