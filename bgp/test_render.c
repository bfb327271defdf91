/* Golden files: testdata/NAME/in.yaml becomes bird.conf, routes.conf and model.txt beside it. With
 * the argument "write" they are written instead of compared. Lines of in.yaml that start with "#: "
 * say what is no object:
 *
 *     #: node n2
 *     #: path 192.0.2.1 by 192.0.2.11      (on-link at its end: a neighbour)
 *     #: listen 17900
 *     #: drain drains
 *     #: extras extras.conf */
#include "bgp/safe.h"
#include "bgp/test_scene.h"

static bool write_files;

struct golden {
    struct scene scene;
    struct render_options options;
    const char *directory;
    VEC(struct session_path) paths;
};

static struct ip ip_of(struct str text)
{
    struct ip ip;
    TEST_ASSERT(ip_parse(text, &ip) == 0);
    return ip;
}

static void read_path(struct golden *g, struct str rest)
{
    struct str peer, word;
    struct session_path path = {0};
    (void)str_cut(rest, ' ', &peer, &rest);
    (void)str_cut(rest, ' ', &word, &rest);
    (void)str_cut(rest, ' ', &word, &rest);
    path.peer = ip_of(peer);
    path.source = ip_of(word);
    path.on_link = str_eq(rest, STR("on-link"));
    vec_push(&g->paths, path);
}

static void read_option(struct golden *g, struct str line)
{
    struct str word, rest;
    uint64_t number = 0;
    (void)str_cut(line, ' ', &word, &rest);
    if (str_eq(word, STR("node")))
        g->scene.input.node = rest;
    else if (str_eq(word, STR("path")))
        read_path(g, rest);
    else if (str_eq(word, STR("extras")))
        g->options.extras = rest;
    else if (str_eq(word, STR("drain")))
        g->scene.input.drain = str_eq(rest, STR("drains")) ? MODEL_DRAINS : MODEL_DRAINED;
    else if (str_eq(word, STR("listen")) && str_to_u64(rest, UINT16_MAX, &number) == 0)
        g->scene.input.listen_port = (uint16_t)number;
    else
        TEST_ASSERT(false);
}

static void read_options(struct golden *g, struct str yaml)
{
    for (struct str line; str_next(&yaml, '\n', &line);) {
        if (str_starts_with(line, STR("#: ")))
            read_option(g, str_slice(line, 3, line.len));
    }
    g->scene.input.paths = g->paths.items;
    g->scene.input.path_count = g->paths.len;
}

static struct str path_of(struct golden *g, const char *name)
{
    return arena_printf(g->scene.arena, "testdata/%s/%s", g->directory, name);
}

static void compare(struct golden *g, const char *name, struct str got)
{
    struct str path = path_of(g, name);
    if (write_files) {
        FILE *file = fopen(path.ptr, "wb");
        TEST_ASSERT(file && fwrite(got.ptr, 1, got.len, file) == got.len && fclose(file) == 0);
        return;
    }
    struct str want = support_read(g->scene.arena, path.ptr);
    if (!str_eq(got, want))
        printf("\n%s:\n" STR_FMT "\n", path.ptr, STR_ARG(got));
    TEST_ASSERT(str_eq(got, want));
}

static void run(const char *directory)
{
    struct golden g = {.options = {.routes = STR("routes.conf")}, .directory = directory};
    struct sbuf main = {0}, routes = {0};
    scene_init(&g.scene);
    struct str yaml = support_read(g.scene.arena, path_of(&g, "in.yaml").ptr);
    read_options(&g, yaml);
    scene_apply(&g.scene, yaml);
    struct model *model = scene_model(&g.scene);
    render_main(model, &g.options, &model->findings, &main);
    render_routes(model, &routes);
    compare(&g, "bird.conf", sbuf_move(&main, g.scene.arena));
    compare(&g, "routes.conf", sbuf_move(&routes, g.scene.arena));
    compare(&g, "model.txt", scene_text(&g.scene));
    vec_done(&g.paths);
    scene_done(&g.scene);
}

static void test_golden_files(void)
{
    struct dirent **entries;
    int count = scandir("testdata", &entries, NULL, alphasort), seen = 0;
    TEST_ASSERT(count > 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (name[0] != '.' && !str_starts_with(str_from(name), STR("fuzz_"))) {
            run(name);
            seen++;
        }
        free(entries[i]);
    }
    free(entries);
    TEST_ASSERT(seen > 0);
}

