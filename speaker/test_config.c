/* What stays in force when configuration goes bad, and what is said about it. */
#include "speaker/config.h"

#include "crd/secret.h"
#include "crd/test_support.h"

#define OBJECT(kind, version, name, rest)                                  \
    "---\napiVersion: " version "\nkind: " kind "\nmetadata: {name: " name \
    ", namespace: s}\n" rest "\n"
#define PEER(name, more)                          \
    OBJECT("BGPPeer", "metallb.io/v1beta2", name, \
           "spec: {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1" more "}")
#define PROFILE(name, spec) OBJECT("BFDProfile", "metallb.io/v1beta1", name, "spec: {" spec "}")
#define COMMUNITY(value)                               \
    OBJECT("Community", "metallb.io/v1beta1", "names", \
           "spec: {communities: [{name: blue, value: \"" value "\"}]}")
#define ADV(spec) OBJECT("BGPAdvertisement", "metallb.io/v1beta1", "all", "spec: {" spec "}")
#define SECRET(password)         \
    OBJECT("Secret", "v1", "pw", \
           "type: kubernetes.io/basic-auth\nstringData: {password: '" password "'}")

struct world {
    struct arena *arena;
    struct map items; /* id → struct object, one reference each */
    struct config *config;
};

static void apply(struct world *w, const char *yaml)
{
    struct yaml_documents documents = yaml_parse(str_from(yaml), w->arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        TEST_ASSERT(documents.list.items[i].tree != NULL);
        struct object *object = support_decode(documents.list.items[i].tree);
        (void)object_unref(map_put(&w->items, object_id(object), object));
    }
    yaml_done(&documents);
}

static void forget(struct world *w, const char *id)
{
    struct object *object = map_remove(&w->items, str_from(id));
    TEST_ASSERT(object != NULL);
    (void)object_unref(object);
}

static void build(struct world *w)
{
    struct objects all[KIND_COUNT] = {0};
    size_t count;
    struct map_entry *sorted = map_sorted(&w->items, w->arena, &count);
    for (size_t i = 0; i < count; i++) {
        const struct object *object = sorted[i].value;
        struct objects *list = &all[object->kind->id];
        if (!list->items)
            list->items = arena_array(w->arena, count, sizeof(*list->items));
        list->items[list->count++] = object;
    }
    config_build(w->config, all, STR("s"));
}

/* "peer-a profile-b secret-pw=text …" of what is in force, and a line for each error. */
static void check(struct world *w, const char *want)
{
    static const enum kind_id kinds[] = {KIND_BGP_PEER, KIND_BFD_PROFILE, KIND_COMMUNITY,
                                         KIND_BGP_ADVERTISEMENT, KIND_SECRET};
    struct sbuf out = {0};
    build(w);
    for (size_t i = 0; i < TEST_COUNT(kinds); i++) {
        const struct objects *list = &config_validated(w->config)->of[kinds[i]];
        for (size_t j = 0; j < list->count; j++) {
            struct str password = {0};
            sbuf_printf(&out, "%s%s-" STR_FMT, out.len ? " " : "", list->items[j]->kind->name,
                        STR_ARG(object_name(list->items[j])));
            if (kinds[i] == KIND_SECRET && secret_read((const struct secret *)list->items[j],
                                                       STR("password"), w->arena, &password) == 0)
                sbuf_printf(&out, "=" STR_FMT, STR_ARG(password));
        }
    }
    const struct diag_list *found = config_findings(w->config);
    for (size_t i = 0; i < found->found.len; i++) {
        if (found->found.items[i].severity == DIAG_ERROR)
            sbuf_printf(&out, "\n" STR_FMT ": " STR_FMT, STR_ARG(found->found.items[i].field),
                        STR_ARG(found->found.items[i].message));
    }
    TEST_STR(sbuf_move(&out, w->arena), want);
}

static void world_init(struct world *w)
{
    *w = (struct world){.arena = arena_new(0), .config = config_new()};
}

static void world_done(struct world *w)
{
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&w->items, &cursor));)
        (void)object_unref(slot->value);
    map_done(&w->items);
    (void)config_free(w->config);
    (void)arena_free(w->arena);
}

static void test_typing_errors(void)
{
    struct world w;
    world_init(&w);
    apply(&w, PEER("tor", ""));
    check(&w, "BGPPeer-tor");
    apply(&w, PEER("tor", ", holdTime: 1s"));
    check(&w,
          "BGPPeer-tor\nspec.holdTime: invalid hold time \"1s\": must be 0 or >=3s, and at most "
          "65535s");
    forget(&w, "BGPPeer/s/tor");
    check(&w, "");
    apply(&w, PEER("tor", ", holdTime: 1s")); /* never was in force since */
    check(&w, "\nspec.holdTime: invalid hold time \"1s\": must be 0 or >=3s, and at most 65535s");
    world_done(&w);
}

static void test_profiles_and_communities(void)
{
    struct world w;
    world_init(&w);
    apply(&w, PROFILE("fast", "") COMMUNITY("1:1") PEER("tor", ", bfdProfile: fast")
                  ADV("communities: [blue]"));
    check(&w, "BGPPeer-tor BFDProfile-fast Community-names BGPAdvertisement-all");
    forget(&w, "BFDProfile/s/fast");
    check(&w, "BGPPeer-tor BFDProfile-fast Community-names BGPAdvertisement-all\n"
              "spec.bfdProfile: peer tor referencing non existing bfd profile fast");
    forget(&w, "Community/s/names");
    check(&w, "BGPPeer-tor BFDProfile-fast Community-names BGPAdvertisement-all\n"
              "spec.communities[0]: invalid community format: \"blue\" is no community, and no "
              "Community object defines it\n"
              "spec.bfdProfile: peer tor referencing non existing bfd profile fast");
    /* nobody refers to them any more */
    apply(&w, PEER("tor", "") ADV("communities: [\"1:2\"]"));
    check(&w, "BGPPeer-tor BGPAdvertisement-all");
    /* a newcomer has no claim to what there was */
    apply(&w, PEER("tor", ", bfdProfile: fast"));
    check(&w, "BGPPeer-tor BGPAdvertisement-all\n"
              "spec.bfdProfile: peer tor referencing non existing bfd profile fast");
    world_done(&w);
}

static void test_secrets(void)
{
    struct world w;
    world_init(&w);
    apply(&w, PEER("tor", ", passwordSecret: {name: pw}"));
    check(&w, "\nspec.passwordSecret: secret ref not found: there is no Secret \"pw\"");
    apply(&w, SECRET("one") OBJECT("Secret", "v1", "other", "stringData: {password: x}"));
    check(&w, "BGPPeer-tor Secret-pw=one");
    apply(&w, SECRET("two"));
    check(&w, "BGPPeer-tor Secret-pw=two");
    apply(&w, SECRET("\""));
    check(&w,
          "BGPPeer-tor Secret-pw=two\nspec.passwordSecret: password in the secret \"pw\" contains "
          "invalid characters: must be 1 to 80 bytes of UTF-8 without control characters and "
          "quotation marks");
    forget(&w, "Secret/s/pw");
    check(&w, "BGPPeer-tor Secret-pw=two\n"
              "spec.passwordSecret: secret ref not found: there is no Secret \"pw\"");
    apply(&w, SECRET("three"));
    check(&w, "BGPPeer-tor Secret-pw=three");
    apply(&w, PEER("tor", ""));
    check(&w, "BGPPeer-tor");
    world_done(&w);
}

TEST_MAIN("speaker/config", TEST(test_typing_errors), TEST(test_profiles_and_communities),
          TEST(test_secrets))
