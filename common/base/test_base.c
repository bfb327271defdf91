#include "common/base/test.h"

#include <errno.h>

#include "common/base/diag.h"
#include "common/base/err.h"
#include "common/base/map.h"
#include "common/base/names.h"
#include "common/base/sbuf.h"
#include "common/base/sorted.h"
#include "common/base/str.h"
#include "common/base/utf8.h"
#include "common/base/vec.h"

static void test_str_split(void)
{
    static const struct {
        const char *text;
        size_t count;
        const char *parts[4];
    } cases[] = {
        {"", 0, {0}},     {"a", 1, {"a"}},      {"a,b", 2, {"a", "b"}}, {"a,,b", 3, {"a", "", "b"}},
        {"a,", 1, {"a"}}, {",a", 2, {"", "a"}},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct str rest = str_from(cases[i].text);
        struct str part;
        size_t count = 0;
        for (; str_next(&rest, ',', &part); count++) {
            TEST_ASSERT(count < cases[i].count);
            TEST_STR(part, cases[i].parts[count]);
        }
        TEST_ASSERT(count == cases[i].count);
    }
}

static void test_str_numbers(void)
{
    static const struct {
        const char *text;
        uint64_t max;
        int result;
        uint64_t value;
    } cases[] = {
        {"0", 10, 0, 0},
        {"65535", 65535, 0, 65535},
        {"65536", 65535, -ERANGE, 0},
        {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, -ERANGE, 0},
        {"5", 3, -ERANGE, 0},
        {"", 10, -EINVAL, 0},
        {"-1", 10, -EINVAL, 0},
        {" 1", 10, -EINVAL, 0},
        {"1x", 10, -EINVAL, 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        uint64_t value = 0;
        TEST_ASSERT(str_to_u64(str_from(cases[i].text), cases[i].max, &value) == cases[i].result);
        TEST_ASSERT(value == cases[i].value);
    }
}

static void test_str_edges(void)
{
    TEST_STR(str_trim(STR(" \t a b\r\n")), "a b");
    TEST_STR(str_trim(STR("  ")), "");
    TEST_STR(str_slice(STR("abc"), 1, 99), "bc");
    TEST_STR(str_slice(STR("abc"), 3, 1), "");
    TEST_ASSERT(str_starts_with(STR("abc"), STR("ab")));
    TEST_ASSERT(!str_starts_with(STR("a"), STR("ab")));
    TEST_ASSERT(str_ends_with(STR("abc"), STR("bc")));
    TEST_ASSERT(str_contains(STR("abc"), STR("b")) && !str_contains(STR("abc"), STR("x")));
    TEST_ASSERT(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("b"), STR("ab")) > 0);
    TEST_ASSERT(str_cmp(STR(""), (struct str){0}) == 0 && str_eq(STR(""), (struct str){0}));
}

static void test_arena_wipe(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(16);
    struct str first = arena_str(arena, STR("secret")), large;
    char *text = arena_alloc(arena, 1000);
    memset(text, 'x', 1000);
    large = (struct str){text, 1000};
    arena_wipe(arena);
    for (size_t i = 0; i < first.len; i++)
        TEST_ASSERT(first.ptr[i] == '\0');
    for (size_t i = 0; i < large.len; i++)
        TEST_ASSERT(large.ptr[i] == '\0');
    arena_wipe(NULL);
}

static void test_arena(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(64);
    for (size_t i = 0; i < 1000; i++) {
        unsigned char *block = arena_alloc(arena, i);
        TEST_ASSERT((uintptr_t)block % 16 == 0);
        for (size_t j = 0; j < i; j++)
            TEST_ASSERT(block[j]++ == 0);
    }
    struct str text = arena_printf(arena, "%s-%d", "x", 7);
    TEST_STR(text, "x-7");
    TEST_ASSERT(text.ptr[text.len] == '\0');
    arena_reset(arena);
    TEST_ASSERT(arena_size(arena) < 1000);
    TEST_ASSERT(*(char *)arena_alloc(arena, 1) == 0);
}

