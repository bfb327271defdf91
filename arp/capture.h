/* Frames of one protocol from one interface, and frames to it (libpcap).
 *
 * The handle is in immediate mode, non-blocking, and sees what comes in but not what we send. It
 * is bound to its protocol, so that the host's other traffic never comes near it. */
#ifndef ARP_CAPTURE_H
#define ARP_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arp/ethernet.h"
#include "common/base/scope.h"
#include "common/loop/loop.h"

struct capture;
struct sock_filter; /* linux/filter.h */

struct capture_calls {
    void (*turn)(void *ctx); /* frames have come: called before the first of them */
    void (*frame)(void *ctx, const uint8_t *frame, size_t size);
    void (*failed)(void *ctx, int error); /* no more frames come: once, with a negative errno */
};

/* name: of the interface, NUL-terminated; borrowed. snap: frames are cut there. Errors as of
 * responder_open (responder.h). No call may close the capture, but `failed`. */
int capture_open(struct loop *loop, const char *name, enum ethernet_type protocol, size_t snap,
                 const struct capture_calls *calls, void *ctx, struct capture **ret)
    __attribute__((warn_unused_result));

/* NULL is fine. Returns NULL. */
struct capture *capture_close(struct capture *capture);
SCOPE_DEFINE(capture, struct capture, capture_close)

/* From now on the kernel keeps back what the program does not let through; before the first call it
 * keeps back everything. 0, or a negative errno: -ENOMEM when the program is longer than the
 * kernel allows (net.core.optmem_max); the filter is as before then. */
int capture_filter(struct capture *capture, const struct sock_filter *program, size_t count)
    __attribute__((warn_unused_result));

/* The kernel keeps back nothing of the protocol: what to do when there is no filter. */
void capture_unfilter(struct capture *capture);

/* Calls nothing any more; may be called from `failed`, before the capture is closed. */
void capture_stop(struct capture *capture);

/* Takes the frames that have come already, without waiting for the loop: not from a call of the
 * capture. False: it has failed, and may be closed. */
bool capture_catch_up(struct capture *capture);

/* Sends a frame on the interface: 0 or a negative errno. */
int capture_send(struct capture *capture, const uint8_t *frame, size_t size);

/* Frames that the filter let through and that we were too slow for. */
uint64_t capture_lost(struct capture *capture);

#endif
