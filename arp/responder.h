/* Answers for our addresses on one interface: ARP for IPv4, neighbour discovery for IPv6.
 *
 * From a frame to its answer nothing is allocated. What is answered is decided by arp_answer.h and
 * ndp_answer.h. Needs CAP_NET_RAW. The interface needs no address of its own of either family:
 * answers are sent from the address that they are about. One on which the kernel does not do IPv6
 * is served too; see membership.h for what that costs. */
#ifndef ARP_RESPONDER_H
#define ARP_RESPONDER_H

#include "arp/probe.h"
#include "arp/reaction.h"
#include "arp/responder_figures.h"
#include "common/base/scope.h"
#include "common/loop/loop.h"

struct responder;

struct responder_interface {
    struct str name;
    struct mac mac;
    uint64_t seed; /* chooses the delays of probes: another for each node */
};

/* None of them may close the responder, but `failed`; they may call everything else. */
struct responder_calls {
    /* Called once, with a negative errno, when the interface has gone; close the responder then,
     * or there. An interface that goes down and comes up again is answered on as before. */
    void (*failed)(void *ctx, int error);
    /* Another station says that it has ip, which is owned here (probes have their own call). mac
     * may be one of this node's own, on another interface in the same network. NULL: not told. */
    void (*heard)(void *ctx, const struct ip *ip, const struct mac *mac, enum reaction_claim claim);
    /* Asked before the frames of one wake-up are looked at: may they be answered? If not, they are
     * dropped, and counted as stalled; claims in them are heard. NULL: always. */
    bool (*may_answer)(void *ctx);
};

/* Starts to listen. 0, or a negative errno: -ENODEV (no such interface), -EPERM (no CAP_NET_RAW),
 * -ENETDOWN (it is not up), -EPROTONOSUPPORT (no Ethernet), -EIO. calls is borrowed for the
 * responder's life. */
int responder_open(struct loop *loop, const struct responder_interface *interface,
                   const struct responder_calls *calls, void *ctx, struct responder **ret)
    __attribute__((warn_unused_result));

/* Probes under way end without a call. NULL is fine. Returns NULL. */
struct responder *responder_close(struct responder *responder);
SCOPE_DEFINE(responder, struct responder, responder_close)

/* Judges the frames that have come already: before something is heard on another way after which an
 * address is not answered for any more, so that who asked before that is not left without an
 * answer. Not from a call of the responder, which may have failed and be closed afterwards. */
void responder_catch_up(struct responder *responder);

/* Answers for an address from now on, or no longer. Twice is once. */
void responder_own(struct responder *responder, const struct ip *ip);
void responder_disown(struct responder *responder, const struct ip *ip);

/* Sends one round of announcements for an address, owned or not: a gratuitous ARP request and a
 * reply (RFC 5227 section 3), or an unsolicited advertisement to all nodes (RFC 4861 section
 * 7.2.6). 0 or a negative errno; what an interface has no room for just now is sent as soon as it
 * has, for an address that is owned. When to do so: announce.h; in defence: defend.h. */
int responder_announce(struct responder *responder, const struct ip *ip);

/* Finds out whether an address is free on this network (probe.h). `done` is called once, and the
 * probe is gone then: with NULL when nobody has the address, else with the station that has it or
 * probes for it as well. It may not close the responder. Without a carrier nobody can be heard. */
struct responder_probe;
typedef void responder_probed(void *ctx, const struct ip *ip, const struct mac *taken_by);

struct responder_probe *responder_probe_start(struct responder *responder, const struct ip *ip,
                                              enum probe_mode mode, responder_probed *done,
                                              void *ctx);
/* NULL is fine. Returns NULL. */
struct responder_probe *responder_probe_cancel(struct responder_probe *probe);

struct responder_figures responder_figures(const struct responder *responder);

/* One address with its counts, or NULL when it is not owned; valid until it is disowned. */
const struct owned_address *responder_get(const struct responder *responder, const struct ip *ip);

/* The addresses owned, with their counts, in no particular order: *cursor starts at 0. NULL at the
 * end. */
const struct owned_address *responder_next(const struct responder *responder, size_t *cursor);

#endif
