#include "common/json/field_value.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "common/base/duration.h"
#include "common/json/rfc3339.h"
#include "common/net/ip.h"

enum { QUOTE_MAX = 64 };

typedef void value_fn(struct field_decoder *decoder, const struct field *row, const json_t *value,
                      const struct field_path *path, void *ret);

static void put_path(struct sbuf *out, const struct field_path *path)
{
    if (path->parent)
        put_path(out, path->parent);
    switch (path->step) {
    case STEP_NAME:
        if (out->len)
            sbuf_putc(out, '.');
        sbuf_put(out, path->name);
        break;
    case STEP_INDEX:
        sbuf_printf(out, "[%zu]", path->index);
        break;
    case STEP_KEY:
        sbuf_putc(out, '[');
        sbuf_put(out, str_slice(path->name, 0, 2 * QUOTE_MAX));
        sbuf_putc(out, ']');
        break;
    }
}

void field_value_fault(struct field_decoder *decoder, const struct field_path *path,
                       const char *format, ...)
{
    scoped_sbuf struct sbuf where = {0};
    scoped_sbuf struct sbuf what = {0};
    put_path(&where, path);
    va_list args;
    va_start(args, format);
    sbuf_vprintf(&what, format, args);
    va_end(args);
    diag_add(decoder->found, DIAG_ERROR, decoder->object, sbuf_str(&where), "%s", sbuf_cstr(&what));
    decoder->errors++;
}

const char *field_value_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

static struct str text_of(const json_t *value)
{
    return (struct str){.ptr = json_string_value(value), .len = json_string_length(value)};
}

/* "must be WANTED, not a list", or with the text itself when it is one of the wrong form. */
static void fault_wanted(struct field_decoder *decoder, const struct field_path *path,
                         const char *wanted, const json_t *value)
{
    if (!json_is_string(value)) {
        field_value_fault(decoder, path, "must be %s, not %s", wanted, field_value_kind(value));
        return;
    }
    scoped_sbuf struct sbuf quoted = {0};
    struct str text = text_of(value);
    sbuf_json(&quoted, str_slice(text, 0, QUOTE_MAX));
    field_value_fault(decoder, path, "must be %s, not %s%s", wanted, sbuf_cstr(&quoted),
                      text.len > QUOTE_MAX ? "…" : "");
}

static bool read_text(struct field_decoder *decoder, const json_t *value,
                      const struct field_path *path, struct str *ret)
{
    if (!json_is_string(value)) {
        field_value_fault(decoder, path, "must be a string, not %s", field_value_kind(value));
        return false;
    }
    *ret = arena_str(decoder->arena, text_of(value));
    return true;
}

static void decode_str(struct field_decoder *decoder, const struct field *row, const json_t *value,
                       const struct field_path *path, void *ret)
{
    (void)row;
    (void)read_text(decoder, value, path, ret); /* reported; the member stays empty */
}

static void decode_bool(struct field_decoder *decoder, const struct field *row, const json_t *value,
                        const struct field_path *path, void *ret)
{
    (void)row;
    if (json_is_boolean(value))
        *(bool *)ret = json_is_true(value);
    else
        field_value_fault(decoder, path, "must be true or false, not %s", field_value_kind(value));
}

/* A real counts when it has no fraction and loses nothing (1.0, 1e3), as in the Kubernetes API. */
static bool read_int(struct field_decoder *decoder, const json_t *value,
                     const struct field_path *path, int64_t *ret)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    if (json_is_integer(value)) {
        *ret = json_integer_value(value);
        return true;
    }
    double real = json_is_real(value) ? json_real_value(value) : 0.5;
    if (real == floor(real) && fabs(real) <= exact) {
        *ret = (int64_t)real;
        return true;
    }
    if (!json_is_real(value))
        field_value_fault(decoder, path, "must be a number, not %s", field_value_kind(value));
    else if (fabs(real) > exact)
        field_value_fault(decoder, path, "is too large a number");
    else
        field_value_fault(decoder, path, "must be a whole number");
    return false;
}

