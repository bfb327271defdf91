#include "crd/sentences.h"

#include "common/base/test.h"
#include "crd/condition.h"
#include "crd/state_report.h"

/* `count` times the character, as one text. */
static struct str times(const char *character, size_t count, struct arena *arena)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_puts(&text, character);
    return sbuf_move(&text, arena);
}

static void test_few(void)
{
    static const struct {
        const char *sentences[3], *want;
    } cases[] = {
        {{NULL}, ""},
        {{"one"}, "one"},
        {{"one", "two", "three"}, "one; two; three"},
        {{"", "two"}, "two"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct sentences sentences = {.separator = "; "};
        for (size_t k = 0; k < 3 && cases[i].sentences[k]; k++)
            sentences_add(&sentences, str_from(cases[i].sentences[k]));
        TEST_STR(sentences_move(&sentences, arena), cases[i].want);
    }
}

/* What does not fit is counted, and nothing comes after it. */
static void test_many(void)
{
    enum { EACH = 100, FIT = (SENTENCES_MAX - 64) / (EACH + 1), ALL = 1000 };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct sentences sentences = {.separator = "\n"};
    struct str one = times("x", EACH, arena);
    struct sbuf want = {0};
    for (size_t i = 0; i < ALL; i++) {
        sentences_add(&sentences, one);
        if (i < FIT)
            sbuf_printf(&want, STR_FMT "\n", STR_ARG(one));
    }
    sentences_add(&sentences, STR("short"));
    sbuf_printf(&want, "… and %d more", ALL - FIT + 1);
    struct str got = sentences_move(&sentences, arena);
    TEST_STR(got, sbuf_cstr(&want));
    CU_ASSERT(got.len <= SENTENCES_MAX);
    sbuf_done(&want);
}

/* A first sentence without end is cut, and not within a character. */
static void test_long(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct sentences sentences = {.separator = "; "};
    sentences_add(&sentences, times("€", SENTENCES_MAX, arena));
    sentences_add(&sentences, STR("two"));
    sentences_add(&sentences, STR("three"));
    struct str cut = times("€", (SENTENCES_MAX - 64) / 3, arena);
    struct str got = sentences_move(&sentences, arena);
    TEST_STR(got, arena_printf(arena, STR_FMT "…; … and 2 more", STR_ARG(cut)).ptr);
    CU_ASSERT(got.len <= SENTENCES_MAX);
}

/* A state with more errors than a condition takes is told all the same, and only once. */
static void test_state(void)
{
    enum { ERRORS = 1000 };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str_list errors = {.items = arena_array(arena, ERRORS, sizeof(struct str))};
    for (; errors.count < ERRORS; errors.count++)
        errors.items[errors.count] = times("x", 100, arena);
    struct state_report report = {
        .name = STR("controller"), .condition = STR("poolReconcilerValid"), .errors = errors};
    struct str patch = state_report_patch(&report, NULL, 0, arena);
    json_t *tree = json_loadb(patch.ptr, patch.len, 0, NULL);
    const json_t *status = json_object_get(tree, "status");
    const json_t *condition = json_array_get(json_object_get(status, "conditions"), 0);
    struct str message = str_from(json_string_value(json_object_get(condition, "message")));
    TEST_STR(str_from(json_string_value(json_object_get(status, "result"))), "Invalid");
    TEST_STR(message, json_string_value(json_object_get(status, "errorSummary")));
    CU_ASSERT(message.len <= SENTENCES_MAX && str_ends_with(message, STR("\n… and 839 more")));

    struct condition before = {.type = report.condition,
                               .status = STR("False"),
                               .reason = STR("ConfigurationError"),
                               .message = message};
    struct configurationstate shown = {.status = {
                                           .result = STR("Invalid"),
                                           .error_summary = message,
                                           .conditions = {.items = &before, .count = 1},
                                       }};
    TEST_STR(state_report_patch(&report, &shown.object, 0, arena), "");
    json_decref(tree);
}

TEST_MAIN("crd/sentences", TEST(test_few), TEST(test_many), TEST(test_long), TEST(test_state))
