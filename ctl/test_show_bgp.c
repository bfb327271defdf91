/* What stentorctl bgp makes of answers of speakers (testdata/bgp/NODE.json), word for word:
 * testdata/bgp/NAME.txt is what the case of that name shows. With the argument "write" they are
 * written instead of compared. */
#include "common/base/test.h"
#include "ctl/show_bgp.h"

static bool write_files;

static const char *const nodes[] = {"n1", "n2", "n3"};
/* Then n4, which does not answer, and n5, which has written something. */
enum { NODES = sizeof(nodes) / sizeof(nodes[0]) };

struct scene {
    struct arena *arena;
    struct bgp_answer answers[NODES + 2];
    struct sbuf out;
    struct show_bgp show;
};

static json_t *read_tree(struct scene *s, const char *node)
{
    json_error_t error;
    struct str path = arena_printf(s->arena, "testdata/bgp/%s.json", node);
    json_t *tree = json_load_file(path.ptr, 0, &error);
    TEST_ASSERT(tree != NULL);
    return tree;
}

static void scene_init(struct scene *s, enum show_format format)
{
    *s = (struct scene){.arena = arena_new(0)};
    for (size_t i = 0; i < NODES; i++)
        s->answers[i] = (struct bgp_answer){.node = str_from(nodes[i]),
                                            .url = STR("http://node:9120"),
                                            .tree = read_tree(s, nodes[i])};
    s->answers[NODES] = (struct bgp_answer){.node = STR("n4"),
                                            .url = STR("http://192.0.2.14:9120"),
                                            .error = STR("connection refused")};
    s->answers[NODES + 1] = (struct bgp_answer){.node = STR("n5"),
                                                .url = STR("http://192.0.2.15:9120"),
                                                .error = STR("connection refused"),
                                                .tree = read_tree(s, "n5"),
                                                .written = true};
    s->show = (struct show_bgp){.format = format,
                                .answers = s->answers,
                                .count = NODES + 1,
                                .scratch = s->arena,
                                .out = &s->out};
}

static void scene_done(struct scene *s)
{
    for (size_t i = 0; i < NODES; i++)
        json_decref((json_t *)s->answers[i].tree);
    json_decref((json_t *)s->answers[NODES + 1].tree);
    sbuf_done(&s->out);
    (void)arena_free(s->arena);
}

static void compare(struct scene *s, const char *name)
{
    struct str path = arena_printf(s->arena, "testdata/bgp/%s.txt", name);
    if (write_files) {
        FILE *file = fopen(path.ptr, "wb");
        TEST_ASSERT(file && fwrite(s->out.ptr, 1, s->out.len, file) == s->out.len &&
                    fclose(file) == 0);
        return;
    }
    scoped_sbuf struct sbuf want = {0};
    FILE *file = fopen(path.ptr, "rb");
    TEST_ASSERT(file != NULL);
    for (int c; (c = fgetc(file)) != EOF;)
        sbuf_putc(&want, (char)c);
    (void)fclose(file);
    TEST_STR(sbuf_str(&s->out), sbuf_cstr(&want));
}

/* --- cases ----------------------------------------------------------------------------------- */

static void show_sessions(const struct show_bgp *show)
{
    struct show_bgp all = *show;
    all.count++;
    show_bgp_sessions(&all);
}

static void show_all_routes(const struct show_bgp *show)
{
    TEST_ASSERT(show_bgp_routes(show, STR("")));
}

static void show_routes_of_tor2(const struct show_bgp *show)
{
    TEST_ASSERT(show_bgp_routes(show, STR("tor2")));
}

static void explain_service(const struct show_bgp *show)
{
    TEST_ASSERT(show_bgp_explain(show, STR("default/web")));
}

static void explain_address(const struct show_bgp *show)
{
    TEST_ASSERT(show_bgp_explain(show, STR("198.51.100.9")));
}

static void explain_prefix(const struct show_bgp *show)
{
    TEST_ASSERT(show_bgp_explain(show, STR("2001:db8::/32")));
}

static void test_shown(void)
{
    static const struct {
        const char *name;
        void (*show)(const struct show_bgp *show);
    } cases[] = {
        {"sessions", show_sessions},          {"routes", show_all_routes},
        {"routes-tor2", show_routes_of_tor2}, {"explain-service", explain_service},
        {"explain-address", explain_address}, {"explain-prefix", explain_prefix},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        for (enum show_format format = SHOW_TEXT; format < SHOW_FORMATS; format++) {
            struct scene s;
            scene_init(&s, format);
            cases[i].show(&s.show);
            compare(&s,
                    arena_printf(s.arena, "%s%s", cases[i].name, format == SHOW_JSON ? "-json" : "")
                        .ptr);
            scene_done(&s);
        }
    }
}

static void test_unknown(void)
{
    struct scene s;
    scene_init(&s, SHOW_TEXT);
    TEST_ASSERT(!show_bgp_routes(&s.show, STR("tor9")));
    TEST_ASSERT(!show_bgp_explain(&s.show, STR("default/nobody")));
    TEST_ASSERT(!show_bgp_explain(&s.show, STR("203.0.113.0/24")));
    TEST_ASSERT(s.out.len == 0);
    scene_done(&s);
}

/* An answer of another shape is no harm. */
static void test_odd(void)
{
    struct scene s;
    scene_init(&s, SHOW_TEXT);
    json_t *odd = read_tree(&s, "odd");
    s.show.answers = &(struct bgp_answer){.node = STR("n9"), .tree = odd};
    s.show.count = 1;
    show_bgp_sessions(&s.show);
    TEST_STR(sbuf_str(&s.out), "NODE  PEER  ADDRESS  STATE  SINCE  ROUTES  BFD  WHY NOT\n"
                               "\nn9: no session: its speaker has not planned yet\n"
                               "n9: : \n");
    sbuf_clear(&s.out);
    TEST_ASSERT(show_bgp_routes(&s.show, STR("")));
    TEST_STR(sbuf_str(&s.out), "PEER  PREFIX  SERVICES  SENT BY  HELD BACK BY  ATTRIBUTES\n");
    TEST_ASSERT(!show_bgp_explain(&s.show, STR("198.51.100.1")));
    json_decref(odd);
    scene_done(&s);
}

int main(int argc, char **argv)
{
    static const struct test cases[] = {TEST(test_shown), TEST(test_unknown), TEST(test_odd)};
    write_files = argc > 1 && strcmp(argv[1], "write") == 0;
    return test_run("show_bgp", cases, TEST_COUNT(cases));
}
