#include "common/base/diag.h"

#include <stdarg.h>

#include "common/base/names.h"
#include "common/base/sbuf.h"

static const char *const severity_names[] = {
    [DIAG_ERROR] = "error",
    [DIAG_WARNING] = "warning",
    [DIAG_NOTE] = "note",
};

const char *diag_severity_name(enum diag_severity severity)
{
    static const struct names table = NAMES(severity_names);
    return names_of(&table, (size_t)severity);
}

void diag_add(struct diag_list *list, enum diag_severity severity, struct str object,
              struct str field, const char *format, ...)
{
    struct sbuf text = {0};
    va_list args;
    va_start(args, format);
    sbuf_vprintf(&text, format, args);
    va_end(args);
    struct diag diag = {
        .severity = severity,
        .object = arena_str(list->arena, object),
        .field = arena_str(list->arena, field),
        .message = sbuf_move(&text, list->arena),
    };
    vec_push(&list->found, diag);
}

void diag_add_all(struct diag_list *list, const struct diag_list *other)
{
    for (size_t i = 0; i < other->found.len; i++) {
        const struct diag *diag = &other->found.items[i];
        diag_add(list, diag->severity, diag->object, diag->field, STR_FMT, STR_ARG(diag->message));
    }
}

size_t diag_errors(const struct diag_list *list)
{
    size_t errors = 0;
    for (size_t i = 0; i < list->found.len; i++)
        errors += list->found.items[i].severity == DIAG_ERROR;
    return errors;
}

const struct diag *diag_first_error(const struct diag_list *list, struct str object)
{
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        if (diag->severity == DIAG_ERROR && str_eq(diag->object, object))
            return diag;
    }
    return NULL;
}

void diag_done(struct diag_list *list)
{
    vec_done(&list->found);
}
