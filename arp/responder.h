/* Answers ARP requests on one interface (libpcap behind it).
 *
 * Frames come through a kernel filter that lets only ARP pass, without delay (immediate mode), and
 * replies leave by the same handle. The path from frame to reply is arp_answer and one system
 * call; it allocates nothing. Needs CAP_NET_RAW. */
#ifndef ARP_RESPONDER_H
#define ARP_RESPONDER_H

#include "arp/arp_answer.h"
#include "common/base/arena.h"
#include "common/loop/loop.h"

struct responder;

struct responder_config {
    const char *interface; /* name; copied */
    struct arp_place place;
    struct owned *owned; /* borrowed; all responders of a node may share it */
    /* The interface cannot be read any more (it went down or away); the responder does nothing
     * further, and is still the owner's to close, which may happen inside this call. */
    void (*failed)(void *ctx, const char *why);
    void *ctx;
};

struct responder_figures {
    uint64_t frames[ARP_VERDICTS]; /* received, by verdict */
    uint64_t send_errors;          /* frames that the kernel did not take */
};

/* 0 and the responder, or a negative errno with a sentence in ret_why (arena): -EPERM, -ENODEV,
 * -ENETDOWN, -EPROTONOSUPPORT (no Ethernet), -EIO. */
int responder_open(struct loop *loop, const struct responder_config *config, struct arena *arena,
                   struct responder **ret, struct str *ret_why) __attribute__((warn_unused_result));

/* NULL is fine; returns NULL. */
struct responder *responder_close(struct responder *responder);
SCOPE_DEFINE(responder, struct responder, responder_close)

/* Sends the two announcements of an address; counts them on it. */
void responder_announce(struct responder *responder, struct owned_address *address);

const struct responder_figures *responder_figures(const struct responder *responder);

#endif
