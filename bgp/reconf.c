#include "bgp/reconf.h"

#include "common/base/names.h"

static const char *const cost_names[] = {
    [BGPPEER_COST_NOTHING] = "nothing",
    [BGPPEER_COST_IN_PLACE] = "in place",
    [BGPPEER_COST_RESTART] = "restart",
};
static const struct names costs = NAMES(cost_names);

const char *reconf_cost_name(enum bgppeer_cost cost)
{
    return names_of(&costs, cost);
}

static bool same_struct(const struct shape *shape, const char *a, const char *b);

static bool same_texts(const struct str_list *a, const struct str_list *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        if (!str_eq(a->items[i], b->items[i]))
            return false;
    }
    return a->count == b->count;
}

static bool same_map(const struct str_map *a, const struct str_map *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        if (!str_eq(a->items[i].key, b->items[i].key) ||
            !str_eq(a->items[i].value, b->items[i].value))
            return false;
    }
    return a->count == b->count;
}

static bool same_list(const struct shape *shape, const struct list *a, const struct list *b)
{
    const char *x = a->items, *y = b->items;
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        if (!same_struct(shape, x + i * shape->size, y + i * shape->size))
            return false;
    }
    return a->count == b->count;
}

/* The members of one row in two structs. Types that no field of a peer has count as different. */
static bool same_value(const struct field *row, const char *a, const char *b)
{
    const void *x = a + row->offset, *y = b + row->offset;
    if (row->present && *(const bool *)(a + row->present) != *(const bool *)(b + row->present))
        return false;
    switch (row->type) {
    case FIELD_STR:
        return str_eq(*(const struct str *)x, *(const struct str *)y);
    case FIELD_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case FIELD_INT:
    case FIELD_DURATION:
        return *(const int64_t *)x == *(const int64_t *)y;
    case FIELD_ENUM:
        return *(const int *)x == *(const int *)y;
    case FIELD_STR_LIST:
        return same_texts(x, y);
    case FIELD_MAP:
        return same_map(x, y);
    case FIELD_OBJECT:
        return same_struct(row->nested, x, y);
    case FIELD_LIST:
        return same_list(row->nested, x, y);
    default:
        return false;
    }
}

static bool same_struct(const struct shape *shape, const char *a, const char *b)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (!same_value(&shape->fields[i], a, b))
            return false;
    }
    return true;
}

struct reconf reconf_compare(const struct bgppeer *before, const struct bgppeer *after,
                             struct arena *arena)
{
    const struct shape *shape = &bgppeer_spec_shape;
    struct reconf reconf = {.cost = BGPPEER_COST_NOTHING};
    reconf.fields.items = arena_array(arena, shape->count, sizeof(struct str));
    for (size_t i = 0; i < shape->count; i++) {
        const struct field *row = &shape->fields[i];
        if (same_value(row, (const char *)&before->spec, (const char *)&after->spec))
            continue;
        reconf.fields.items[reconf.fields.count++] = str_from(row->name);
        if (row->cost > (int)reconf.cost)
            reconf.cost = (enum bgppeer_cost)row->cost;
    }
    return reconf;
}
