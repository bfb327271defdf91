/* Which addresses want a local route, and what becomes of the routes. */
#include "speaker/handoff_plan.h"
#include "speaker/test_scene.h"

/* --- who wants one --------------------------------------------------------------------------- */

static const char cluster[] = "apiVersion: v1\n"
                              "kind: Node\n"
                              "metadata: {name: n1}\n"
                              "---\n"
                              "apiVersion: metallb.io/v1beta1\n"
                              "kind: IPAddressPool\n"
                              "metadata: {name: p, namespace: metallb-system}\n"
                              "spec: {addresses: [192.0.2.0/24]}\n"
                              "---\n"
                              "apiVersion: metallb.io/v1beta1\n"
                              "kind: L2Advertisement\n"
                              "metadata: {name: l, namespace: metallb-system}\n";

static void add_service(struct scene *s, const char *name, const char *annotations, const char *ip)
{
    struct str yaml =
        arena_printf(s->arena,
                     "apiVersion: v1\nkind: Service\n"
                     "metadata: {name: %s, namespace: default, annotations: {%s}}\n"
                     "spec: {type: LoadBalancer, clusterIPs: [198.18.0.1], ports: [{port: 80}]}\n"
                     "status: {loadBalancer: {ingress: [{ip: %s}]}}\n",
                     name, annotations, ip);
    scene_apply(s, yaml.ptr);
}

static void add_slice(struct scene *s, const char *service, const char *node,
                      const char *conditions)
{
    struct str yaml =
        arena_printf(s->arena,
                     "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                     "metadata: {name: %s-1, namespace: default,\n"
                     "           labels: {kubernetes.io/service-name: %s}}\n"
                     "addressType: IPv4\n"
                     "endpoints: [{addresses: [198.18.1.1], nodeName: %s, conditions: {%s}}]\n",
                     service, service, node, conditions);
    scene_apply(s, yaml.ptr);
}

/* This node answers for an address when the plan says that it is the owner. */
static bool is_planned(void *ctx, const struct ip *ip)
{
    struct plan_address address;
    return plan_find_address(ctx, ip, &address);
}

static struct str wanted_text(struct scene *s)
{
    struct plan *plan = scene_plan(s, "n1");
    struct handoff_question question = {
        .node = STR("n1"),
        .services = s->snapshot.services,
        .slices = s->snapshot.slices,
        .basis = plan->basis,
        .answers = is_planned,
        .ctx = plan,
    };
    size_t count;
    const struct ip *ips = handoff_wanted(&question, s->arena, &count);
    struct sbuf out = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&out, "%s%s", i ? " " : "", ip_format(&ips[i]).text);
    return sbuf_move(&out, s->arena);
}

static void test_wanted(void)
{
    static const struct {
        const char *annotations, *node, *conditions, *want;
    } cases[] = {
        {"stentor.io/handoff: local", "n1", "ready: true", "192.0.2.1"},
        {"stentor.io/handoff: local", "n1", "ready: false, serving: true", "192.0.2.1"},
        {"stentor.io/handoff: local", "n1", "ready: false", ""},
        {"stentor.io/handoff: local", "n2", "ready: true", ""},
        {"stentor.io/handoff: Local", "n1", "ready: true", ""},
        {"stentor.io/handoff: ''", "n1", "ready: true", ""},
        {"", "n1", "ready: true", ""},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct scene s;
        scene_init(&s);
        scene_apply(&s, cluster);
        add_service(&s, "web", cases[i].annotations, "192.0.2.1");
        add_slice(&s, "web", cases[i].node, cases[i].conditions);
        TEST_STR(wanted_text(&s), cases[i].want);
        scene_done(&s);
    }
}

