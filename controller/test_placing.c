#include "controller/test_placing_scene.h"

#include <sys/resource.h>

/* The hash orders over n1, n2 and n3:
 *     192.0.2.1  n2 n1 n3      192.0.2.2  n1 n2 n3      192.0.2.4  n3 n2 n1 */

static void test_new_services(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER PLANNED("a", "192.0.2.1") PLANNED("b", "192.0.2.2"),
               "default/a: 1 n2 n3 n1 (chosen)\ndefault/b: 1 n1 n3 n2 (chosen)\n");
    TEST_ASSERT(scene_write(&s) == 2);
    scene_step(&s, PLANNED("c", "192.0.2.4"),
               "default/a: 1 n2 n3 n1 (chosen)\ndefault/b: 1 n1 n3 n2 (chosen)\n"
               "default/c: 1 n3 n2 n1 (chosen)\n");
    TEST_ASSERT(scene_write(&s) == 1);
    scene_delete(&s, "Service/default/a");
    /* without n1 both would be on n3 */
    scene_step(&s, NULL, "default/b: 2 n1 n2 n3 (chosen)\ndefault/c: 1 n3 n2 n1 (chosen)\n");
    scene_done(&s);
}

/* Nobody may announce it, or nothing is to be announced. */
static void test_nothing_to_place(void)
{
    static const struct {
        const char *yaml, *want;
    } cases[] = {
        {NODES POOL PLANNED("a", "192.0.2.1"), "default/a: - (nowhere)\n"},
        {POOL L2("all", "") PLANNED("a", "192.0.2.1"), "default/a: - (nowhere)\n"},
        {CLUSTER SERVICE("a", "", "", ""), "default/a: - (-)\n"},
        {CLUSTER PLANNED("a", "198.51.100.1"), "default/a: - (nowhere)\n"},
        {CLUSTER SERVICE("a", PLACED("4 n2 n1"), "", ""), "default/a: - (-)\n"},
        /* what is published stays until somebody may answer again */
        {NODES POOL SERVICE("a", PLACED("4 n2 n1"), "", "{ip: 192.0.2.1}"),
         "default/a: 4 n2 n1 (nowhere)\n"},
        /* what cannot be read goes */
        {NODES POOL SERVICE("a", PLACED("x"), "", "{ip: 192.0.2.1}"), "default/a: - (nowhere)\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct scene s;
        scene_init(&s, false);
        scene_step(&s, cases[i].yaml, cases[i].want);
        scene_done(&s);
    }
}

#define THREE                                                      \
    SERVICE("a", PLACED("7 n1 n2 n3"), "", "{ip: 192.0.2.1}")      \
    SERVICE("b", PLACED("2 n3 gone n1 n2"), "", "{ip: 192.0.2.2}") \
    SERVICE("c", PLACED("9 n2 n1 n3"), "", "{ip: 192.0.2.4}")
#define THREE_WANT                                                      \
    "default/a: 7 n1 n2 n3 (kept)\ndefault/b: 2 n3 gone n1 n2 (kept)\n" \
    "default/c: 9 n2 n1 n3 (kept)\n"

/* A new leader writes nothing, though an order names a node that is gone; nor does one whose nodes
 * come and go. */
static void test_read_back(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER THREE, THREE_WANT);
    TEST_ASSERT(scene_write(&s) == 0);
    scene_step(&s, EXCLUDED("n0"), THREE_WANT);
    TEST_ASSERT(scene_write(&s) == 0);
    scene_delete(&s, "Node/n0");
    scene_step(&s, NULL, THREE_WANT);
    scene_step(&s, NODE("n2", PLACED("x")), THREE_WANT); /* whatever else it has */
    TEST_ASSERT(scene_write(&s) == 0);
    scene_done(&s);
}

