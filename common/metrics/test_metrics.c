#include "common/base/test.h"

#include <math.h>

#include "common/metrics/metrics.h"

enum { ANNOUNCED, REQUESTS, RECEIVED, UPTIME, LATENCY };

static const double bounds[] = {0.1, 1};

static const struct metric rows[] = {
    [ANNOUNCED] = {"stentor_announced", "Addresses announced.", METRIC_GAUGE,
                   .labels = {"service", "ip"}},
    [REQUESTS] = {"stentor_requests_total", "Requests served.", METRIC_COUNTER, .labels = {"code"}},
    [RECEIVED] = {"metallb_layer2_requests_received", "Requests received.", METRIC_COUNTER,
                  .labels = {"ip"}, .borrowed_name = true},
    [UPTIME] = {"stentor_uptime_seconds", "Time since the start.", METRIC_GAUGE},
    [LATENCY] = {"stentor_latency_seconds", "Time taken.", METRIC_HISTOGRAM, .labels = {"verb"},
                 .buckets = bounds, .bucket_count = 2},
};

static void fill(struct metrics *m)
{
    metric_set(m, ANNOUNCED, 1, LABELS(STR("b/x"), STR("192.0.2.2")));
    metric_set(m, ANNOUNCED, 1, LABELS(STR("a/x"), STR("192.0.2.1")));
    metric_inc(m, REQUESTS, LABELS(STR("200")));
    metric_add(m, REQUESTS, 2, LABELS(STR("200")));
    metric_inc(m, REQUESTS, LABELS(STR("we\"ird\\\n\xff")));
    metric_inc(m, RECEIVED, LABELS(STR("192.0.2.1")));
    metric_set(m, UPTIME, 0.1, NO_LABELS);
    metric_observe(m, LATENCY, 0.1, LABELS(STR("GET")));
    metric_observe(m, LATENCY, 0.5, LABELS(STR("GET")));
    metric_observe(m, LATENCY, 3, LABELS(STR("GET")));
}

static struct str render(const struct metrics *m, enum metrics_format format, struct sbuf *out)
{
    metrics_render(&m, 1, format, out);
    return sbuf_str(out);
}

static void test_text(void)
{
    scoped_ptr(metrics) struct metrics *m = metrics_new(rows, TEST_COUNT(rows));
    scoped_sbuf struct sbuf out = {0};
    fill(m);
    TEST_STR(render(m, METRICS_TEXT, &out),
             "# HELP stentor_announced Addresses announced.\n"
             "# TYPE stentor_announced gauge\n"
             "stentor_announced{service=\"a/x\",ip=\"192.0.2.1\"} 1\n"
             "stentor_announced{service=\"b/x\",ip=\"192.0.2.2\"} 1\n"
             "# HELP stentor_requests_total Requests served.\n"
             "# TYPE stentor_requests_total counter\n"
             "stentor_requests_total{code=\"200\"} 3\n"
             "stentor_requests_total{code=\"we\\\"ird\\\\\\n\xef\xbf\xbd\"} 1\n"
             "# HELP metallb_layer2_requests_received Requests received.\n"
             "# TYPE metallb_layer2_requests_received counter\n"
             "metallb_layer2_requests_received{ip=\"192.0.2.1\"} 1\n"
             "# HELP stentor_uptime_seconds Time since the start.\n"
             "# TYPE stentor_uptime_seconds gauge\n"
             "stentor_uptime_seconds 0.1\n"
             "# HELP stentor_latency_seconds Time taken.\n"
             "# TYPE stentor_latency_seconds histogram\n"
             "stentor_latency_seconds_bucket{verb=\"GET\",le=\"0.1\"} 1\n"
             "stentor_latency_seconds_bucket{verb=\"GET\",le=\"1\"} 2\n"
             "stentor_latency_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 3\n"
             "stentor_latency_seconds_sum{verb=\"GET\"} 3.6\n"
             "stentor_latency_seconds_count{verb=\"GET\"} 3\n");
}

