/* What a program sees of the members. */
#ifndef COMMON_GOSSIP_MEMBER_VIEW_H
#define COMMON_GOSSIP_MEMBER_VIEW_H

#include "common/gossip/meta.h"
#include "common/net/ip.h"

enum gossip_state {
    GOSSIP_ALIVE,
    GOSSIP_SUSPECT, /* somebody does not hear from it; counts as alive until that is certain */
    GOSSIP_DEAD,
    GOSSIP_LEFT, /* it said that it goes */
};

struct gossip_member {
    struct str name; /* of a speaker: its Kubernetes node's */
    enum gossip_state state;
    struct ip address;
    struct member_meta meta;
    bool self;
};

const char *gossip_state_name(enum gossip_state state);

/* Alive, as far as anybody can tell: alive or suspect. */
bool gossip_is_alive(enum gossip_state state);

/* The member of that name among `count` sorted by name, or NULL. */
const struct gossip_member *gossip_find(const struct gossip_member *members, size_t count,
                                        struct str name);

#endif
