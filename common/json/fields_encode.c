#include "common/json/fields_encode.h"

#include <assert.h>

#include "common/base/duration.h"
#include "common/json/rfc3339.h"
#include "common/net/ip.h"

static bool is_zero(const struct field *row, const void *member);

static const void *member_of(const struct field *row, const void *value)
{
    return (const unsigned char *)value + row->offset;
}

static bool is_given(const struct field *row, const void *value)
{
    return row->present && *(const bool *)((const unsigned char *)value + row->present);
}

static bool is_object_zero(const struct shape *shape, const void *value)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct field *row = &shape->fields[i];
        if (is_given(row, value) || !is_zero(row, member_of(row, value)))
            return false;
    }
    return true;
}

/* Is the member what an absent field leaves? */
static bool is_zero(const struct field *row, const void *member)
{
    switch (row->type) {
    case FIELD_STR:
    case FIELD_INT_OR_STR:
    case FIELD_RAW:
        return ((const struct str *)member)->len == 0;
    case FIELD_BOOL:
        return !*(const bool *)member;
    case FIELD_INT:
    case FIELD_DURATION:
    case FIELD_TIME:
        return *(const int64_t *)member == 0;
    case FIELD_STR_LIST:
        return ((const struct str_list *)member)->count == 0;
    case FIELD_INT_LIST:
    case FIELD_LIST:
        return ((const struct list *)member)->count == 0;
    case FIELD_MAP:
        return ((const struct str_map *)member)->count == 0;
    case FIELD_ENUM:
        return *(const int *)member == 0;
    case FIELD_IP:
        return !ip_is_set(member);
    case FIELD_OBJECT:
        return is_object_zero(row->nested, member);
    case FIELD_POINTER:
        return !*(void *const *)member;
    case FIELD_SKIP:
        return true;
    }
    assert(false); /* no type of the enum */
    return true;
}

/* --- values ---------------------------------------------------------------------------------- */

static void put_comma(struct sbuf *out, bool *first)
{
    if (!*first)
        sbuf_putc(out, ',');
    *first = false;
}

static void put_strings(const struct str_list *list, struct sbuf *out)
{
    bool first = true;
    sbuf_putc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        put_comma(out, &first);
        sbuf_json(out, list->items[i]);
    }
    sbuf_putc(out, ']');
}

static void put_integers(const struct list *list, struct sbuf *out)
{
    const int64_t *items = list->items;
    bool first = true;
    sbuf_putc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        put_comma(out, &first);
        sbuf_i64(out, items[i]);
    }
    sbuf_putc(out, ']');
}

static void put_map(const struct str_map *map, struct sbuf *out)
{
    bool first = true;
    sbuf_putc(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        put_comma(out, &first);
        sbuf_json(out, map->items[i].key);
        sbuf_putc(out, ':');
        sbuf_json(out, map->items[i].value);
    }
    sbuf_putc(out, '}');
}

static void put_objects(const struct shape *shape, const struct list *list, struct sbuf *out)
{
    const unsigned char *items = list->items;
    bool first = true;
    sbuf_putc(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        put_comma(out, &first);
        fields_encode(shape, items + i * shape->size, out);
    }
    sbuf_putc(out, ']');
}

static void put_quoted(struct sbuf *out, void (*put)(struct sbuf *out, int64_t value),
                       int64_t value)
{
    sbuf_putc(out, '"');
    put(out, value);
    sbuf_putc(out, '"');
}

static void put_time(struct sbuf *out, int64_t seconds)
{
    rfc3339_format(out, seconds, 0, 0);
}

static void put_value(const struct field *row, const void *member, struct sbuf *out)
{
    switch (row->type) {
    case FIELD_STR:
    case FIELD_INT_OR_STR:
        sbuf_json(out, *(const struct str *)member);
        break;
    case FIELD_RAW:
        sbuf_put(out, *(const struct str *)member);
        break;
    case FIELD_BOOL:
        sbuf_puts(out, *(const bool *)member ? "true" : "false");
        break;
    case FIELD_INT:
        sbuf_i64(out, *(const int64_t *)member);
        break;
    case FIELD_DURATION:
        put_quoted(out, duration_format, *(const int64_t *)member);
        break;
    case FIELD_TIME:
        put_quoted(out, put_time, *(const int64_t *)member);
        break;
    case FIELD_STR_LIST:
        put_strings(member, out);
        break;
    case FIELD_INT_LIST:
        put_integers(member, out);
        break;
    case FIELD_MAP:
        put_map(member, out);
        break;
    case FIELD_ENUM:
        sbuf_json(out, str_from(names_of(row->names, (size_t) * (const int *)member)));
        break;
    case FIELD_IP:
        sbuf_json(out, ip_is_set(member) ? str_from(ip_format(member).text) : STR(""));
        break;
    case FIELD_OBJECT:
        fields_encode(row->nested, member, out);
        break;
    case FIELD_POINTER:
        fields_encode(row->nested, *(void *const *)member, out);
        break;
    case FIELD_LIST:
        put_objects(row->nested, member, out);
        break;
    case FIELD_SKIP:
        break;
    }
}

static bool is_written(const struct field *row, const void *value)
{
    const void *member = member_of(row, value);
    if (row->type == FIELD_SKIP)
        return false;
    if (row->present)
        return is_given(row, value);
    /* A pointer to nothing has no text, and no JSON text is empty. */
    if (is_zero(row, member))
        return row->type != FIELD_POINTER && row->type != FIELD_RAW &&
               (row->fallback || row->flags & FIELD_REQUIRED);
    return true;
}

void fields_encode(const struct shape *shape, const void *value, struct sbuf *out)
{
    bool first = true;
    sbuf_putc(out, '{');
    for (size_t i = 0; i < shape->count; i++) {
        const struct field *row = &shape->fields[i];
        if (!is_written(row, value))
            continue;
        put_comma(out, &first);
        sbuf_json(out, str_from(row->name));
        sbuf_putc(out, ':');
        put_value(row, member_of(row, value), out);
    }
    sbuf_putc(out, '}');
}
