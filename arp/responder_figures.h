/* What the responder of an interface counts. */
#ifndef ARP_RESPONDER_FIGURES_H
#define ARP_RESPONDER_FIGURES_H

#include "arp/reaction.h"

/* Figures since the responder was opened. */
struct responder_figures {
    uint64_t received;    /* requests for addresses of ours */
    uint64_t answered;    /* replies sent */
    uint64_t announced;   /* gratuitous frames sent */
    uint64_t probes;      /* probes sent */
    uint64_t claims;      /* frames in which another station claims an address of ours */
    uint64_t dropped;     /* frames not answered, for any reason */
    uint64_t lost;        /* frames for us that came faster than they were read */
    uint64_t send_errors; /* frames that the kernel did not take */
    /* Frames received, by what was decided. */
    uint64_t verdicts[REACTION_PROTOCOLS][REACTION_VERDICTS];
};

#endif
