/* Flags and environment of stentor-controller, as a table. Names are MetalLB's where the same
 * thing exists. */
#ifndef CONTROLLER_SETTINGS_H
#define CONTROLLER_SETTINGS_H

#include "common/program/program_members.h"
#include "common/program/program_settings.h"

enum settings_output { SETTINGS_TEXT, SETTINGS_JSON };

enum settings_election { SETTINGS_BALANCED, SETTINGS_HASH };
enum settings_switch { SETTINGS_OFF, SETTINGS_ON };

struct settings {
    struct program_settings common; /* stays first */
    struct str check;
    /* what is done */
    struct str lb_class;
    int output; /* enum settings_output */
    bool elect;
    uint64_t lease_ms, renew_ms, retry_ms;
    struct str identity;
    uint64_t writes_in_flight;
    int election;  /* enum settings_election */
    int rebalance; /* enum settings_switch */
    uint64_t rebalance_rate;
    bool ignore_excluded;
    /* who watches the speakers */
    struct program_members members;
    struct str ml_secret, deployment;
    /* how it is watched */
    struct str health_address, cert_dir;
};

extern const struct program_flags settings_flags; /* fills a struct settings */

#endif
