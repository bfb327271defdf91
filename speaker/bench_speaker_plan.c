/* How long one plan takes, and what it and its basis hold: Services, EndpointSlices and nodes as in
 * a large cluster, every address with a published order, and again with none (all by the hash
 * election); and all addresses on one node. */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "speaker/test_scene.h"

enum { SERVICES = 10000, NODES = 100, ROUNDS = 20 };

static void add_cluster(struct scene *s, int nodes, bool placed)
{
    struct sbuf yaml = {0};
    sbuf_puts(&yaml,
              "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: office, "
              "namespace: metallb-system}\nspec: {addresses: [198.18.0.0/16]}\n"
              "---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: "
              "all, namespace: metallb-system}\n");
    for (int i = 0; i < nodes; i++)
        sbuf_printf(&yaml, "---\napiVersion: v1\nkind: Node\nmetadata: {name: n%d}\n", i);
    for (int i = 0; i < SERVICES; i++) {
        sbuf_printf(&yaml,
                    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d, namespace: "
                    "default, annotations: {",
                    i);
        if (placed)
            sbuf_printf(&yaml, "stentor.io/placement: 1 n%d n%d", i % nodes,
                        nodes > 1 ? (i + 1) % nodes : 1);
        sbuf_printf(&yaml,
                    "}}\nspec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: "
                    "198.18.%d.%d}]}}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                    "metadata: {name: s%d-1, namespace: default, labels: "
                    "{kubernetes.io/service-name: s%d}}\nendpoints: [{addresses: [198.19.0.1], "
                    "nodeName: n%d}]\n",
                    i / 256, i % 256, i, i, i % nodes);
    }
    scene_apply(s, sbuf_cstr(&yaml));
    sbuf_done(&yaml);
}

/* Of the processor: whoever else runs meanwhile does not count. */
static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double plan_ms(struct scene *s, struct elect *elect, size_t *ret_announced)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    double started = now_ms();
    struct plan *plan = plan_make(s->basis, &s->view, elect, arena);
    double took = now_ms() - started;
    struct plan_address address;
    *ret_announced = 0;
    for (size_t next = 0; plan_next_address(plan, &next, &address);)
        ++*ret_announced;
    plan_done(plan);
    return took;
}

static double basis_ms(struct scene *s)
{
    double started = now_ms();
    (void)basis_unref(basis_make(&s->snapshot));
    return now_ms() - started;
}

/* The most that was resident, in KiB, since the last call; what is not in use is given back. */
static long peak_kib(void)
{
    long kib = 0;
    char line[128];
    FILE *status = fopen("/proc/self/status", "re"), *clear = fopen("/proc/self/clear_refs", "we");
    while (status && fgets(line, sizeof(line), status))
        (void)sscanf(line, "VmHWM: %ld", &kib);
    (void)malloc_trim(0);
    if (clear)
        (void)fputs("5", clear);
    if (status)
        (void)fclose(status);
    if (clear)
        (void)fclose(clear);
    return kib;
}

static void weigh(struct scene *s, struct elect *elect)
{
    (void)peak_kib();
    long idle = peak_kib();
    struct basis *basis = basis_make(&s->snapshot);
    long making = peak_kib() - idle;
    idle = peak_kib();
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct plan *plan = plan_make(basis, &s->view, elect, arena);
    long planning = peak_kib() - idle;
    printf(
        "    bytes for each service: basis %zu, while it is made %ld; plan %zu, while it is made "
        "%ld\n",
        arena_size(basis->arena) / SERVICES, making * 1024 / SERVICES, arena_size(arena) / SERVICES,
        planning * 1024 / SERVICES);
    plan_done(plan);
    (void)basis_unref(basis);
}

/* All nodes live, with one interface each. */
static struct gossip_member *add_members(struct scene *s)
{
    static const struct meta_interface interface = {
        .name = STR_INIT("eth0"), .ipv4 = true, .ipv6 = true};
    size_t count = s->basis->nodes.count;
    struct gossip_member *members = arena_array(s->arena, count, sizeof(*members));
    for (size_t i = 0; i < count; i++)
        members[i] = (struct gossip_member){.name = s->basis->nodes.items[i],
                                            .meta = {.interfaces = &interface, .count = 1}};
    s->view.watches = true;
    s->view.members = members;
    s->view.member_count = count;
    return members;
}

static void measure(const char *what, int nodes, bool placed)
{
    struct scene s;
    size_t announced;
    scene_init(&s);
    add_cluster(&s, nodes, placed);
    (void)scene_basis(&s, nodes > 7 ? "n7" : "n0");
    struct gossip_member *members = add_members(&s);
    scoped_ptr(elect) struct elect *elect = elect_new(1);
    double basis = 0, again = 0;
    double first = plan_ms(&s, elect, &announced);
    for (int i = 0; i < ROUNDS; i++) {
        double took = plan_ms(&s, elect, &announced), made = basis_ms(&s);
        again = i == 0 || took < again ? took : again;
        basis = i == 0 || made < basis ? made : basis;
    }
    members[0].state = GOSSIP_DEAD;
    double lost = plan_ms(&s, elect, &announced);
    members[0].state = GOSSIP_ALIVE;
    double back = plan_ms(&s, elect, &announced);
    printf("%d services, %d node(s), %-17s basis %6.2f ms; plan: first %7.2f ms, again %6.2f ms, a "
           "node lost %6.2f ms, back %6.2f ms, %zu announced here\n",
           SERVICES, nodes, what, basis, first, again, lost, back, announced);
    weigh(&s, elect);
    scene_done(&s);
}

static void published_order(void)
{
    measure("published order:", NODES, true);
}

static void hash_election(void)
{
    measure("hash election:", NODES, false);
}

static void one_node(void)
{
    measure("published order:", 1, true);
}

/* The scene asserts, which only tests may. */
TEST_MAIN("speaker/plan", TEST(published_order), TEST(hash_election), TEST(one_node))
