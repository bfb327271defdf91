#include "common/source/label_filter.h"

#include "common/base/map.h"

static bool has(const struct str_map *labels, struct str key, struct str value)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (str_eq(labels->items[i].key, key))
            return str_eq(labels->items[i].value, value);
    }
    return false;
}

static bool holds(struct str term, const struct str_map *labels)
{
    struct str key, value;
    if (!str_cut(term, '=', &key, &value) || !key.len)
        return false;
    if (str_ends_with(key, STR("!")))
        return !has(labels, str_slice(key, 0, key.len - 1), value);
    return has(labels, key, value);
}

bool label_filter_takes(struct str filter, const struct str_map *labels)
{
    struct str term;
    while (str_next(&filter, ',', &term)) {
        if (!holds(term, labels))
            return false;
    }
    return true;
}

uint64_t label_filter_sign(struct str key, struct str value)
{
    enum { BITS = 3, OF = 64 };
    uint64_t hash = map_hash(map_hash(0, key), value), sign = 0;
    for (unsigned i = 0; i < BITS; i++, hash /= OF)
        sign |= UINT64_C(1) << (hash % OF);
    return sign;
}

uint64_t label_filter_signs(struct str filter)
{
    uint64_t signs = 0;
    struct str term, key, value;
    while (str_next(&filter, ',', &term)) {
        if (str_cut(term, '=', &key, &value) && !str_ends_with(key, STR("!")))
            signs |= label_filter_sign(key, value);
    }
    return signs;
}
