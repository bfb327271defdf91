#include "crd/check.h"

#include <stdarg.h>

#include "common/base/sbuf.h"
#include "crd/kinds.h"

__attribute__((format(printf, 4, 0))) static void add(struct object *object,
                                                      enum diag_severity severity, struct str field,
                                                      const char *format, va_list args)
{
    scoped_sbuf struct sbuf message = {0};
    sbuf_vprintf(&message, format, args);
    diag_add(object_findings(object), severity, object_id(object), field, "%s",
             sbuf_cstr(&message));
}

void check_fail(struct object *object, struct str field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(object, DIAG_ERROR, field, format, args);
    va_end(args);
}

void check_warn(struct object *object, struct str field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(object, DIAG_WARNING, field, format, args);
    va_end(args);
}

struct str check_field(const struct object *object, const char *format, ...)
{
    struct sbuf path = {0};
    va_list args;
    va_start(args, format);
    sbuf_vprintf(&path, format, args);
    va_end(args);
    return sbuf_move(&path, object->arena);
}

void check_unique(struct object *object, const struct str_list *list, const char *field,
                  const char *what)
{
    if (list->count < 2)
        return;
    scoped_heap struct str *sorted = heap_alloc(list->count * sizeof(*sorted));
    for (size_t i = 0; i < list->count; i++)
        sorted[i] = list->items[i];
    qsort(sorted, list->count, sizeof(*sorted), str_cmp_ptr);
    for (size_t i = 1; i < list->count; i++) {
        bool again = str_eq(sorted[i], sorted[i - 1]);
        bool told = i > 1 && str_eq(sorted[i], sorted[i - 2]);
        if (again && !told)
            check_fail(object, str_from(field), "duplicate definition of %s \"" STR_FMT "\"", what,
                       STR_ARG(str_slice(sorted[i], 0, 128)));
    }
}

bool check_range(struct object *object, struct str text, struct str field, bool bare,
                 struct range *ret)
{
    int r = range_parse(text, bare, ret);
    if (r < 0)
        check_fail(object, field, STR_FMT, STR_ARG(range_explain(object->arena, text, r)));
    return r == 0;
}

struct list check_ranges(struct object *object, const struct str_list *list, const char *field,
                         bool bare)
{
    struct range *ranges = arena_array(object->arena, list->count, sizeof(*ranges));
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (check_range(object, list->items[i], check_field(object, "%s[%zu]", field, i), bare,
                        &ranges[count]))
            count++;
    return (struct list){.items = ranges, .count = count};
}

/* A range and its place in the list. */
struct placed {
    struct range range;
    size_t at;
};

static int placed_cmp(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    int order = range_cmp(&x->range, &y->range);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* Sorted, a range overlaps an earlier one exactly when it begins before the furthest end so far. */
void check_disjoint(struct object *object, const struct str_list *texts, const struct list *ranges,
                    const char *field)
{
    size_t count = ranges->count;
    const char *what = object->kind->id == KIND_IP_ADDRESS_POOL ? "pool" : "reservation";
    if (count != texts->count || count < 2)
        return;
    scoped_heap struct placed *sorted = heap_alloc(count * sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct placed){.range = ((const struct range *)ranges->items)[i], .at = i};
    qsort(sorted, count, sizeof(*sorted), placed_cmp);
    const struct placed *furthest = &sorted[0];
    for (size_t i = 1; i < count; i++) {
        const struct placed *now = &sorted[i];
        if (range_overlaps(&furthest->range, &now->range)) {
            bool after = now->at > furthest->at;
            size_t late = after ? now->at : furthest->at, early = after ? furthest->at : now->at;
            check_fail(object, check_field(object, "%s[%zu]", field, late),
                       "CIDR \"" STR_FMT "\" in %s \"" STR_FMT
                       "\" overlaps with already defined CIDR \"" STR_FMT "\"",
                       STR_ARG(str_slice(texts->items[late], 0, 128)), what,
                       STR_ARG(object_name(object)),
                       STR_ARG(str_slice(texts->items[early], 0, 128)));
        }
        if (ip_cmp(&now->range.last, &furthest->range.last) > 0)
            furthest = now;
    }
}
