/* --check: reads manifests once and prints what this node would do with them.
 *
 *     --output bird    the configuration of BIRD, whole: `bird -p -c FILE` takes it as it stands
 *
 * Findings go to standard error. */
#ifndef SPEAKER_CHECK_H
#define SPEAKER_CHECK_H

#include "speaker/settings.h"

/* settings->check names the directory. The exit status: 0, or 1 when a finding is an error. */
int check_run(const struct settings *settings);

#endif
