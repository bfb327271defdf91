/* Asks for addresses by ARP requests (RFC 826) and neighbour solicitations (RFC 4861), each from an
 * address that no kernel has, so that the answers change no neighbour table and do not help the
 * connections that are measured at the same time. */
#ifndef BENCH_PROBE_FRAMES_H
#define BENCH_PROBE_FRAMES_H

#include "bench/probe_record.h"
#include "common/loop/loop.h"
#include "common/net/ip.h"
#include "common/net/mac.h"

struct probe_frames;

/* An answer names its asker, by both addresses: so it is told apart from the answers to other
 * questions, unless it is later than this many questions. */
enum { PROBE_IPS = 7, PROBE_MACS = 32, PROBE_ASKERS = PROBE_IPS * PROBE_MACS };

struct probe_frames_options {
    const char *interface;
    struct mac from_mac;         /* the first of PROBE_MACS that differ in the last octet but one */
    struct ip from_ip, from_ip6; /* the first of PROBE_IPS each */
};

/* NULL and a negative errno in ret_error when the interface cannot be opened. */
struct probe_frames *probe_frames_open(struct loop *loop,
                                       const struct probe_frames_options *options,
                                       struct probe_names *names, int *ret_error);
struct probe_frames *probe_frames_close(struct probe_frames *frames);

/* One more address to ask for; the record is the caller's and outlives frames. */
void probe_frames_add(struct probe_frames *frames, const struct ip *ip,
                      struct probe_record *record);
/* Asks for every address. */
void probe_frames_ask(struct probe_frames *frames);

#endif
