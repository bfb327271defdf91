/* --check: reads manifests once, plans, prints. */
#ifndef CONTROLLER_CHECK_H
#define CONTROLLER_CHECK_H

#include "controller/settings.h"

/* Prints plan and findings on standard output. The exit status: 0, or 1 when a finding is an
 * error. settings->check names the directory. */
int check_run(const struct settings *settings);

#endif
