#include "common/base/options.h"

#include <errno.h>

#include "common/base/duration.h"
#include "common/base/err.h"
#include "common/base/suggest.h"
#include "common/base/vec.h"

struct parse {
    const struct options *options;
    struct arena *arena;
    void *target;
    VEC(struct str) operands;
    struct str error; /* ptr is NULL while all is well */
};

#define fail(parse, ...) \
    ((parse)->error.ptr  \
         ? ERR_SYNTAX    \
         : ((parse)->error = arena_printf((parse)->arena, __VA_ARGS__), ERR_SYNTAX))

static const struct option *find_row(const struct options *options, struct str flag)
{
    for (size_t i = 0; i < options->count; i++) {
        if (str_eq(flag, str_from(options->rows[i].flag)))
            return &options->rows[i];
    }
    return NULL;
}

static void *member(const struct parse *parse, const struct option *row)
{
    return (char *)parse->target + row->offset;
}

/* The words that Go's flag package knows: the odd ones are true. */
static const char *const bool_words[] = {"false", "true", "0", "1", "f",     "t",
                                         "FALSE", "TRUE", "F", "T", "False", "True"};
static const struct names bool_table = NAMES(bool_words);

static int set_bool(const struct option *row, struct str value, void *to)
{
    size_t index;
    (void)row;
    if (names_find(&bool_table, value, &index) < 0)
        return -EINVAL;
    *(bool *)to = index % 2;
    return 0;
}

static uint64_t limit(const struct option *row)
{
    return row->max ? row->max : UINT64_MAX;
}

static int set_uint(const struct option *row, struct str value, void *to)
{
    uint64_t number;
    int err = str_to_u64(value, limit(row), &number);
    if (err < 0)
        return err;
    if (number < row->min)
        return -ERANGE;
    *(uint64_t *)to = number;
    return 0;
}

static int set_duration(const struct option *row, struct str value, void *to)
{
    int64_t parsed;
    int err = duration_parse(value, &parsed);
    if (err < 0)
        return err;
    if (parsed < 0)
        return -ERANGE;
    uint64_t ms = ((uint64_t)parsed + DURATION_MILLISECOND - 1) / DURATION_MILLISECOND;
    if (ms < row->min || ms > limit(row))
        return -ERANGE;
    *(uint64_t *)to = ms;
    return 0;
}

static int set_enum(const struct option *row, struct str value, void *to)
{
    size_t index;
    if (names_find(row->names, value, &index) < 0)
        return -EINVAL;
    *(int *)to = (int)index;
    return 0;
}

static int set_str(const struct option *row, struct str value, void *to)
{
    (void)row;
    *(struct str *)to = value;
    return 0;
}

static void put_bound(struct sbuf *out, const struct option *row, uint64_t bound)
{
    if (row->type == OPTION_DURATION)
        duration_format(out, (int64_t)bound * DURATION_MILLISECOND);
    else
        sbuf_u64(out, bound);
}

static void put_bounds(struct sbuf *out, const struct option *row)
{
    if (row->min || row->max) {
        sbuf_puts(out, " from ");
        put_bound(out, row, row->min);
    }
    if (row->max) {
        sbuf_puts(out, " to ");
        put_bound(out, row, row->max);
    }
}

/* What a value of the row must look like, for the message and for the usage text. */
static void put_rule(struct sbuf *out, const struct option *row)
{
    static const char *const rules[] = {
        [OPTION_STR] = "text",      [OPTION_BOOL] = "true or false",
        [OPTION_UINT] = "a number", [OPTION_DURATION] = "a duration (such as 1m30s or 500ms)",
        [OPTION_ENUM] = "one of ",  [OPTION_LIST] = "text",
    };
    sbuf_puts(out, rules[row->type]);
    put_bounds(out, row);
    for (size_t i = 0; row->type == OPTION_ENUM && i < row->names->count; i++)
        sbuf_printf(out, "%s%s", i ? ", " : "", row->names->names[i]);
}

static void append(struct parse *parse, const struct option *row, struct str value)
{
    struct str_list *list = member(parse, row);
    struct str *items = arena_array(parse->arena, list->count + 1, sizeof(*items));
    for (size_t i = 0; i < list->count; i++)
        items[i] = list->items[i];
    items[list->count] = value;
    *list = (struct str_list){.items = items, .count = list->count + 1};
}

