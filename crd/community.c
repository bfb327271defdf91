#include "crd/community.h"

#include "common/base/err.h"
#include "crd/check.h"
#include "crd/condition.h"
#include "crd/object_rows.h"

#define AT(member) offsetof(struct community_alias, member)
static const struct field alias_fields[] = {
    {"name", FIELD_STR, AT(name)},
    {"value", FIELD_STR, AT(value)},
};
#undef AT
static const struct shape alias_shape = SHAPE(struct community_alias, alias_fields, SHAPE_STRICT);

static const struct field spec_fields[] = {
    {"communities", FIELD_LIST, 0, .nested = &alias_shape},
};
static const struct shape spec_shape = SHAPE(struct list, spec_fields, SHAPE_STRICT);

#define AT(member) offsetof(struct community, member)
static const struct field fields[] = {
    OBJECT_ROWS(struct community),
    {"spec", FIELD_OBJECT, AT(communities), .nested = &spec_shape},
    {"status", FIELD_OBJECT, AT(conditions), .nested = &conditions_status_shape},
};
#undef AT
const struct shape community_shape = SHAPE(struct community, fields, SHAPE_STRICT);

enum { SECTIONS_MAX = 4 };

/* The parts between colons: at most SECTIONS_MAX are stored, all are counted. */
static size_t split(struct str text, struct str parts[SECTIONS_MAX])
{
    size_t count = 1;
    parts[0] = text;
    for (struct str rest = text, head; str_cut(rest, ':', &head, &rest); count++) {
        if (count <= SECTIONS_MAX)
            parts[count - 1] = head;
        if (count < SECTIONS_MAX)
            parts[count] = rest;
    }
    return count;
}

/* The first part that is no number up to max, or NULL. */
static const struct str *parse_sections(const struct str *parts, size_t count, uint64_t max,
                                        uint32_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        if (str_to_u64(parts[i], max, &number) < 0)
            return &parts[i];
        ret[i] = (uint32_t)number;
    }
    return NULL;
}

static bool is_large(const struct str *parts, size_t count)
{
    return count == 4 && str_eq(parts[0], STR("large"));
}

int community_parse(struct str text, struct community_value *ret)
{
    struct str parts[SECTIONS_MAX];
    size_t count = split(text, parts);
    struct community_value value = {.large = is_large(parts, count)};
    const struct str *bad = parts;
    if (value.large)
        bad = parse_sections(&parts[1], 3, UINT32_MAX, value.parts);
    else if (count == 2)
        bad = parse_sections(parts, 2, UINT16_MAX, value.parts);
    if (bad)
        return ERR_SYNTAX;
    *ret = value;
    return 0;
}

struct str community_explain(struct arena *arena, struct str text)
{
    struct str parts[SECTIONS_MAX];
    size_t count = split(text, parts);
    bool large = is_large(parts, count);
    uint32_t numbers[3];
    struct str shown = str_slice(text, 0, 128);
    if (large || count == 2) {
        const struct str *bad = large ? parse_sections(&parts[1], 3, UINT32_MAX, numbers)
                                      : parse_sections(parts, 2, UINT16_MAX, numbers);
        struct str section = bad ? str_slice(*bad, 0, 64) : (struct str){0};
        return arena_printf(arena,
                            "invalid community value: invalid section \"" STR_FMT
                            "\" of community \"" STR_FMT "\": must be a number up to %s",
                            STR_ARG(section), STR_ARG(shown), large ? "4294967295" : "65535");
    }
    if (count == 4)
        return arena_printf(arena,
                            "invalid community value: expected community to be of format "
                            "large:<number>:<number>:<number>, not \"" STR_FMT "\"",
                            STR_ARG(shown));
    return arena_printf(arena, "invalid community format: \"" STR_FMT "\"", STR_ARG(shown));
}

struct str community_format(struct arena *arena, const struct community_value *value)
{
    if (value->large)
        return arena_printf(arena, "large:%u:%u:%u", value->parts[0], value->parts[1],
                            value->parts[2]);
    return arena_printf(arena, "%u:%u", value->parts[0], value->parts[1]);
}

void community_check(struct object *object)
{
    struct list *list = &((struct community *)object)->communities;
    struct community_alias *aliases = list->items;
    struct str_list names = {.items = arena_array(object->arena, list->count, sizeof(struct str)),
                             .count = list->count};
    for (size_t i = 0; i < list->count; i++) {
        struct community_alias *alias = &aliases[i];
        names.items[i] = alias->name;
        if (community_parse(alias->value, &alias->parsed) < 0)
            check_fail(object, check_field(object, "spec.communities[%zu].value", i),
                       "parsing community \"" STR_FMT "\": " STR_FMT,
                       STR_ARG(str_slice(alias->name, 0, 128)),
                       STR_ARG(community_explain(object->arena, alias->value)));
    }
    check_unique(object, &names, "spec.communities", "community");
}
