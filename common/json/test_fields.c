#include "common/base/test.h"

#include "common/json/sample_shape.h"

/* The findings of decoding text as a sample, one "path: message" a line. */
static struct str findings_of(struct arena *arena, const char *text, struct sample *ret)
{
    struct str error = {0};
    json_t *tree = fields_parse(str_from(text), arena, &error);
    if (!tree)
        return error;
    struct diag_list found = {.arena = arena};
    size_t errors =
        fields_decode(&sample_shape, tree, STR(""), STR("Sample/x"), arena, &found, ret);
    TEST_ASSERT(errors == found.found.len && errors == diag_errors(&found));
    struct sbuf out = {0};
    for (size_t i = 0; i < found.found.len; i++) {
        const struct diag *diag = &found.found.items[i];
        TEST_STR(diag->object, "Sample/x");
        sbuf_printf(&out, "%s" STR_FMT ": " STR_FMT, i ? "\n" : "", STR_ARG(diag->field),
                    STR_ARG(diag->message));
    }
    diag_done(&found);
    json_decref(tree);
    return sbuf_move(&out, arena);
}

static void test_every_type(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct sample got = {0};
    struct str found = findings_of(
        arena,
        "{\"apiVersion\":[1],\"text\":\"a\\u0000b\",\"flag\":false,\"port\":16384,\"any\":-7,"
        "\"least\":3.0,\"words\":[\"x\",\"\"],\"numbers\":[9,-1],"
        "\"map\":{\"b\":\"2\",\"a\":\"1\",\"c\":\"\"},\"color\":\"Green\",\"wait\":\"1m30s\","
        "\"when\":\"1970-01-01T00:01:00Z\",\"ip\":\"192.0.2.7\",\"either\":80,"
        "\"inner\":{\"name\":\"i\",\"number\":5},\"pointer\":{\"name\":\"p\"},"
        "\"ports\":[{\"name\":\"one\",\"number\":1},{\"name\":\"two\"}],"
        "\"raw\":{\"z\":[1,2.5,null,true],\"a\":\"\\u00e9\"}}",
        &got);
    TEST_STR(found, "");
    TEST_ASSERT(str_eq(got.text, (struct str){.ptr = "a\0b", .len = 3}));
    TEST_ASSERT(!got.flag && got.flag_given && got.port == 16384 && got.any == -7);
    TEST_ASSERT(got.least == 3 && got.defaulted == 42 && got.words.count == 2);
    TEST_STR(got.words.items[0], "x");
    TEST_STR(got.words.items[1], "");
    const int64_t *numbers = got.numbers.items;
    TEST_ASSERT(got.numbers.count == 2 && numbers[0] == 9 && numbers[1] == -1);
    TEST_ASSERT(got.map.count == 3 && str_eq(got.map.items[0].key, STR("a")));
    bool present;
    TEST_STR(str_map_get(&got.map, STR("b"), &present), "2");
    TEST_ASSERT(present);
    TEST_STR(str_map_get(&got.map, STR("c"), &present), "");
    TEST_ASSERT(present);
    TEST_STR(str_map_get(&got.map, STR("d"), &present), "");
    TEST_ASSERT(!present);
    TEST_ASSERT(got.color == 2 && got.wait == 90 * DURATION_SECOND && got.when == 60);
    struct ip want = ip_v4(192, 0, 2, 7);
    TEST_ASSERT(ip_eq(&got.ip, &want));
    TEST_STR(got.either, "80");
    TEST_STR(got.inner.name, "i");
    TEST_ASSERT(got.inner.number == 5 && got.inner.given && got.pointer && !got.pointer->given);
    const struct sample_port *ports = got.ports.items;
    TEST_ASSERT(got.ports.count == 2 && ports[0].number == 1 && !ports[1].given);
    TEST_STR(ports[1].name, "two");
    TEST_STR(got.raw, "{\"z\":[1,2.5,null,true],\"a\":\"\xc3\xa9\"}");
}

static void test_absent(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct sample got = {0};
    TEST_STR(findings_of(arena, "{\"text\":null,\"pointer\":null,\"flag\":null}", &got), "");
    TEST_ASSERT(got.flag && !got.flag_given && got.defaulted == 42 && !got.pointer);
    TEST_ASSERT(!got.text.len && !got.words.count && !got.inner.name.len && !ip_is_set(&got.ip));
}

