#include "common/base/options.h"

#include <errno.h>

#include "common/base/err.h"
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

static int set_bool(const struct option *row, struct str value, void *to)
{
    static const char *const words[] = {"false", "true", "0", "1"};
    static const struct names table = NAMES(words);
    size_t index;
    (void)row;
    if (names_find(&table, value, &index) < 0)
        return -EINVAL;
    *(bool *)to = index % 2;
    return 0;
}

static int set_uint(const struct option *row, struct str value, void *to)
{
    return str_to_u64(value, row->max ? row->max : UINT64_MAX, to);
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

/* What a value of each type must look like, for the message and for the usage text. */
static struct str type_rule(struct arena *arena, const struct option *row)
{
    switch (row->type) {
    case OPTION_BOOL:
        return STR("true or false");
    case OPTION_UINT:
        if (row->max)
            return arena_printf(arena, "a number from 0 to %llu", (unsigned long long)row->max);
        return STR("a number");
    case OPTION_ENUM:
        break;
    case OPTION_STR:
    case OPTION_LIST:
        return STR("text");
    }
    scoped_sbuf struct sbuf list = {0};
    sbuf_puts(&list, "one of ");
    for (size_t i = 0; i < row->names->count; i++)
        sbuf_printf(&list, "%s%s", i ? ", " : "", row->names->names[i]);
    return arena_str(arena, sbuf_str(&list));
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
        [OPTION_STR] = set_str,
        [OPTION_BOOL] = set_bool,
        [OPTION_UINT] = set_uint,
        [OPTION_ENUM] = set_enum,
    };
    if (row->type == OPTION_LIST) {
        append(parse, row, value);
        return 0;
    }
    if (setters[row->type](row, value, member(parse, row)) == 0)
        return 0;
    struct str rule = type_rule(parse->arena, row);
    return fail(parse, STR_FMT ": \"" STR_FMT "\" is not " STR_FMT, STR_ARG(source), STR_ARG(value),
                STR_ARG(rule));
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

/* One argument that is a flag; *at is moved over the value when that is the next argument. */
static int set_flag(struct parse *parse, char *const *arguments, size_t count, size_t *at,
                    bool *given)
{
    struct str text = str_from(arguments[*at]);
    struct str flag, value;
    bool has_value = str_cut(text, '=', &flag, &value);
    struct str name = str_slice(flag, str_starts_with(flag, STR("--")) ? 2 : 1, flag.len);
    if (!has_value && (str_eq(name, STR("help")) || str_eq(name, STR("h"))))
        return OPTIONS_HELP;
    if (!has_value && str_eq(name, STR("version")))
        return OPTIONS_VERSION;
    const struct option *row = find_row(parse->options, name);
    if (!row)
        return fail(parse, "unknown flag " STR_FMT, STR_ARG(flag));
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

static void put_row(struct sbuf *out, const struct option *row, struct arena *arena)
{
    sbuf_printf(out, "  --%s", row->flag);
    if (row->type != OPTION_BOOL)
        sbuf_printf(out, " %s", row->value ? row->value : "VALUE");
    sbuf_printf(out, "\n        %s", row->help);
    if (row->type == OPTION_ENUM)
        sbuf_printf(out, ": " STR_FMT, STR_ARG(type_rule(arena, row)));
    if (row->fallback && row->fallback[0])
        sbuf_printf(out, " (default %s)", row->fallback);
    if (row->env)
        sbuf_printf(out, " [%s]", row->env);
    sbuf_putc(out, '\n');
}

void options_usage(const struct options *options, struct sbuf *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    sbuf_printf(out, "usage: %s %s\n\n%s\n\n", options->program, options->synopsis,
                options->summary);
    sbuf_puts(out, "Flags (in brackets the environment variable that does the same):\n");
    for (size_t i = 0; i < options->count; i++)
        put_row(out, &options->rows[i], arena);
    sbuf_puts(out, "  --help\n        print this text\n");
    sbuf_puts(out, "  --version\n        print the version\n");
}