static long peak_kib(void)
{
    struct rusage usage;
    TEST_ASSERT(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

/* A Service that has the i-th address, and whose order names nodes that are gone. */
static struct object *add_served(struct scene *s, size_t i, struct str *ret_order)
{
    struct ip ip, first = ip_v4(198, 18, 0, 0);
    TEST_ASSERT(ip_add(&first, i, &ip));
    size_t owner = i % 3, step = 1 + i / 3 % 2; /* all are balanced, backups too */
    *ret_order = arena_printf(s->arena, "3 n%zu n%zu n%zu g1 g2 g3 g4 g5", owner + 1,
                              (owner + step) % 3 + 1, (owner + 2 * step) % 3 + 1);
    struct str yaml = arena_printf(
        s->arena,
        "apiVersion: v1\nkind: Service\nmetadata: {name: s%zu, namespace: default,\n"
        "  annotations: {stentor.io/placement: " STR_FMT "}}\nspec: {type: LoadBalancer}\n"
        "status: {loadBalancer: {ingress: [{ip: %s}]}}\n",
        i, STR_ARG(*ret_order), ip_format(&ip).text);
    struct yaml_documents documents = yaml_parse(yaml, s->arena);
    TEST_ASSERT(documents.list.len == 1 && documents.list.items[0].tree != NULL);
    struct object *object =
        object_decode(kinds_get(KIND_SERVICE), documents.list.items[0].tree, STR(""));
    (void)map_put(&s->items, object_id(object), object);
    yaml_done(&documents);
    return object;
}

/* Thousands of orders name nodes that are gone, the same ones: what their reading takes does not
 * grow with the square of their number (that would be 180 MB here). */
static void test_many_gone(void)
{
    enum { SERVICES = 3000, ALLOWED_KIB = 64 * 1024 };
    struct scene s;
    scene_init(&s, false);
    scene_apply(&s, NODES L2("all", "") "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n"
                                        "metadata: {name: office, namespace: metallb-system}\n"
                                        "spec: {addresses: [198.18.0.0/20]}\n");
    struct plan_record *records = arena_array(s.arena, SERVICES, sizeof(*records));
    struct str *orders = arena_array(s.arena, SERVICES, sizeof(*orders));
    for (size_t i = 0; i < SERVICES; i++) {
        const struct object *object = add_served(&s, i, &orders[i]);
        const struct service_ingress *ingress =
            ((const struct service *)object)->status.ingress.items;
        records[i] = (struct plan_record){.key = object->key,
                                          .object = object,
                                          .managed = true,
                                          .ips = {ingress->address},
                                          .ip_count = 1};
        placing_offer(s.placing, &records[i], NULL, 0);
    }
    long before = peak_kib();
    (void)placing_run(s.placing, SIZE_MAX);
    long grown = peak_kib() - before;
    for (size_t i = 0; i < SERVICES; i++)
        TEST_STR(placing_text(s.placing, records[i].key, s.arena), orders[i].ptr);
    if (grown > ALLOWED_KIB)
        printf("\n%ld KiB more memory\n", grown);
    CU_ASSERT(grown <= ALLOWED_KIB);
    scene_done(&s);
}

/* A MetalLB cluster: what the hash elects is in force. */
static void test_served_by_hash(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(
        &s, CLUSTER SERVICE("a", "", "", "{ip: 192.0.2.1}") SERVICE("b", "", "", "{ip: 192.0.2.2}"),
        "default/a: 1 n2 n3 n1 (kept)\ndefault/b: 1 n1 n3 n2 (kept)\n");
    scene_done(&s);
}

static void test_nodes(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER THREE, THREE_WANT);
    scene_step(&s, NODE("n1", ", annotations: {stentor.io/drain: \"\"}"),
               "default/a: 8 n2 n3 (tookOver)\ndefault/b: 2 n3 gone n1 n2 (kept)\n"
               "default/c: 9 n2 n1 n3 (kept)\n");
    scene_step(&s, NODE("n1", "") NODE("n2", ", annotations: {stentor.io/drain: now}"),
               "default/a: 9 n3 n1 (tookOver)\ndefault/b: 2 n3 gone n1 n2 (kept)\n"
               "default/c: 10 n1 n3 (tookOver)\n");
    scene_step(&s, NODE("n2", "") EXCLUDED("n3"),
               "default/a: 10 n2 n1 (moved)\ndefault/b: 3 n1 n2 (tookOver)\n"
               "default/c: 11 n1 n2 (tookOver)\n");
    scene_done(&s);
}

static void test_advertisements(void)
{
    static const char *const only_n3[] = {
        CLUSTER L2("all", "nodeSelectors: [{matchLabels: {host: n3}}]") PLANNED("a", "192.0.2.1"),
        CLUSTER L2("all", "preferredNodeSelectors: [{weight: 5, preference: {matchLabels: {host: "
                          "n3}}}]") PLANNED("a", "192.0.2.1"),
    };
    static const char *const want[] = {
        "default/a: 1 n3 (chosen)\n",
        "default/a: 1 n3 n2 n1 (chosen)\n",
    };
    for (size_t i = 0; i < TEST_COUNT(only_n3); i++) {
        struct scene s;
        scene_init(&s, false);
        scene_step(&s, only_n3[i], want[i]);
        scene_done(&s);
    }
}

#define HASHED L2("all", "election: hash")
#define BALANCED L2("all", "election: balanced")

static void test_election(void)
{
    static const struct {
        bool hash;
        const char *yaml, *want;
    } cases[] = {
        {true, CLUSTER PLANNED("a", "192.0.2.1"), "default/a: - (hashedn2)\n"},
        {true, NODES POOL BALANCED PLANNED("a", "192.0.2.1"), "default/a: 1 n2 n1 n3 (chosen)\n"},
        {false, NODES POOL HASHED PLANNED("a", "192.0.2.1"), "default/a: - (hashedn2)\n"},
        /* one that says hash is enough */
        {false, NODES POOL HASHED L2("too", "election: balanced") PLANNED("a", "192.0.2.1"),
         "default/a: - (hashedn2)\n"},
        {true, NODES POOL L2("one", "") L2("too", "election: balanced") PLANNED("a", "192.0.2.1"),
         "default/a: 1 n2 n1 n3 (chosen)\n"},
        {false, NODES POOL HASHED SERVICE("a", PLACED("3 n3"), "", "{ip: 192.0.2.1}"),
         "default/a: - (hashedn2)\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct scene s;
        scene_init(&s, cases[i].hash);
        scene_step(&s, cases[i].yaml, cases[i].want);
        scene_done(&s);
    }
}

#define WISH(name, node, ip) \
    SERVICE(name, ", labels: {planned: " ip "}, annotations: {stentor.io/node: " node "}", "", "")

static void test_wish(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER WISH("a", "n3", "192.0.2.1"), "default/a: 1 n3 n2 n1 (asked)\n");
    scene_step(&s, WISH("a", "n1", "192.0.2.1"), "default/a: 2 n1 n3 n2 (asked)\n");
    scene_step(&s, WISH("a", "n9", "192.0.2.1"), "default/a: 2 n1 n3 n2 (kept)\n");
    scene_step(&s, WISH("a", "N 1", "192.0.2.1"), "default/a: 2 n1 n3 n2 (kept)\n");
    scene_done(&s);
}

#define LOCAL(name, ip) \
    SERVICE(name, ", labels: {planned: " ip "}", ", externalTrafficPolicy: Local", "")

/* Endpoints matter with the Local policy only; without any the Service keeps its place. */
static void test_endpoints(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER LOCAL("a", "192.0.2.1"), "default/a: - (nowhere)\n");
    scene_step(&s, ENDPOINTS("a", ON("n3")), "default/a: 1 n3 (chosen)\n");
    scene_step(&s, ENDPOINTS("a", ON("n3") ", " ON("n1")), "default/a: 2 n3 n1 (chosen)\n");
    scene_step(&s, ENDPOINTS("a", ON("n1")), "default/a: 3 n1 (tookOver)\n");
    scene_step(&s,
               ENDPOINTS("a", "{addresses: [198.18.0.1], nodeName: n1, conditions: {ready: "
                              "false}}"),
               "default/a: 3 n1 (nowhere)\n");
    scene_step(&s, ENDPOINTS("a", ON("n1")), "default/a: 3 n1 (kept)\n");
    scene_step(&s, PLANNED("a", "192.0.2.1"), "default/a: 4 n1 n2 n3 (kept)\n");
    scene_done(&s);
}

