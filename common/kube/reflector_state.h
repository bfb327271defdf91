/* What a reflector does next: list in pages, watch, wait, begin again. Pure: the shell reports what
 * happened and does what it is told.
 *
 * The promise: between two objects delivered there is no gap. A watch starts behind the version of
 * a complete list or of the last event, and whenever the server no longer has that history (410),
 * or says something that cannot be right, everything is listed anew and what the list does not
 * name is gone. Errors delay, they never discard. */
#ifndef COMMON_KUBE_REFLECTOR_STATE_H
#define COMMON_KUBE_REFLECTOR_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"
#include "common/kube/backoff.h"

enum reflector_phase {
    REFLECTOR_IDLE,
    REFLECTOR_LISTING,    /* a page is under way */
    REFLECTOR_WATCHING,   /* a watch is under way */
    REFLECTOR_LIST_WAIT,  /* then list from the start */
    REFLECTOR_WATCH_WAIT, /* then watch from where we were */
};

enum reflector_event_type {
    REFLECTOR_START,
    REFLECTOR_PAGE,     /* a page is complete: last, version */
    REFLECTOR_FAILED,   /* the list request ended otherwise: result, retry_after_ms */
    REFLECTOR_PROGRESS, /* an event was taken from the watch: version */
    REFLECTOR_BOOKMARK, /* the same, of a bookmark */
    REFLECTOR_ENDED,    /* the watch ended: result (0: the server ended it), retry_after_ms */
    REFLECTOR_TIMER,
    REFLECTOR_RELIST, /* the owner wants a list of the newest state */
    REFLECTOR_STOP,
};

struct reflector_event {
    enum reflector_event_type type;
    struct str version; /* resourceVersion */
    bool last;
    int result;
    uint64_t retry_after_ms;
};

enum reflector_deed {
    REFLECTOR_NOTHING,
    REFLECTOR_DO_LIST, /* request the first page; what earlier pages named is forgotten */
    REFLECTOR_DO_PAGE, /* request the next page */
    REFLECTOR_DO_WATCH,
    REFLECTOR_DO_WAIT,
};

struct reflector_action {
    enum reflector_deed deed;
    bool cancel; /* end the request or timer under way first */
    bool sweep;  /* first: the list is complete, what it did not name is gone */
    uint64_t wait_ms;
    unsigned timeout_s; /* of the watch, for the server */
};

enum { REFLECTOR_VERSION_MAX = 128 };

struct reflector_state {
    enum reflector_phase phase;
    struct backoff backoff;
    char version[REFLECTOR_VERSION_MAX]; /* where the watch goes on */
    size_t version_len;
    uint64_t watch_since; /* ms */
    bool progressed;      /* this watch has brought something */
};

void reflector_state_init(struct reflector_state *state);

/* One step. now is monotonic ms, random any 32 bits. Events that do not fit the phase (a late
 * report after a cancel) do nothing. */
struct reflector_action reflector_step(struct reflector_state *state,
                                       const struct reflector_event *event, uint64_t now,
                                       uint32_t random);

/* The resourceVersion behind which the next watch starts. Borrowed from the state. */
struct str reflector_version(const struct reflector_state *state);

#endif
