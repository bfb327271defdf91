/* The nodes whose speakers are lost: whom the members count dead, until they are trusted again. It
 * tells what has changed about that from one list of members to the next. Pure. */
#ifndef CONTROLLER_LOST_H
#define CONTROLLER_LOST_H

#include "common/base/arena.h"
#include "common/gossip/member_view.h"

struct lost;

/* Nobody is lost, and nothing is known: the first list brings no news. Never NULL. */
struct lost *lost_new(void);
struct lost *lost_free(struct lost *lost); /* NULL is fine; returns NULL */
SCOPE_DEFINE(lost, struct lost, lost_free)

struct lost_news {
    struct str node;
    bool is_back; /* alive, and held no more; false: lost */
};

/* Takes the members as they are now, sorted by name. The news, in the arena. A speaker that has
 * said that it goes is not lost, and one that was and is forgotten is no news. */
struct lost_news *lost_update(struct lost *lost, const struct gossip_member *members, size_t count,
                              struct arena *arena, size_t *ret_count);

#endif