#define SHARER(name, extra, ips) \
    SERVICE(name, ", annotations: {metallb.io/allow-shared-ip: k" extra "}", "", ips)

static void test_units(void)
{
    struct scene s;
    scene_init(&s, false);
    /* the higher epoch counts, and is written to both */
    scene_step(&s,
               CLUSTER SHARER("a", ", stentor.io/placement: 4 n1 n2", "{ip: 192.0.2.1}")
                   SHARER("b", ", stentor.io/placement: 6 n3 n2", "{ip: 192.0.2.1}"),
               "default/a: 7 n3 n2 n1 (kept)\ndefault/b: 7 n3 n2 n1 (kept)\n");
    TEST_ASSERT(scene_write(&s) == 2);
    /* a chain: all three hang together by b; without n3 n2 would have two */
    scene_step(&s, SHARER("c", "", "{ip: \"2001:db8::1\"}"),
               "default/a: 8 n3 n1 n2 (kept)\ndefault/b: 8 n3 n1 n2 (kept)\n"
               "default/c: 1 n2 n1 n3 (kept)\n");
    TEST_ASSERT(scene_write(&s) == 3);
    scene_step(
        &s,
        SHARER("b", ", stentor.io/placement: 8 n3 n1 n2", "{ip: 192.0.2.1}, {ip: \"2001:db8::1\"}"),
        "default/a: 8 n3 n1 n2 (kept)\ndefault/b: 8 n3 n1 n2 (kept)\n"
        "default/c: 8 n3 n1 n2 (kept)\n");
    TEST_ASSERT(scene_write(&s) == 1);
    struct placing_view view;
    TEST_ASSERT(placing_view(s.placing, STR("default/c"), s.arena, &view) && view.members == 3);
    /* the middle goes: each part goes on from where the whole was, and one of them moves */
    scene_delete(&s, "Service/default/b");
    scene_step(&s, NULL, "default/a: 9 n3 n2 n1 (kept)\ndefault/c: 9 n1 n2 n3 (moved)\n");
    scene_done(&s);
}