/* source names where the value comes from: "--port" or "STENTOR_PORT". */
static int set_value(struct parse *parse, const struct option *row, struct str source,
                     struct str value)
{
    static int (*const setters[])(const struct option *, struct str, void *) = {
        [OPTION_STR] = set_str,           [OPTION_BOOL] = set_bool, [OPTION_UINT] = set_uint,
        [OPTION_DURATION] = set_duration, [OPTION_ENUM] = set_enum,
    };
    if (row->type == OPTION_LIST) {
        append(parse, row, value);
        return 0;
    }
    if (setters[row->type](row, value, member(parse, row)) == 0)
        return 0;
    scoped_sbuf struct sbuf rule = {0};
    put_rule(&rule, row);
    return fail(parse, STR_FMT ": \"" STR_FMT "\" is not %s", STR_ARG(source), STR_ARG(value),
                sbuf_cstr(&rule));
}

static void set_list(struct parse *parse, const struct option *row, struct str value)
{
    struct str part;
    while (str_next(&value, ',', &part))
        append(parse, row, str_trim(part));
}

static struct str find_variable(char *const *environment, const char *name)
{
    for (; name && environment && *environment; environment++) {
        struct str key, value;
        if (str_cut(str_from(*environment), '=', &key, &value) && str_eq(key, str_from(name)))
            return value;
    }
    return (struct str){0};
}

/* The default, then the environment over it; for a list only the stronger one. */
static int set_ground(struct parse *parse, const struct option *row, char *const *environment)
{
    struct str value = find_variable(environment, row->env);
    struct str source = str_from(row->env);
    if (value.len == 0) {
        value = str_from(row->fallback);
        source = str_from(row->flag);
    }
    if (value.len == 0)
        return 0;
    if (row->type == OPTION_LIST)
        set_list(parse, row, value);
    else
        return set_value(parse, row, source, value);
    return 0;
}

/* The boolean that "no-NAME" clears, or NULL. */
static const struct option *find_cleared(const struct options *options, struct str name)
{
    if (!str_starts_with(name, STR("no-")))
        return NULL;
    const struct option *row = find_row(options, str_slice(name, 3, name.len));
    return row && row->type == OPTION_BOOL ? row : NULL;
}

static int fail_unknown(struct parse *parse, struct str flag, struct str name)
{
    struct suggest suggest = {.typed = name};
    for (size_t i = 0; i < parse->options->count; i++)
        suggest_try(&suggest, str_from(parse->options->rows[i].flag));
    if (!suggest.best.len)
        return fail(parse, "unknown flag " STR_FMT, STR_ARG(flag));
    return fail(parse, "unknown flag " STR_FMT ": did you mean --" STR_FMT "?", STR_ARG(flag),
                STR_ARG(suggest.best));
}

/* One argument that is a flag; *at is moved over the value when that is the next argument. */
static int set_flag(struct parse *parse, char *const *arguments, size_t count, size_t *at,
                    bool *given)
{
    struct str flag, value;
    bool has_value = str_cut(str_from(arguments[*at]), '=', &flag, &value);
    struct str name = str_slice(flag, str_starts_with(flag, STR("--")) ? 2 : 1, flag.len);
    if (!has_value && (str_eq(name, STR("help")) || str_eq(name, STR("h"))))
        return OPTIONS_HELP;
    if (!has_value && str_eq(name, STR("version")))
        return OPTIONS_VERSION;
    const struct option *row = find_row(parse->options, name);
    const struct option *cleared = row ? NULL : find_cleared(parse->options, name);
    if (cleared && has_value)
        return fail(parse, STR_FMT " takes no value", STR_ARG(flag));
    if (cleared)
        return set_value(parse, cleared, flag, STR("false"));
    if (!row)
        return fail_unknown(parse, flag, name);
    if (!has_value && row->type == OPTION_BOOL)
        value = STR("true");
    else if (!has_value && *at + 1 >= count)
        return fail(parse, STR_FMT " needs a value", STR_ARG(flag));
    else if (!has_value)
        value = str_from(arguments[++*at]);
    size_t index = (size_t)(row - parse->options->rows);
    if (row->type == OPTION_LIST && !given[index])
        *(struct str_list *)member(parse, row) = (struct str_list){0};
    given[index] = true;
    return set_value(parse, row, flag, value);
}