static void test_openmetrics(void)
{
    scoped_ptr(metrics) struct metrics *m = metrics_new(rows, TEST_COUNT(rows));
    scoped_sbuf struct sbuf out = {0};
    fill(m);
    metric_clear(m, ANNOUNCED);
    metric_remove(m, REQUESTS, LABELS(STR("we\"ird\\\n\xff")));
    metric_remove(m, REQUESTS, LABELS(STR("404")));
    TEST_STR(render(m, METRICS_OPENMETRICS, &out),
             "# HELP stentor_requests Requests served.\n"
             "# TYPE stentor_requests counter\n"
             "stentor_requests_total{code=\"200\"} 3\n"
             "# HELP metallb_layer2_requests_received Requests received.\n"
             "# TYPE metallb_layer2_requests_received unknown\n"
             "metallb_layer2_requests_received{ip=\"192.0.2.1\"} 1\n"
             "# HELP stentor_uptime_seconds Time since the start.\n"
             "# TYPE stentor_uptime_seconds gauge\n"
             "stentor_uptime_seconds 0.1\n"
             "# HELP stentor_latency_seconds Time taken.\n"
             "# TYPE stentor_latency_seconds histogram\n"
             "stentor_latency_seconds_bucket{verb=\"GET\",le=\"0.1\"} 1\n"
             "stentor_latency_seconds_bucket{verb=\"GET\",le=\"1.0\"} 2\n"
             "stentor_latency_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 3\n"
             "stentor_latency_seconds_sum{verb=\"GET\"} 3.6\n"
             "stentor_latency_seconds_count{verb=\"GET\"} 3\n"
             "# EOF\n");
}

static void test_values(void)
{
    scoped_ptr(metrics) struct metrics *m = metrics_new(rows, TEST_COUNT(rows));
    scoped_sbuf struct sbuf out = {0};
    TEST_STR(render(m, METRICS_TEXT, &out), "# HELP stentor_uptime_seconds Time since the start.\n"
                                            "# TYPE stentor_uptime_seconds gauge\n"
                                            "stentor_uptime_seconds 0\n");
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {1e15, "1e+15"},
        {123456789012345, "123456789012345"},
        {1.0 / 3, "0.3333333333333333"},
        {-2, "-2"},
        {0, "0"},
        {-0.0, "-0"},
        {0.5, "0.5"},
        {1e-7, "1e-07"},
        {999999999999999, "999999999999999"},
        {999999999999999.5, "999999999999999.5"},
        {1234567890123456, "1234567890123456"},
        {1e300, "1e+300"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        metric_set(m, UPTIME, cases[i].value, NO_LABELS);
        sbuf_clear(&out);
        struct str text = render(m, METRICS_TEXT, &out);
        struct str want = str_from(cases[i].text);
        TEST_STR(str_slice(text, text.len - 1 - want.len, text.len - 1), cases[i].text);
    }
    TEST_ASSERT(metric_value(m, REQUESTS, LABELS(STR("200"))) == 0);
    metric_add(m, REQUESTS, 2.5, LABELS(STR("200")));
    TEST_ASSERT(metric_value(m, REQUESTS, LABELS(STR("200"))) == 2.5);
}

/* What is cleared is gone at once, and comes back as if it had never been there. */
static void test_fillings(void)
{
    scoped_ptr(metrics) struct metrics *m = metrics_new(rows, TEST_COUNT(rows));
    scoped_sbuf struct sbuf out = {0};
    metric_remove(m, UPTIME, NO_LABELS);
    TEST_STR(render(m, METRICS_TEXT, &out), "");
    fill(m);
    sbuf_clear(&out);
    (void)render(m, METRICS_TEXT, &out); /* the order is there */
    for (size_t i = 0; i < TEST_COUNT(rows); i++)
        metric_clear(m, i);
    TEST_ASSERT(metric_value(m, ANNOUNCED, LABELS(STR("a/x"), STR("192.0.2.1"))) == 0);
    sbuf_clear(&out);
    TEST_STR(render(m, METRICS_TEXT, &out), "");
    metric_inc(m, REQUESTS, LABELS(STR("404")));
    metric_inc(m, REQUESTS, LABELS(STR("200")));
    metric_inc(m, REQUESTS, LABELS(STR("")));
    metric_remove(m, REQUESTS, LABELS(STR("we\"ird\\\n\xff"))); /* not there any more */
    metric_observe(m, LATENCY, 0.5, LABELS(STR("GET")));
    static const char *const text = "# HELP stentor_requests_total Requests served.\n"
                                    "# TYPE stentor_requests_total counter\n"
                                    "stentor_requests_total{code=\"\"} 1\n"
                                    "stentor_requests_total{code=\"200\"} 1\n"
                                    "stentor_requests_total{code=\"404\"} 1\n"
                                    "# HELP stentor_latency_seconds Time taken.\n"
                                    "# TYPE stentor_latency_seconds histogram\n"
                                    "stentor_latency_seconds_bucket{verb=\"GET\",le=\"0.1\"} 0\n"
                                    "stentor_latency_seconds_bucket{verb=\"GET\",le=\"1\"} 1\n"
                                    "stentor_latency_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 1\n"
                                    "stentor_latency_seconds_sum{verb=\"GET\"} 0.5\n"
                                    "stentor_latency_seconds_count{verb=\"GET\"} 1\n";
    TEST_STR(render(m, METRICS_TEXT, &out), text);
    for (size_t i = 0; i < 3; i++) { /* what stayed away for a whole filling is freed */
        metric_clear(m, REQUESTS);
        metric_inc(m, REQUESTS, LABELS(STR("404")));
        metric_inc(m, REQUESTS, LABELS(STR("200")));
        metric_inc(m, REQUESTS, LABELS(STR("")));
    }
    sbuf_clear(&out);
    TEST_STR(render(m, METRICS_TEXT, &out), text);
}

