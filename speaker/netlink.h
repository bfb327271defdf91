/* The interfaces of this network namespace and their IPv6 link-local addresses, followed by
 * rtnetlink (libnl behind it).
 *
 * All are listed once and then followed by the kernel's messages. When the kernel had to drop
 * messages, all are listed again and compared: the picture never depends on the stream being
 * complete. */
#ifndef SPEAKER_NETLINK_H
#define SPEAKER_NETLINK_H

#include "common/loop/loop.h"
#include "speaker/excludes.h"
#include "speaker/iface.h"

struct netlink;

/* 0 and the follower, or a negative errno. excludes says which names are left out; it is borrowed
 * until netlink_set_excludes gives another. `changed` is called after the first list is complete,
 * and then whenever something about an interface has changed. */
int netlink_open(struct loop *loop, const struct excludes *excludes, void (*changed)(void *ctx),
                 void *ctx, struct netlink **ret) __attribute__((warn_unused_result));

/* NULL is fine; returns NULL. */
struct netlink *netlink_close(struct netlink *netlink);
SCOPE_DEFINE(netlink, struct netlink, netlink_close)

/* Another list is in force. Calls `changed` when that makes a difference. */
void netlink_set_excludes(struct netlink *netlink, const struct excludes *excludes);

/* Has everything been listed once? */
bool netlink_is_complete(const struct netlink *netlink);

/* All interfaces, sorted by index, copied into the arena. */
struct iface *netlink_list(const struct netlink *netlink, struct arena *arena, size_t *ret_count);

/* How often the kernel dropped messages. */
uint64_t netlink_overruns(const struct netlink *netlink);

#endif
