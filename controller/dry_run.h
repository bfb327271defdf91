/* What a controller would do about a set of objects, all at once: --check, and stentorctl. Pure. */
#ifndef CONTROLLER_DRY_RUN_H
#define CONTROLLER_DRY_RUN_H

#include "controller/config.h"
#include "controller/report.h"

struct dry_run;

struct dry_run_options {
    struct str lb_class;
    bool hash; /* --election, for advertisements that do not say */
    bool ignore_excluded;
};

/* Judges the configuration, gives addresses and places all Services, as a leader would when no
 * speaker is missing and it may move what it likes. Kinds that are missing count as empty. The
 * objects and the arena outlive it. */
struct dry_run *dry_run_new(const struct config_input *input, const struct dry_run_options *options,
                            struct arena *arena);
/* NULL is fine; returns NULL. */
struct dry_run *dry_run_free(struct dry_run *dry_run);
SCOPE_DEFINE(dry_run, struct dry_run, dry_run_free)

/* The outcome, without findings; borrowed. */
struct report dry_run_report(const struct dry_run *dry_run);

/* What was found in the configuration; borrowed. */
const struct diag_list *dry_run_findings(const struct dry_run *dry_run);

#endif
