/* What BIRD's words about a session mean to who configured it. Pure. */
#ifndef SPEAKER_BGP_ADVICE_H
#define SPEAKER_BGP_ADVICE_H

#include "common/base/str.h"

/* A sentence without a capital and a full stop for a "Last error" of BIRD's ("Received: Hold timer
 * expired"); empty when there is nothing to add. A constant. */
struct str bgp_advice(struct str error);

#endif
