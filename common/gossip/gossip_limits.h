/* Bounds that all parts of the gossip share. */
#ifndef COMMON_GOSSIP_GOSSIP_LIMITS_H
#define COMMON_GOSSIP_GOSSIP_LIMITS_H

#include <stdint.h>

enum {
    GOSSIP_NAME_MAX = 272,     /* bytes of a member's name: a DNS name and a little */
    GOSSIP_MESSAGE_MAX = 1000, /* bytes of a message between members */
    GOSSIP_MEMBERS_MAX = 5000,
};

/* All are below these: nothing could outrank one that is not, and it is a lie. */
#define GOSSIP_LIFE_MAX (UINT64_MAX >> 4)
#define GOSSIP_TURN_MAX (UINT32_MAX >> 4)

#endif
