/* An updated model is the model that would be made anew. */
#include "bgp/test_scene.h"

#define POOL(name, addresses)                                                          \
    "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: " name \
    ", namespace: metallb-system}\nspec: {addresses: [" addresses "]}\n"
#define MARKED(name, meta, spec)                                                          \
    "---\napiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: " name \
    ", namespace: metallb-system" meta "}\nspec: {" spec "}\n"
#define ADV(name, spec) MARKED(name, "", spec)
#define WEIGHTED ", annotations: {stentor.io/bgp-weights: endpoints}"
#define PEER(name, address, more)                                                      \
    "---\napiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: " name       \
    ", namespace: metallb-system}\nspec: {myASN: 64512, peerASN: 64513, peerAddress: " \
    "\"" address "\"" more "}\n"
#define SELECT(app) "serviceSelectors: [{matchLabels: {app: " app "}}]"

/* Alone, together, aggregated, weighted, in conflict, for one peer only. */
static const char cluster[] = POOL("p", "198.51.100.0/24, \"2001:db8:100::/64\"")
    POOL("q", "203.0.113.0/24") POOL("w", "192.0.2.0/24") PEER("tor", "192.0.2.1", "")
        PEER("both", "192.0.2.2", ", dualStackAddressFamily: true")
            ADV("a", "ipAddressPools: [p], communities: [\"64512:1\"]")
                ADV("b", "ipAddressPools: [p], peers: [both], " SELECT("b"))
                    ADV("c", "ipAddressPools: [q], aggregationLength: 28")
                        ADV("d", "ipAddressPools: [p], localPref: 9, " SELECT("d"))
                            MARKED("w", WEIGHTED, "ipAddressPools: [w]");

static struct str everything(struct scene *s)
{
    static const struct render_options options = {0};
    struct sbuf out = {0};
    struct diag_list found = {.arena = s->arena};
    sbuf_put(&out, scene_text(s));
    render_main(s->model, &options, &found, &out);
    diag_done(&found);
    return sbuf_move(&out, s->arena);
}

static struct str text_of(struct scene *s, const struct model_service *service)
{
    struct sbuf out = {0};
    if (service)
        scene_put_service(&out, service);
    return sbuf_move(&out, s->arena);
}

/* Compares the model with one that is made anew, which becomes the scene's. */
static void expect_fresh(struct scene *s)
{
    struct str updated = everything(s);
    (void)scene_model(s);
    TEST_ASSERT(str_eq(updated, everything(s)));
}

/* Updates, and says whether that was enough. What is told to have changed has. */
static bool update(struct scene *s, struct str key)
{
    model_changes changes = {0};
    struct str was = text_of(s, model_find(s->model, key));
    bool enough = scene_update(s, key, &changes);
    TEST_ASSERT(changes.len <= enough);
    for (size_t i = 0; i < changes.len; i++) {
        const struct model_change *one = &changes.items[i];
        TEST_ASSERT(str_eq(text_of(s, one->was ? &one->before : NULL), was));
        TEST_ASSERT(str_eq(text_of(s, one->is ? &one->after : NULL),
                           text_of(s, model_find(s->model, key))));
    }
    if (enough && changes.len == 0)
        TEST_ASSERT(was.len == 0 && !model_find(s->model, key));
    vec_done(&changes);
    if (enough)
        expect_fresh(s);
    else
        (void)scene_model(s);
    return enough;
}

static void put_service(struct scene *s, unsigned number, const char *type, const char *app,
                        const char *more, const char *ingress)
{
    struct sbuf yaml = {0};
    sbuf_printf(&yaml,
                "apiVersion: v1\nkind: Service\nmetadata: {name: s%u, namespace: default, labels: "
                "{app: %s}}\nspec: {type: %s, clusterIP: 198.18.0.1%s}\nstatus: {loadBalancer: "
                "{ingress: [%s]}}\n",
                number, app, type, more, ingress);
    scene_apply(s, sbuf_str(&yaml));
    sbuf_done(&yaml);
}

static void put_slice(struct scene *s, unsigned number, const char *name, const char *endpoints)
{
    struct sbuf yaml = {0};
    sbuf_printf(&yaml,
                "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %s%u, "
                "namespace: default, labels: {kubernetes.io/service-name: s%u}}\naddressType: "
                "IPv4\nendpoints: [%s]\n",
                name, number, number, endpoints);
    scene_apply(s, sbuf_str(&yaml));
    sbuf_done(&yaml);
}

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(*state >> 33) % below;
}

/* The address, or two, that the Service holds; none for some shapes. */
static struct str draw_ingress(struct scene *s, unsigned shape, unsigned last)
{
    switch (shape) {
    case 0:
        return STR("");
    case 1:
        return arena_printf(s->arena, "{ip: \"2001:db8:100::%u\"}", last);
    case 2:
        return arena_printf(s->arena, "{ip: 198.51.100.%u}, {ip: \"2001:db8:100::1\"}", last);
    case 3:
        return arena_printf(s->arena, "{ip: 203.0.113.%u}", last);
    case 4:
        return arena_printf(s->arena, "{ip: 198.18.9.%u}", last);
    case 5:
    case 6:
        return arena_printf(s->arena, "{ip: 192.0.2.%u}", last);
    default:
        return arena_printf(s->arena, "{ip: 198.51.100.%u}", last);
    }
}

