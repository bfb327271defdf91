/* Flags and environment of stentorctl, as a table, and its manual. */
#ifndef CTL_SETTINGS_H
#define CTL_SETTINGS_H

#include "common/program/program_settings.h"

struct settings {
    struct program_settings common; /* stays first */
    struct str lb_class;
    bool ignore_excluded;
    int election;            /* 1: hash */
    int output;              /* enum show_format */
    struct str controller;   /* URL */
    struct str_list speaker; /* URLs */
    uint64_t speaker_port;
    struct str_list kill, drain;
    uint64_t add, per_node, failures;
    bool back;
    uint64_t timeout_ms;
};

extern const struct program_flags settings_flags; /* fills a struct settings */

/* The parts of a list that was given many times or with commas, in the arena. */
struct str_list settings_parts(const struct str_list *list, struct arena *arena);

#endif