static void test_findings(void)
{
    static const struct {
        const char *text;
        const char *found;
    } cases[] = {
        {"[]", ": must be an object, not a list"},
        {"3", ": must be an object, not a number"},
        {"{\"text\":3}", "text: must be a string, not a number"},
        {"{\"text\":[]}", "text: must be a string, not a list"},
        {"{\"flag\":\"true\"}", "flag: must be true or false, not a string"},
        {"{\"port\":0}", "port: must be between 1 and 16384, not 0"},
        {"{\"port\":16385}", "port: must be between 1 and 16384, not 16385"},
        {"{\"port\":\"80\"}", "port: must be a number, not a string"},
        {"{\"port\":1.5}", "port: must be a whole number"},
        {"{\"port\":1e300}", "port: is too large a number"},
        {"{\"any\":9223372036854775808}", "any: is too large a number"},
        {"{\"any\":-9223372036854775809}", "any: is too large a number"},
        {"{\"any\":9223372036854775807}", ""},
        {"{\"any\":-9223372036854775808}", ""},
        {"{\"least\":2}", "least: must be at least 3, not 2"},
        {"{\"numbers\":[1,10,true]}", "numbers[1]: must be at most 9, not 10\n"
                                      "numbers[2]: must be a number, not a boolean"},
        {"{\"numbers\":1}", "numbers: must be a list of numbers, not a number"},
        {"{\"words\":[\"a\",null,{}]}", "words[1]: must be a string, not null\n"
                                        "words[2]: must be a string, not an object"},
        {"{\"words\":\"a\"}", "words: must be a list of strings, not a string"},
        {"{\"map\":{\"a.b/c\":1}}", "map[a.b/c]: must be a string, not a number"},
        {"{\"map\":[]}", "map: must be a map of strings, not a list"},
        {"{\"color\":\"Blue\"}", "color: must be \"none\", \"Red\" or \"Green\", not \"Blue\""},
        {"{\"color\":1}", "color: must be \"none\", \"Red\" or \"Green\", not a number"},
        {"{\"wait\":\"fast\"}", "wait: must be a duration such as \"1m30s\", not \"fast\""},
        {"{\"wait\":30}", "wait: must be a duration such as \"1m30s\", not a number"},
        {"{\"wait\":\"1ms\"}", "wait: must be between 1s and 1h0m0s, not 1ms"},
        {"{\"when\":\"now\"}",
         "when: must be a time such as \"2006-01-02T15:04:05Z\", not \"now\""},
        {"{\"ip\":\"192.0.2.256\"}", "ip: must be an IP address, not \"192.0.2.256\""},
        {"{\"ip\":\"\"}", ""},
        {"{\"ip\":4}", "ip: must be an IP address, not a number"},
        {"{\"either\":true}", "either: must be a number or a string, not a boolean"},
        {"{\"either\":1.5}", "either: must be a whole number"},
        {"{\"inner\":3}", "inner: must be an object, not a number"},
        {"{\"inner\":{}}", "inner.name: is required"},
        {"{\"pointer\":{\"name\":null}}", "pointer.name: is required"},
        {"{\"ports\":{}}", "ports: must be a list, not an object"},
        {"{\"ports\":[{\"name\":\"a\"},7,{\"name\":\"b\",\"number\":70000}]}",
         "ports[1]: must be an object, not a number\n"
         "ports[2].number: must be between 1 and 65535, not 70000"},
        {"{\"prot\":1}", "prot: unknown field \"prot\"; did you mean \"port\"?"},
        {"{\"inner\":{\"name\":\"a\",\"nubmer\":1}}",
         "inner.nubmer: unknown field \"nubmer\"; did you mean \"number\"?"},
        {"{\"quite different\":1}", "quite different: unknown field \"quite different\""},
        {"{\"text\":1,\"flag\":2,\"xyzzy\":3}", "text: must be a string, not a number\n"
                                                "flag: must be true or false, not a number\n"
                                                "xyzzy: unknown field \"xyzzy\""},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct sample got = {0};
        TEST_STR(findings_of(arena, cases[i].text, &got), cases[i].found);
    }
}

/* Every type of the table is given every kind of JSON value: what is not accepted must be
 * reported, and only then. */
