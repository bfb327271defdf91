/* The decoder: walks a tree and a shape side by side. Single values are field_value.c's; here are
 * objects, lists, and what is missing or unknown. */
#include "common/json/fields.h"

#include <assert.h>
#include <string.h>

#include "common/base/suggest.h"
#include "common/json/field_value.h"

static void decode_object(struct field_decoder *decoder, const struct shape *shape,
                          const json_t *value, const struct field_path *path, void *ret);

static void decode_list(struct field_decoder *decoder, const struct field *row, const json_t *value,
                        const struct field_path *path, void *ret)
{
    if (!json_is_array(value)) {
        field_value_fault(decoder, path, "must be a list, not %s", field_value_kind(value));
        return;
    }
    size_t count = json_array_size(value), size = row->nested->size;
    unsigned char *items = arena_array(decoder->arena, count, size);
    for (size_t i = 0; i < count; i++) {
        struct field_path item = {.parent = path, .step = STEP_INDEX, .index = i};
        decode_object(decoder, row->nested, json_array_get(value, i), &item, items + i * size);
    }
    *(struct list *)ret = (struct list){.items = items, .count = count};
}

static void decode_row(struct field_decoder *decoder, const struct field *row, const json_t *value,
                       const struct field_path *path, void *member)
{
    switch (row->type) {
    case FIELD_OBJECT:
        decode_object(decoder, row->nested, value, path, member);
        break;
    case FIELD_POINTER: {
        void *nested = arena_alloc(decoder->arena, row->nested->size);
        decode_object(decoder, row->nested, value, path, nested);
        *(void **)member = nested;
        break;
    }
    case FIELD_LIST:
        decode_list(decoder, row, value, path, member);
        break;
    default:
        field_value_decode(decoder, row, value, path, member);
    }
}

/* The value a table gives to an absent field; a table's text that is no JSON is our own bug. */
static void decode_fallback(struct field_decoder *decoder, const struct field *row,
                            const struct field_path *path, void *member)
{
    json_t *value = json_loads(row->fallback, JSON_DECODE_ANY, NULL);
    assert(value);
    decode_row(decoder, row, value, path, member);
    json_decref(value);
}

static void check_unknown(struct field_decoder *decoder, const struct shape *shape, json_t *tree,
                          const struct field_path *path)
{
    for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at)) {
        struct suggest near = {.typed = str_from(json_object_iter_key(at))};
        bool known = false;
        for (size_t i = 0; i < shape->count && !known; i++)
            known = str_eq(near.typed, str_from(shape->fields[i].name));
        if (known)
            continue;
        for (size_t i = 0; i < shape->count; i++)
            suggest_try(&near, str_from(shape->fields[i].name));
        struct str shown = str_slice(near.typed, 0, 128);
        struct field_path here = {.parent = path, .name = shown};
        if (near.best.len)
            field_value_fault(decoder, &here,
                              "unknown field \"" STR_FMT "\"; did you mean \"" STR_FMT "\"?",
                              STR_ARG(shown), STR_ARG(near.best));
        else
            field_value_fault(decoder, &here, "unknown field \"" STR_FMT "\"", STR_ARG(shown));
    }
}

static void decode_object(struct field_decoder *decoder, const struct shape *shape,
                          const json_t *value, const struct field_path *path, void *ret)
{
    if (!json_is_object(value)) {
        field_value_fault(decoder, path, "must be an object, not %s", field_value_kind(value));
        return;
    }
    for (size_t i = 0; i < shape->count; i++) {
        const struct field *row = &shape->fields[i];
        struct field_path here = {.parent = path, .name = str_from(row->name)};
        unsigned char *member = (unsigned char *)ret + row->offset;
        const json_t *field = json_object_get(value, row->name);
        if (field && !json_is_null(field)) {
            if (row->present)
                *(bool *)((unsigned char *)ret + row->present) = true;
            decode_row(decoder, row, field, &here, member);
        } else if (row->fallback) {
            decode_fallback(decoder, row, &here, member);
        } else if (row->flags & FIELD_REQUIRED) {
            field_value_fault(decoder, &here, "is required");
        }
    }
    if (shape->flags & SHAPE_STRICT)
        check_unknown(decoder, shape, (json_t *)value, path);
}

size_t fields_decode(const struct shape *shape, const json_t *value, struct str path,
                     struct str object, struct arena *arena, struct diag_list *found, void *ret)
{
    struct field_decoder decoder = {.object = object, .arena = arena, .found = found};
    struct field_path root = {.name = path};
    decode_object(&decoder, shape, value, &root, ret);
    return decoder.errors;
}

struct str str_map_get(const struct str_map *map, struct str key, bool *ret_present)
{
    size_t from = 0, to = map->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_cmp(key, map->items[middle].key);
        if (order == 0) {
            if (ret_present)
                *ret_present = true;
            return map->items[middle].value;
        }
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    if (ret_present)
        *ret_present = false;
    return (struct str){0};
}
