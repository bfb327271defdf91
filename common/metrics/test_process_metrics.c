#include "common/base/test.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "common/metrics/process_metrics.h"

static void test_update(void)
{
    scoped_ptr(metrics) struct metrics *metrics = process_metrics_new();
    process_metrics_update(metrics);
    double fds = metric_value(metrics, PROCESS_OPEN_FDS, NO_LABELS);
    double cpu = metric_value(metrics, PROCESS_CPU_SECONDS, NO_LABELS);
    double started = metric_value(metrics, PROCESS_START_TIME, NO_LABELS);
    double now = (double)time(NULL);
    TEST_ASSERT(fds >= 3 && fds < metric_value(metrics, PROCESS_MAX_FDS, NO_LABELS));
    TEST_ASSERT(cpu > 0 && cpu < 60);
    TEST_ASSERT(metric_value(metrics, PROCESS_RESIDENT_BYTES, NO_LABELS) > 100e3);
    TEST_ASSERT(metric_value(metrics, PROCESS_VIRTUAL_BYTES, NO_LABELS) >
                metric_value(metrics, PROCESS_RESIDENT_BYTES, NO_LABELS));
    TEST_ASSERT(started > now - 60 && started < now + 2); /* both clocks are rounded */

    scoped_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    TEST_ASSERT(fd >= 0);
    process_metrics_update(metrics);
    TEST_ASSERT(metric_value(metrics, PROCESS_OPEN_FDS, NO_LABELS) == fds + 1);
    TEST_ASSERT(metric_value(metrics, PROCESS_CPU_SECONDS, NO_LABELS) >= cpu);
    TEST_ASSERT(metric_value(metrics, PROCESS_START_TIME, NO_LABELS) == started);
}

static void test_lint(void)
{
    scoped_sbuf struct sbuf problems = {0};
    (void)metrics_lint(process_metrics_rows, PROCESS_METRICS, "process_", &problems);
    TEST_STR(sbuf_str(&problems), "");
}

TEST_MAIN("common/metrics process", TEST(test_update), TEST(test_lint))
