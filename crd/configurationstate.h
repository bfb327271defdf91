/* ConfigurationState: what a program makes of the configuration; programs write it.
 * Schema: schemas/configurationstate.yaml. */
#ifndef CRD_CONFIGURATIONSTATE_H
#define CRD_CONFIGURATIONSTATE_H

#include "crd/object.h"

struct configurationstate {
    struct object object;
    struct configurationstate_status {
        struct str result; /* "Valid", "Invalid", "Unknown" */
        struct str error_summary;
        struct list conditions; /* struct condition */
    } status;
};

extern const struct shape configurationstate_shape;

#endif
