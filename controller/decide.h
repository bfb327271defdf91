/* The decision about one Service: what it keeps, what it is given, and in which words.
 *
 * Steps, so that nobody new takes what somebody has: everyone goes through decide_hold first; then
 * those who hold one address and may have another go through decide_complete; then those who have
 * none through decide_seek. */
#ifndef CONTROLLER_DECIDE_H
#define CONTROLLER_DECIDE_H

#include "controller/quarantine.h"
#include "controller/record.h"
#include "controller/want.h"

struct decision {
    struct alloc *alloc;
    struct plan_record *record; /* emptied by the caller but for key and object */
    struct arena *texts;        /* of the record */
    struct arena *scratch;
    struct want want;
    const struct quarantine *quarantine; /* may be NULL */
    bool written_ahead;                  /* the record is newer than the object's status */
    bool freed; /* set when something was given up that others may wait for */
};

enum decide_step {
    DECIDE_SETTLED,
    DECIDE_COMPLETE, /* it keeps its addresses: decide_complete is next */
    DECIDE_SEEK,     /* it has none: decide_seek is next */
};

/* Those who alone keep the Service from holding what it shows, sorted, in scratch; most often
 * nobody. Before decide_hold. */
struct str_list decide_blockers(const struct decision *d);

/* Gives up what the Service holds without showing it, for another one who does show it. Before
 * decide_hold, which then makes the best of what is left. */
void decide_give_way(struct decision *d);

/* Keeps what the Service shows, or what was decided for it, if the rules allow; otherwise it is
 * given up, with a note. */
enum decide_step decide_hold(struct decision *d);

/* Settles a Service that keeps its addresses, and adds the second family if it may have one.
 * Without one that it must have it gives up: DECIDE_SEEK is then next. */
enum decide_step decide_complete(struct decision *d);

/* Finds addresses, or says why there are none. */
void decide_seek(struct decision *d);

/* Notes the use of deprecated annotations; decide_hold does this by itself. */
void decide_note_deprecated(struct decision *d);

/* Adds a note to the record; the message is copied. */
void decide_note(struct decision *d, const char *reason, bool warning, struct str message);

#endif
