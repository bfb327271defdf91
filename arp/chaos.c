#include "arp/chaos.h"

#include <assert.h>

/* One step of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t step(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15;
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t chaos_between(uint64_t *state, uint64_t least, uint64_t most)
{
    assert(least <= most && most - least < UINT32_MAX);
    return least + ((step(state) >> 32) * (most - least + 1) >> 32);
}
