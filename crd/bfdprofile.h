/* BFDProfile: timers of BFD sessions. Schema: schemas/bfdprofile.yaml. */
#ifndef CRD_BFDPROFILE_H
#define CRD_BFDPROFILE_H

#include "crd/object.h"

/* Intervals in milliseconds. 0 and false: not given, the routing daemon decides. */
struct bfdprofile_spec {
    int64_t receive_interval, transmit_interval, detect_multiplier;
    int64_t echo_interval, minimum_ttl;
    bool echo_mode, passive_mode;
};

struct bfdprofile {
    struct object object;
    struct bfdprofile_spec spec;
    struct list conditions; /* struct condition */
};

extern const struct shape bfdprofile_shape;

void bfdprofile_check(struct object *object);

#endif
