#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "common/json/yaml.h"

/* All documents as text: compact JSON with sorted keys and the line, or the error. */
static struct str rendered(struct arena *arena, const char *text)
{
    struct sbuf out = {0};
    struct yaml_documents documents = yaml_parse(str_from(text), arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        const struct yaml_document *d = &documents.list.items[i];
        if (i)
            sbuf_puts(&out, " | ");
        if (d->tree) {
            scoped_heap char *json =
                json_dumps(d->tree, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
            sbuf_printf(&out, "%zu:%s", d->line, json);
        } else {
            sbuf_printf(&out, "error %zu:" STR_FMT, d->error_line, STR_ARG(d->error));
        }
    }
    yaml_done(&documents);
    return sbuf_move(&out, arena);
}

static void test_documents(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"# only a comment\n---\n# nothing\n---\n", ""},
        {"a: 1\n", "1:{\"a\":1}"},
        {"\xef\xbb\xbf"
         "a: 1\n",
         "1:{\"a\":1}"},
        {"---\na: 1\n---\nb: 2\n", "2:{\"a\":1} | 4:{\"b\":2}"},
        {"# c\n%YAML 1.1\n--- {a: 1}\n...\n---\nb: [x, y]",
         "3:{\"a\":1} | 6:{\"b\":[\"x\",\"y\"]}"},
        {"a: 1\r\n---\r\nb: 2\r\n", "1:{\"a\":1} | 3:{\"b\":2}"},
        {"a: |\n  ----\n  text\n", "1:{\"a\":\"----\\ntext\\n\"}"},
        {"{\"a\":\t[1, \"x\\/y\", null]}", "1:{\"a\":[1,\"x/y\",null]}"},
        /* a broken document does not hide its neighbours */
        {"a: 1\n---\nb: [1,\n---\nc: 3\n",
         "1:{\"a\":1} | error 4:did not find expected node content while parsing a flow node "
         "| 5:{\"c\":3}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        TEST_STR(rendered(arena, cases[i].text), cases[i].want);
    }
}

static void test_scalars(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"~", "null"},
        {"null", "null"},
        {"yes", "true"},
        {"Off", "false"},
        {"\"yes\"", "\"yes\""},
        {"'12'", "\"12\""},
        {"!!str 12", "\"12\""},
        {"!!int \"12\"", "12"},
        {"0", "0"},
        {"-0x1F", "-31"},
        {"010", "8"},
        {"0o10", "8"},
        {"0b101", "5"},
        {"089", "89.0"},
        {"1_000", "1000"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"1.5e3", "1500.0"},
        {".5", "0.5"},
        {"+", "\"+\""},
        {"-.", "\"-.\""},
        {"192.0.2.1", "\"192.0.2.1\""},
        {"192.0.2.0-192.0.2.9", "\"192.0.2.0-192.0.2.9\""},
        {"2001:db8::/32", "\"2001:db8::/32\""},
        {"2026-01-01T00:00:00Z", "\"2026-01-01T00:00:00Z\""},
        {"1e400", "error: a number that JSON cannot hold"},
        {".nan", "error: a number that JSON cannot hold"},
        {"18446744073709551616", "error: an integer over 64 bits"},
        {"!local x", "error: tag is not supported"},
        {"\"a\\0b\"", "error: text holds bytes that JSON text may not hold"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str text = arena_printf(arena, "v: %s\n", cases[i].text), want;
        if (str_starts_with(str_from(cases[i].want), STR("error: ")))
            want = arena_printf(arena, "error 1:%s", cases[i].want + 7);
        else
            want = arena_printf(arena, "1:{\"v\":%s}", cases[i].want);
        TEST_STR(rendered(arena, text.ptr), want.ptr);
    }
}

