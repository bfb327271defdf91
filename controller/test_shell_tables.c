/* The tables of the program: metrics and flags keep to the rules. */
#include "common/program/test_tables.h"
#include "controller/controller_metrics.h"
#include "controller/settings.h"

static void test_metrics_table(void)
{
    size_t count;
    const struct metric *rows = controller_metrics_rows(&count);
    metrics_run(rows, count, "stentor_controller_", 22);
}

static void test_flags(void)
{
    static const struct flag_case cases[] = {
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
    flags_run(&settings_flags, cases, TEST_COUNT(cases));
}

TEST_MAIN("controller tables", TEST(test_metrics_table), TEST(test_flags))