static void test_sbuf_json(void)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        {STR_INIT("plain"), "\"plain\""},
        {STR_INIT("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\""},
        {STR_INIT("\xc3\xa9"), "\"\xc3\xa9\""},
        {STR_INIT("\xff\xc3"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {STR_INIT("\0x"), "\"\\u0000x\""},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_sbuf struct sbuf out = {0};
        sbuf_json(&out, cases[i].in);
        TEST_STR(sbuf_str(&out), cases[i].out);
    }
}

/* What one byte between ASCII letters becomes. */
static void put_json_byte(struct sbuf *out, unsigned c)
{
    static const char *const short_escapes[] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    if (c < TEST_COUNT(short_escapes) && short_escapes[c])
        sbuf_puts(out, short_escapes[c]);
    else if (c < 0x20)
        sbuf_printf(out, "\\u%04x", c);
    else if (c < 0x80)
        sbuf_printf(out, "%c", (int)c);
    else
        sbuf_puts(out, "\xef\xbf\xbd");
}

/* Text is looked at by words: every byte at every place of two and a bit, twice beside itself. */
static void test_sbuf_json_bytes(void)
{
    enum { LEN = 19 };
    scoped_sbuf struct sbuf want = {0}, out = {0};
    size_t wrong = 0;
    for (unsigned c = 0; c < 256; c++) {
        for (size_t at = 0; at + 1 < LEN; at++) {
            char text[LEN];
            sbuf_clear(&want);
            sbuf_clear(&out);
            sbuf_putc(&want, '"');
            for (size_t i = 0; i < LEN; i++) {
                bool here = i == at || i == at + 1;
                text[i] = here ? (char)c : (char)('a' + i);
                put_json_byte(&want, here ? c : (unsigned)('a' + i));
            }
            sbuf_putc(&want, '"');
            sbuf_json(&out, (struct str){.ptr = text, .len = LEN});
            wrong += !str_eq(sbuf_str(&out), sbuf_str(&want));
        }
    }
    TEST_ASSERT(wrong == 0);
}

static void test_utf8(void)
{
    static const struct {
        struct str text;
        bool valid;
    } cases[] = {
        {STR_INIT("ascii"), true},
        {STR_INIT("\xe2\x82\xac \xf0\x9f\x98\x80"), true},
        {STR_INIT("\xc0\x80"), false},         /* overlong */
        {STR_INIT("\xed\xa0\x80"), false},     /* surrogate */
        {STR_INIT("\xf4\x90\x80\x80"), false}, /* past U+10FFFF */
        {STR_INIT("\xe2\x82"), false},         /* cut off */
        {STR_INIT("\x80"), false},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_ASSERT(utf8_valid(cases[i].text) == cases[i].valid);
}

static void test_map_against_array(void)
{
    /* Every operation is mirrored in a plain array; a fixed generator gives many collisions. */
    enum { KEYS = 300 };
    static char names[KEYS][8];
    void *mirror[KEYS] = {0};
    size_t count = 0;
    struct map map = {.seed = 7};
    uint32_t seed = 1;
    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(names[i], sizeof(names[i]), "k%zu", i);
    for (size_t step = 0; step < 20000; step++) {
        seed = seed * 1664525u + 1013904223u;
        size_t at = (seed >> 8) % KEYS;
        struct str key = str_from(names[at]);
        TEST_ASSERT(map_get(&map, key) == mirror[at]);
        if ((seed >> 30) == 3) {
            TEST_ASSERT(map_add(&map, key, &names[(at + step) % KEYS]) == mirror[at]);
            count += mirror[at] == NULL;
            if (!mirror[at])
                mirror[at] = &names[(at + step) % KEYS];
        } else if (seed & 0x80000000u) {
            TEST_ASSERT(map_put(&map, key, &names[(at + step) % KEYS]) == mirror[at]);
            count += mirror[at] == NULL;
            mirror[at] = &names[(at + step) % KEYS];
        } else {
            TEST_ASSERT(map_remove(&map, key) == mirror[at]);
            count -= mirror[at] != NULL;
            mirror[at] = NULL;
        }
        TEST_ASSERT(map_count(&map) == count);
    }
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t sorted_count;
    struct map_entry *sorted = map_sorted(&map, arena, &sorted_count);
    TEST_ASSERT(sorted_count == count);
    for (size_t i = 1; i < sorted_count; i++)
        TEST_ASSERT(str_cmp(sorted[i - 1].key, sorted[i].key) < 0);
    map_done(&map);
    TEST_ASSERT(map_get(&map, STR("k1")) == NULL);
}

/* The table is as large as this many entries need, on the way up and on the way down. */
static void test_map_size(void)
{
    static const struct {
        size_t count, up, down; /* slots when it has grown, or shrunk, to that count */
    } cases[] = {{0, 0, 0},        {1, 16, 16},       {12, 16, 64},
                 {13, 32, 64},     {48, 64, 256},     {49, 128, 256},
                 {384, 512, 2048}, {385, 1024, 2048}, {768, 1024, 2048}};
    enum { KEYS = 1000 };
    static uint32_t keys[KEYS];
    struct map map = {.seed = 7};
    for (uint32_t i = 0; i < KEYS; i++)
        keys[i] = i;
    for (size_t i = 0, count = 0; i < TEST_COUNT(cases); i++) {
        for (; count < cases[i].count; count++)
            TEST_ASSERT(!map_put(&map, (struct str){(char *)&keys[count], 4}, &keys[count]));
        TEST_ASSERT(map.cap == cases[i].up && map_count(&map) == count);
    }
    for (size_t i = 768; i < KEYS; i++)
        TEST_ASSERT(!map_put(&map, (struct str){(char *)&keys[i], 4}, &keys[i]));
    for (size_t i = TEST_COUNT(cases), count = KEYS; i-- > 0;) {
        for (; count > cases[i].count; count--)
            TEST_ASSERT(map_remove(&map, (struct str){(char *)&keys[count - 1], 4}) ==
                        &keys[count - 1]);
        TEST_ASSERT(map.cap == cases[i].down && map_count(&map) == count);
        for (size_t k = 0; k < KEYS; k++)
            TEST_ASSERT(map_get(&map, (struct str){(char *)&keys[k], 4}) ==
                        (k < count ? &keys[k] : NULL));
    }
    TEST_ASSERT(!map.slots && map.seed == 7);
}

static void test_vec(void)
{
    VEC(int) v = {0};
    for (int i = 0; i < 100; i++)
        vec_push(&v, i);
    vec_drop(&v, 0);
    TEST_ASSERT(v.len == 99 && v.items[0] == 99);
    TEST_ASSERT(vec_pop(&v) == 98);
    vec_done(&v);
    TEST_ASSERT(v.len == 0 && v.items == NULL);
}

static void test_names_and_errors(void)
{
    static const char *const colours[] = {"red", "green"};
    static const struct names table = NAMES(colours);
    size_t value = 9;
    TEST_ASSERT(names_find(&table, STR("green"), &value) == 0 && value == 1);
    TEST_ASSERT(names_find(&table, STR("gree"), &value) == -ENOENT);
    TEST_ASSERT(strcmp(names_of(&table, 2), "?") == 0);
    TEST_ASSERT(strcmp(err_text(ERR_FAMILY), "IPv4 and IPv6 are mixed") == 0);
    TEST_ASSERT(strcmp(err_text(-ENOENT), "No such file or directory") == 0);
    TEST_ASSERT(strcmp(err_text(-99999), "unknown error") == 0);
}

static void test_diag(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list list = {.arena = arena};
    diag_add(&list, DIAG_WARNING, STR("A/b/c"), STR("spec.x"), "odd %d", 1);
    diag_add(&list, DIAG_ERROR, STR("A/b/c"), STR("spec.y"), "bad %s", "thing");
    TEST_ASSERT(diag_errors(&list) == 1);
    const struct diag *first = diag_first_error(&list, STR("A/b/c"));
    TEST_ASSERT(first && list.found.len == 2);
    TEST_STR(first->field, "spec.y");
    TEST_STR(first->message, "bad thing");
    TEST_ASSERT(diag_first_error(&list, STR("A/b/d")) == NULL);
    diag_add(&list, DIAG_ERROR, STR("A/b/c"), STR("spec.\n"),
             "a\nb\x1b[2J\x7f\\n\xc3\xa9\xc2\x85\xe2\x80");
    TEST_STR(list.found.items[2].field, "spec.\\n");
    TEST_STR(list.found.items[2].message,
             "a\\nb\\x1b[2J\\x7f\\n\xc3\xa9\\x85\xef\xbf\xbd\xef\xbf\xbd");
    scoped_sbuf struct sbuf wide = {0};
    for (size_t i = 0; i < 65536; i++)
        sbuf_putc(&wide, '"');
    diag_add(&list, DIAG_ERROR, STR("A/b/c"), STR("spec"), STR_FMT, STR_ARG(sbuf_str(&wide)));
    TEST_ASSERT(list.found.items[3].message.len == 2048 + strlen("..."));
    diag_done(&list);
}

static int compare_int(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void test_sorted(void)
{
    static const int items[] = {1, 3, 5, 7, 9};
    bool found;
    for (size_t count = 0; count <= TEST_COUNT(items); count++) {
        for (int key = 0; key <= 10; key++) {
            size_t place = sorted_place(&key, items, count, sizeof(*items), compare_int, &found);
            size_t smaller = (size_t)key / 2 < count ? (size_t)key / 2 : count;
            TEST_ASSERT(place == smaller);
            TEST_ASSERT(found == (key % 2 == 1 && (size_t)key / 2 < count));
        }
    }
    TEST_ASSERT(sorted_place("", NULL, 0, 1, compare_int, &found) == 0 && !found);
}

TEST_MAIN("common/base", TEST(test_str_split), TEST(test_str_numbers), TEST(test_str_edges),
          TEST(test_arena), TEST(test_arena_wipe), TEST(test_sbuf_json), TEST(test_sbuf_json_bytes),
          TEST(test_utf8), TEST(test_map_against_array), TEST(test_map_size), TEST(test_vec),
          TEST(test_names_and_errors), TEST(test_diag), TEST(test_sorted))
