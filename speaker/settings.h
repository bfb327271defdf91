/* Flags and environment of stentor-speaker, as a table. Names are MetalLB's where the same thing
 * exists. */
#ifndef SPEAKER_SETTINGS_H
#define SPEAKER_SETTINGS_H

#include "common/base/log.h"
#include "common/base/options.h"

struct settings {
    struct str node;
    /* where objects come from */
    struct str manifests, status;
    struct str kubeconfig, context;
    struct str namespace;
    /* what is done */
    struct str lb_class;
    bool ignore_excluded;
    /* how it is watched */
    struct str bind_address;
    uint64_t port, health_port;
    int log_level;  /* enum log_level, or one more for "all" */
    int log_format; /* enum log_format */
};

extern const struct options settings_options;

/* What the rows cannot say: flags that are needed, or that need or exclude each other. 0, or
 * ERR_SYNTAX with a sentence in ret_error. */
int settings_check(const struct settings *settings, struct str *ret_error)
    __attribute__((warn_unused_result));

/* The log level; "all" is debug. */
enum log_level settings_log_level(const struct settings *settings);

#endif
