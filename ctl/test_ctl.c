/* What the golden outputs under testdata/ do not show: patches with versions, tables of wide text,
 * flags, and what-ifs on clusters of all sizes. */
#include "common/json/yaml.h"
#include "common/program/test_tables.h"
#include "crd/node.h"
#include "ctl/edit.h"
#include "ctl/settings.h"
#include "ctl/sheet.h"
#include "ctl/whatif.h"

/* --- a cluster ------------------------------------------------------------------------------- */

struct cluster {
    struct arena *arena;
    VEC(struct object *) objects;
    struct world *world;
};

static int by_key(const void *a, const void *b)
{
    return str_cmp((*(const struct object *const *)a)->key,
                   (*(const struct object *const *)b)->key);
}

static struct objects list_kind(struct cluster *c, enum kind_id kind)
{
    struct objects list = {.items = arena_array(c->arena, c->objects.len, sizeof(struct object *))};
    for (size_t i = 0; i < c->objects.len; i++) {
        if (c->objects.items[i]->kind->id == kind)
            list.items[list.count++] = c->objects.items[i];
    }
    if (list.count)
        qsort(list.items, list.count, sizeof(*list.items), by_key);
    return list;
}

static void add_yaml(struct cluster *c, struct str yaml)
{
    struct yaml_documents documents = yaml_parse(yaml, c->arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        const json_t *tree = documents.list.items[i].tree;
        TEST_ASSERT(tree != NULL);
        const struct kind *kind =
            kinds_find(str_from(json_string_value(json_object_get(tree, "apiVersion"))),
                       str_from(json_string_value(json_object_get(tree, "kind"))));
        vec_push(&c->objects, object_decode(kind, tree, STR("")));
        TEST_ASSERT(!c->objects.items[c->objects.len - 1]->refused);
    }
    yaml_done(&documents);
}

static const char ground[] = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n"
                             "metadata: {name: p, namespace: m}\nspec: {addresses: [10.0.0.0/16]}\n"
                             "---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n"
                             "metadata: {name: l, namespace: m}\n";

static void cluster_init(struct cluster *c, size_t nodes, size_t services)
{
    *c = (struct cluster){.arena = arena_new(0)};
    add_yaml(c, str_from(ground));
    for (size_t i = 0; i < nodes; i++)
        add_yaml(c, arena_printf(c->arena,
                                 "apiVersion: v1\nkind: Node\n"
                                 "metadata: {name: n%zu, resourceVersion: \"7\"}\n",
                                 i));
    for (size_t i = 0; i < services; i++)
        add_yaml(c, arena_printf(c->arena,
                                 "apiVersion: v1\nkind: Service\n"
                                 "metadata: {name: s%zu, namespace: d, resourceVersion: \"9\"}\n"
                                 "spec: {type: LoadBalancer, ports: [{port: 80}],\n"
                                 "       clusterIPs: [198.18.0.1]}\n"
                                 "status: {loadBalancer: {ingress: [{ip: 10.0.%zu.%zu}]}}\n"
                                 "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
                                 "metadata: {name: s%zu, namespace: d,\n"
                                 "           labels: {kubernetes.io/service-name: s%zu}}\n"
                                 "addressType: IPv4\n"
                                 "endpoints: [{addresses: [198.18.1.1]}]\n",
                                 i, i / 250, i % 250 + 1, i, i));
    struct world_input input = {.namespace = STR("m")};
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        input.of[kind] = list_kind(c, (enum kind_id)kind);
    c->world = world_make(&input, c->arena);
}

static void cluster_done(struct cluster *c)
{
    world_done(c->world);
    for (size_t i = 0; i < c->objects.len; i++)
        (void)object_unref(c->objects.items[i]);
    vec_done(&c->objects);
    (void)arena_free(c->arena);
}

/* --- what if --------------------------------------------------------------------------------- */

/* With equal nodes no node has more than ceil(units / nodes), whoever dies or comes, and each unit
 * of a dead node moves. */
static void test_bound(void)
{
    for (size_t nodes = 2; nodes <= 7; nodes++) {
        for (size_t add = 0; add <= 3; add++) {
            struct cluster c;
            cluster_init(&c, nodes, 23);
            struct str killed = STR("n1"), error = {0};
            struct whatif_request request = {.kill = {.items = &killed, .count = 1}, .add = add};
            struct whatif whatif;
            TEST_ASSERT(whatif_run(c.world, &request, c.arena, &whatif, &error) == 0);
            TEST_ASSERT(whatif.units == 23 && whatif.lost == 0);
            TEST_ASSERT(whatif.standing == nodes - 1 + add);
            TEST_ASSERT(whatif.most == whatif_ceil(23, nodes - 1 + add));
            size_t from_dead = 0, dead = world_find_node(c.world, killed);
            for (size_t i = 0; i < whatif.move_count; i++) {
                from_dead += str_eq(whatif.moves[i].from, killed);
                TEST_ASSERT(whatif.moves[i].to.len && !str_eq(whatif.moves[i].to, killed));
            }
            TEST_ASSERT(from_dead == c.world->nodes[dead].units);
            cluster_done(&c);
        }
    }
}

