/* What the files of the responder share: responder.c (lifetime, frames, addresses),
 * responder_probe.c and responder_announce.c. */
#ifndef ARP_RESPONDER_INTERNAL_H
#define ARP_RESPONDER_INTERNAL_H

#include <net/if.h>

#include "arp/capture.h"
#include "arp/membership.h"
#include "arp/responder.h"
#include "common/base/vec.h"

struct responder {
    struct loop *loop;
    struct mac mac;
    uint64_t seed;
    const struct responder_calls *calls;
    void *ctx;
    struct owned *owned;
    struct membership *membership;
    struct capture *captures[REACTION_PROTOCOLS];
    bool may_answer; /* in this turn */
    char name[IF_NAMESIZE];
    struct responder_figures figures;

    /* The table has got addresses that the filter does not let through, or lost some. */
    bool filter_lacks[REACTION_PROTOCOLS], filter_has_more[REACTION_PROTOCOLS];
    struct loop_timer *widening, *narrowing; /* when such filters are made anew */

    VEC(struct responder_probe *) probes;
    uint64_t probes_started;

    VEC(struct ip) unsent; /* addresses whose announcement the kernel had no room for */
    struct loop_timer *resending;
    unsigned resend_tries;
    uint64_t groups_retry; /* not before then */
};

enum reaction_protocol responder_protocol_of(const struct ip *ip);

/* Sends a frame: 0 or a negative errno, which is counted. */
int responder_send(struct responder *responder, enum reaction_protocol protocol,
                   const uint8_t *frame, size_t size);

/* An address has come to the table, or has gone from it. The filter follows, at the end of this
 * turn or later, when it has only become too wide. */
void responder_table_grew(struct responder *responder, const struct ip *ip);
void responder_table_shrank(struct responder *responder, const struct ip *ip);

/* The filter lets through, from now on at the latest, what is about the addresses of the table:
 * before something is sent to which neighbours will answer. */
void responder_widen_filters(struct responder *responder);

/* Somebody claims that address: ends the probes for it. */
void responder_probes_end(struct responder *responder, const struct ip *ip, const struct mac *mac);

/* Cancels all. */
void responder_probes_done(struct responder *responder);
void responder_unsent_done(struct responder *responder);

#endif
