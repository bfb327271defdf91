/* The tables of the program: metrics and flags keep to the rules. */
#include "common/base/err.h"
#include "common/base/test.h"
#include "controller/controller_metrics.h"
#include "controller/settings.h"

static void test_metrics_table(void)
{
    size_t count;
    const struct metric *rows = controller_metrics_rows(&count);
    scoped_sbuf struct sbuf out = {0};
    size_t breaches = metrics_lint(rows, count, "stentor_controller_", &out);
    TEST_STR(sbuf_str(&out), "");
    TEST_ASSERT(breaches == 0 && count > 20);
}

static void test_flags(void)
{
    static const struct {
        char *arguments[4];
        const char *error;
    } cases[] = {
        {{"--namespace=x"}, ""},
        {{"--check", "a", "--manifests=b"},
         "--check reads one directory by itself; leave out --manifests and --status"},
        {{"--status=s"}, "--status needs --manifests"},
        {{"--manifests=m", "--context=c"}, "--manifests and --context exclude each other"},
        {{"--leader-elect-lease-duration=5s"},
         "the lease duration must be longer than the renew deadline, and that longer than the "
         "retry period"},
        {{"--writes-in-flight=0"}, "--writes-in-flight must be at least 1"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct settings settings = {0};
        struct str_list operands;
        struct str error = {0};
        size_t count = 0;
        while (count < 4 && cases[i].arguments[count])
            count++;
        TEST_ASSERT(options_parse(&settings_options, cases[i].arguments, count, NULL, arena,
                                  &settings, &operands, &error) == OPTIONS_RUN);
        int result = settings_check(&settings, arena, &error);
        TEST_ASSERT((result == ERR_SYNTAX) == (cases[i].error[0] != '\0'));
        TEST_STR(error, cases[i].error);
    }
}

static void test_levels(void)
{
    static const struct {
        char *argument;
        enum log_level level;
    } cases[] = {
        {"--log-level=all", LOG_LEVEL_DEBUG},   {"--log-level=debug", LOG_LEVEL_DEBUG},
        {"--log-level=info", LOG_LEVEL_INFO},   {"--log-level=warn", LOG_LEVEL_WARN},
        {"--log-level=error", LOG_LEVEL_ERROR}, {"--log-level=none", LOG_LEVEL_NONE},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct settings settings = {0};
        struct str_list operands;
        struct str error = {0};
        char *arguments[] = {cases[i].argument};
        TEST_ASSERT(options_parse(&settings_options, arguments, 1, NULL, arena, &settings,
                                  &operands, &error) == OPTIONS_RUN);
        TEST_ASSERT(settings_log_level(&settings) == cases[i].level);
    }
}

TEST_MAIN("controller tables", TEST(test_metrics_table), TEST(test_flags), TEST(test_levels))
