#include "speaker/session_status.h"

#include "common/base/test.h"
#include "common/json/yaml.h"

static struct object *object_of(struct str body, struct arena *arena)
{
    struct yaml_documents documents = yaml_parse(body, arena); /* JSON is YAML */
    struct object *object =
        object_decode(kinds_get(KIND_BGP_SESSION_STATUS), documents.list.items[0].tree, STR(""));
    yaml_done(&documents);
    TEST_ASSERT(object && !object->refused);
    return object;
}

/* What is written is what is wanted; whatever else is wanted then is written anew. */
static void test_body_and_shows(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    static const struct owner_ref pod = {STR_INIT("v1"), STR_INIT("Pod"), STR_INIT("p"),
                                         STR_INIT("u")};
    const struct session_want want = {.namespace = STR("m"),
                                      .node = STR("n1"),
                                      .peer = STR("tor"),
                                      .address = STR("192.0.2.1"),
                                      .since = 1795636862,
                                      .why = STR("Socket: Connection refused"),
                                      .owner = &pod};
    struct str body = session_status_body(&want, arena);
    TEST_STR(body,
             "{\"apiVersion\":\"stentor.io/v1alpha1\",\"kind\":\"BGPSessionStatus\","
             "\"metadata\":{\"name\":\"tor.n1\",\"namespace\":\"m\",\"labels\":{"
             "\"metallb.io/node\":\"n1\"},\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":"
             "\"Pod\",\"name\":\"p\",\"uid\":\"u\"}]},\"status\":{\"node\":\"n1\",\"peer\":\"tor\","
             "\"address\":\"192.0.2.1\",\"state\":\"Down\",\"since\":\"2026-11-25T20:01:02Z\","
             "\"message\":\"Socket: Connection refused\"}}");
    scoped_ptr(object) struct object *down = object_of(body, arena);
    struct session_want other = want;
    CU_ASSERT(session_status_shows(down, &want) && !session_status_shows(NULL, &want));
    other.since += 1000;
    CU_ASSERT(session_status_shows(down, &other));
    other.why = STR("");
    CU_ASSERT(!session_status_shows(down, &other));
    other.up = true;
    scoped_ptr(object) struct object *up = object_of(session_status_body(&other, arena), arena);
    CU_ASSERT(session_status_shows(up, &other) && !session_status_shows(down, &other));
    other.since += 2;
    CU_ASSERT(session_status_shows(up, &other));
    other.since += 1;
    CU_ASSERT(!session_status_shows(up, &other));
    other = want;
    other.address = STR("192.0.2.2");
    CU_ASSERT(!session_status_shows(down, &other));
}

static void test_names(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    char text[251];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = 'a';
    struct str peer = {.ptr = text, .len = sizeof(text)};
    struct str fits = session_status_name(peer, STR("n"), arena);
    struct str one = session_status_name(peer, STR("n1"), arena);
    struct str two = session_status_name(peer, STR("n2"), arena);
    CU_ASSERT(fits.len == 253 && str_ends_with(fits, STR("a.n")));
    CU_ASSERT(one.len == 24 && two.len == 24 && !str_eq(one, two));
    CU_ASSERT(str_starts_with(one, STR("session-")));
}

TEST_MAIN("speaker/session_status", TEST(test_body_and_shows), TEST(test_names))
