/* Every field of every kind with values of a wrong type: each is refused by the path of just that
 * field, whatever else the object lacks. The cases come from the tables, so that a new field is
 * among them by itself. */
#include "crd/test_support.h"

enum { DEPTH_MAX = 12, WRONG_MAX = 5 };

/* Values that no field of a type accepts, and what the finding adds to the field's path. */
struct wrong {
    const char *json, *below;
};

static const struct wrong wrong_values[][WRONG_MAX] = {
    [FIELD_STR] = {{"7", ""}, {"true", ""}, {"[]", ""}, {"{}", ""}},
    [FIELD_BOOL] = {{"\"yes\"", ""}, {"1", ""}, {"[]", ""}, {"{}", ""}},
    [FIELD_INT] = {{"\"1\"", ""}, {"1.5", ""}, {"1e300", ""}, {"99999999999999999999", ""}},
    [FIELD_STR_LIST] = {{"\"x\"", ""}, {"{}", ""}, {"[7]", "[0]"}, {"[\"x\",null]", "[1]"}},
    [FIELD_MAP] = {{"\"x\"", ""}, {"[]", ""}, {"{\"a\":7}", "[a]"}, {"{\"a\":null}", "[a]"}},
    [FIELD_ENUM] = {{"\"?\"", ""}, {"0", ""}, {"[]", ""}},
    [FIELD_DURATION] = {{"10", ""}, {"\"10\"", ""}, {"\"1x\"", ""}, {"\"999999999h\"", ""}},
    [FIELD_TIME] = {{"10", ""}, {"\"tomorrow\"", ""}, {"\"2024-13-01T00:00:00Z\"", ""}},
    [FIELD_INT_OR_STR] = {{"[]", ""}, {"1.5", ""}, {"true", ""}},
    [FIELD_OBJECT] = {{"\"x\"", ""}, {"[]", ""}, {"7", ""}},
    [FIELD_POINTER] = {{"\"x\"", ""}, {"[]", ""}, {"7", ""}},
    [FIELD_LIST] = {{"{}", ""}, {"\"x\"", ""}, {"[7]", "[0]"}, {"[null]", "[0]"}},
    [FIELD_SKIP] = {{NULL, NULL}},
};

/* The way to a field from the top of the object. */
struct way {
    const struct kind *kind;
    const struct field *rows[DEPTH_MAX];
    size_t depth;
};

static size_t cases;

/* The value inside all that is around it: {"spec":{"list":[{"field":VALUE}]}}. */
static json_t *wrap(const struct way *way, const char *value)
{
    json_t *tree = json_loads(value, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    TEST_ASSERT(tree != NULL);
    for (size_t i = way->depth; i-- > 0;) {
        bool in_list = i > 0 && way->rows[i - 1]->type == FIELD_LIST;
        tree = json_pack("{s:o}", way->rows[i]->name, tree);
        if (in_list)
            tree = json_pack("[o]", tree);
    }
    return tree;
}

static struct str path_of(const struct way *way, const char *below, struct arena *arena)
{
    struct sbuf path = {0};
    for (size_t i = 0; i < way->depth; i++) {
        bool has_inner = i + 1 < way->depth;
        sbuf_printf(&path, "%s%s%s", i ? "." : "", way->rows[i]->name,
                    has_inner && way->rows[i]->type == FIELD_LIST ? "[0]" : "");
    }
    sbuf_puts(&path, below);
    return sbuf_move(&path, arena);
}

static bool is_told(const struct object *object, struct str path)
{
    for (size_t i = 0; i < object->source->findings.found.len; i++) {
        const struct diag *diag = &object->source->findings.found.items[i];
        if (diag->severity == DIAG_ERROR && str_eq(diag->field, path))
            return true;
    }
    return false;
}

static void try_value(const struct way *way, const struct wrong *wrong)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    json_t *tree = wrap(way, wrong->json);
    scoped_ptr(object) struct object *object = object_decode(way->kind, tree, STR("test"));
    json_decref(tree);
    struct str path = path_of(way, wrong->below, arena);
    bool told = object->refused && is_told(object, path);
    if (!told)
        printf("\n%s: " STR_FMT " = %s is not told:\n" STR_FMT, way->kind->name, STR_ARG(path),
               wrong->json, STR_ARG(support_findings(&object->source->findings, arena)));
    CU_ASSERT(told);
    cases++;
}

