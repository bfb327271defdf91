#include "common/gossip/member_view.h"

#include "common/base/names.h"

static const char *const state_names[] = {
    [GOSSIP_ALIVE] = "alive",
    [GOSSIP_SUSPECT] = "suspect",
    [GOSSIP_DEAD] = "dead",
    [GOSSIP_LEFT] = "left",
};
static const struct names states = NAMES(state_names);

const char *gossip_state_name(enum gossip_state state)
{
    return names_of(&states, state);
}

bool gossip_is_alive(enum gossip_state state)
{
    return state == GOSSIP_ALIVE || state == GOSSIP_SUSPECT;
}

const struct gossip_member *gossip_find(const struct gossip_member *members, size_t count,
                                        struct str name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(name, members[middle].name);
        if (order == 0)
            return &members[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
