/* Who is alive: the failure detector between speakers, and small messages between them.
 *
 * Members watch each other by sealed UDP datagrams and agree within a few hundred milliseconds
 * about who is dead; see member.h for how. This is the shell: one socket and one timer on the
 * loop, the key from a directory that is looked at again and again (a mounted Secret).
 *
 * Without a key there is no gossip: it is then off (gossip_is_on), which a log line says, the list
 * holds this member alone, and whoever asks must take every Node for alive. It begins by itself
 * when the key is there. */
#ifndef COMMON_GOSSIP_GOSSIP_H
#define COMMON_GOSSIP_GOSSIP_H

#include "common/gossip/member.h"
#include "common/loop/loop.h"

enum {
    GOSSIP_PORT = 7946,          /* usual */
    GOSSIP_HOLD_DOWN_MS = 10000, /* usual */
};

struct gossip;

struct gossip_options {
    struct str name; /* of this member: unique, 1 to GOSSIP_NAME_MAX bytes */
    enum gossip_role role;
    struct ip bind;        /* own address; what others send to. 0.0.0.0 or :: for any of the host's:
                            * others then use the one they see */
    uint16_t port;         /* of this member and of all others */
    struct str key_dir;    /* holds `secretkey`, and perhaps `secretkey.old` */
    uint64_t hold_down_ms; /* how long this member is held after coming back from the dead */
};

struct gossip_calls {
    /* The list or gossip_is_on, gossip_is_settled, gossip_is_stalled may have changed. */
    void (*changed)(void *ctx);
    /* A member sent these bytes; both borrowed for the call, out of which gossip must not be
     * closed. */
    void (*message)(void *ctx, struct str from, struct str bytes);
};

struct gossip_figures {
    uint64_t sent, sent_bytes, received, received_bytes; /* datagrams, UDP payload */
    uint64_t send_failed;
    uint64_t dropped[GOSSIP_DROPS];
    unsigned keys; /* accepted now; 0: off */
    struct member_figures member;
};

/* 0, or a negative errno when the socket cannot be had; -EINVAL for options out of bounds.
 * Texts are copied. Calls come from the loop only, never out of a function of this header. */
int gossip_open(struct loop *loop, const struct gossip_options *options,
                const struct gossip_calls *calls, void *ctx, struct gossip **ret)
    __attribute__((warn_unused_result));

/* At once, without telling anybody: others will find this member dead. NULL is fine; returns
 * NULL. */
struct gossip *gossip_close(struct gossip *gossip);

/* Where members may be: asked to let this one in, again and again while they are silent. Our own
 * address may be among them. A dead or left member whose address is no longer among them is
 * forgotten. Addresses of the other family than bind are left out. */
void gossip_set_peers(struct gossip *gossip, const struct ip *peers, size_t count);

/* Says which interfaces this member can use now. */
void gossip_set_interfaces(struct gossip *gossip, const struct meta_interface *interfaces,
                           size_t count);

/* Says that this member can serve. Until then a speaker counts as starting: nobody elects it. */
void gossip_set_started(struct gossip *gossip);

/* Says that this member is about to go (true), or stays after all. */
void gossip_set_leaving(struct gossip *gossip, bool leaving);

/* Tells the others that this member goes: they count it as left and no longer ask for it. Calls
 * `done` once they have heard it, or after GOSSIP_LEAVE_MS. Then comes gossip_close. */
enum { GOSSIP_LEAVE_MS = MEMBER_LEAVE_US / 1000 };
void gossip_leave(struct gossip *gossip, void (*done)(void *ctx), void *ctx);

/* All members, sorted by name, this one among them; in the arena, texts too. */
const struct gossip_member *gossip_list(const struct gossip *gossip, struct arena *arena,
                                        size_t *ret_count);

/* Sends bytes to a member, once: it may be lost. 0; -ENOENT when there is no such living member,
 * ERR_TOO_LARGE over GOSSIP_MESSAGE_MAX, -EAGAIN while gossip is off. */
int gossip_send(struct gossip *gossip, struct str name, struct str bytes);

bool gossip_is_on(const struct gossip *gossip);

/* Is the list as good as it gets? False from the start until gossip_set_peers was called and either
 * a member has told all it knows or nobody has answered for GOSSIP_JOIN_MS. True while off. */
enum { GOSSIP_JOIN_MS = MEMBER_JOIN_US / 1000 };
bool gossip_is_settled(const struct gossip *gossip);

/* Was this process stopped, or was it out of reach of all others when an interface came, so long
 * that others may have counted it dead, and does it not know yet what one of them knows? It must
 * then not answer for any address. Reads the clock, so it is right also when asked before the loop
 * has run a timer. It ends after `changed` was called with what was heard (perhaps that this member
 * is held), or when that takes too long: MEMBER_JOIN_US after a stop (MEMBER_SILENCE_US when it was
 * alone before), MEMBER_LINK_US after an interface came; with more that come meanwhile, twice that
 * at most. It is MEMBER_SILENCE_US, and once a second at most, when no interface was lost since a
 * member was heard, and for 10 s after one came in vain, which each such vain time begins anew. */
bool gossip_is_stalled(const struct gossip *gossip);

struct gossip_figures gossip_figures(const struct gossip *gossip);

const char *gossip_drop_name(enum gossip_drop drop);

#endif
