/* The interfaces that are used, each with its responder. They are opened, tried again and closed as
 * interfaces come and go; addresses are none of their business. */
#ifndef SPEAKER_LINKS_H
#define SPEAKER_LINKS_H

#include "arp/responder.h"
#include "speaker/iface.h"

struct links;

struct link {
    struct iface iface;
    struct responder *responder; /* NULL: cannot be listened on just now */
    bool waits;                  /* it is not listened on yet, but will be in a moment */
};

struct links_calls {
    /* It is listened on anew, or has its carrier again: what is announced on it is to be owned
     * there and announced. Only from the loop and from links_set. */
    void (*ready)(void *ctx, const struct link *link);
    /* None waits any more: all are listened on, but for those that cannot be just now. */
    void (*all_open)(void *ctx);
    /* Its responder is about to be closed: probes end without a word, counts are lost. */
    void (*closing)(void *ctx, const struct link *link);
    /* It has been closed. */
    void (*closed)(void *ctx);
    /* As those of a responder. */
    void (*heard)(void *ctx, const struct link *link, const struct ip *ip, const struct mac *mac,
                  enum reaction_claim claim);
    bool (*may_answer)(void *ctx);
};

/* seed: secret; chooses the delays of probes. calls is borrowed for life. */
struct links *links_new(struct loop *loop, uint64_t seed, const struct links_calls *calls,
                        void *ctx);
/* Closes all without a call. NULL is fine; returns NULL. */
struct links *links_free(struct links *links);

/* The interfaces there are. Those that are used are listened on from now on (a few; when many come,
 * the rest one after another, in turns of the loop), the others no more. */
void links_set(struct links *links, const struct iface *ifaces, size_t count);

/* The link on the interface of that index, or NULL. */
const struct link *links_find(const struct links *links, uint32_t index);

/* All links in the order of their coming: *cursor starts at 0. NULL at the end. */
const struct link *links_next(const struct links *links, size_t *cursor);

#endif
