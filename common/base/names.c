#include "common/base/names.h"

#include <errno.h>

const char *names_of(const struct names *table, size_t value)
{
    if (value >= table->count || !table->names[value])
        return "?";
    return table->names[value];
}

int names_find(const struct names *table, struct str name, size_t *ret)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->names[i] && str_eq(str_from(table->names[i]), name)) {
            *ret = i;
            return 0;
        }
    }
    return -ENOENT;
}
