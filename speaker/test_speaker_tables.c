/* The speaker's tables: metrics by the rules, and flags. */
#include "common/base/sbuf.h"
#include "common/program/test_tables.h"
#include "speaker/settings.h"
#include "speaker/speaker_metrics.h"

static void test_metrics_follow_the_rules(void)
{
    size_t count;
    const struct metric *rows = speaker_metrics_rows(&count);
    metrics_run(rows, count, "stentor_speaker_", 1);
}

/* The series that dashboards made for MetalLB ask for. */
static void test_metrics_text(void)
{
    struct str services[] = {STR_INIT("default/web")};
    struct plan_address address = {
        .ip = ip_v4(192, 0, 2, 1), .services = {.items = services, .count = 1}, .announced = true};
    struct plan_service service = {.key = services[0], .reason = REASON_NONE};
    struct plan plan = {
        .addresses = &address, .address_count = 1, .services = &service, .service_count = 1};
    struct speaker_metrics *metrics = speaker_metrics_new();
    scoped_sbuf struct sbuf out = {0};
    speaker_metrics_plan(metrics, &plan, STR("n1"));
    speaker_metrics_address(metrics, &address.ip, 3, 2, 10);
    const struct metrics *sets[] = {speaker_metrics_set(metrics)};
    metrics_render(sets, 1, METRICS_TEXT, &out);
    static const char *const lines[] = {
        ("metallb_speaker_announced{service=\"default/web\",protocol=\"layer2\",node=\"n1\","
         "ip=\"192.0.2.1\"} 1\n"),
        "metallb_layer2_requests_received{ip=\"192.0.2.1\"} 3\n",
        "metallb_layer2_responses_sent{ip=\"192.0.2.1\"} 2\n",
        "metallb_layer2_gratuitous_sent{ip=\"192.0.2.1\"} 10\n",
        "stentor_speaker_services{reason=\"announced\"} 1\n",
    };
    for (size_t i = 0; i < TEST_COUNT(lines); i++)
        CU_ASSERT(str_contains(sbuf_str(&out), str_from(lines[i])));
    sbuf_clear(&out);
    speaker_metrics_plan(metrics, &(struct plan){0}, STR("n1"));
    metrics_render(sets, 1, METRICS_TEXT, &out);
    CU_ASSERT(!str_contains(sbuf_str(&out), STR("metallb_speaker_announced{")));
    (void)speaker_metrics_free(metrics);
}

static void test_settings(void)
{
    static const struct flag_case cases[] = {
        {{"--node-name", "n1"}, ""},
        {{"--node-name", "n1", "--manifests", "m", "--status=s"}, ""},
        {{"--lb-class", "x"}, "--node-name (or METALLB_NODE_NAME) must be given"},
        {{"--node-name", "N 1"}, "--node-name is not a name that a Node can have"},
        {{"--node-name", "n1", "--status", "s"}, "--status needs --manifests"},
        {{"--node-name=n1", "--manifests=m", "--context", "c"},
         "--manifests and --context exclude each other"},
    };
    flags_run(&settings_flags, cases, TEST_COUNT(cases));
}

TEST_MAIN("speaker/tables", TEST(test_metrics_follow_the_rules), TEST(test_metrics_text),
          TEST(test_settings))
