/* Answers ARP requests for our addresses on one interface (libpcap).
 *
 * One capture handle per interface, in immediate mode and non-blocking, with a kernel filter so
 * that only ARP wakes us; replies go out on the same handle. From a frame to its reply nothing is
 * allocated. What is answered is decided by arp_answer.h (RFC 826, RFC 5227). Needs CAP_NET_RAW. */
#ifndef ARP_RESPONDER_H
#define ARP_RESPONDER_H

#include "arp/arp_answer.h"
#include "common/base/scope.h"
#include "common/loop/loop.h"

struct responder;

struct responder_interface {
    struct str name;
    struct mac mac;
};

/* Figures since the responder was opened. */
struct responder_figures {
    uint64_t received;               /* requests for addresses of ours */
    uint64_t answered;               /* replies sent */
    uint64_t announced;              /* gratuitous frames sent */
    uint64_t dropped;                /* frames not answered, for any reason */
    uint64_t send_errors;            /* frames that the kernel did not take */
    uint64_t verdicts[ARP_VERDICTS]; /* frames received, by what was decided */
};

/* Starts to listen. 0, or a negative errno: -ENODEV (no such interface), -EPERM (no CAP_NET_RAW),
 * -ENETDOWN (it is not up), -EPROTONOSUPPORT (no Ethernet), -EIO. `failed` is called once, with a
 * negative errno, when the interface has gone; close the responder then, or there. An interface
 * that goes down and comes up again is answered on as before. */
int responder_open(struct loop *loop, const struct responder_interface *interface,
                   void (*failed)(void *ctx, int error), void *ctx, struct responder **ret)
    __attribute__((warn_unused_result));

/* NULL is fine. Returns NULL. */
struct responder *responder_close(struct responder *responder);
SCOPE_DEFINE(responder, struct responder, responder_close)

/* Answers for an IPv4 address from now on, or no longer. Twice is once. */
void responder_own(struct responder *responder, const struct ip *ip);
void responder_disown(struct responder *responder, const struct ip *ip);

/* Sends one round of announcements for an address: a gratuitous request and a reply. 0 or a
 * negative errno. When to do so: announce.h. */
int responder_announce(struct responder *responder, const struct ip *ip);

struct responder_figures responder_figures(const struct responder *responder);

/* One address with its counts, or NULL when it is not owned; valid until it is disowned. */
const struct owned_address *responder_get(const struct responder *responder, const struct ip *ip);

/* The addresses owned, with their counts, in no particular order: *cursor starts at 0. NULL at the
 * end. */
const struct owned_address *responder_next(const struct responder *responder, size_t *cursor);

#endif
