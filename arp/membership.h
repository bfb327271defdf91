/* Membership of one interface in the IPv6 groups on which neighbours ask for our addresses: the
 * solicited-node group of each (RFC 4861 section 7.2.1) and all nodes.
 *
 * A group is joined as hosts join it, so that the kernel opens the interface's filter and reports
 * the group to switches that snoop for it (MLD). Where the kernel does not do IPv6 on the
 * interface, only the filter is opened; MLD would be of no use there, since its reports need a
 * link-local address to be believed (RFC 3810 section 5.1.9).
 *
 * The kernel walks a list of all groups for each that comes or goes. So the first of a turn of the
 * loop are joined at once, and thousands in the turns that follow, while the interface's filter is
 * open for every group. */
#ifndef ARP_MEMBERSHIP_H
#define ARP_MEMBERSHIP_H

#include "common/base/scope.h"
#include "common/loop/loop.h"
#include "common/net/ip.h"

struct membership;

/* interface: its index. */
struct membership *membership_new(struct loop *loop, unsigned interface);

/* Leaves all groups. NULL is fine; returns NULL. */
struct membership *membership_free(struct membership *membership);
SCOPE_DEFINE(membership, struct membership, membership_free)

/* Listens to the group of that address, as often as it is called, until as many calls of leave. */
void membership_join(struct membership *membership, const struct ip *ip);
void membership_leave(struct membership *membership, const struct ip *ip);

/* Tries again what could not be joined in full, such as after IPv6 was switched on. */
void membership_retry(struct membership *membership);

#endif
