/* Which numbers of a growing series have been seen: replays are refused, and so is what comes later
 * than WINDOW_BITS newer ones. */
#ifndef COMMON_GOSSIP_WINDOW_H
#define COMMON_GOSSIP_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_BITS = 1024 };

struct window { /* zeroed: nothing seen; numbers begin at 1 */
    uint64_t last;
    uint64_t bits[WINDOW_BITS / 64]; /* number n at bit n mod WINDOW_BITS */
};

/* Takes the number: true when it is new. */
bool window_take(struct window *window, uint64_t number);

#endif
