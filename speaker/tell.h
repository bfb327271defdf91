/* Tells people what has changed from one plan to the next: the log, and Events on the Services.
 * Only transitions are told: tell_plans finds them, tell_some tells of them. */
#ifndef SPEAKER_TELL_H
#define SPEAKER_TELL_H

#include "common/base/vec.h"
#include "common/source/source.h"
#include "speaker/plan.h"

struct tell_item;

struct tell {
    struct source *source;
    struct str node;                              /* ours */
    bool (*owns)(void *ctx, const struct ip *ip); /* is it announced from here? */
    /* Whether a Service is announced from here, or where, has changed. took: it is, and was not. */
    void (*changed)(void *ctx, struct str service, bool took);
    void *ctx;
    /* What is to be told yet: a fail-over of thousands of Services must not stop everything else.
     */
    VEC(struct tell_item *) items;
    size_t next;
};

/* Tells of some of what tell_plans found. True: there is more. */
bool tell_some(struct tell *tell);
/* Forgets the rest. */
void tell_done(struct tell *tell);

/* before: what was told of last; NULL: nothing was. It may be the same plan, which is carried out
 * further now. Sets `announced` in what is told of. */
void tell_plans(struct tell *tell, const struct plan *before, struct plan *after);

/* One Event on a Service, if it is there. */
void tell_event(const struct tell *tell, struct str service, bool warning, struct str reason,
                struct str message);

/* Findings about what could not be read or was refused. */
void tell_findings(const struct diag_list *findings);

#endif