/* What --check prints is one text without includes. */
static void test_one_text(void)
{
    struct scene s;
    struct sbuf one = {0}, main = {0}, routes = {0};
    struct render_options apart = {.routes = STR("routes.conf")}, together = {0};
    scene_init(&s);
    scene_apply(&s, support_read(s.arena, "testdata/basic/in.yaml"));
    struct model *model = scene_model(&s);
    render_main(model, &together, &model->findings, &one);
    render_main(model, &apart, &model->findings, &main);
    render_routes(model, &routes);
    struct str rest = sbuf_str(&main), line;
    struct sbuf joined = {0};
    while (str_next(&rest, '\n', &line)) {
        if (str_eq(line, STR("include \"routes.conf\";")))
            sbuf_put(&joined, sbuf_str(&routes));
        else
            sbuf_printf(&joined, STR_FMT "\n", STR_ARG(line));
    }
    TEST_STR(sbuf_str(&one), sbuf_cstr(&joined));
    sbuf_done(&one);
    sbuf_done(&main);
    sbuf_done(&routes);
    sbuf_done(&joined);
    scene_done(&s);
}

/* Texts that the checks of the objects would have refused: the session is left out, by name. */
static void test_hostile_texts(void)
{
    static const size_t members[] = {
        offsetof(struct session, name), offsetof(struct session, interface),
        offsetof(struct session, vrf), offsetof(struct session, password)};
    static const char *const texts[] = {"\"; }",  "a\nb",   "a\rb",    "{\n\"x",
                                        "eth0\"", "\x01",   "\x7f\"",  "/* \"",
                                        "#\n",    "${x}\n", "caf\xe9", "a_b\" include \"/x"};
    for (size_t i = 0; i < TEST_COUNT(members); i++) {
        for (size_t j = 0; j < TEST_COUNT(texts); j++) {
            struct scene s;
            scoped_sbuf struct sbuf out = {0};
            struct render_options options = {0};
            scene_init(&s);
            scene_apply(&s, support_read(s.arena, "testdata/basic/in.yaml"));
            struct model *model = scene_model(&s);
            *(struct str *)((char *)&model->sessions[0] + members[i]) = str_from(texts[j]);
            render_main(model, &options, &model->findings, &out);
            TEST_ASSERT(!str_contains(sbuf_str(&out), str_from(texts[j])));
            TEST_ASSERT(!str_contains(sbuf_str(&out), STR("protocol bgp")));
            TEST_STR(scene_text(&s),
                     "default/web 198.51.100.1/32 2001:db8:100::1/128 to tor1\n"
                     "error BGPPeer/metallb-system/tor1 spec: there is no session: a text of it "
                     "cannot be written to BIRD's configuration\n");
            scene_done(&s);
        }
    }
}

static void test_safe_texts(void)
{
    static const struct {
        const char *text;
        bool symbol, shown;
    } cases[] = {
        {"p_a", true, true},          {"a_1", true, true},    {"_a", false, true},
        {"1_a", false, true},         {"pa", false, true},    {"p_A", false, true},
        {"p-a_", false, true},        {"p_\"", false, false}, {"p_\n", false, false},
        {"p_\xc3\xa9", false, false}, {"", false, true},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        TEST_ASSERT(safe_is_symbol(str_from(cases[i].text)) == cases[i].symbol);
        TEST_ASSERT(safe_is_text(str_from(cases[i].text)) == cases[i].shown);
    }
    static const char *const names[] = {"a", "a-b", "a.b",  "a_b", "A",
                                        "",  "\n",  "tor1", "1",   "a--b"};
    for (size_t i = 0; i < TEST_COUNT(names); i++) {
        struct str one = safe_protocol(STR("p"), str_from(names[i]), arena);
        TEST_ASSERT(safe_is_symbol(one));
        for (size_t j = 0; j < i; j++)
            TEST_ASSERT(!str_eq(one, safe_protocol(STR("p"), str_from(names[j]), arena)));
    }
    TEST_STR(safe_protocol(STR("p"), STR("tor1"), arena), "p_tor1");
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {TEST(test_golden_files), TEST(test_one_text),
                                        TEST(test_hostile_texts), TEST(test_safe_texts)};
    write_files = argc > 1 && strcmp(argv[1], "write") == 0;
    return test_run("bgp/render", tests, TEST_COUNT(tests));
}