static void test_nothing(void)
{
    struct cluster c;
    cluster_init(&c, 0, 0);
    struct whatif_request request = {.add = 2};
    struct whatif whatif;
    struct str error = {0}, unknown = STR("n0");
    TEST_ASSERT(whatif_run(c.world, &request, c.arena, &whatif, &error) == 0);
    TEST_ASSERT(whatif.units == 0 && whatif.node_count == 2 && whatif.move_count == 0);
    request.kill = (struct str_list){.items = &unknown, .count = 1};
    TEST_ASSERT(whatif_run(c.world, &request, c.arena, &whatif, &error) == ERR_SYNTAX);
    TEST_STR(error, "there is no node \"n0\"");
    cluster_done(&c);
}

/* --- edits ----------------------------------------------------------------------------------- */

static void test_bodies(void)
{
    struct cluster c;
    cluster_init(&c, 2, 1);
    struct edit_list list = edit_move(c.world, STR("10.0.0.1"), STR("n1"), c.arena);
    TEST_STR(list.refusal, "");
    TEST_ASSERT(list.count == 1);
    TEST_STR(edit_body(&list.items[0], c.arena), "{\"metadata\":{\"resourceVersion\":\"9\","
                                                 "\"annotations\":{\"stentor.io/node\":\"n1\"}}}");
    list = edit_drain(c.world, STR("n0"), true, c.arena);
    TEST_ASSERT(list.count == 1);
    TEST_STR(edit_body(&list.items[0], c.arena),
             "{\"metadata\":{\"resourceVersion\":\"7\","
             "\"annotations\":{\"stentor.io/drain\":\"true\"}}}");
    list.items[0].removes = true;
    list.items[0].version = STR(""); /* as that of a directory */
    TEST_STR(edit_body(&list.items[0], c.arena),
             "{\"metadata\":{\"annotations\":{\"stentor.io/drain\":null}}}");
    TEST_ASSERT(edit_drain(c.world, STR("n0"), false, c.arena).count == 0);
    TEST_STR(edit_drain(c.world, STR("n7"), true, c.arena).refusal, "there is no node \"n7\"");
    cluster_done(&c);
}

/* --- tables and flags ------------------------------------------------------------------------ */

static void test_sheet(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf out = {0};
    struct sheet sheet;
    struct str names[] = {STR("a"), STR("bc")};
    struct str_list list = {.items = names, .count = 2}, none = {0};
    sheet_begin(&sheet, "NAME|N|WHAT", arena);
    sheet_put(&sheet, STR("m\xc3\xbcller"));
    sheet_put_number(&sheet, 12);
    sheet_put_list(&sheet, &list);
    sheet_put(&sheet, STR(""));
    sheet_put_number(&sheet, 0);
    sheet_put_list(&sheet, &none);
    sheet_end(&sheet, &out);
    TEST_STR(sbuf_str(&out), "NAME    N   WHAT\n"
                             "m\xc3\xbcller  12  a,bc\n"
                             "-       0   -\n");
}

static void test_flags(void)
{
    static const struct flag_case cases[] = {
        {{"status", "-o", "json"}, ""},
        {{"plan", "--kill=a,b", "--kill", "c"}, ""},
        {{"status", "--status=d"}, "--status needs --manifests"},
        {{"-o", "xml"}, "-o: \"xml\" is not one of text, json"},
    };
    flags_run(&settings_flags, cases, TEST_COUNT(cases));
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct program_settings *settings = NULL;
    struct str error = {0};
    TEST_ASSERT(flags_parse(&settings_flags, cases[1].arguments, arena, &settings, &error) ==
                OPTIONS_RUN);
    struct str_list parts = settings_parts(&((struct settings *)settings)->kill, arena);
    TEST_ASSERT(parts.count == 3 && settings->operands.count == 1);
    TEST_STR(parts.items[2], "c");
}

TEST_MAIN("ctl", TEST(test_bound), TEST(test_nothing), TEST(test_bodies), TEST(test_sheet),
          TEST(test_flags))