static int parse_arguments(struct parse *parse, char *const *arguments, size_t count)
{
    bool *given = arena_array(parse->arena, parse->options->count, sizeof(*given));
    bool ended = false;
    for (size_t i = 0; i < count; i++) {
        struct str text = str_from(arguments[i]);
        if (!ended && str_eq(text, STR("--"))) {
            ended = true;
        } else if (!ended && text.len > 1 && text.ptr[0] == '-') {
            int result = set_flag(parse, arguments, count, &i, given);
            if (result != OPTIONS_RUN)
                return result;
        } else if (parse->options->operands) {
            vec_push(&parse->operands, text);
        } else {
            return fail(parse, "unexpected argument \"" STR_FMT "\"", STR_ARG(text));
        }
    }
    return OPTIONS_RUN;
}

int options_parse(const struct options *options, char *const *arguments, size_t count,
                  char *const *environment, struct arena *arena, void *ret,
                  struct str_list *ret_operands, struct str *ret_error)
{
    struct parse parse = {.options = options, .arena = arena, .target = ret};
    int ground = 0;
    for (size_t i = 0; i < options->count; i++) {
        if (set_ground(&parse, &options->rows[i], environment) < 0)
            ground = ERR_SYNTAX;
    }
    int result = parse_arguments(&parse, arguments, count);
    if (result == OPTIONS_RUN && ground < 0)
        result = ground; /* --help is answered even when the environment is wrong */
    struct str *operands = arena_array(arena, parse.operands.len, sizeof(*operands));
    for (size_t i = 0; i < parse.operands.len; i++)
        operands[i] = parse.operands.items[i];
    *ret_operands = (struct str_list){.items = operands, .count = parse.operands.len};
    vec_done(&parse.operands);
    if (result < 0)
        *ret_error = parse.error;
    return result;
}

/* Words of text, indented and broken before column 80. */
static void put_wrapped(struct sbuf *out, size_t indent, struct str text)
{
    enum { COLUMNS = 80 };
    size_t column = 0;
    for (struct str word; str_next(&text, ' ', &word);) {
        if (column && column + 1 + word.len >= COLUMNS) {
            sbuf_putc(out, '\n');
            column = 0;
        }
        if (column)
            sbuf_putc(out, ' ');
        else
            sbuf_printf(out, "%*s", (int)indent, "");
        sbuf_put(out, word);
        column += (column ? 1 : indent) + word.len;
    }
    sbuf_putc(out, '\n');
}

static void put_row(struct sbuf *out, const struct option *row)
{
    sbuf_printf(out, "  --%s", row->flag);
    if (row->type != OPTION_BOOL)
        sbuf_printf(out, " %s", row->value ? row->value : "VALUE");
    sbuf_putc(out, '\n');
    scoped_sbuf struct sbuf text = {0};
    sbuf_puts(&text, row->help);
    if (row->type == OPTION_ENUM) {
        sbuf_puts(&text, ": ");
        put_rule(&text, row);
    }
    if (row->fallback && row->fallback[0])
        sbuf_printf(&text, " (default %s)", row->fallback);
    if (row->env)
        sbuf_printf(&text, " [%s]", row->env);
    put_wrapped(out, 8, sbuf_str(&text));
}

void options_usage(const struct options *options, struct sbuf *out)
{
    sbuf_printf(out, "usage: %s %s\n\n", options->program, options->synopsis);
    put_wrapped(out, 0, str_from(options->summary));
    if (options->manual)
        sbuf_printf(out, "\n%s", options->manual);
    sbuf_puts(out, "\nFlags (in brackets the environment variable that does the same):\n");
    for (size_t i = 0; i < options->count; i++)
        put_row(out, &options->rows[i]);
    sbuf_puts(out, "  --help\n        print this text\n");
    sbuf_puts(out, "  --version\n        print the version\n");
}
