/* Which member a station on the wire is: members say which Ethernet addresses they have. Pure. */
#ifndef SPEAKER_STATIONS_H
#define SPEAKER_STATIONS_H

#include "speaker/plan.h"

struct station {
    struct mac mac;
    struct str member;
    bool live;
    bool self;
};

struct stations {
    const struct station *items; /* sorted by address, one for each */
    size_t count;
    bool incomplete; /* nodes may have interfaces that are not listed here */
};

/* Of the members in view, in the arena, names too. While no other speaker is heard, a
 * node that may announce and was never heard of has stations that are not known: it is perhaps we
 * that do not hear. Else it is taken for one without a speaker, as nodes may be. */
struct stations stations_make(const struct basis *basis, const struct plan_view *view,
                              struct arena *arena);

/* The station with that address, or NULL. */
const struct station *stations_find(const struct stations *stations, const struct mac *mac);

/* Are there live members now of whose stations `before` did not know? Who was taken for a stranger
 * then may be one of them. */
bool stations_met(const struct stations *before, const struct stations *now);

#endif
