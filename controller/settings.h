/* Flags and environment of stentor-controller, as a table. Names are MetalLB's where the same
 * thing exists. */
#ifndef CONTROLLER_SETTINGS_H
#define CONTROLLER_SETTINGS_H

#include "common/base/log.h"
#include "common/base/options.h"

enum settings_output { SETTINGS_TEXT, SETTINGS_JSON };

struct settings {
    /* where objects come from */
    struct str manifests, status, check;
    struct str kubeconfig, context;
    struct str namespace;
    /* what is done */
    struct str lb_class;
    int output; /* enum settings_output */
    bool elect;
    uint64_t lease_ms, renew_ms, retry_ms;
    struct str identity;
    uint64_t writes_in_flight;
    /* how it is watched */
    struct str bind_address, health_address, cert_dir;
    uint64_t port, health_port;
    int log_level;  /* enum log_level */
    int log_format; /* enum log_format */
};

extern const struct options settings_options;

/* What the rows cannot say: flags that exclude or need each other. 0, or ERR_SYNTAX with a
 * sentence in ret_error (arena). */
int settings_check(const struct settings *settings, struct arena *arena, struct str *ret_error)
    __attribute__((warn_unused_result));

/* The log level; "all" is debug. */
enum log_level settings_log_level(const struct settings *settings);

#endif
