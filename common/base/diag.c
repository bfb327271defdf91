#include "common/base/diag.h"

#include <stdarg.h>

#include "common/base/names.h"
#include "common/base/sbuf.h"
#include "common/base/utf8.h"

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

enum { MESSAGE_MAX = 2048 }; /* bytes: more than a person reads */

/* Of ASCII, or of those that UTF-8 writes as C2 80 to C2 9F. */
static bool is_control(struct str c)
{
    const unsigned char *bytes = (const unsigned char *)c.ptr;
    return c.len == 1 ? bytes[0] < ' ' || bytes[0] == 0x7f
                      : c.len == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0;
}

static void put_visible(struct sbuf *out, struct str c)
{
    if (str_eq(c, STR("\n")))
        sbuf_puts(out, "\\n");
    else if (is_control(c))
        sbuf_printf(out, "\\x%02x", (unsigned char)c.ptr[c.len - 1]);
    else
        sbuf_put(out, c);
}

/* What users write may be part of a finding, and may have been cut within a character. */
static struct str one_line(struct str text, struct arena *arena)
{
    struct sbuf out = {0};
    while (text.len > 0 && out.len < MESSAGE_MAX) {
        size_t len = utf8_len(text);
        if (len)
            put_visible(&out, str_slice(text, 0, len));
        else
            sbuf_puts(&out, "\xef\xbf\xbd"); /* U+FFFD */
        text = str_slice(text, len ? len : 1, text.len);
    }
    if (text.len > 0)
        sbuf_puts(&out, "...");
    return sbuf_move(&out, arena);
}

void diag_add(struct diag_list *list, enum diag_severity severity, struct str object,
              struct str field, const char *format, ...)
{
    scoped_sbuf struct sbuf text = {0};
    va_list args;
    va_start(args, format);
    sbuf_vprintf(&text, format, args);
    va_end(args);
    struct diag diag = {
        .severity = severity,
        .object = arena_str(list->arena, object),
        .field = one_line(field, list->arena),
        .message = one_line(sbuf_str(&text), list->arena),
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
