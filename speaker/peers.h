/* The members as the speaker sees them: common/gossip under its flags, fed with this node's
 * interfaces and with where the others may be. */
#ifndef SPEAKER_PEERS_H
#define SPEAKER_PEERS_H

#include "common/gossip/gossip.h"
#include "crd/validate.h"
#include "speaker/iface.h"

struct peers_options {
    struct str node; /* our name, which is that of our Node */
    struct ip bind;  /* unset: no gossip, every node counts as alive */
    uint16_t port;
    struct str key_dir;
    uint64_t hold_down_ms;
    const struct ip *fixed; /* addresses of others; none: those of the Nodes. Borrowed */
    size_t fixed_count;
};

struct peers;

/* 0, or a negative errno when the socket cannot be had. */
int peers_open(struct loop *loop, const struct peers_options *options,
               const struct gossip_calls *calls, void *ctx, struct peers **ret)
    __attribute__((warn_unused_result));

/* NULL is fine; returns NULL. */
struct peers *peers_close(struct peers *peers);
SCOPE_DEFINE(peers, struct peers, peers_close)

/* The Nodes there are: each internal address may be a member's. */
void peers_set_nodes(struct peers *peers, const struct objects *nodes);

/* The interfaces of this node; and the L2Advertisements in force, since the interfaces that they
 * name are told first where there is no room for all. */
void peers_set_interfaces(struct peers *peers, const struct iface *ifaces, size_t count,
                          const struct objects *advertisements);

/* This node has planned, and may be elected. */
void peers_set_started(struct peers *peers);

/* The failure detector, or NULL when none was asked for. */
struct gossip *peers_gossip(const struct peers *peers);

/* Are there members, so that who is not among them is dead? */
bool peers_watch(const struct peers *peers);
bool peers_are_settled(const struct peers *peers);
/* May this node have been counted dead without knowing it yet (gossip_is_stalled)? */
bool peers_are_stalled(const struct peers *peers);

/* All members sorted by name, this node's among them; in the arena. */
const struct gossip_member *peers_list(const struct peers *peers, struct arena *arena,
                                       size_t *ret_count);

#endif
