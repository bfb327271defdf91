#include "controller/test_cluster.h"

static void test_allocates_and_tells_once(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(&c, POOL("office", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""),
                 "default/web 192.0.2.0 office Allocated\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    TEST_ASSERT(c.writes == 1);
    cluster_step(&c, NULL, "default/web 192.0.2.0 office Allocated\n");
    TEST_ASSERT(c.writes == 0);
    cluster_restart(&c);
    cluster_step(&c, NULL, "default/web 192.0.2.0 office Allocated\n");
    TEST_ASSERT(c.writes == 0);
    cluster_done(&c);
}

static void test_waits_and_is_told_why(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(&c,
                 POOL("one", "addresses: [192.0.2.1/32]") SERVICE("a", "", "") SERVICE("b", "", ""),
                 "default/a 192.0.2.1 one Allocated\n"
                 "default/b - - PoolExhausted\n"
                 "* default/a IPAllocated: Assigned IP [\"192.0.2.1\"]\n"
                 "! default/b AllocationFailed: Failed to allocate IP for \"default/b\": "
                 "no available IPs: pool one has no free IPv4 address\n");
    cluster_step(&c, NULL, "default/a 192.0.2.1 one Allocated\ndefault/b - - PoolExhausted\n");
    TEST_ASSERT(c.writes == 0);
    cluster_delete(&c, "Service/default/a");
    cluster_step(&c, NULL,
                 "default/b 192.0.2.1 one Allocated\n"
                 "* default/b IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    cluster_done(&c);
}

/* The version that shows a write arrives before the answer to it: what the write is about is told
 * all the same. */
static void test_notes_outlive_an_early_version(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(&c, POOL("one", "addresses: [192.0.2.1/32]") SERVICE("a", "", ""),
                 "default/a 192.0.2.1 one Allocated\n"
                 "* default/a IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    cluster_delete(&c, "IPAddressPool/metallb-system/one");
    cluster_configure(&c);
    plan_run(c.plan);
    struct plan_record first = *plan_get(c.plan, STR("default/a"));
    CU_ASSERT(first.note_count == 2);
    cluster_apply(&c, SERVICE("a", "", "") "status: {loadBalancer: {}}\n");
    cluster_step(&c, NULL,
                 "default/a - - NoPool\n"
                 "* default/a ClearAssignment: current IP [\"192.0.2.1\"] is not allowed by the "
                 "configuration, a new one will be assigned: [\"192.0.2.1\"] is not allowed in "
                 "config\n"
                 "! default/a AllocationFailed: Failed to allocate IP for \"default/a\": "
                 "no available IPs: there are no address pools\n");
    cluster_done(&c);
}

static void test_restart_adopts_before_it_gives(void)
{
    struct cluster c;
    cluster_init(&c, "");
    /* "a" comes first in every order, but "z" shows the only address. */
    cluster_step(&c,
                 POOL("one", "addresses: [192.0.2.1/32]") SERVICE("a", "", "")
                     SERVICE("z", "", "") "status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}\n",
                 "default/a - - PoolExhausted\n"
                 "default/z 192.0.2.1 one Allocated\n"
                 "! default/a AllocationFailed: Failed to allocate IP for \"default/a\": "
                 "no available IPs: pool one has no free IPv4 address\n");
    cluster_done(&c);
}

static void test_two_show_one_address(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(
        &c,
        POOL("two", "addresses: [192.0.2.0/31]")
            SERVICE("a", "", "") "status: {loadBalancer: {ingress: [{ip: 192.0.2.0}]}}\n" SERVICE(
                "b", "", "") "status: {loadBalancer: {ingress: [{ip: 192.0.2.0}]}}\n",
        "default/a 192.0.2.0 two Allocated\n"
        "default/b 192.0.2.1 two Allocated\n"
        "* default/b ClearAssignment: current IP [\"192.0.2.0\"] is not allowed by the "
        "configuration, a new one will be assigned: can't change sharing key for "
        "\"default/b\", address also in use by default/a\n"
        "* default/b IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    cluster_done(&c);
}

static void test_wipe_is_repaired(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(&c, POOL("office", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""),
                 "default/web 192.0.2.0 office Allocated\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_step(&c, SERVICE("web", "", "") "status: {loadBalancer: {}}\n",
                 "default/web 192.0.2.0 office Allocated\n");
    TEST_ASSERT(c.writes == 1);
    cluster_done(&c);
}

static void test_requests(void)
{
    static const struct {
        const char *service, *want;
    } cases[] = {
        {SERVICE("s", ", annotations: {metallb.io/loadBalancerIPs: 192.0.2.9}", ""),
         "default/s 192.0.2.9 a Allocated\n* default/s IPAllocated: Assigned IP [\"192.0.2.9\"]\n"},
        {SERVICE("s", ", annotations: {metallb.universe.tf/loadBalancerIPs: 192.0.2.9}", ""),
         "default/s 192.0.2.9 a Allocated\n"
         "! default/s deprecatedAnnotation: Service uses deprecated annotation "
         "metallb.universe.tf/loadBalancerIPs\n"
         "* default/s IPAllocated: Assigned IP [\"192.0.2.9\"]\n"},
        {SERVICE("s", "", ", loadBalancerIP: 192.0.2.10"),
         "default/s 192.0.2.10 a Allocated\n* default/s IPAllocated: Assigned IP "
         "[\"192.0.2.10\"]\n"},
        {SERVICE("s", ", annotations: {metallb.io/address-pool: asked}", ""),
         "default/s 203.0.113.0 asked Allocated\n* default/s IPAllocated: Assigned IP "
         "[\"203.0.113.0\"]\n"},
        {SERVICE("s", ", annotations: {metallb.io/address-pool: none}", ""),
         "default/s - - UnknownPool\n! default/s AllocationFailed: Failed to allocate IP for "
         "\"default/s\": unknown pool \"none\"\n"},
        {"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\n"
         "spec: {type: LoadBalancer, clusterIP: None, ports: [{port: 80}]}\n",
         "default/s - - NoClusterIP\n"},
        {SERVICE("s", "", ", ipFamilyPolicy: RequireDualStack"),
         "default/s - - NotEnoughClusterIPs\n! default/s not enough clusterips: the Service "
         "requires dual stack but has only one cluster IP\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct cluster c;
        cluster_init(&c, "");
        cluster_apply(&c, POOL("a", "addresses: [192.0.2.0/28]")
                              POOL("asked", "autoAssign: false, addresses: [203.0.113.0/28]"));
        cluster_step(&c, cases[i].service, cases[i].want);
        cluster_done(&c);
    }
}

static void test_bad_request_takes_nothing_away(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(&c, POOL("a", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""),
                 "default/web 192.0.2.0 a Allocated\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_apply(&c, SERVICE("web", ", annotations: {metallb.io/loadBalancerIPs: nonsense}", ""));
    cluster_settle(&c);
    const struct plan_record *record = plan_get(c.plan, STR("default/web"));
    TEST_ASSERT(record->ip_count == 1 && record->allocated);
    TEST_ASSERT(strcmp(record->reason, "InvalidRequest") == 0);
    TEST_ASSERT(str_contains(sbuf_str(&c.events), STR("LoadBalancerFailed: invalid requested "
                                                      "loadbalancer IPs: ")));
    cluster_apply(&c, SERVICE("web", ", annotations: {metallb.io/loadBalancerIPs: 192.0.2.3}", ""));
    cluster_step(&c, NULL,
                 "default/web 192.0.2.3 a Allocated\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.3\"]\n");
    cluster_done(&c);
}

static void test_leaving_the_type_frees(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("one", "addresses: [192.0.2.1/32]") SERVICE("a", "", ""));
    cluster_settle(&c);
    cluster_step(&c,
                 SERVICE("b", "", "") "---\napiVersion: v1\nkind: Service\nmetadata: {name: a, "
                                      "namespace: default}\nspec: {type: ClusterIP, clusterIP: "
                                      "198.18.0.1, clusterIPs: [198.18.0.1]}\n",
                 "default/a - - NotLoadBalancer\n"
                 "default/b 192.0.2.1 one Allocated\n"
                 "* default/b IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    const struct cluster_item *a = map_get(&c.items, STR("Service/default/a"));
    const struct service *service = (const struct service *)a->object;
    TEST_ASSERT(service->status.ingress.count == 0 && service->status.conditions.count == 0);
    TEST_ASSERT(service->object.annotations.count == 0);
    cluster_done(&c);
}

static void test_classes(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(&c,
                 POOL("a", "addresses: [192.0.2.0/30]") SERVICE("mine", "", "")
                     SERVICE("other", "", ", loadBalancerClass: foo"),
                 "default/mine 192.0.2.0 a Allocated\n"
                 "default/other - - ForeignClass\n"
                 "* default/mine IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    TEST_ASSERT(c.writes == 1);
    cluster_done(&c);
    cluster_init(&c, "foo");
    cluster_step(&c,
                 POOL("a", "addresses: [192.0.2.0/30]") SERVICE("none", "", "")
                     SERVICE("mine", "", ", loadBalancerClass: foo"),
                 "default/mine 192.0.2.0 a Allocated\n"
                 "default/none - - ForeignClass\n"
                 "* default/mine IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

static void test_pool_edits_win(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("a", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""));
    cluster_settle(&c);
    /* A rename keeps the address. */
    cluster_delete(&c, "IPAddressPool/metallb-system/a");
    cluster_step(&c, POOL("b", "addresses: [192.0.2.0/29]"), "default/web 192.0.2.0 b Allocated\n");
    /* An edit that takes it away does not. */
    cluster_step(&c, POOL("b", "addresses: [192.0.2.4/30]"),
                 "default/web 192.0.2.4 b Allocated\n"
                 "* default/web ClearAssignment: current IP [\"192.0.2.0\"] is not allowed by the "
                 "configuration, a new one will be assigned: [\"192.0.2.0\"] is not allowed in "
                 "config\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.4\"]\n");
    /* Without any pool there is nothing to have. */
    cluster_delete(&c, "IPAddressPool/metallb-system/b");
    cluster_settle(&c);
    const struct plan_record *record = plan_get(c.plan, STR("default/web"));
    TEST_ASSERT(record->ip_count == 0 && !record->allocated);
    cluster_done(&c);
}

static void test_bad_edit_keeps_the_last_good(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("a", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""));
    cluster_settle(&c);
    cluster_step(&c, POOL("a", "addresses: [192.0.2.9-192.0.2.1]") SERVICE("new", "", ""),
                 "default/new 192.0.2.1 a Allocated\n"
                 "default/web 192.0.2.0 a Allocated\n"
                 "* default/new IPAllocated: Assigned IP [\"192.0.2.1\"]\n");
    TEST_ASSERT(diag_errors(config_findings(c.config)) == 1);
    /* A newcomer whose name sorts first does not push out what is in force. */
    cluster_step(&c, POOL("0-new", "addresses: [192.0.2.0/24]"),
                 "default/new 192.0.2.1 a Allocated\ndefault/web 192.0.2.0 a Allocated\n");
    TEST_ASSERT(diag_errors(config_findings(c.config)) == 2);
    cluster_done(&c);
}

static void test_dual_stack(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_step(&c, POOL("four", "addresses: [192.0.2.0/30]") DUAL("p", "PreferDualStack"),
                 "default/p 192.0.2.0 four Allocated\n"
                 "* default/p AdditionalAssignFailed: cannot assign additional IP in "
                 "PreferDualStack: no available IPs in pool four: it has no IPv6 addresses\n"
                 "* default/p IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    /* The pool gains the other family: the second address is added, the first one stays. */
    cluster_step(&c, POOL("four", "addresses: [192.0.2.0/30, \"2001:db8::/126\"]"),
                 "default/p 192.0.2.0,2001:db8:: four Allocated\n"
                 "* default/p IPAllocated: Assigned additional IP \"2001:db8::\"\n");
    cluster_step(&c, DUAL("r", "RequireDualStack"),
                 "default/p 192.0.2.0,2001:db8:: four Allocated\n"
                 "default/r 192.0.2.1,2001:db8::1 four Allocated\n"
                 "* default/r IPAllocated: Assigned IP [\"192.0.2.1\" \"2001:db8::1\"]\n");
    cluster_restart(&c);
    cluster_settle(&c);
    TEST_ASSERT(c.writes == 0);
    cluster_done(&c);
    /* PreferDualStack with one cluster IP on a dual pool: one address, and no flapping. */
    cluster_init(&c, "");
    cluster_step(&c,
                 POOL("both", "addresses: [192.0.2.0/30, \"2001:db8::/126\"]")
                     SERVICE("s", "", ", ipFamilyPolicy: PreferDualStack"),
                 "default/s 192.0.2.0 both Allocated\n"
                 "* default/s IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

static void test_adoption_comes_before_second_addresses(void)
{
    /* "a" could have a second address, but the only free one is what "z" shows. */
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("p", "addresses: [192.0.2.0/31, \"2001:db8::/128\"]"));
    cluster_apply(
        &c, DUAL("a", "PreferDualStack") "status: {loadBalancer: {ingress: [{ip: 192.0.2.0}]}}\n");
    cluster_apply(&c, DUAL("z", "PreferDualStack") "status: {loadBalancer: {ingress: [{ip: "
                                                   "192.0.2.1}, {ip: \"2001:db8::\"}]}}\n");
    cluster_settle(&c);
    TEST_ASSERT(plan_get(c.plan, STR("default/a"))->ip_count == 1);
    TEST_ASSERT(plan_get(c.plan, STR("default/z"))->ip_count == 2);
    cluster_done(&c);
}

static void test_others_entries_stay(void)
{
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c,
                  POOL("a", "addresses: [192.0.2.0/30]") SERVICE(
                      "web", "",
                      "") "status: {loadBalancer: {ingress: [{hostname: lb.example}]}, conditions: "
                          "[{type: Other, status: \"True\", reason: R, message: m, "
                          "lastTransitionTime: \"2026-01-01T00:00:00Z\"}]}\n");
    cluster_settle(&c);
    const struct cluster_item *item = map_get(&c.items, STR("Service/default/web"));
    char *status = json_dumps(json_object_get(item->tree, "status"), JSON_COMPACT | JSON_SORT_KEYS);
    TEST_STR(
        str_from(status),
        "{\"conditions\":[{\"lastTransitionTime\":\"2026-01-01T00:00:00Z\",\"message\":\"m\","
        "\"reason\":\"R\",\"status\":\"True\",\"type\":\"Other\"},"
        "{\"lastTransitionTime\":\"1970-01-12T13:46:40Z\","
        "\"message\":\"192.0.2.0 from pool \\\"a\\\"\",\"reason\":\"Allocated\","
        "\"status\":\"True\",\"type\":\"stentor.io/Allocated\"}],"
        "\"loadBalancer\":{\"ingress\":[{\"ip\":\"192.0.2.0\"},{\"hostname\":\"lb.example\"}]}}");
    free(status);
    cluster_done(&c);
}

static void test_written_ahead(void)
{
    /* A decision whose write has not arrived yet is not taken back by the old status. */
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("a", "addresses: [192.0.2.0/30]") SERVICE("web", "", ""));
    cluster_configure(&c);
    plan_run(c.plan);
    const struct cluster_item *web = map_get(&c.items, STR("Service/default/web"));
    CU_ASSERT(!plan_is_due(c.plan, STR("default/web")) && !plan_is_due(c.plan, STR("default/no")));
    plan_offer(c.plan, web->object, true);
    CU_ASSERT(plan_is_due(c.plan, STR("default/web")));
    plan_run(c.plan);
    CU_ASSERT(!plan_is_due(c.plan, STR("default/web")));
    cluster_step(&c, NULL,
                 "default/web 192.0.2.0 a Allocated\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

static void test_reservation(void)
{
    static const char reservation[] =
        "---\napiVersion: stentor.io/v1alpha1\nkind: IPReservation\nmetadata: {name: keep, "
        "namespace: default}\nspec: {address: 192.0.2.0, owner: {name: web}%s}\n";
    struct cluster c;
    cluster_init(&c, "");
    cluster_apply(&c, POOL("a", "addresses: [192.0.2.0/31]"));
    cluster_apply(&c, arena_printf(c.arena, reservation, "").ptr);
    cluster_step(&c, SERVICE("one", "", "") SERVICE("two", "", ""),
                 "default/one 192.0.2.1 a Allocated\n"
                 "default/two - - PoolExhausted\n"
                 "* default/one IPAllocated: Assigned IP [\"192.0.2.1\"]\n"
                 "! default/two AllocationFailed: Failed to allocate IP for \"default/two\": no "
                 "available IPs: pool a has no free IPv4 address\n");
    cluster_step(&c, SERVICE("web", "", ""),
                 "default/one 192.0.2.1 a Allocated\n"
                 "default/two - - PoolExhausted\n"
                 "default/web 192.0.2.0 a Allocated\n"
                 "* default/web IPAllocated: Assigned IP [\"192.0.2.0\"]\n");
    cluster_done(&c);
}

TEST_MAIN("controller/plan", TEST(test_allocates_and_tells_once), TEST(test_waits_and_is_told_why),
          TEST(test_notes_outlive_an_early_version), TEST(test_restart_adopts_before_it_gives),
          TEST(test_two_show_one_address), TEST(test_wipe_is_repaired), TEST(test_requests),
          TEST(test_bad_request_takes_nothing_away), TEST(test_leaving_the_type_frees),
          TEST(test_classes), TEST(test_pool_edits_win), TEST(test_bad_edit_keeps_the_last_good),
          TEST(test_dual_stack), TEST(test_adoption_comes_before_second_addresses),
          TEST(test_others_entries_stay), TEST(test_written_ahead), TEST(test_reservation))