/* Somebody edits the annotation: it is written again, and outbids what was there. */
static void test_edited(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER SERVICE("a", PLACED("4 n1 n2 n3"), "", "{ip: 192.0.2.1}"),
               "default/a: 4 n1 n2 n3 (kept)\n");
    scene_step(&s, SERVICE("a", PLACED("3 n2"), "", "{ip: 192.0.2.1}"),
               "default/a: 4 n1 n2 n3 (kept)\n"); /* an older version of ours, perhaps */
    scene_step(&s, SERVICE("a", PLACED("4 n2"), "", "{ip: 192.0.2.1}"),
               "default/a: 5 n1 n2 n3 (kept)\n");
    scene_step(&s, SERVICE("a", PLACED("90 n2"), "", "{ip: 192.0.2.1}"),
               "default/a: 91 n1 n2 n3 (kept)\n");
    TEST_ASSERT(scene_write(&s) == 1);
    scene_step(&s, SERVICE("a", PLACED("91 n1 n2 n3"), "", "{ip: 192.0.2.1}"),
               "default/a: 91 n1 n2 n3 (kept)\n");
    scene_step(&s, SERVICE("a", "", "", "{ip: 192.0.2.1}"), "default/a: 91 n1 n2 n3 (kept)\n");
    TEST_ASSERT(scene_write(&s) == 1);
    scene_done(&s);
}

static struct gossip_member member(const char *name, enum gossip_state state)
{
    static const struct meta_interface eth[] = {
        {.name = STR_INIT("eth0"), .ipv4 = true, .ipv6 = true}};
    return (struct gossip_member){
        .name = str_from(name), .state = state, .meta = {.interfaces = eth, .count = 1}};
}

