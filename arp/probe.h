/* Whether an address is free: when to ask for it, and when silence means that nobody has it
 * (RFC 5227 section 2.1.1 for IPv4, RFC 4862 section 5.4 for IPv6). Pure: now is a monotonic time
 * in milliseconds.
 *
 * Full mode takes the times of the RFCs: for IPv4 up to 1 s, three probes 1 to 2 s apart, and 2 s
 * (4 to 7 s in all); for IPv6 up to 1 s, one solicitation, and 1 s. Fast mode is for those who
 * cannot wait so long: three probes 90 ms apart, and as long again: 270 ms. It finds every station
 * that is awake; one that sleeps, or a switch port that does not forward yet, it may miss. */
#ifndef ARP_PROBE_H
#define ARP_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/net/ip.h"

enum probe_mode { PROBE_FAST, PROBE_FULL, PROBE_MODES };

/* "fast", "full". */
const char *probe_mode_name(enum probe_mode mode);

enum probe_step {
    PROBE_WAIT, /* nothing is due yet */
    PROBE_SEND, /* a probe is to be sent now */
    PROBE_FREE, /* the time is over: nobody has the address */
};

struct probe {
    enum probe_mode mode;
    enum ip_family family;
    uint64_t next;  /* when the next step is due */
    unsigned left;  /* probes still to be sent */
    uint64_t chaos; /* state of the choice of delays */
};

/* seed: chooses the delays; different for each address and node, so that many that start together
 * do not probe together. */
struct probe probe_start(enum ip_family family, enum probe_mode mode, uint64_t seed, uint64_t now);

/* What is due at now, which counts as done. After PROBE_FREE there is nothing more. The next is
 * due at probe->next. A claim that is heard before ends it: that is the caller's part. */
enum probe_step probe_take(struct probe *probe, uint64_t now);

#endif