static bool in_bounds(const struct field *row, int64_t value)
{
    return (row->min == 0 && row->max == 0) || (value >= row->min && value <= row->max);
}

static void put_bound(struct sbuf *out, const struct field *row, int64_t value)
{
    if (row->type == FIELD_DURATION)
        duration_format(out, value);
    else
        sbuf_i64(out, value);
}

/* Reports a number (or duration) outside its row's bounds. */
static bool check_bounds(struct field_decoder *decoder, const struct field *row,
                         const struct field_path *path, int64_t value)
{
    if (in_bounds(row, value))
        return true;
    scoped_sbuf struct sbuf text = {0};
    if (row->min != INT64_MIN && row->max != INT64_MAX) {
        sbuf_puts(&text, "between ");
        put_bound(&text, row, row->min);
        sbuf_puts(&text, " and ");
        put_bound(&text, row, row->max);
    } else if (row->max == INT64_MAX) {
        sbuf_puts(&text, "at least ");
        put_bound(&text, row, row->min);
    } else {
        sbuf_puts(&text, "at most ");
        put_bound(&text, row, row->max);
    }
    sbuf_puts(&text, ", not ");
    put_bound(&text, row, value);
    field_value_fault(decoder, path, "must be %s", sbuf_cstr(&text));
    return false;
}

static void decode_int(struct field_decoder *decoder, const struct field *row, const json_t *value,
                       const struct field_path *path, void *ret)
{
    int64_t number;
    if (read_int(decoder, value, path, &number) && check_bounds(decoder, row, path, number))
        *(int64_t *)ret = number;
}

static void decode_str_list(struct field_decoder *decoder, const struct field *row,
                            const json_t *value, const struct field_path *path, void *ret)
{
    (void)row;
    if (!json_is_array(value)) {
        field_value_fault(decoder, path, "must be a list of strings, not %s",
                          field_value_kind(value));
        return;
    }
    struct str_list list = {
        .items = arena_array(decoder->arena, json_array_size(value), sizeof(struct str))};
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct field_path item = {.parent = path, .step = STEP_INDEX, .index = i};
        if (read_text(decoder, json_array_get(value, i), &item, &list.items[list.count]))
            list.count++;
    }
    *(struct str_list *)ret = list;
}

static void decode_int_list(struct field_decoder *decoder, const struct field *row,
                            const json_t *value, const struct field_path *path, void *ret)
{
    if (!json_is_array(value)) {
        field_value_fault(decoder, path, "must be a list of numbers, not %s",
                          field_value_kind(value));
        return;
    }
    int64_t *items = arena_array(decoder->arena, json_array_size(value), sizeof(int64_t));
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct field_path item = {.parent = path, .step = STEP_INDEX, .index = i};
        if (read_int(decoder, json_array_get(value, i), &item, &items[count]) &&
            check_bounds(decoder, row, &item, items[count]))
            count++;
    }
    *(struct list *)ret = (struct list){.items = items, .count = count};
}

static int pair_cmp(const void *a, const void *b)
{
    return str_cmp(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

static void decode_map(struct field_decoder *decoder, const struct field *row, const json_t *value,
                       const struct field_path *path, void *ret)
{
    (void)row;
    if (!json_is_object(value)) {
        field_value_fault(decoder, path, "must be a map of strings, not %s",
                          field_value_kind(value));
        return;
    }
    struct str_map map = {
        .items = arena_array(decoder->arena, json_object_size(value), sizeof(struct str_pair))};
    json_t *tree = (json_t *)value; /* jansson's iterators only read but do not say so */
    for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at)) {
        struct str key = str_from(json_object_iter_key(at));
        struct field_path item = {.parent = path, .step = STEP_KEY, .name = key};
        struct str_pair *pair = &map.items[map.count];
        if (!read_text(decoder, json_object_iter_value(at), &item, &pair->value))
            continue;
        pair->key = arena_str(decoder->arena, key);
        map.count++;
    }
    qsort(map.items, map.count, sizeof(struct str_pair), pair_cmp);
    *(struct str_map *)ret = map;
}

