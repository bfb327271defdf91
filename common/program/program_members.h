/* Flags of a program that is a member of the speakers' failure detector (common/gossip): where it
 * listens, with which key, and where the others may be. Names are MetalLB's where the same thing
 * exists. Pure. */
#ifndef COMMON_PROGRAM_PROGRAM_MEMBERS_H
#define COMMON_PROGRAM_PROGRAM_MEMBERS_H

#include "common/base/options.h"
#include "common/net/ip.h"
#include "crd/validate.h"

struct program_members {
    struct str bind, key_dir;
    struct str_list peers;
    uint64_t port;
};

/* --ml-bindaddr, --ml-bindport, --ml-secret-key-path, --ml-peers; `at` is the offset of a struct
 * program_members in the program's settings. */
#define PROGRAM_ROWS_MEMBERS(at, bind_help)                                                       \
    {"ml-bindaddr",      "METALLB_ML_BIND_ADDR",                                                  \
     OPTION_STR,         (at) + offsetof(struct program_members, bind),                           \
     .value = "ADDRESS", .help = (bind_help)},                                                    \
        {"ml-bindport",                                                                           \
         "METALLB_ML_BIND_PORT",                                                                  \
         OPTION_UINT,                                                                             \
         (at) + offsetof(struct program_members, port),                                           \
         .fallback = "7946",                                                                      \
         .min = 1,                                                                                \
         .max = 65535,                                                                            \
         .value = "PORT",                                                                         \
         .help = "UDP port of that, the same on all nodes"},                                      \
        {"ml-secret-key-path",                                                                    \
         "METALLB_ML_SECRET_KEY_PATH",                                                            \
         OPTION_STR,                                                                              \
         (at) + offsetof(struct program_members, key_dir),                                        \
         .value = "DIR",                                                                          \
         .help = "the directory where the Secret is mounted whose secretkey the speakers share; " \
                 "needed with --ml-bindaddr"},                                                    \
    {                                                                                             \
        "ml-peers", NULL, OPTION_LIST, (at) + offsetof(struct program_members, peers),            \
            .value = "ADDRESS",                                                                   \
            .help = "where other speakers are, with commas or given many times; without it the "  \
                    "internal addresses of the Nodes"                                             \
    }

/* 0, or -EINVAL with a sentence when the flags do not fit together. */
int program_members_check(const struct program_members *members, struct str *ret_error)
    __attribute__((warn_unused_result));

/* The address to listen on; unset when there is to be no gossip. */
struct ip program_members_bind(const struct program_members *members);

/* The addresses of --ml-peers, in the arena; false when a text is none. */
bool program_members_peers(const struct program_members *members, struct arena *arena,
                           struct ip **ret, size_t *ret_count);

/* The internal addresses of Nodes, in the arena. */
struct ip *program_members_of_nodes(const struct objects *nodes, struct arena *arena,
                                    size_t *ret_count);

#endif
