#include "common/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/names.h"
#include "common/base/sbuf.h"

/* The only mutable file-scope variable of the product: where the log goes is a fact of the
 * process. */
static struct {
    const char *program;
    enum log_level level;
    enum log_format format;
} log_state = {.program = "stentor", .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_LOGFMT};

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_NONE] = "none",
};
static const struct names levels = NAMES(level_names);

static const char *const format_names[] = {
    [LOG_FORMAT_LOGFMT] = "logfmt",
    [LOG_FORMAT_JSON] = "json",
};
static const struct names formats = NAMES(format_names);

void log_init(const char *program, enum log_level level, enum log_format format)
{
    log_state.program = program;
    log_state.level = level;
    log_state.format = format;
}

int log_parse_level(struct str name, enum log_level *ret)
{
    size_t value = LOG_LEVEL_DEBUG;
    if (!str_eq(name, STR("all")) && names_find(&levels, name, &value) < 0)
        return -EINVAL;
    *ret = (enum log_level)value;
    return 0;
}

int log_parse_format(struct str name, enum log_format *ret)
{
    size_t value;
    if (names_find(&formats, name, &value) < 0)
        return -EINVAL;
    *ret = (enum log_format)value;
    return 0;
}

bool log_enabled(enum log_level level)
{
    return level >= log_state.level && level < LOG_LEVEL_NONE;
}

struct kv kv_err(int err)
{
    return kv_cstr("error", err_text(err));
}

/* logfmt leaves simple words bare and quotes the rest. */
static bool is_bare(struct str text)
{
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return true;
}

static void put_text(struct sbuf *line, struct str text)
{
    if (log_state.format == LOG_FORMAT_LOGFMT && is_bare(text))
        sbuf_put(line, text);
    else
        sbuf_json(line, text);
}

static void put_key(struct sbuf *line, const char *key)
{
    if (log_state.format == LOG_FORMAT_JSON)
        sbuf_printf(line, "%s\"%s\":", line->len > 1 ? "," : "", key);
    else
        sbuf_printf(line, "%s%s=", line->len ? " " : "", key);
}

static void put_field(struct sbuf *line, const struct kv *field)
{
    put_key(line, field->key);
    switch (field->type) {
    case KV_STR:
        put_text(line, field->str);
        break;
    case KV_TEXT:
        put_text(line, str_from(field->text));
        break;
    case KV_INT:
        sbuf_i64(line, field->num);
        break;
    case KV_UINT:
        sbuf_u64(line, field->unum);
        break;
    case KV_BOOL:
        sbuf_puts(line, field->flag ? "true" : "false");
        break;
    case KV_SECONDS:
        sbuf_printf(line, "%.6f", field->seconds);
        break;
    case KV_END:
        break;
    }
}

static void put_time(struct sbuf *line)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    put_key(line, "time");
    if (log_state.format == LOG_FORMAT_JSON)
        sbuf_printf(line, "\"%s.%06ldZ\"", text, now.tv_nsec / 1000);
    else
        sbuf_printf(line, "%s.%06ldZ", text, now.tv_nsec / 1000);
}

void log_write(enum log_level level, const char *message, const struct kv *fields)
{
    scoped_sbuf struct sbuf line = {0};
    if (log_state.format == LOG_FORMAT_JSON)
        sbuf_putc(&line, '{');
    put_time(&line);
    put_field(&line, &(struct kv){.key = "level",
                                  .type = KV_STR,
                                  .str = str_from(names_of(&levels, (size_t)level))});
    put_field(&line,
              &(struct kv){.key = "program", .type = KV_STR, .str = str_from(log_state.program)});
    put_field(&line, &(struct kv){.key = "msg", .type = KV_STR, .str = str_from(message)});
    for (; fields->type != KV_END; fields++)
        put_field(&line, fields);
    sbuf_puts(&line, log_state.format == LOG_FORMAT_JSON ? "}\n" : "\n");
    /* A log that cannot be written must not stop the work. */
    ssize_t written = write(STDERR_FILENO, line.ptr, line.len);
    (void)written;
}
