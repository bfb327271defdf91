/* Delays chosen from a seed, so that stations that start together do not act together. The same
 * seed gives the same delays. Pure. */
#ifndef ARP_CHAOS_H
#define ARP_CHAOS_H

#include <stdint.h>

/* Between the two, both included, evenly. Moves the state on. */
uint64_t chaos_between(uint64_t *state, uint64_t least, uint64_t most);

#endif
