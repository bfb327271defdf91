#include "crd/selector.h"

#include "common/base/sbuf.h"
#include "crd/check.h"
#include "crd/name.h"

#define AT(member) offsetof(struct selector_term, member)
static const struct field term_fields[] = {
    {"key", FIELD_STR, AT(key), .flags = FIELD_REQUIRED},
    {"operator", FIELD_STR, AT(op_text), .flags = FIELD_REQUIRED},
    {"values", FIELD_STR_LIST, AT(values)},
};
#undef AT
static const struct shape term_shape = SHAPE(struct selector_term, term_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct selector, member)
static const struct field selector_fields[] = {
    {"matchLabels", FIELD_MAP, AT(match_labels)},
    {"matchExpressions", FIELD_LIST, AT(match_expressions), .nested = &term_shape},
};
#undef AT
const struct shape selector_shape = SHAPE(struct selector, selector_fields, SHAPE_STRICT);

static const char *const operator_names[] = {
    [SELECTOR_IN] = "In",
    [SELECTOR_NOT_IN] = "NotIn",
    [SELECTOR_EXISTS] = "Exists",
    [SELECTOR_DOES_NOT_EXIST] = "DoesNotExist",
};
static const struct names operators = NAMES(operator_names);

static bool term_matches(const struct selector_term *term, const struct str_map *labels)
{
    bool present;
    struct str value = str_map_get(labels, term->key, &present);
    switch (term->op) {
    case SELECTOR_IN:
        return present && str_list_has(&term->values, value);
    case SELECTOR_NOT_IN:
        return !present || !str_list_has(&term->values, value);
    case SELECTOR_EXISTS:
        return present;
    case SELECTOR_DOES_NOT_EXIST:
        return !present;
    }
    return false;
}

bool selector_matches(const struct selector *selector, const struct str_map *labels)
{
    for (size_t i = 0; i < selector->match_labels.count; i++) {
        const struct str_pair *want = &selector->match_labels.items[i];
        bool present;
        struct str value = str_map_get(labels, want->key, &present);
        if (!present || !str_eq(value, want->value))
            return false;
    }
    const struct selector_term *terms = selector->match_expressions.items;
    for (size_t i = 0; i < selector->match_expressions.count; i++)
        if (!term_matches(&terms[i], labels))
            return false;
    return true;
}

bool selectors_match(const struct list *selectors, const struct str_map *labels)
{
    const struct selector *all = selectors->items;
    for (size_t i = 0; i < selectors->count; i++)
        if (selector_matches(&all[i], labels))
            return true;
    return false;
}

bool selectors_match_or_none(const struct list *selectors, const struct str_map *labels)
{
    return selectors->count == 0 || selectors_match(selectors, labels);
}

bool selector_has_pool(const struct str_list *names, const struct list *selectors,
                       const struct object *pool)
{
    if (names->count == 0 && selectors->count == 0)
        return true;
    return str_list_has(names, object_name(pool)) || selectors_match(selectors, &pool->labels);
}

/* "key In (a,b)", values sorted. */
static struct str term_text(const struct selector_term *term, struct arena *arena)
{
    struct sbuf out = {0};
    sbuf_put(&out, term->key);
    sbuf_putc(&out, ' ');
    sbuf_put(&out, term->op_text);
    sbuf_puts(&out, " (");
    struct str *values = arena_array(arena, term->values.count, sizeof(*values));
    for (size_t i = 0; i < term->values.count; i++)
        values[i] = term->values.items[i];
    qsort(values, term->values.count, sizeof(*values), str_cmp_ptr);
    for (size_t i = 0; i < term->values.count; i++) {
        if (i)
            sbuf_putc(&out, ',');
        sbuf_put(&out, values[i]);
    }
    sbuf_putc(&out, ')');
    return sbuf_move(&out, arena);
}

static struct str_list term_texts(const struct selector *selector, struct arena *arena)
{
    const struct selector_term *terms = selector->match_expressions.items;
    struct str_list texts = {
        .items = arena_array(arena, selector->match_expressions.count, sizeof(struct str)),
        .count = selector->match_expressions.count};
    for (size_t i = 0; i < texts.count; i++)
        texts.items[i] = term_text(&terms[i], arena);
    return texts;
}