/* Members are what counts once there are any. */
static void test_members(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER THREE, THREE_WANT);
    struct gossip_member all[] = {
        member("controller/x", GOSSIP_ALIVE),
        member("n1", GOSSIP_ALIVE),
        member("n2", GOSSIP_SUSPECT),
        member("n3", GOSSIP_ALIVE),
    };
    all[0].meta.role = GOSSIP_OBSERVER;
    placing_set_members(s.placing, true, all, 4);
    TEST_ASSERT(!placing_is_due(s.placing));
    all[1].state = GOSSIP_DEAD;
    placing_set_members(s.placing, true, all, 4);
    scene_step(&s, NULL,
               "default/a: 8 n2 n3 (tookOver)\ndefault/b: 2 n3 gone n1 n2 (kept)\n"
               "default/c: 9 n2 n1 n3 (kept)\n");
    all[1].state = GOSSIP_ALIVE;
    all[1].meta.held = true;
    placing_set_members(s.placing, true, all, 4);
    struct place_pending pending = placing_run(s.placing, SIZE_MAX);
    TEST_ASSERT(pending.left == 0 && pending.moved == 0);
    all[1].meta.held = false;
    placing_set_members(s.placing, true, all, 4);
    pending = placing_run(s.placing, 0);
    TEST_ASSERT(pending.left == 1 && pending.moved == 0);
    pending = placing_run(s.placing, 1);
    TEST_ASSERT(pending.left == 0 && pending.moved == 1);
    all[3].meta.leaving = true;
    placing_set_members(s.placing, true, all, 4);
    pending = placing_run(s.placing, 0);
    TEST_ASSERT(pending.taken_over == 1);
    /* n2 and n3 have no member, and the observer is nobody's */
    placing_set_members(s.placing, true, all, 2);
    (void)placing_run(s.placing, SIZE_MAX);
    size_t count;
    const struct placing_node *nodes = placing_nodes(s.placing, s.arena, &count);
    TEST_ASSERT(nodes[0].units == 3 && nodes[1].units == 0 && nodes[2].units == 0);
    TEST_ASSERT(nodes[0].state == PLACE_NORMAL && nodes[1].state == PLACE_DEAD);
    placing_set_members(s.placing, false, NULL, 0);
    (void)placing_run(s.placing, SIZE_MAX);
    nodes = placing_nodes(s.placing, s.arena, &count);
    TEST_ASSERT(nodes[0].units == 1 && nodes[1].units == 1 && nodes[2].units == 1);
    scene_done(&s);
}

/* A node without the interface that the advertisement names, for the address's family. */
static void test_interfaces(void)
{
    static const struct meta_interface lan4[] = {{.name = STR_INIT("lan0"), .ipv4 = true}};
    static const struct meta_interface lan6[] = {{.name = STR_INIT("lan0"), .ipv6 = true}};
    static const struct {
        const char *service, *want;
    } cases[] = {
        {PLANNED("a", "192.0.2.1"), "default/a: 1 n2 (chosen)\n"},
        {PLANNED("a", "\"2001:db8::1\""), "default/a: 1 n3 (chosen)\n"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct scene s;
        scene_init(&s, false);
        struct gossip_member all[] = {member("n1", GOSSIP_ALIVE), member("n2", GOSSIP_ALIVE),
                                      member("n3", GOSSIP_ALIVE)};
        all[0].meta.truncated = true; /* what it does not tell of does not count */
        all[1].meta.interfaces = lan4;
        all[2].meta.interfaces = lan6;
        placing_set_members(s.placing, true, all, 3);
        scene_apply(&s, NODES POOL L2("all", "interfaces: [lan0]"));
        scene_step(&s, cases[i].service, cases[i].want);
        /* with nobody that has it, all may */
        all[1].meta.count = all[2].meta.count = 0;
        placing_set_members(s.placing, true, all, 3);
        (void)placing_run(s.placing, SIZE_MAX);
        struct placing_view view;
        TEST_ASSERT(placing_view(s.placing, STR("default/a"), s.arena, &view));
        TEST_ASSERT(view.backups.count == 2);
        scene_done(&s);
    }
}

static void test_people(void)
{
    struct scene s;
    scene_init(&s, false);
    scene_step(&s, CLUSTER THREE, THREE_WANT);
    struct placing_view view;
    TEST_ASSERT(placing_view(s.placing, STR("default/b"), s.arena, &view));
    TEST_STR(view.owner, "n3");
    TEST_ASSERT(view.backups.count == 3 && view.epoch == 2 && view.members == 1);
    TEST_STR(placing_sentence(&view, s.arena), "n3 answered already when it was placed");
    TEST_ASSERT(!placing_view(s.placing, STR("default/x"), s.arena, &view));
    size_t count;
    const struct placing_node *nodes = placing_nodes(s.placing, s.arena, &count);
    TEST_ASSERT(count == 3);
    for (size_t i = 0; i < 3; i++)
        TEST_ASSERT(nodes[i].units == 1 && nodes[i].state == PLACE_NORMAL);
    TEST_STR(nodes[2].name, "n3");
    scene_done(&s);
}

TEST_MAIN("controller/placing", TEST(test_new_services), TEST(test_nothing_to_place),
          TEST(test_read_back), TEST(test_many_gone), TEST(test_served_by_hash), TEST(test_nodes),
          TEST(test_advertisements), TEST(test_election), TEST(test_wish), TEST(test_endpoints),
          TEST(test_units), TEST(test_edited), TEST(test_members), TEST(test_interfaces),
          TEST(test_people))
