/* Tells people what has changed from one plan to the next: the log, and Events on the Services.
 * Only transitions are told. */
#ifndef SPEAKER_TELL_H
#define SPEAKER_TELL_H

#include "common/source/source.h"
#include "speaker/plan.h"

struct tell {
    struct source *source;
    struct str node; /* ours */
};

/* before may be NULL: nothing was planned. */
void tell_plans(const struct tell *tell, const struct plan *before, const struct plan *after);

/* One Event on a Service, if it is there. */
void tell_event(const struct tell *tell, struct str service, bool warning, struct str reason,
                struct str message);

/* Findings about what could not be read or was refused. */
void tell_findings(const struct diag_list *findings);

#endif