static void test_negotiate(void)
{
    static const struct {
        const char *accept;
        enum metrics_format format;
    } cases[] = {
        {"", METRICS_TEXT},
        {"*/*", METRICS_TEXT},
        {"text/plain", METRICS_TEXT},
        {"application/openmetrics-text", METRICS_OPENMETRICS},
        {"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/"
         "*;q=0.2",
         METRICS_OPENMETRICS},
        {"text/plain;q=0.50 , application/openmetrics-text; q=0.501", METRICS_OPENMETRICS},
        {"text/plain, application/openmetrics-text;q=0.9", METRICS_TEXT},
        {"application/openmetrics-text;q=0", METRICS_TEXT},
        {"application/openmetrics-text;q=0.5000", METRICS_TEXT},
        {"application/openmetrics-text;q=x", METRICS_TEXT},
        {"application/openmetrics-textile", METRICS_TEXT},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        TEST_ASSERT(metrics_negotiate(str_from(cases[i].accept)) == cases[i].format);
    TEST_STR(str_from(metrics_content_type(METRICS_TEXT)),
             "text/plain; version=0.0.4; charset=utf-8");
}

static void test_lint(void)
{
    static const double falling[] = {1, 1};
    static const struct metric bad[] = {
        {"stentor_fine_total", "Fine.", METRIC_COUNTER},
        {"stentor_Upper", "Fine.", METRIC_GAUGE},
        {"other_name", "Fine.", METRIC_GAUGE},
        {"stentor_count", "Fine.", METRIC_COUNTER},
        {"stentor_gauge_total", "Fine.", METRIC_GAUGE},
        {"stentor_help", "not a sentence", METRIC_GAUGE},
        {"stentor_label", "Fine.", METRIC_GAUGE, .labels = {"le"}},
        {"stentor_twice", "Fine.", METRIC_GAUGE, .labels = {"a", "a"}},
        {"stentor_seconds", "Fine.", METRIC_HISTOGRAM, .buckets = falling, .bucket_count = 2},
        {"stentor_fine_total", "Fine.", METRIC_COUNTER},
        {"stentor_wait_ms_total", "Fine.", METRIC_COUNTER},
        {"stentor_watch_latency", "Fine.", METRIC_GAUGE},
        {"stentor_size", "Fine.", METRIC_HISTOGRAM, .buckets = metric_latency_buckets,
         .bucket_count = METRIC_LATENCY_BUCKETS},
        {"stentor_size_sum", "Fine.", METRIC_GAUGE},
        {"borrowed_total", "Fine.", METRIC_GAUGE, .borrowed_name = true},
    };
    scoped_sbuf struct sbuf out = {0};
    TEST_ASSERT(metrics_lint(rows, TEST_COUNT(rows), "stentor_", &out) == 0 && out.len == 0);
    TEST_ASSERT(metrics_lint(bad, TEST_COUNT(bad), "stentor_", &out) == 13);
    TEST_STR(sbuf_str(&out),
             "stentor_Upper: name has other characters than a-z, 0-9 and _\n"
             "other_name: name lacks the prefix\n"
             "stentor_count: counters, and only counters, end in _total\n"
             "stentor_gauge_total: counters, and only counters, end in _total\n"
             "stentor_help: help is not one sentence\n"
             "stentor_label: a label is malformed, reserved or there twice\n"
             "stentor_twice: a label is malformed, reserved or there twice\n"
             "stentor_seconds: buckets do not rise or do not belong here\n"
             "stentor_fine_total: name is there twice\n"
             "stentor_wait_ms_total: unit is no base unit\n"
             "stentor_watch_latency: a time does not end in its unit, seconds\n"
             "stentor_size: a histogram does not end in its unit, seconds or bytes\n"
             "stentor_size_sum: name is there twice\n");
}

TEST_MAIN("common/metrics", TEST(test_text), TEST(test_openmetrics), TEST(test_values),
          TEST(test_fillings), TEST(test_negotiate), TEST(test_lint))
