/* Schemas and tables say the same: every property of a schema has a row, every row a property, and
 * types, required fields, defaults, bounds and enums agree. */
#include "crd/test_support.h"

static size_t differences;

static void differ(struct str path, const char *what)
{
    printf("\n" STR_FMT ": %s", STR_ARG(path), what);
    differences++;
}

static const char *text(const json_t *schema, const char *key)
{
    const char *value = json_string_value(json_object_get(schema, key));
    return value ? value : "";
}

static bool is_type(const json_t *schema, const char *type)
{
    return strcmp(text(schema, "type"), type) == 0;
}

static bool is_list_of(const json_t *schema, const char *type)
{
    return is_type(schema, "array") && is_type(json_object_get(schema, "items"), type);
}

static bool is_string_map(const json_t *schema)
{
    return is_type(schema, "object") &&
           is_type(json_object_get(schema, "additionalProperties"), "string");
}

static bool has_format(const json_t *schema, const char *format)
{
    return is_type(schema, "string") && strcmp(text(schema, "format"), format) == 0;
}

static bool type_agrees(const struct field *row, const json_t *schema)
{
    switch (row->type) {
    case FIELD_STR:
        return is_type(schema, "string") && !has_format(schema, "date-time");
    case FIELD_ENUM:
        return is_type(schema, "string") && json_object_get(schema, "enum") != NULL;
    case FIELD_DURATION:
        return is_type(schema, "string") && json_object_get(schema, "pattern") != NULL;
    case FIELD_TIME:
        return has_format(schema, "date-time");
    case FIELD_BOOL:
        return is_type(schema, "boolean");
    case FIELD_INT:
        return is_type(schema, "integer");
    case FIELD_STR_LIST:
        return is_list_of(schema, "string");
    case FIELD_LIST:
        return is_list_of(schema, "object");
    case FIELD_MAP:
        return is_string_map(schema);
    case FIELD_OBJECT:
    case FIELD_POINTER:
        return is_type(schema, "object");
    case FIELD_SKIP:
        return true;
    default:
        return false; /* no schema of ours needs the others */
    }
}

static bool is_required(const json_t *schema, const char *name)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++)
        if (strcmp(json_string_value(json_array_get(required, i)), name) == 0)
            return true;
    return false;
}

/* An empty object as a fallback only carries the defaults inside it; schemas do not have it. */
static bool default_agrees(const struct field *row, const json_t *schema)
{
    const json_t *wanted = json_object_get(schema, "default");
    if (!row->fallback || row->type == FIELD_OBJECT)
        return wanted == NULL;
    json_t *fallback = json_loads(row->fallback, JSON_DECODE_ANY, NULL);
    bool same = json_equal(fallback, wanted) == 1;
    json_decref(fallback);
    return same;
}

/* What the schema allows, by its bounds or by its format (which the API server checks too). */
static void bounds_of(const json_t *schema, int64_t *ret_min, int64_t *ret_max)
{
    bool small = strcmp(text(schema, "format"), "int32") == 0;
    const json_t *min = json_object_get(schema, "minimum");
    const json_t *max = json_object_get(schema, "maximum");
    *ret_min = min ? json_integer_value(min) : small ? INT32_MIN : INT64_MIN;
    *ret_max = max ? json_integer_value(max) : small ? INT32_MAX : INT64_MAX;
}

static bool bounds_agree(const struct field *row, const json_t *schema)
{
    if (row->type != FIELD_INT)
        return true;
    int64_t min, max;
    bounds_of(schema, &min, &max);
    if (row->min == 0 && row->max == 0)
        return min == INT64_MIN && max == INT64_MAX;
    return row->min == min && row->max == max;
}

static bool enum_agrees(const struct field *row, const json_t *schema)
{
    if (row->type != FIELD_ENUM)
        return true;
    const json_t *names = json_object_get(schema, "enum");
    size_t first = row->names->names[0][0] == '\0' ? 1 : 0; /* "" stands for an absent field */
    if (row->names->count - first != json_array_size(names))
        return false;
    for (size_t i = first; i < row->names->count; i++)
        if (strcmp(row->names->names[i], json_string_value(json_array_get(names, i - first))) != 0)
            return false;
    return true;
}

/* What may differ, and why. */
static const struct {
    const char *path, *why;
} exceptions[] = {
    {"BGPPeer.spec", "decoded as empty when absent, for its required fields to be missed"},
    {"BGPPeer.spec.peerPort", "v1beta1 allows 0, which v1beta2 does not"},
};

static bool is_exception(struct str path)
{
    for (size_t i = 0; i < TEST_COUNT(exceptions); i++)
        if (str_eq(path, str_from(exceptions[i].path)))
            return true;
    return false;
}

static void compare(struct arena *arena, const struct shape *shape, const json_t *schema,
                    struct str path);