static void decode_enum(struct field_decoder *decoder, const struct field *row, const json_t *value,
                        const struct field_path *path, void *ret)
{
    size_t index;
    if (json_is_string(value) && names_find(row->names, text_of(value), &index) == 0) {
        *(int *)ret = (int)index;
        return;
    }
    scoped_sbuf struct sbuf wanted = {0};
    for (size_t i = 0; i < row->names->count; i++) {
        if (i)
            sbuf_puts(&wanted, i + 1 == row->names->count ? " or " : ", ");
        sbuf_json(&wanted, str_from(row->names->names[i]));
    }
    fault_wanted(decoder, path, sbuf_cstr(&wanted), value);
}

static void decode_duration(struct field_decoder *decoder, const struct field *row,
                            const json_t *value, const struct field_path *path, void *ret)
{
    int64_t nanoseconds;
    if (!json_is_string(value) || duration_parse(text_of(value), &nanoseconds) < 0)
        fault_wanted(decoder, path, "a duration such as \"1m30s\"", value);
    else if (check_bounds(decoder, row, path, nanoseconds))
        *(int64_t *)ret = nanoseconds;
}

static void decode_time(struct field_decoder *decoder, const struct field *row, const json_t *value,
                        const struct field_path *path, void *ret)
{
    (void)row;
    int64_t seconds;
    if (!json_is_string(value) || rfc3339_parse(text_of(value), &seconds, NULL) < 0)
        fault_wanted(decoder, path, "a time such as \"2006-01-02T15:04:05Z\"", value);
    else
        *(int64_t *)ret = seconds;
}

static void decode_ip(struct field_decoder *decoder, const struct field *row, const json_t *value,
                      const struct field_path *path, void *ret)
{
    (void)row;
    struct ip ip = {0};
    if (!json_is_string(value) || (text_of(value).len && ip_parse(text_of(value), &ip) < 0))
        fault_wanted(decoder, path, "an IP address", value);
    else
        *(struct ip *)ret = ip;
}

static void decode_int_or_str(struct field_decoder *decoder, const struct field *row,
                              const json_t *value, const struct field_path *path, void *ret)
{
    (void)row;
    int64_t number;
    if (json_is_string(value))
        *(struct str *)ret = arena_str(decoder->arena, text_of(value));
    else if (!json_is_number(value))
        field_value_fault(decoder, path, "must be a number or a string, not %s",
                          field_value_kind(value));
    else if (read_int(decoder, value, path, &number))
        *(struct str *)ret = arena_printf(decoder->arena, "%lld", (long long)number);
}

static void decode_raw(struct field_decoder *decoder, const struct field *row, const json_t *value,
                       const struct field_path *path, void *ret)
{
    (void)row;
    (void)path;
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    size_t len = json_dumpb(value, NULL, 0, flags);
    char *text = arena_alloc(decoder->arena, len);
    (void)json_dumpb(value, text, len, flags); /* the same length again */
    *(struct str *)ret = (struct str){.ptr = text, .len = len};
}

void field_value_decode(struct field_decoder *decoder, const struct field *row, const json_t *value,
                        const struct field_path *path, void *ret)
{
    static value_fn *const by_type[] = {
        [FIELD_STR] = decode_str,
        [FIELD_BOOL] = decode_bool,
        [FIELD_INT] = decode_int,
        [FIELD_STR_LIST] = decode_str_list,
        [FIELD_INT_LIST] = decode_int_list,
        [FIELD_MAP] = decode_map,
        [FIELD_ENUM] = decode_enum,
        [FIELD_DURATION] = decode_duration,
        [FIELD_TIME] = decode_time,
        [FIELD_IP] = decode_ip,
        [FIELD_INT_OR_STR] = decode_int_or_str,
        [FIELD_RAW] = decode_raw,
        [FIELD_SKIP] = NULL,
    };
    if (by_type[row->type])
        by_type[row->type](decoder, row, value, path, ret);
}
