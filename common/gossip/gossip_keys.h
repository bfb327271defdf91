/* Which keys are in use: what the key directory says, and for a while what it said before; and who
 * of the others still speaks with an older one. */
#ifndef COMMON_GOSSIP_GOSSIP_KEYS_H
#define COMMON_GOSSIP_GOSSIP_KEYS_H

#include "common/base/vec.h"
#include "common/gossip/key_dir.h"
#include "common/net/ip.h"

enum { KEY_GRACE_MS = 300000 };

struct key_lag {
    struct ip ip;
    struct seal_key key; /* what it last spoke with */
};

struct gossip_keys {
    struct key_dir dir;
    struct seal_keys read;     /* what the files say; count 0: never read */
    struct seal_keys accepted; /* that, and the one before while its grace lasts */
    struct seal_key before;
    uint64_t before_until; /* 0: none */
    int error;             /* of the last reading, 0: none; said once */
    VEC(struct key_lag) lags;
};

void gossip_keys_init(struct gossip_keys *keys, struct str path);
void gossip_keys_done(struct gossip_keys *keys);

/* Looks at the files; true when what is accepted has changed. Logs news. */
bool gossip_keys_look(struct gossip_keys *keys, uint64_t now_ms);

/* What to seal with for that address. There must be a key. */
const struct seal_key *gossip_keys_for(const struct gossip_keys *keys, const struct ip *to);

/* That address spoke with that accepted key. */
void gossip_keys_heard(struct gossip_keys *keys, const struct ip *from, unsigned key);

#endif
