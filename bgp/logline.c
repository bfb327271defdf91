#include "bgp/logline.h"

#include "common/base/names.h"

static const char *const class_names[] = {
    [LOGLINE_DEBUG] = "DBG",   [LOGLINE_TRACE] = "TRACE",  [LOGLINE_INFO] = "INFO",
    [LOGLINE_REMOTE] = "RMT",  [LOGLINE_WARNING] = "WARN", [LOGLINE_ERROR] = "ERR",
    [LOGLINE_AUTH] = "AUTH",   [LOGLINE_FATAL] = "FATAL",  [LOGLINE_BUG] = "BUG",
    [LOGLINE_OTHER] = "OTHER",
};
static const struct names classes = NAMES(class_names);
_Static_assert(sizeof(class_names) / sizeof(class_names[0]) == LOGLINE_CLASSES, "a name each");

/* Names of protocols as the configuration has them: letters, digits and '_'. */
static bool is_name(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
            return false;
    }
    return text.len > 0;
}

struct logline logline_parse_echo(struct str line)
{
    struct logline ret = {.class = LOGLINE_INFO};
    struct str name, rest;
    if (str_cut(line, ':', &name, &rest) && is_name(name) && str_starts_with(rest, STR(" "))) {
        ret.protocol = name;
        line = rest;
    }
    ret.text = str_slice(str_trim(line), 0, LOGLINE_TEXT_MAX);
    ret.state_changed = ret.protocol.len && str_starts_with(ret.text, STR("State changed"));
    return ret;
}

struct logline logline_parse(struct str line)
{
    struct str before, after, class_name, rest;
    size_t class;
    bool dated = line.len > 0 && line.ptr[0] >= '0' && line.ptr[0] <= '9';
    if (!dated || !str_cut(line, '<', &before, &after) ||
        !str_cut(after, '>', &class_name, &rest) || names_find(&classes, class_name, &class) < 0 ||
        class == LOGLINE_OTHER)
        return (struct logline){.class = LOGLINE_OTHER,
                                .text = str_slice(str_trim(line), 0, LOGLINE_TEXT_MAX)};
    struct logline ret = logline_parse_echo(str_trim(rest));
    ret.class = (enum logline_class) class;
    return ret;
}

/* BIRD's last word, whatever the cause of its end. */
static bool is_farewell(const struct logline *line)
{
    return line->class == LOGLINE_FATAL && str_eq(line->text, STR("Shutdown completed"));
}

enum log_level logline_level(const struct logline *line)
{
    if (is_farewell(line))
        return LOG_LEVEL_INFO;
    switch (line->class) {
    case LOGLINE_DEBUG:
    case LOGLINE_TRACE:
        return LOG_LEVEL_DEBUG;
    case LOGLINE_INFO: /* "Reconfiguring" and "Reconfigured" come with every change of a Service */
        return str_starts_with(line->text, STR("Reconfigur")) ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
    case LOGLINE_ERROR:
    case LOGLINE_FATAL:
    case LOGLINE_BUG:
        return LOG_LEVEL_ERROR;
    default:
        return LOG_LEVEL_WARN;
    }
}
