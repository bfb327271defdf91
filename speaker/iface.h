/* Interfaces of this node, and which of them addresses may be announced on. Pure. */
#ifndef SPEAKER_IFACE_H
#define SPEAKER_IFACE_H

#include "common/base/arena.h"
#include "common/net/ip.h"
#include "common/net/mac.h"

/* As the kernel tells it. */
struct iface {
    uint32_t index;
    struct str name;
    struct mac mac;
    bool ethernet;  /* has an Ethernet address */
    bool loopback;  /* IFF_LOOPBACK */
    bool up;        /* IFF_UP: switched on */
    bool running;   /* IFF_RUNNING: has a carrier */
    bool broadcast; /* IFF_BROADCAST */
    bool no_arp;    /* IFF_NOARP */
    bool enslaved;  /* part of a bond or bridge. A member of a VRF is not: nobody else has its
                       frames */
    bool excluded;  /* by its name, see excludes.h */
    /* Its IPv6 link-local address, the smallest of several; unset while it has none that may be
     * sent from (IPv6 is off, or duplicate address detection is not over or has failed). */
    struct ip link_local;
};

enum iface_verdict {
    IFACE_USED,
    IFACE_LOOPBACK,
    IFACE_EXCLUDED, /* by its name: interfaces of containers and of overlay networks */
    IFACE_ENSLAVED, /* its master is used instead */
    IFACE_DOWN,
    IFACE_NO_ARP, /* or no broadcast, or no Ethernet */
    IFACE_VERDICTS
};

/* "used", "loopback" and so on. */
const char *iface_verdict_name(enum iface_verdict verdict);

/* An interface without a carrier is used: nobody hears it, and when the carrier comes back it must
 * answer at once. */
enum iface_verdict iface_judge(const struct iface *iface);

bool iface_eq(const struct iface *a, const struct iface *b);

/* The names of those that are used, sorted, in the arena. */
struct str_list iface_usable(const struct iface *ifaces, size_t count, struct arena *arena);

#endif
