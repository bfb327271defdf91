/* Flags and environment of stentor-speaker, as a table. Names are MetalLB's where the same thing
 * exists. */
#ifndef SPEAKER_SETTINGS_H
#define SPEAKER_SETTINGS_H

#include "common/program/program_members.h"
#include "common/program/program_settings.h"

enum settings_probe { SETTINGS_PROBE_FAST, SETTINGS_PROBE_FULL, SETTINGS_PROBE_OFF };

enum settings_output { SETTINGS_BIRD };

struct settings {
    struct program_settings common; /* stays first */
    struct str node;
    struct str pod;
    struct str check; /* a directory to read once; empty: serve */
    int output;       /* enum settings_output */
    /* what is done */
    struct str lb_class;
    bool ignore_excluded;
    struct str excludes_path;
    /* who else is there */
    struct program_members members;
    struct str labels;
    uint64_t hold_down_ms;
    uint64_t refresh_ms;
    int probe; /* enum settings_probe */
    /* BGP */
    struct str bird, bird_dir;
    uint64_t drain_ms;
    int sandbox; /* enum sandbox_mode */
};

extern const struct program_flags settings_flags; /* fills a struct settings */

#endif
