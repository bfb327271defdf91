#include "common/base/sorted.h"

size_t sorted_place(const void *key, const void *items, size_t count, size_t size,
                    int (*cmp)(const void *key, const void *item), bool *ret_found)
{
    size_t from = 0, to = count;
    *ret_found = false;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = cmp(key, (const char *)items + middle * size);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order > 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}