static void compare_row(struct arena *arena, const struct field *row, const json_t *parent,
                        struct str path)
{
    const json_t *schema = json_object_get(json_object_get(parent, "properties"), row->name);
    if (!schema) {
        differ(path, "row without a property");
        return;
    }
    if (!type_agrees(row, schema)) {
        differ(path, "types differ");
        return;
    }
    bool required = (row->flags & FIELD_REQUIRED) != 0;
    bool meta = strcmp(row->name, "metadata") == 0; /* the API server requires it by itself */
    if (required != is_required(parent, row->name) && !meta)
        differ(path, "required by one alone");
    if (!default_agrees(row, schema) && !is_exception(path))
        differ(path, "defaults differ");
    if (!bounds_agree(row, schema) && !is_exception(path))
        differ(path, "bounds differ");
    if (!enum_agrees(row, schema))
        differ(path, "enums differ");
    if (row->nested && !meta)
        compare(arena, row->nested,
                row->type == FIELD_LIST ? json_object_get(schema, "items") : schema, path);
}

static void compare(struct arena *arena, const struct shape *shape, const json_t *schema,
                    struct str path)
{
    for (size_t i = 0; i < shape->count; i++)
        compare_row(arena, &shape->fields[i], schema,
                    arena_printf(arena, STR_FMT ".%s", STR_ARG(path), shape->fields[i].name));
    json_t *properties = json_object_get(schema, "properties");
    for (void *at = json_object_iter(properties); at; at = json_object_iter_next(properties, at)) {
        const char *name = json_object_iter_key(at);
        bool known = false;
        for (size_t i = 0; i < shape->count && !known; i++)
            known = strcmp(shape->fields[i].name, name) == 0;
        if (!known)
            differ(arena_printf(arena, STR_FMT ".%s", STR_ARG(path), name),
                   "property without a row");
    }
}

static const struct kind *kind_of(const json_t *crd)
{
    const json_t *spec = json_object_get(crd, "spec");
    const json_t *names = json_object_get(spec, "names");
    const struct kind *kind = NULL;
    for (size_t i = 0; i < KIND_COUNT && !kind; i++)
        if (strcmp(kinds_get((enum kind_id)i)->name, text(names, "kind")) == 0)
            kind = kinds_get((enum kind_id)i);
    TEST_ASSERT(kind != NULL);
    TEST_STR(str_from(kind->group), text(spec, "group"));
    TEST_STR(str_from(kind->plural), text(names, "plural"));
    return kind;
}

static void compare_versions(struct arena *arena, const json_t *crd, bool seen[KIND_COUNT])
{
    const struct kind *kind = kind_of(crd);
    const json_t *versions = json_object_get(json_object_get(crd, "spec"), "versions");
    seen[kind->id] = true;
    size_t stored = 0;
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const json_t *version = json_array_get(versions, i);
        bool storage = json_is_true(json_object_get(version, "storage"));
        stored += storage;
        CU_ASSERT(!storage || strcmp(kind->version, text(version, "name")) == 0);
        const json_t *schema =
            json_object_get(json_object_get(version, "schema"), "openAPIV3Schema");
        compare(arena, kind->shape, schema, str_from(kind->name));
    }
    CU_ASSERT_EQUAL(stored, 1);
}

static void test_schemas(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list paths = support_files(arena, "schemas");
    bool seen[KIND_COUNT] = {false};
    for (size_t i = 0; i < paths.count; i++) {
        struct yaml_documents documents =
            yaml_parse(support_read(arena, paths.items[i].ptr), arena);
        TEST_ASSERT(documents.list.len == 1 && documents.list.items[0].tree != NULL);
        compare_versions(arena, documents.list.items[0].tree, seen);
        yaml_done(&documents);
    }
    CU_ASSERT_EQUAL(differences, 0);
    for (size_t i = KIND_IP_ADDRESS_POOL; i < KIND_COUNT; i++)
        CU_ASSERT(seen[i]);
}

/* The comparison sees what it is for: rows and properties that disagree. */
static void test_comparison_can_fail(void)
{
    static const char *const colour_names[] = {"red", "blue"};
    static const struct names colours = NAMES(colour_names);
    static const struct field rows[] = {
        {"same", FIELD_BOOL, 0, .fallback = "true"},
        {"extra", FIELD_STR, 0},
        {"type", FIELD_STR, 0},
        {"need", FIELD_STR, 0},
        {"fallback", FIELD_INT, 0, .fallback = "1"},
        {"bounds", FIELD_INT, 0, .min = 1, .max = 2},
        {"enum", FIELD_ENUM, 0, .names = &colours},
    };
    static const struct shape shape = SHAPE(int64_t, rows, 0);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str error = {0};
    json_t *schema =
        fields_parse(STR("{\"required\":[\"need\"],\"properties\":{"
                         "\"same\":{\"type\":\"boolean\",\"default\":true},"
                         "\"type\":{\"type\":\"integer\"},\"need\":{\"type\":\"string\"},"
                         "\"fallback\":{\"type\":\"integer\",\"default\":2},"
                         "\"bounds\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":3},"
                         "\"enum\":{\"type\":\"string\",\"enum\":[\"red\",\"green\"]},"
                         "\"missing\":{\"type\":\"string\"}}}"),
                     arena, &error);
    TEST_ASSERT(schema != NULL);
    size_t before = differences;
    compare(arena, &shape, schema, STR("planted"));
    CU_ASSERT_EQUAL(differences - before, 7);
    differences = before;
    json_decref(schema);
}

TEST_MAIN("crd/schemas", TEST(test_schemas), TEST(test_comparison_can_fail))
