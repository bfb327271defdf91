#include "speaker/excludes.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/base/err.h"
#include "common/base/vec.h"
#include "common/json/yaml.h"

/* A name has at most 15 bytes: an expression that needs more steps than this is hostile. */
enum { STEPS_MAX = 10000 };

struct excludes {
    VEC(pcre2_code *) expressions;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

static const char *const shipped[] = {
    "^docker.*", "^cbr.*",  "^dummy.*",   "^virbr.*",     "^lxcbr.*", "^veth.*",         "^lo$",
    "^cali.*",   "^tunl.*", "^flannel.*", "^kube-ipvs.*", "^cni.*",   "^nodelocaldns.*", "^lxc.*",
};

static struct excludes *excludes_new(void)
{
    struct excludes *excludes = heap_alloc(sizeof(*excludes));
    *excludes = (struct excludes){.match = pcre2_match_data_create(1, NULL),
                                  .limits = pcre2_match_context_create(NULL)};
    assert(excludes->match && excludes->limits); /* out of memory */
    (void)pcre2_set_match_limit(excludes->limits, STEPS_MAX);
    (void)pcre2_set_depth_limit(excludes->limits, STEPS_MAX);
    return excludes;
}

struct excludes *excludes_free(struct excludes *excludes)
{
    if (!excludes)
        return NULL;
    for (size_t i = 0; i < excludes->expressions.len; i++)
        pcre2_code_free(excludes->expressions.items[i]);
    vec_done(&excludes->expressions);
    pcre2_match_context_free(excludes->limits);
    pcre2_match_data_free(excludes->match);
    free(excludes);
    return NULL;
}

/* 0, or PCRE2's code for what is wrong with the expression. Names are bytes, and so is `.`. */
static int add(struct excludes *excludes, struct str text)
{
    int code;
    size_t at;
    pcre2_code *expression =
        pcre2_compile((PCRE2_SPTR)text.ptr, text.len, PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C,
                      &code, &at, NULL);
    if (!expression)
        return code;
    vec_push(&excludes->expressions, expression);
    return 0;
}

struct excludes *excludes_default(void)
{
    struct excludes *excludes = excludes_new();
    for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
        int code = add(excludes, str_from(shipped[i]));
        assert(code == 0);
    }
    return excludes;
}

/* --- reading --------------------------------------------------------------------------------- */

static const char key[] = "announcedInterfacesToExclude";

/* The first line, from 1, that holds the text behind the key; the key's own when none does (a text
 * with escapes is written otherwise than it reads). */
static size_t line_of(struct str text, struct str item)
{
    struct str line;
    size_t number = 0, keyed = 0;
    while (str_next(&text, '\n', &line)) {
        number++;
        if (!keyed && str_contains(line, str_from(key)))
            keyed = number;
        if (keyed && item.len && str_contains(line, item))
            return number;
    }
    return keyed ? keyed : 1;
}

static int refuse(struct arena *arena, size_t line, const char *phrase, struct str *ret_error)
{
    *ret_error = arena_printf(arena, "line %zu: %s", line, phrase);
    return ERR_SYNTAX;
}

static int read_item(struct excludes *excludes, struct str text, const json_t *value,
                     struct arena *arena, struct str *ret_error)
{
    struct str item = {json_string_value(value), json_string_length(value)};
    PCRE2_UCHAR phrase[128];
    if (!json_is_string(value))
        return refuse(arena, line_of(text, STR("")), "an expression must be text", ret_error);
    if (item.len == 0 || item.len > EXCLUDES_LENGTH_MAX)
        return refuse(arena, line_of(text, STR("")), "an expression must have 1 to 1024 bytes",
                      ret_error);
    int code = add(excludes, item);
    if (!code)
        return 0;
    (void)pcre2_get_error_message(code, phrase, sizeof(phrase));
    return refuse(arena, line_of(text, item), (const char *)phrase, ret_error);
}

static int read_tree(struct excludes *excludes, struct str text, const json_t *tree,
                     struct arena *arena, struct str *ret_error)
{
    const json_t *list = json_object_get(tree, key), *value;
    size_t i;
    if (!json_is_object(tree))
        return refuse(arena, 1, "must be a mapping with the key announcedInterfacesToExclude",
                      ret_error);
    if (list && !json_is_null(list) && !json_is_array(list))
        return refuse(arena, line_of(text, STR("")), "announcedInterfacesToExclude must be a list",
                      ret_error);
    if (json_array_size(list) > EXCLUDES_MAX)
        return refuse(arena, line_of(text, STR("")), "at most 256 expressions", ret_error);
    json_array_foreach(list, i, value)
    {
        int result = read_item(excludes, text, value, arena, ret_error);
        if (result < 0)
            return result;
    }
    return 0;
}

int excludes_parse(struct str text, struct arena *arena, struct excludes **ret,
                   struct str *ret_error)
{
    scoped_ptr(excludes) struct excludes *excludes = excludes_new();
    struct yaml_documents documents = yaml_parse(text, arena);
    const struct yaml_document *document = documents.list.items;
    int result = 0;
    if (documents.list.len > 1)
        result = refuse(arena, document[1].line, "one document is expected", ret_error);
    else if (documents.list.len && !document->tree)
        result = refuse(arena, document->error_line, arena_cstr(arena, document->error), ret_error);
    else if (documents.list.len)
        result = read_tree(excludes, text, document->tree, arena, ret_error);
    yaml_done(&documents);
    if (result == 0)
        *ret = take_ptr(excludes);
    return result;
}

/* --- asking ---------------------------------------------------------------------------------- */

bool excludes_has(const struct excludes *excludes, struct str name)
{
    for (size_t i = 0; i < excludes->expressions.len; i++) {
        if (pcre2_match(excludes->expressions.items[i], (PCRE2_SPTR)name.ptr, name.len, 0, 0,
                        excludes->match, excludes->limits) >= 0)
            return true;
    }
    return false;
}

size_t excludes_count(const struct excludes *excludes)
{
    return excludes->expressions.len;
}
