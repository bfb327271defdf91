/* The speaker's tables: metrics by the rules, and flags. */
#include "common/base/sbuf.h"
#include "common/program/test_tables.h"
#include "speaker/bgp_metrics.h"
#include "speaker/settings.h"
#include "speaker/speaker_metrics.h"
#include "speaker/test_objects.h"
#include "speaker/test_scene.h"

static void test_metrics_follow_the_rules(void)
{
    size_t count;
    const struct metric *rows = speaker_metrics_rows(&count);
    metrics_run(rows, count, "stentor_speaker_", 1);
    rows = bgp_metrics_rows(&count);
    metrics_run(rows, count, "stentor_speaker_", 1);
}

static void test_bgp_metrics_text(void)
{
    struct bgp_view views[] = {
        {.peer = STR("tor"),
         .address = ip_v4(192, 0, 2, 1),
         .port = 179,
         .state = STATUS_ESTABLISHED,
         .prefixes = 7,
         .wanted = 9,
         .bfd = true,
         .bfd_state = STATUS_BFD_UP},
        {.peer = STR("un"), .interface = STR("eth1"), .vrf = STR("red"), .wanted = 9},
    };
    struct bgp_metrics_session sessions[] = {{&views[0], 12, 1}, {&views[1], 0, 0}};
    struct bgp_metrics_bird bird = {
        .up = true, .starts = 2, .crashes = 1, .taken = 5, .refused = 3};
    struct bgp_metrics *metrics = bgp_metrics_new();
    scoped_sbuf struct sbuf out = {0};
    bgp_metrics_sessions(metrics, sessions, 2);
    bgp_metrics_bird(metrics, &bird);
    const struct metrics *sets[] = {bgp_metrics_set(metrics)};
    metrics_render(sets, 1, METRICS_TEXT, &out);
    static const char *const lines[] = {
        "metallb_bgp_session_up{peer=\"192.0.2.1:179\",vrf=\"\"} 1\n",
        "metallb_bgp_session_up{peer=\"eth1\",vrf=\"red\"} 0\n",
        "metallb_bgp_updates_total{peer=\"192.0.2.1:179\",vrf=\"\"} 12\n",
        "metallb_bgp_announced_prefixes_total{peer=\"192.0.2.1:179\",vrf=\"\"} 7\n",
        "metallb_bgp_pending_prefixes_total{peer=\"192.0.2.1:179\",vrf=\"\"} 2\n",
        "metallb_bfd_session_up{peer=\"192.0.2.1\",vrf=\"\"} 1\n",
        "stentor_speaker_bgp_session_downs_total{peer=\"192.0.2.1:179\",vrf=\"\"} 1\n",
        "stentor_speaker_bird_up 1\n",
        "stentor_speaker_bird_configurations_total{result=\"taken\"} 5\n",
    };
    for (size_t i = 0; i < TEST_COUNT(lines); i++)
        CU_ASSERT(str_contains(sbuf_str(&out), str_from(lines[i])));
    sbuf_clear(&out);
    bgp_metrics_sessions(metrics, NULL, 0);
    metrics_render(sets, 1, METRICS_TEXT, &out);
    CU_ASSERT(!str_contains(sbuf_str(&out), STR("metallb_bgp_session_up{")));
    (void)bgp_metrics_free(metrics);
}

/* The series that dashboards made for MetalLB ask for. */
static void test_metrics_text(void)
{
    static const struct ip ip = {.family = IP_V4, .bytes = {192, 0, 2, 1}};
    struct scene s;
    scene_init(&s);
    scene_apply(&s, CLUSTER L2("all", "") SERVED("web", "", "", "{ip: 192.0.2.1}"));
    const struct plan *plan = scene_plan(&s, "n2");
    plan->addresses[0].announced = plan->services[0].announced = true;
    struct speaker_metrics *metrics = speaker_metrics_new();
    scoped_sbuf struct sbuf out = {0};
    speaker_metrics_plan(metrics, plan, STR("n1"));
    speaker_metrics_address(metrics, &ip, 3, 2, 10);
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
    plan->services[0].announced = false; /* planned, and not done */
    speaker_metrics_plan(metrics, plan, STR("n1"));
    metrics_render(sets, 1, METRICS_TEXT, &out);
    CU_ASSERT(
        str_contains(sbuf_str(&out), STR("stentor_speaker_services{reason=\"notAnswered\"} 1\n")));
    sbuf_clear(&out);
    scene_delete(&s, "Service/default/web");
    speaker_metrics_plan(metrics, scene_plan(&s, "n2"), STR("n1"));
    metrics_render(sets, 1, METRICS_TEXT, &out);
    CU_ASSERT(!str_contains(sbuf_str(&out), STR("metallb_speaker_announced{")));
    (void)speaker_metrics_free(metrics);
    scene_done(&s);
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
          TEST(test_bgp_metrics_text), TEST(test_settings))
