/* What the carrying of connections (carrier.h) has come to. */
#ifndef SPEAKER_CARRIER_FIGURES_H
#define SPEAKER_CARRIER_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct carrier_figures {
    bool ipv4, ipv6;         /* can be carried at all */
    const char *why_not;     /* one of them or both; "": they can */
    size_t addresses;        /* that are carried now */
    uint64_t packets, bytes; /* sent on since the start of the process */
    uint64_t failures;       /* batches that the kernel did not take */
    uint64_t restored;       /* times that rules were put back */
    int error;               /* why the last batch is not in force; 0: it is */
};

#endif