/* One of those that share is enough, but it must be the one that serves here. */
static void test_wanted_shared(void)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, cluster);
    add_service(&s, "a", "metallb.io/allow-shared-ip: x", "192.0.2.9");
    add_service(&s, "b", "metallb.io/allow-shared-ip: x, stentor.io/handoff: local", "192.0.2.9");
    add_service(&s, "c", "stentor.io/handoff: local", "192.0.2.10");
    add_service(&s, "d", "", "192.0.2.2");
    add_slice(&s, "a", "n1", "ready: true");
    add_slice(&s, "b", "n2", "ready: true");
    add_slice(&s, "c", "n1", "ready: true");
    add_slice(&s, "d", "n1", "ready: true");
    TEST_STR(wanted_text(&s), "192.0.2.10");
    add_slice(&s, "b", "n1", "ready: true");
    TEST_STR(wanted_text(&s), "192.0.2.9 192.0.2.10");
    scene_done(&s);
}

/* --- the book -------------------------------------------------------------------------------- */

enum { OVERLAP = 5000 };

/* Wants the addresses 192.0.2.x of the digits, carries out what is due, and tells it: "+1 -2". */
static struct str step(struct handoff_book *book, const char *digits, uint64_t now,
                       struct arena *arena)
{
    struct sbuf out = {0};
    struct ip wanted[9];
    size_t count = strlen(digits);
    for (size_t i = 0; i < count; i++)
        wanted[i] = ip_v4(192, 0, 2, (uint8_t)(digits[i] - '0'));
    handoff_book_want(book, wanted, count, now, OVERLAP);
    for (size_t i = 0; i < book->entries.len; i++) {
        struct handoff_entry *entry = &book->entries.items[i];
        enum handoff_deed deed = handoff_deed(entry, now);
        if (deed == HANDOFF_ADD)
            entry->present = entry->ours = true;
        else if (deed == HANDOFF_REMOVE)
            entry->present = entry->ours = false;
        else
            continue;
        sbuf_printf(&out, "%s%c%u", out.len ? " " : "", deed == HANDOFF_ADD ? '+' : '-',
                    entry->ip.bytes[3]);
    }
    handoff_book_tidy(book, now);
    return sbuf_move(&out, arena);
}

static void test_book(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct handoff_book book = {0};
    uint64_t next = 0;
    TEST_STR(step(&book, "", 0, arena), "");
    TEST_STR(step(&book, "25", 1000, arena), "+2 +5");
    TEST_ASSERT(!handoff_book_next(&book, &next));
    TEST_STR(step(&book, "1259", 1100, arena), "+1 +9");
    TEST_STR(step(&book, "19", 2000, arena), "");
    TEST_ASSERT(handoff_book_next(&book, &next) && next == 7000);
    TEST_STR(step(&book, "159", 3000, arena), "");
    TEST_STR(step(&book, "1", 4000, arena), "");
    TEST_STR(step(&book, "1", 6999, arena), "");
    TEST_STR(step(&book, "1", 7000, arena), "-2");
    TEST_ASSERT(handoff_book_next(&book, &next) && next == 9000);
    TEST_STR(step(&book, "1", 9000, arena), "-5 -9");
    TEST_ASSERT(book.entries.len == 1);
    handoff_book_done(&book);
}

/* What the kernel did not take is owed; what another route does already is not ours to remove. */
static void test_refused_and_foreign(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct handoff_book book = {0};
    struct ip ip = ip_v4(192, 0, 2, 3), other = ip_v4(192, 0, 2, 4);
    handoff_book_want(&book, &ip, 1, 0, OVERLAP);
    struct handoff_entry *entry = handoff_book_find(&book, &ip);
    TEST_ASSERT(entry != NULL && handoff_book_find(&book, &other) == NULL);
    entry->error = -1;
    TEST_ASSERT(handoff_deed(entry, 0) == HANDOFF_ADD);
    entry->present = true;
    TEST_ASSERT(handoff_deed(entry, 0) == HANDOFF_NOTHING);
    TEST_STR(step(&book, "", 10, arena), "");
    TEST_ASSERT(book.entries.len == 0);
    TEST_STR(step(&book, "3", 20, arena), "+3");
    handoff_book_find(&book, &ip)->present = false;
    TEST_STR(step(&book, "3", 30, arena), "+3");
    handoff_book_done(&book);
}

TEST_MAIN("speaker/handoff_plan", TEST(test_wanted), TEST(test_wanted_shared), TEST(test_book),
          TEST(test_refused_and_foreign))
