/* How long one plan takes: Services, EndpointSlices and nodes as in a large cluster, every address
 * with a published order, and again with none (all by the hash election). */
#include <stdio.h>
#include <time.h>

#include "speaker/test_scene.h"

enum { SERVICES = 10000, NODES = 100, ROUNDS = 5 };

static void add_cluster(struct scene *s, bool placed)
{
    struct sbuf yaml = {0};
    sbuf_puts(&yaml,
              "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: office, "
              "namespace: metallb-system}\nspec: {addresses: [198.18.0.0/16]}\n"
              "---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: {name: "
              "all, namespace: metallb-system}\n");
    for (int i = 0; i < NODES; i++)
        sbuf_printf(&yaml, "---\napiVersion: v1\nkind: Node\nmetadata: {name: n%d}\n", i);
    for (int i = 0; i < SERVICES; i++) {
        sbuf_printf(&yaml,
                    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s%d, namespace: "
                    "default, annotations: {",
                    i);
        if (placed)
            sbuf_printf(&yaml, "stentor.io/placement: 1 n%d n%d", i % NODES, (i + 1) % NODES);
        sbuf_printf(&yaml,
                    "}}\nspec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: "
                    "198.18.%d.%d}]}}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                    "metadata: {name: s%d-1, namespace: default, labels: "
                    "{kubernetes.io/service-name: s%d}}\nendpoints: [{addresses: [198.19.0.1], "
                    "nodeName: n%d}]\n",
                    i / 256, i % 256, i, i, i % NODES);
    }
    scene_apply(s, sbuf_cstr(&yaml));
    sbuf_done(&yaml);
}

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double plan_ms(struct scene *s, struct elect *elect, size_t *ret_announced)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    double started = now_ms();
    struct plan *plan = plan_make(s->basis, &s->view, elect, arena);
    double took = now_ms() - started;
    *ret_announced = plan->address_count;
    plan_done(plan);
    return took;
}

static double basis_ms(struct scene *s)
{
    double started = now_ms();
    (void)basis_unref(basis_make(&s->snapshot));
    return now_ms() - started;
}

/* All nodes live, with one interface each. */
static struct gossip_member *add_members(struct scene *s)
{
    static const struct meta_interface interface = {
        .name = STR_INIT("eth0"), .ipv4 = true, .ipv6 = true};
    struct gossip_member *members = arena_array(s->arena, NODES, sizeof(*members));
    for (size_t i = 0; i < NODES; i++)
        members[i] = (struct gossip_member){.name = s->basis->nodes.items[i],
                                            .meta = {.interfaces = &interface, .count = 1}};
    s->view.watches = true;
    s->view.members = members;
    s->view.member_count = NODES;
    return members;
}

static void measure(const char *what, bool placed)
{
    struct scene s;
    size_t announced;
    scene_init(&s);
    add_cluster(&s, placed);
    (void)scene_basis(&s, "n7");
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
    printf("%d services, %d nodes, %-17s basis %6.2f ms; plan: first %7.2f ms, again %6.2f ms, a "
           "node lost %6.2f ms, back %6.2f ms, %zu announced here\n",
           SERVICES, NODES, what, basis, first, again, lost, back, announced);
    scene_done(&s);
}

static void published_order(void)
{
    measure("published order:", true);
}

static void hash_election(void)
{
    measure("hash election:", false);
}

/* The scene asserts, which only tests may. */
TEST_MAIN("speaker/plan", TEST(published_order), TEST(hash_election))
