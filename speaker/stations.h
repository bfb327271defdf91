/* Which member a station on the wire is: members say which Ethernet addresses they have. Pure. */
#ifndef SPEAKER_STATIONS_H
#define SPEAKER_STATIONS_H

#include "common/gossip/member_view.h"

struct station {
    struct mac mac;
    struct str member;
    bool live;
    bool self;
};

struct stations {
    const struct station *items; /* sorted by address */
    size_t count;
    bool incomplete; /* members may have interfaces that they did not list, or are not known */
};

/* In the arena, names too. watches: members are known at all. */
struct stations stations_make(const struct gossip_member *members, size_t count, bool watches,
                              struct arena *arena);

/* The station with that address, or NULL. */
const struct station *stations_find(const struct stations *stations, const struct mac *mac);

#endif
