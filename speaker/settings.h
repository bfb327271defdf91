/* Flags and environment of stentor-speaker, as a table. Names are MetalLB's where the same thing
 * exists. */
#ifndef SPEAKER_SETTINGS_H
#define SPEAKER_SETTINGS_H

#include "common/program/program_settings.h"

struct settings {
    struct program_settings common; /* stays first */
    struct str node;
    /* what is done */
    struct str lb_class;
    bool ignore_excluded;
    struct str excludes_path;
};

extern const struct program_flags settings_flags; /* fills a struct settings */

#endif
