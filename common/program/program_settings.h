/* Settings that every program has: where objects come from, where it is watched, what it logs. Each
 * program's struct of settings starts with a struct program_settings, and its table of flags takes
 * the rows below in among its own, wherever they read best:
 *
 *     struct settings {
 *         struct program_settings common;
 *         struct str node;
 *     };
 *     static const struct option rows[] = {
 *         {"node-name", "METALLB_NODE_NAME", OPTION_STR, offsetof(struct settings, node), …},
 *         PROGRAM_ROWS_KUBE("the namespace whose metallb.io objects count"),
 *     };
 *
 * Names are MetalLB's where the same thing exists. Pure. */
#ifndef COMMON_PROGRAM_PROGRAM_SETTINGS_H
#define COMMON_PROGRAM_PROGRAM_SETTINGS_H

#include "common/base/log.h"
#include "common/base/options.h"

struct program_settings {
    /* where objects come from */
    struct str manifests, status;
    struct str kubeconfig, context;
    struct str state_dir;
    struct str namespace;
    /* how it is watched */
    struct str bind_address;
    uint64_t port, health_port;
    int log_level;  /* enum log_level, or one more for "all" */
    int log_format; /* enum log_format */
    /* What is left of the command line; only where the options allow operands. */
    struct str_list operands;
};

extern const struct names program_settings_levels, program_settings_formats;

#define PROGRAM_AT(member) offsetof(struct program_settings, member)

/* --manifests, --status */
#define PROGRAM_ROWS_DIRECTORY(status_help)                                                        \
    {"manifests",                                                                                  \
     NULL,                                                                                         \
     OPTION_STR,                                                                                   \
     PROGRAM_AT(manifests),                                                                        \
     .value = "DIR",                                                                               \
     .help = "read objects from the YAML and JSON files in DIR and follow their changes, instead " \
             "of from a Kubernetes API server"},                                                   \
    {                                                                                              \
        "status", NULL, OPTION_STR, PROGRAM_AT(status), .value = "DIR", .help = (status_help)      \
    }

/* --kubeconfig, --context, --namespace */
#define PROGRAM_ROWS_KUBE(namespace_help)                                                       \
    {"kubeconfig",                                                                              \
     "KUBECONFIG",                                                                              \
     OPTION_STR,                                                                                \
     PROGRAM_AT(kubeconfig),                                                                    \
     .value = "FILE",                                                                           \
     .help = "how to reach the API server; without it the service account of the pod is used"}, \
        {"context",                                                                             \
         NULL,                                                                                  \
         OPTION_STR,                                                                            \
         PROGRAM_AT(context),                                                                   \
         .value = "NAME",                                                                       \
         .help = "the context of the kubeconfig to use, instead of its current one"},           \
    {                                                                                           \
        "namespace", "METALLB_NAMESPACE", OPTION_STR, PROGRAM_AT(namespace),                    \
            .value = "NAME", .help = (namespace_help)                                           \
    }

/* --state-dir */
#define PROGRAM_ROWS_STATE                                                                      \
    {                                                                                           \
        "state-dir", NULL, OPTION_STR, PROGRAM_AT(state_dir),                                   \
            .value = "DIR",                                                                     \
            .help =                                                                             \
                "where what the API server has told is saved, to be worked from after a start " \
                "without it; without the flag nothing "                                         \
                "is saved"                                                                      \
    }

/* --bind-address, --port */
#define PROGRAM_ROWS_API                                                                           \
    {"bind-address",                                                                               \
     NULL,                                                                                         \
     OPTION_STR,                                                                                   \
     PROGRAM_AT(bind_address),                                                                     \
     .fallback = "127.0.0.1",                                                                      \
     .value = "ADDRESS",                                                                           \
     .help = "address of the REST API and the metrics; they name Services and addresses, so they " \
             "are served to this host alone unless told otherwise"},                               \
    {                                                                                              \
        "port", NULL, OPTION_UINT, PROGRAM_AT(port),                                               \
            .fallback = "9120", .max = 65535, .value = "PORT",                                     \
            .help = "port of the REST API and the metrics; 0 takes a free one and logs it"         \
    }

/* --health-probe-port */
#define PROGRAM_ROWS_HEALTH(port_help)                                              \
    {                                                                               \
        "health-probe-port", NULL, OPTION_UINT, PROGRAM_AT(health_port),            \
            .fallback = "17472", .max = 65535, .value = "PORT", .help = (port_help) \
    }

/* --log-level, --log-format */
#define PROGRAM_ROWS_LOG                                                                 \
    {"log-level",                                                                        \
     NULL,                                                                               \
     OPTION_ENUM,                                                                        \
     PROGRAM_AT(log_level),                                                              \
     .fallback = "info",                                                                 \
     .names = &program_settings_levels,                                                  \
     .value = "LEVEL",                                                                   \
     .help = "the least level that is logged: all, debug, info, warn, error, none"},     \
    {                                                                                    \
        "log-format", NULL, OPTION_ENUM, PROGRAM_AT(log_format),                         \
            .fallback = "logfmt", .names = &program_settings_formats, .value = "FORMAT", \
            .help = "logfmt or json"                                                     \
    }

/* --log-level alone, for a program that people call: nothing unless asked for */
#define PROGRAM_ROWS_LOG_QUIET                                                            \
    {                                                                                     \
        "log-level", NULL, OPTION_ENUM, PROGRAM_AT(log_level),                            \
            .fallback = "none", .names = &program_settings_levels, .value = "LEVEL",      \
            .help = "the least level that is logged: all, debug, info, warn, error, none" \
    }

/* The flags of a program and what they fill. */
struct program_flags {
    struct options options;
    size_t settings_size; /* of the program's struct, which starts with a struct program_settings */
    /* What neither the rows nor program_settings_check say, which it calls. */
    int (*check)(const struct program_settings *settings, struct str *ret_error);
};

/* The command line without the program's name, and the environment, which ends in NULL (NULL:
 * none). */
struct program_arguments {
    char *const *items;
    size_t count;
    char *const *environment;
};

/* Reads and checks the settings. enum options_outcome; with OPTIONS_RUN ret points to the program's
 * struct (arena; texts are borrowed from the arguments). Or ERR_SYNTAX with a sentence in ret_error
 * (arena, or constant). */
int program_settings_parse(const struct program_flags *flags,
                           const struct program_arguments *arguments, struct arena *arena,
                           struct program_settings **ret, struct str *ret_error)
    __attribute__((warn_unused_result));

/* What the common rows cannot say: flags that need or exclude each other. 0, or ERR_SYNTAX with a
 * sentence in ret_error. */
int program_settings_check(const struct program_settings *settings, struct str *ret_error)
    __attribute__((warn_unused_result));

/* For checks: sets the sentence (constant) and returns ERR_SYNTAX. */
int program_settings_refuse(struct str *ret_error, struct str sentence)
    __attribute__((warn_unused_result));

/* The log level; "all" is debug. */
enum log_level program_settings_log_level(const struct program_settings *settings);

#endif
