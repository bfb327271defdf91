/* All members that are known, each with what it says of itself and what is believed of it. */
#ifndef COMMON_GOSSIP_ROSTER_H
#define COMMON_GOSSIP_ROSTER_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/gossip/message.h"
#include "common/gossip/watch.h"
#include "common/gossip/window.h"

enum { ROSTER_RINGS = 4 };

struct peer {
    uint64_t id, life;
    uint32_t turn, edition; /* see struct fact */
    enum gossip_state state;
    bool self;
    bool known; /* it was alive before, as far as we know */
    struct ip address;
    struct str name, meta; /* one heap block */
    uint64_t accusers[MESSAGE_ACCUSERS];
    unsigned accuser_count;
    uint64_t changed_at;                 /* when state did */
    uint64_t back_at;                    /* when it last came back from the dead */
    uint64_t heard_at;                   /* the last datagram from it; 0: never */
    struct window *window;               /* of its datagrams; NULL: none yet */
    struct watch *watch;                 /* NULL: others look after it */
    unsigned rumor_left;                 /* how often the news about it is still to be told */
    bool rumor_full;                     /* with its record */
    uint64_t conflict_at, conflict_with; /* a member counts it alive whom we count dead; 0: none */
    bool mark;                           /* scratch of whoever walks */
};

struct roster {
    struct map by_id;
    VEC(struct peer *) all; /* in no order */
    size_t counts[4];       /* by enum gossip_state, ourselves included */
    size_t alive;           /* alive or suspect */
    bool changed;           /* who is alive has changed: whom to watch may have too */
};

void roster_done(struct roster *roster);

struct peer *roster_find(const struct roster *roster, uint64_t id);

/* A new member, as a RECORD says; counted dead until roster_set_state. NULL when there are
 * GOSSIP_MEMBERS_MAX. */
struct peer *roster_add(struct roster *roster, const struct fact *record);
void roster_remove(struct roster *roster, struct peer *peer);

/* Takes over address, name, meta, life, turn and edition of a RECORD. */
void roster_update(struct peer *peer, const struct fact *record);

void roster_set_state(struct roster *roster, struct peer *peer, enum gossip_state state,
                      uint64_t now);

/* `count` (a power of two) numbers, one for each part of the ids by their first bits: the same when
 * two members know the same living members and records. */
void roster_hash(const struct roster *roster, uint64_t *ret, size_t count);

/* Whom `peer` watches: the next living member in each of ROSTER_RINGS circles, in which all members
 * stand in a different order that everyone computes alike. So each is watched by as many, and the
 * watchers of one are spread over all. With few members: everyone watches all. Returns how many. */
size_t roster_targets(const struct roster *roster, const struct peer *peer,
                      struct peer *ret[ROSTER_RINGS]);

/* Who watches `peer`: the one before it in each circle. */
size_t roster_watchers(const struct roster *roster, const struct peer *peer,
                       struct peer *ret[ROSTER_RINGS]);

#endif
