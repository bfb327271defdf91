/* Conditions in the status of an object. */
#ifndef CRD_CONDITION_H
#define CRD_CONDITION_H

#include "common/json/fields.h"

struct condition {
    struct str type;
    struct str status; /* "True", "False" or "Unknown" */
    struct str reason, message;
    int64_t since; /* lastTransitionTime, seconds since 1970 */
    int64_t observed_generation;
};

extern const struct shape condition_shape;

/* The status of kinds that report conditions and nothing else: fills a struct list of struct
 * condition. */
extern const struct shape conditions_status_shape;

/* The condition of a type, or NULL. The list is of struct condition. */
const struct condition *condition_find(const struct list *conditions, struct str type);

#endif