static void test_walk(void)
{
    static const char *const values[] = {
        "true", "0",       "1.5",    "-1", "1e300",         "\"\"",      "\"x\"", "[]",
        "[1]",  "[\"x\"]", "[null]", "{}", "{\"a\":\"b\"}", "{\"a\":1}", "[{}]",  "[[]]",
    };
    static const unsigned accepted[] = {
        [FIELD_STR] = 1 << 5 | 1 << 6,
        [FIELD_BOOL] = 1 << 0,
        [FIELD_INT] = 1 << 1 | 1 << 3,
        [FIELD_STR_LIST] = 1 << 7 | 1 << 9,
        [FIELD_INT_LIST] = 1 << 7 | 1 << 8,
        [FIELD_MAP] = 1 << 11 | 1 << 12,
        [FIELD_ENUM] = 0,
        [FIELD_DURATION] = 0,
        [FIELD_TIME] = 0,
        [FIELD_IP] = 1 << 5,
        [FIELD_INT_OR_STR] = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6,
        [FIELD_OBJECT] = 0,
        [FIELD_POINTER] = 0,
        [FIELD_LIST] = 1 << 7,
        [FIELD_RAW] = 0xffff,
        [FIELD_SKIP] = 0xffff,
    };
    for (size_t row = 0; row < sample_shape.count; row++) {
        const struct field *field = &sample_fields[row];
        if (field->min || field->max || field->fallback)
            continue; /* a second field of its type, for bounds or the fallback */
        for (size_t v = 0; v < TEST_COUNT(values); v++) {
            scoped_ptr(arena) struct arena *arena = arena_new(0);
            struct sample got = {0};
            struct str text = arena_printf(arena, "{\"%s\":%s}", field->name, values[v]);
            bool quiet = findings_of(arena, text.ptr, &got).len == 0;
            bool want = accepted[field->type] >> v & 1;
            if (quiet != want)
                printf("\n%s: %s\n", field->name, values[v]);
            TEST_ASSERT(quiet == want);
        }
    }
}

static void test_base_path(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str error;
    json_t *tree = fields_parse(STR("{\"ports\":[{}]}"), arena, &error);
    struct diag_list found = {.arena = arena};
    struct sample got = {0};
    TEST_ASSERT(fields_decode(&sample_shape, tree, STR("spec"), STR("o"), arena, &found, &got) ==
                1);
    TEST_STR(found.found.items[0].field, "spec.ports[0].name");
    diag_done(&found);
    json_decref(tree);
}

static struct str nested(struct arena *arena, size_t depth)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < depth; i++)
        sbuf_puts(&text, "[\n");
    for (size_t i = 0; i < depth; i++)
        sbuf_puts(&text, "]");
    return sbuf_move(&text, arena);
}

static void test_parse(void)
{
    static const struct {
        const char *text;
        const char *error; /* NULL: is accepted */
    } cases[] = {
        {"{}", NULL},
        {"  [1, \"\\\"[[\"]\n", NULL},
        {"null", NULL},
        {"100000000000000000000", NULL},
        {"[123456789012345678901234567890, -1e3, \"99999999999999999999\"]", NULL},
        {"", "line 1: unexpected token near end of file"},
        {"{\"a\":1,\n\"a\":2}", "line 2: duplicate object key near '\"a\"'"},
        {"{\n\n\"a\" 1}", "line 3: ':' expected near '1'"},
        {"{} {}", "line 1: end of file expected near '{'"},
        {"[\"\n", "line 1: unexpected newline near '\"'"},
        {"[01]", "line 1: invalid token near '0'"},
        {"1e999", "line 1: real number overflow near '1e999'"},
        {"[\n\"\xff\"]", "line 2: is not UTF-8"},
        {"[\"\xed\xa0\x80\"]", "line 1: is not UTF-8"},
        {"[\"\\", "line 1: invalid escape near '\"\\'"},
        {"-", "line 1: invalid token near '-'"},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct str error = {0};
        json_t *tree = fields_parse(str_from(cases[i].text), arena, &error);
        TEST_STR(error, cases[i].error ? cases[i].error : "");
        TEST_ASSERT((tree != NULL) == (cases[i].error == NULL));
        json_decref(tree);
    }
    struct str error = {0};
    json_t *tree = fields_parse(nested(arena, FIELDS_DEPTH_MAX), arena, &error);
    TEST_ASSERT(tree != NULL);
    json_decref(tree);
    TEST_ASSERT(!fields_parse(nested(arena, 1000000), arena, &error));
    TEST_STR(error, "line 101: nests deeper than 100 levels");
}

TEST_MAIN("common/json fields", TEST(test_every_type), TEST(test_absent), TEST(test_findings),
          TEST(test_walk), TEST(test_base_path), TEST(test_parse))
