/* Names of enum values, as tables: one place for printing and for parsing. */
#ifndef COMMON_BASE_NAMES_H
#define COMMON_BASE_NAMES_H

#include <stddef.h>

#include "common/base/str.h"

struct names {
    const char *const *names; /* indexed by the enum's value; no holes */
    size_t count;
};

#define NAMES(array)                                                  \
    {                                                                 \
        .names = (array), .count = sizeof(array) / sizeof((array)[0]) \
    }

/* The name of value, or "?" when it is not one of the table. */
const char *names_of(const struct names *table, size_t value);

/* The value of a name (exact bytes): 0 and ret, or -ENOENT. */
int names_find(const struct names *table, struct str name, size_t *ret)
    __attribute__((warn_unused_result));

#endif
