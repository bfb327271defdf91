/* The source that a program's settings ask for. */
#ifndef COMMON_PROGRAM_PROGRAM_SOURCE_H
#define COMMON_PROGRAM_PROGRAM_SOURCE_H

#include "common/program/program_main.h"
#include "common/source/source_kube.h"

/* The directory of --manifests, else the Kubernetes API. `config` says what the settings do not:
 * reporter, instance, observe, ctx; auth and program are filled in here. The source is the caller's
 * (source_free). NULL with a sentence in ret_error (arena) when the configuration cannot be used.
 */
struct source *program_source_open(struct program *program, const struct source_kube_config *config,
                                   struct str *ret_error);

#endif
