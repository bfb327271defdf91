/* What the tests of members share: some, by a letter for each. */
#ifndef CONTROLLER_TEST_MEMBERS_H
#define CONTROLLER_TEST_MEMBERS_H

#include "common/base/arena.h"
#include "common/gossip/member_view.h"

/* The members are n1, n2 and so on. One letter of `states` for each: a alive, s suspect, d dead,
 * l left, h alive and held, c alive, but a controller; '-': not there. Returns how many it wrote to
 * `ret`, which has room for one a letter. */
static inline size_t members_of(const char *states, struct arena *arena, struct gossip_member *ret)
{
    size_t count = 0;
    for (size_t i = 0; states[i]; i++) {
        char state = states[i];
        if (state == '-')
            continue;
        ret[count++] = (struct gossip_member){
            .name = arena_printf(arena, "n%zu", i + 1),
            .state = state == 'd'   ? GOSSIP_DEAD
                     : state == 's' ? GOSSIP_SUSPECT
                     : state == 'l' ? GOSSIP_LEFT
                                    : GOSSIP_ALIVE,
            .meta = {.role = state == 'c' ? GOSSIP_OBSERVER : GOSSIP_SPEAKER, .held = state == 'h'},
        };
    }
    return count;
}

#endif
