/* Leader election by a Lease (coordination.k8s.io/v1), with the rules of the reference client: who
 * holds the lease is trusted for its duration from when *we* saw it change (clocks of others are
 * never compared); the holder renews every retry_ms and gives up when it could not for renew_ms,
 * which is shorter than the lease, so that two never lead at once. Pure: the shell reports and
 * does what it is told. */
#ifndef COMMON_KUBE_LEASE_STATE_H
#define COMMON_KUBE_LEASE_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/str.h"

struct lease_config {
    struct str identity; /* unique to this process; borrowed for the state's life */
    uint64_t lease_ms;   /* others take over after this long without a change */
    uint64_t renew_ms;   /* we stop leading after this long without a successful renewal */
    uint64_t retry_ms;   /* between tries */
};

/* The spec of a Lease. Times are kept as text: they are only compared for equality. */
struct lease_record {
    struct str holder;
    int64_t duration_s;
    int64_t transitions;
    struct str acquired, renewed;
    struct str version; /* metadata.resourceVersion */
};

enum lease_phase {
    LEASE_IDLE,
    LEASE_WAITING,
    LEASE_READING,
    LEASE_WRITING,   /* acquiring or renewing */
    LEASE_RELEASING, /* the write that gives the lease back is under way */
    LEASE_STOPPED,
};

enum lease_event_type {
    LEASE_START,
    LEASE_READ,     /* record (its texts are copied) */
    LEASE_ABSENT,   /* there is no such Lease */
    LEASE_WRITTEN,  /* record.version is the new one */
    LEASE_CONFLICT, /* the write's precondition failed, or another created the Lease */
    LEASE_FAILED,   /* a read or write failed otherwise; a write may have been done all the same */
    LEASE_TIMER,
    LEASE_STOP, /* give the lease back if it is ours, then end */
};

struct lease_event {
    enum lease_event_type type;
    struct lease_record record;
};

enum lease_deed {
    LEASE_NOTHING,
    LEASE_DO_READ,
    LEASE_DO_CREATE, /* of `record` */
    LEASE_DO_UPDATE, /* the same, with record.version as precondition */
    LEASE_DONE,      /* after LEASE_STOP: nothing is left to do */
};

enum lease_change {
    LEASE_UNCHANGED,
    LEASE_GAINED,    /* it was free: given back, or never held */
    LEASE_SUCCEEDED, /* gained from a holder who let it run out, whose writes may still be done */
    LEASE_RESUMED,   /* gained again, and nobody else held it meanwhile */
    LEASE_LOST,
};

struct lease_action {
    enum lease_deed deed;
    enum lease_change change; /* to be told before the deed is done */
    bool cancel;              /* end the request under way first */
    struct lease_record record;
    uint64_t wake_at; /* report LEASE_TIMER then (monotonic ms); UINT64_MAX: never */
};

struct lease_clock {
    uint64_t now;    /* monotonic ms */
    int64_t wall_ns; /* for the Lease's times */
    uint32_t random; /* any 32 bits */
};

struct lease_state {
    struct lease_config config;
    enum lease_phase phase;
    bool leading, stopping;
    enum lease_change gain;       /* what it will be when it is gained next */
    struct arena *arena;          /* of `observed`; replaced with it */
    struct lease_record observed; /* the last we saw or wrote */
    struct lease_record writing;  /* what the write under way says */
    uint64_t observed_at;         /* when it changed */
    uint64_t sent_at;             /* when the write under way was sent */
    uint64_t renewed_at;          /* when the last successful write was sent */
    uint64_t next_at;             /* in LEASE_WAITING: the next try */
};

void lease_state_init(struct lease_state *state, const struct lease_config *config);
void lease_state_done(struct lease_state *state);

struct lease_action lease_step(struct lease_state *state, const struct lease_event *event,
                               const struct lease_clock *clock);

/* Who holds the lease as far as we know; empty: nobody. Borrowed until the next step. */
struct str lease_holder(const struct lease_state *state);

/* A Lease object to its record; what is missing or of the wrong type is empty or 0. */
struct lease_record lease_decode(const json_t *tree, struct arena *arena);

/* The body that creates a Lease, or merges the record into it (with its version as precondition
 * when that is not empty). In the arena. */
struct str lease_body(const struct lease_record *record, struct str namespace, struct str name,
                      struct arena *arena);

#endif
