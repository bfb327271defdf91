/* How an address is defended against a station that uses it too (RFC 5227 section 2.4 (c)): by
 * announcing it, but not more often than each 10 s, so that two that both defend do not fill the
 * network. It is never given up. For IPv6, where RFC 4862 leaves it open, the same. Pure: now is a
 * monotonic time in milliseconds. */
#ifndef ARP_DEFEND_H
#define ARP_DEFEND_H

#include <stdbool.h>
#include <stdint.h>

enum { DEFEND_INTERVAL_MS = 10 * 1000 };

struct defend {
    uint64_t not_before; /* zeroed: never defended yet */
};

/* A claim was heard: is the address to be announced now? Counts as done. */
bool defend_take(struct defend *defend, uint64_t now);

#endif
