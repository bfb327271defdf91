/* An address that there is, or once was, something to do about. Inside of apply. */
#ifndef SPEAKER_APPLY_HELD_H
#define SPEAKER_APPLY_HELD_H

#include <sys/queue.h>

#include "arp/announce.h"
#include "common/base/map.h"
#include "common/base/vec.h"
#include "common/net/ip_table.h"
#include "speaker/apply.h"
#include "speaker/intern.h"

struct held;

/* A probe under way on one interface. */
struct probing {
    LIST_ENTRY(probing) link;
    struct apply *apply;
    struct held *held;
    uint32_t interface;
    struct responder_probe *probe;
};

/* Interfaces by index. Thousands of addresses have the same ones, so they are shared. */
struct interfaces {
    unsigned refs;
    size_t count;
    uint32_t indices[];
};

/* What few addresses have, or all for a moment. */
struct held_more {
    struct ip ip;
    LIST_HEAD(, probing) probes;
    uint64_t requests, replies, gratuitous; /* by responders that do not own it any more */
};

struct held {
    struct ip ip;
    bool seen;      /* by the plan under way */
    bool announced; /* ever */
    struct tenure tenure;
    struct announce rounds;
    struct interfaces *interfaces; /* where it is, or will be, answered for; NULL: nowhere */
};

/* A change to be logged. */
struct change {
    struct ip ip;
    enum tenure_state old, new;
    struct str peer;
};

struct apply {
    struct loop *loop;
    struct apply_options options;
    const struct apply_calls *calls;
    void *ctx;
    struct links *links;
    struct ip_table held;          /* struct held */
    struct ip_table more;          /* struct held_more of those that have it */
    uint64_t chaos;                /* of their announcements at rest */
    struct keep *keep;             /* of what is held */
    struct interfaces *interfaces; /* as they were set last; NULL: none */
    struct intern names;           /* of members that tenures and changes refer to */
    const struct plan *plan;
    const struct stations *stations;
    bool met; /* stations of members are known by this plan, and were not by the one before */
    VEC(struct change) changes;
    size_t logged;               /* of them */
    bool changed;                /* since the owner was told */
    struct loop_timer *timer;    /* the next announcement or tick of a tenure */
    struct loop_timer *settling; /* deferred: when that is */
    struct loop_timer *logging;  /* changes are to be logged */
    size_t counts[TENURE_STATES];
};

/* Is one of its interfaces not listened on yet? */
bool held_waits(const struct apply *apply, const struct held *held);
/* Is one of them listened on? */
bool held_is_listened(const struct apply *apply, const struct held *held);
bool held_has_interface(const struct held *held, uint32_t interface);
/* From now on it is on the interfaces of those names. Returns whether they are others. */
bool held_set_interfaces(struct apply *apply, struct held *held, const struct str_list *names);
/* Stops its probes and frees it. */
void held_free(struct apply *apply, struct held *held);
/* What else there is of it, or NULL. */
struct held_more *held_more(const struct apply *apply, const struct held *held);

/* Owns or disowns the address on its interfaces, as its tenure wants it. */
void held_sync(struct apply *apply, struct held *held);
/* Adds what the responder counted to what is kept. */
void held_keep_figures(struct apply *apply, struct held *held, const struct responder *responder);
/* Sends one round on its interfaces. */
void held_send(struct apply *apply, struct held *held);

/* Starts to probe where that is possible and not under way; stops it everywhere. */
void held_probe(struct apply *apply, struct held *held);
void held_probe_stop(struct apply *apply, struct held *held);
/* Is a probe under way on any interface? */
bool held_is_probed(const struct apply *apply, const struct held *held);
/* The responder of that interface goes, and its probes with it. */
void held_forget_probe(struct apply *apply, struct held *held, uint32_t interface);

/* Steps the tenure, carries out what it says and notes it. */
void held_step(struct apply *apply, struct held *held, const struct tenure_event *event,
               const struct apply_note *note);

/* Timers are to be looked at when this turn of the loop ends. */
void apply_settle(struct apply *apply);

#endif