static void test_structure(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a: &x {p: 1}\nb: *x\n", "1:{\"a\":{\"p\":1},\"b\":{\"p\":1}}"},
        {"a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n",
         "1:{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":3}}"},
        {"b:\n  <<: [{p: 1}, {p: 2, q: 2}]\n", "1:{\"b\":{\"p\":1,\"q\":2}}"},
        {"1: x\ntrue: y\n", "1:{\"1\":\"x\",\"true\":\"y\"}"},
        {"a: 1\na: 2\n", "error 2:key is given twice"},
        {"a: *nowhere\n", "error 1:alias of an unknown anchor"},
        {"a: &a\n  b: *a\n", "error 2:alias of an unknown anchor"},
        {"<<: 3\n", "error 2:merge key does not name a mapping"},
        {"[a]: 1\n", "error 1:key is not text"},
        {"a: b: c\n", "error 1:mapping values are not allowed in this context"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        TEST_STR(rendered(arena, cases[i].text), cases[i].want);
    }
}

/* Small texts that would become huge or deep trees. */
static void test_bombs(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf laughs = {0};
    sbuf_puts(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        sbuf_printf(&laughs, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            sbuf_printf(&laughs, "%s*a%d", k ? ", " : "", i - 1);
        sbuf_puts(&laughs, "]\n");
    }
    TEST_STR(rendered(arena, sbuf_cstr(&laughs)), "error 5:aliases make the text too large");

    scoped_sbuf struct sbuf deep = {0};
    for (int i = 0; i < 500; i++)
        sbuf_putc(&deep, '[');
    TEST_STR(rendered(arena, sbuf_cstr(&deep)), "error 1:nested too deeply");
}

/* A list of 101 nodes, named 600 times. */
static void put_aliases(struct sbuf *text)
{
    sbuf_puts(text, "---\na: &a [x");
    for (int i = 1; i < 100; i++)
        sbuf_puts(text, ", x");
    sbuf_puts(text, "]\nb: [*a");
    for (int i = 1; i < 600; i++)
        sbuf_puts(text, ", *a");
    sbuf_puts(text, "]\n");
}

/* What aliases add counts over all documents of a text, and long texts count as many nodes. */
static void test_alias_budget(void)
{
    static const char phrase[] = "aliases make the text too large";
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf text = {0};
    put_aliases(&text);
    put_aliases(&text);
    sbuf_puts(&text, "---\na: &a 1\nb: *a\n---\nc: 1\n");
    struct yaml_documents documents = yaml_parse(sbuf_str(&text), arena);
    TEST_ASSERT(documents.list.len == 4);
    const struct yaml_document *list = documents.list.items;
    CU_ASSERT(json_array_size(json_object_get(list[0].tree, "b")) == 600);
    CU_ASSERT(list[1].tree == NULL && list[1].error_line == 6);
    TEST_STR(list[1].error, phrase);
    CU_ASSERT(list[2].tree == NULL && list[2].error_line == 9);
    TEST_STR(list[2].error, phrase);
    CU_ASSERT(json_integer_value(json_object_get(list[3].tree, "c")) == 1);
    yaml_done(&documents);

    static const char *const parts[] = {"a: &a ", "\nb: [", "a: &a {? ", " : 1}\nb: ["};
    for (size_t k = 0; k < TEST_COUNT(parts); k += 2) { /* a value, a key */
        sbuf_clear(&text);
        sbuf_puts(&text, parts[k]);
        for (int i = 0; i < 640; i++)
            sbuf_puts(&text, "0123456789");
        sbuf_puts(&text, parts[k + 1]);
        for (int i = 0; i < 1000; i++)
            sbuf_puts(&text, "*a, ");
        sbuf_puts(&text, "]\n");
        TEST_STR(rendered(arena, sbuf_cstr(&text)), arena_printf(arena, "error 2:%s", phrase).ptr);
    }
}

TEST_MAIN("common/json yaml", TEST(test_documents), TEST(test_scalars), TEST(test_structure),
          TEST(test_bombs), TEST(test_alias_budget))