static void try_shape(struct way *way, const struct shape *shape)
{
    TEST_ASSERT(way->depth < DEPTH_MAX);
    for (size_t i = 0; i < shape->count; i++) {
        const struct field *row = &shape->fields[i];
        way->rows[way->depth++] = row;
        TEST_ASSERT(row->type < TEST_COUNT(wrong_values));
        for (size_t j = 0; j < WRONG_MAX && wrong_values[row->type][j].json; j++)
            try_value(way, &wrong_values[row->type][j]);
        if (row->nested)
            try_shape(way, row->nested);
        way->depth--;
    }
}

static void test_wrong_types(void)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct way way = {.kind = kinds_get((enum kind_id)i)};
        try_shape(&way, way.kind->shape);
    }
    printf("%zu malformed objects", cases);
    CU_ASSERT(cases > 1000);
}

/* Kinds of ours say so when a field is unknown, at every depth of a spec. */
static void test_unknown_fields(void)
{
    static const char *const manifests[] = {
        "{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: a}, spec: "
        "{addresses: [192.0.2.0/24], serviceAllocation: {serviceSelectors: [{matchExpressions: "
        "[{key: a, operator: Exists, unknownField: 1}]}]}}}",
        "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: a}, spec: "
        "{preferredNodeSelectors: [{weight: 1, preference: {unknownField: 1}}]}}",
        "{apiVersion: metallb.io/v1beta1, kind: BGPAdvertisement, metadata: {name: a}, spec: "
        "{unknownField: {}}}",
        "{apiVersion: metallb.io/v1beta2, kind: BGPPeer, metadata: {name: a}, spec: {myASN: 1, "
        "peerASN: 2, interface: a, passwordSecret: {unknownField: b}}}",
        "{apiVersion: metallb.io/v1beta1, kind: BFDProfile, metadata: {name: a}, unknownField: 1}",
        "{apiVersion: metallb.io/v1beta1, kind: Community, metadata: {name: a}, spec: "
        "{communities: [{name: a, value: '1:2', unknownField: 3}]}}",
        "{apiVersion: stentor.io/v1alpha1, kind: IPReservation, metadata: {name: a}, spec: "
        "{address: 192.0.2.1, owner: {name: a, unknownField: 1}}}",
        "{apiVersion: stentor.io/v1alpha1, kind: AddressConflict, metadata: {name: a}, spec: "
        "{address: 192.0.2.1, node: a, interface: b, mac: '02:00:00:00:00:01', seen: "
        "'2026-01-01T00:00:00Z', unknownField: 1}}",
    };
    for (size_t i = 0; i < TEST_COUNT(manifests); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(object) struct object *object = support_object(manifests[i]);
        struct str findings = support_findings(&object->source->findings, arena);
        CU_ASSERT(object->refused && object->source->findings.found.len == 1);
        CU_ASSERT(str_contains(findings, STR("unknown field \"unknownField\"")));
    }
}

/* What a cluster may send in kinds that are not ours is not refused for being unknown. */
static void test_unknown_fields_of_others(void)
{
    scoped_ptr(object) struct object *object = support_object(
        "{apiVersion: v1, kind: Service, metadata: {name: a, namespace: b, other: 1}, spec: "
        "{trafficDistribution: x, ports: [{port: 1, appProtocol: h}]}, status: {other: []}, "
        "other: {}}");
    CU_ASSERT(!object->refused && object->source->findings.found.len == 0);
}

TEST_MAIN("crd/malformed", TEST(test_wrong_types), TEST(test_unknown_fields),
          TEST(test_unknown_fields_of_others))