struct str selector_text(const struct selector *selector, struct arena *arena)
{
    struct sbuf out = {0};
    for (size_t i = 0; i < selector->match_labels.count; i++) {
        const struct str_pair *label = &selector->match_labels.items[i];
        sbuf_printf(&out, "%s" STR_FMT "=" STR_FMT, i ? ", " : "", STR_ARG(label->key),
                    STR_ARG(label->value));
    }
    struct str_list texts = term_texts(selector, arena);
    qsort(texts.items, texts.count, sizeof(*texts.items), str_cmp_ptr);
    for (size_t i = 0; i < texts.count; i++)
        sbuf_printf(&out, "%s" STR_FMT, out.len ? ", " : "", STR_ARG(texts.items[i]));
    return sbuf_move(&out, arena);
}

static void check_key(struct object *object, struct str key, struct str field)
{
    if (!name_is_label_key(key))
        check_fail(object, field, "invalid label selector: \"" STR_FMT "\" is no label key",
                   STR_ARG(str_slice(key, 0, 317)));
}

static void check_value(struct object *object, struct str value, struct str field)
{
    if (!name_is_label_value(value))
        check_fail(object, field, "invalid label selector: \"" STR_FMT "\" is no label value",
                   STR_ARG(str_slice(value, 0, 128)));
}

static void check_term(struct object *object, struct selector_term *term, struct str field)
{
    check_key(object, term->key, field);
    size_t op;
    if (names_find(&operators, term->op_text, &op) < 0) {
        check_fail(object, field, "\"" STR_FMT "\" is not a valid label selector operator",
                   STR_ARG(str_slice(term->op_text, 0, 64)));
        return;
    }
    term->op = (enum selector_operator)op;
    bool takes_values = term->op == SELECTOR_IN || term->op == SELECTOR_NOT_IN;
    if (takes_values && term->values.count == 0)
        check_fail(object, field, "invalid label selector: operator %s needs values",
                   names_of(&operators, op));
    if (!takes_values && term->values.count > 0)
        check_fail(object, field,
                   "invalid label selector: values must be an empty set for operator %s",
                   names_of(&operators, op));
    for (size_t i = 0; i < term->values.count; i++)
        check_value(object, term->values.items[i], field);
    check_unique(object, &term->values, arena_cstr(object->arena, field),
                 "match expression value in label selector");
}

void selector_check(struct object *object, struct selector *selector, struct str field)
{
    for (size_t i = 0; i < selector->match_labels.count; i++) {
        const struct str_pair *label = &selector->match_labels.items[i];
        struct str where = check_field(object, STR_FMT ".matchLabels", STR_ARG(field));
        check_key(object, label->key, where);
        check_value(object, label->value, where);
    }
    struct selector_term *terms = selector->match_expressions.items;
    for (size_t i = 0; i < selector->match_expressions.count; i++)
        check_term(object, &terms[i],
                   check_field(object, STR_FMT ".matchExpressions[%zu]", STR_ARG(field), i));
    struct str_list texts = term_texts(selector, object->arena);
    check_unique(object, &texts, arena_cstr(object->arena, field), "match expressions");
}

void selectors_check(struct object *object, struct list *selectors, const char *name)
{
    struct selector *all = selectors->items;
    struct str_list texts = {.items =
                                 arena_array(object->arena, selectors->count, sizeof(struct str)),
                             .count = selectors->count};
    for (size_t i = 0; i < selectors->count; i++) {
        selector_check(object, &all[i], check_field(object, "spec.%s[%zu]", name, i));
        texts.items[i] = selector_text(&all[i], object->arena);
    }
    /* "serviceAllocation.serviceSelectors" is told by its last part. */
    struct str outer, inner;
    bool nested = str_cut(str_from(name), '.', &outer, &inner);
    check_unique(object, &texts, arena_cstr(object->arena, check_field(object, "spec.%s", name)),
                 nested ? inner.ptr : name);
}
