/* What the kernel's messages about interfaces and addresses say (rtnetlink(7)). Pure. */
#ifndef SPEAKER_LINK_MESSAGE_H
#define SPEAKER_LINK_MESSAGE_H

#include <linux/netlink.h>

#include "speaker/iface.h"

/* An interface as an RTM_NEWLINK or RTM_DELLINK tells it; `excluded` and `link_local` are left
 * alone. The name is borrowed from the message; it is empty when an RTM_DELLINK does not say it.
 * False: the message is about something else, such as a bridge's view of its port, or it is
 * broken. */
bool link_message_read(struct nlmsghdr *message, struct iface *ret);

struct link_address {
    uint32_t index; /* of its interface */
    struct ip ip;
    bool usable; /* may be sent from */
};

/* An IPv6 link-local address as an RTM_NEWADDR or RTM_DELADDR tells it. False: the message is
 * about something else, or it is broken. */
bool link_message_address(struct nlmsghdr *message, struct link_address *ret);

#endif
