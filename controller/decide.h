/* The decision about one Service: what it keeps, what it is given, and in which words.
 *
 * Two steps, so that nobody new takes what somebody has: everyone who holds addresses goes through
 * decide_hold first, and those who then have none through decide_seek. */
#ifndef CONTROLLER_DECIDE_H
#define CONTROLLER_DECIDE_H

#include "controller/record.h"
#include "controller/want.h"

struct decision {
    struct alloc *alloc;
    struct plan_record *record; /* emptied by the caller but for key and object */
    struct arena *texts;        /* of the record */
    struct arena *scratch;
    struct want want;
    bool written_ahead; /* the record is newer than the object's status */
    bool freed;         /* set when something was given up that others may wait for */
};

/* Keeps what the Service shows, or what was decided for it, if the rules allow; otherwise it is
 * given up, with a note. True when the Service is settled, false when it is to seek. */
bool decide_hold(struct decision *d);

/* Finds addresses, or says why there are none. */
void decide_seek(struct decision *d);

/* Notes the use of deprecated annotations; decide_hold does this by itself. */
void decide_note_deprecated(struct decision *d);

/* Adds a note to the record; the message is copied. */
void decide_note(struct decision *d, const char *reason, bool warning, struct str message);

#endif