static void change_service(struct scene *s, unsigned number, uint64_t *state)
{
    static const char *const apps[] = {"a", "b", "d"};
    static const char *const more[] = {"", ", externalTrafficPolicy: Local",
                                       ", loadBalancerClass: other"};
    const char *app = apps[draw(state, 3)];
    /* mostly addresses of their own, sometimes those of others */
    unsigned last = draw(state, 5) ? number + 1 : draw(state, 40);
    put_service(s, number, draw(state, 12) ? "LoadBalancer" : "ClusterIP", app,
                more[draw(state, 8) ? draw(state, 2) : 2],
                draw_ingress(s, draw(state, 12), last).ptr);
}

static void change_slice(struct scene *s, unsigned number, uint64_t *state)
{
    static const char *const endpoints[] = {
        "", "{addresses: [198.18.1.1], nodeName: n1}", "{addresses: [198.18.1.1], nodeName: n2}",
        "{addresses: [198.18.1.1], nodeName: n1, conditions: {ready: false}}",
        "{addresses: [198.18.1.1], nodeName: n1}, {addresses: [198.18.1.2], nodeName: n1}"};
    put_slice(s, number, draw(state, 2) ? "x" : "y", endpoints[draw(state, 5)]);
}

static void change(struct scene *s, unsigned number, uint64_t *state)
{
    static const char *const ids[] = {"Service/default/s", "EndpointSlice/default/x",
                                      "EndpointSlice/default/y"};
    unsigned what = draw(state, 10);
    if (what < 3)
        scene_drop(s, arena_printf(s->arena, "%s%u", ids[what], number));
    else if (what < 6)
        change_service(s, number, state);
    else
        change_slice(s, number, state);
}

static void test_as_made_anew(void)
{
    enum { SERVICES = 20, CHANGES = 400 };
    static const enum model_drain drains[] = {MODEL_SERVES, MODEL_DRAINS, MODEL_DRAINED};
    size_t enough = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct scene s;
        uint64_t state = seed;
        scene_init(&s);
        scene_apply(&s, str_from(cluster));
        (void)scene_model(&s);
        for (size_t i = 0; i < CHANGES; i++) {
            unsigned number = draw(&state, SERVICES);
            char key[32];
            (void)snprintf(key, sizeof(key), "default/s%u", number);
            change(&s, number, &state);
            if (draw(&state, 10) == 0)
                s.input.drain = drains[draw(&state, 3)];
            enough += update(&s, str_from(key));
        }
        scene_done(&s);
    }
    TEST_ASSERT(enough > 1000 && enough < 1600); /* both ways are walked */
}

/* What is common does not let an update do: each of these is made anew. */
static void test_anew(void)
{
    struct scene s;
    scene_init(&s);
    scene_apply(&s, str_from(cluster));
    (void)scene_model(&s);
#define ON1 "{addresses: [198.18.1.1], nodeName: n1}"
    put_service(&s, 1, "LoadBalancer", "a", "", "{ip: 198.51.100.1}");
    put_slice(&s, 1, "x", ON1);
    TEST_ASSERT(update(&s, STR("default/s1"))); /* a class of one advertisement is always there */
    put_service(&s, 2, "LoadBalancer", "b", "", "{ip: 198.51.100.2}");
    put_slice(&s, 2, "x", ON1);
    TEST_ASSERT(!update(&s, STR("default/s2"))); /* the first one of a and b together */
    put_service(&s, 3, "LoadBalancer", "b", "", "{ip: 198.51.100.3}");
    put_slice(&s, 3, "x", ON1);
    TEST_ASSERT(update(&s, STR("default/s3")));
    put_slice(&s, 3, "x", "");
    TEST_ASSERT(update(&s, STR("default/s3")));
    put_slice(&s, 2, "x", "");
    TEST_ASSERT(!update(&s, STR("default/s2"))); /* the last one */
    put_service(&s, 4, "LoadBalancer", "a", "", "{ip: 198.51.100.1}");
    put_slice(&s, 4, "x", ON1);
    TEST_ASSERT(!update(&s, STR("default/s4"))); /* an address of two */
    put_slice(&s, 1, "x", "");
    TEST_ASSERT(!update(&s, STR("default/s1")));
    TEST_ASSERT(update(&s, STR("default/s1"))); /* nothing has changed */
    TEST_ASSERT(update(&s, STR("default/none")));
    s.input.drain = MODEL_DRAINS; /* is said to the peers that there are */
    TEST_ASSERT(update(&s, STR("default/none")));
    s.input.drain = MODEL_SERVES;
    TEST_ASSERT(update(&s, STR("default/none")));
    s.input.drain = MODEL_DRAINED; /* is said of every Service */
    TEST_ASSERT(!update(&s, STR("default/none")));
    s.input.drain = MODEL_SERVES;
    TEST_ASSERT(!update(&s, STR("default/none")));
    scene_done(&s);
}

/* What updates leave behind in the arena is bounded. */
static void test_enough_of_them(void)
{
    struct scene s;
    model_changes changes = {0};
    scene_init(&s);
    scene_apply(&s, str_from(cluster));
    put_service(&s, 1, "LoadBalancer", "a", "", "{ip: 198.51.100.1}");
    (void)scene_model(&s);
    size_t before = arena_used(s.arena);
    size_t count = 0;
    scene_read(&s);
    struct model_touched touched = {.key = STR("default/s1"),
                                    .service = (const struct service *)s.input.services.items[0]};
    size_t used = arena_used(s.arena);
    while (model_update(s.model, &s.input, &touched, 1, s.arena, &changes))
        count++;
    TEST_ASSERT(count == 1000 && changes.len == 1000);
    TEST_ASSERT(before <= used && (arena_used(s.arena) - used) / count < 512);
    vec_done(&changes);
    scene_done(&s);
}

TEST_MAIN("bgp/model update", TEST(test_as_made_anew), TEST(test_anew), TEST(test_enough_of_them))
