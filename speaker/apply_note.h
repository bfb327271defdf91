/* Something worth telling about an address. */
#ifndef SPEAKER_APPLY_NOTE_H
#define SPEAKER_APPLY_NOTE_H

#include "common/net/mac.h"
#include "speaker/tenure.h"

struct apply_note {
    enum tenure_note kind;
    struct ip ip;
    struct str member;    /* the other one; empty: none, or a stranger */
    struct mac mac;       /* of a stranger */
    struct str interface; /* where the stranger was heard */
    bool challenged;      /* with TENURE_CONFLICT: it is asked, and was not a moment ago */
    bool defended;        /* with TENURE_TRESPASS: an announcement was sent against it */
    uint64_t lasted_ms;   /* with TENURE_CONFIRMED: since the hand-over began */
};

#endif
