/* How often to plan. In a large cluster Services change without end, and each plan looks at all of
 * them; planning may take a tenth of the time at most, so that answering has the rest. What moves
 * addresses away from a node that cannot serve them is planned at once and does not ask. Pure. */
#ifndef SPEAKER_PACE_H
#define SPEAKER_PACE_H

#include <stdint.h>

enum { PACE_SHARE = 10, PACE_LONGEST_MS = 1000 };

/* How many milliseconds to wait at `now` with the next plan, when the last one was under way from
 * `started` to `ended` (monotonic, in nanoseconds; both 0: there was none). */
uint64_t pace_delay_ms(uint64_t now, uint64_t started, uint64_t ended);

#endif
