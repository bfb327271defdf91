/* What is decided from: the objects in force and this node, at one moment. All borrowed. */
#ifndef SPEAKER_SNAPSHOT_H
#define SPEAKER_SNAPSHOT_H

#include "crd/validate.h"

struct snapshot {
    struct str node;      /* our name, as Node objects have it */
    struct str lb_class;  /* serve Services of this class; empty: those without one */
    bool ignore_excluded; /* announce also from nodes that are labelled as excluded */
    uint64_t seed;        /* secret, of hash tables */
    /* Sorted by key. Configuration as the rules left it in force (config.h). */
    struct objects services, slices, nodes, pools, advertisements;
};

#endif
