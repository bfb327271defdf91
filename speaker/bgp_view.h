/* The BGP sessions as people want to know them: is it up, since when, why not. Pure. */
#ifndef SPEAKER_BGP_VIEW_H
#define SPEAKER_BGP_VIEW_H

#include "bgp/model.h"
#include "bgp/status.h"

struct bgp_view {
    struct str peer;      /* the BGPPeer's name */
    struct str object;    /* its id */
    struct ip address;    /* of the router; unset: unnumbered, and nobody has come yet */
    struct str interface; /* unnumbered; else empty */
    struct str vrf;
    uint64_t port;
    struct str protocol; /* what BIRD calls it */
    enum status_state state;
    int64_t since;     /* of the state, in seconds since 1970; 0: not known */
    struct str why;    /* it is not up, in a sentence; empty when it is */
    struct str advice; /* what that means to who configured it; may be empty */
    uint64_t prefixes; /* that the router has from us now */
    uint64_t updates;  /* routes sent or withdrawn since the session came up */
    uint64_t wanted;   /* prefixes that are for it */
    uint64_t hold_time, keepalive_time, peer_as;
    bool peer_restarts;
    bool bfd; /* is asked for; bfd_state tells */
    enum status_bfd_state bfd_state;
};

/* One for each session of the model, in its order. bird: it runs and answers. Texts are borrowed
 * from all three; the array is in the arena. */
struct bgp_view *bgp_view_make(const struct model *model, const struct status *status,
                               const struct status_bfd_list *bfd, bool bird, struct arena *arena);

#endif
