#include "common/base/test.h"
#include "common/json/yaml.h"
#include "controller/silent.h"
#include "controller/test_members.h"
#include "crd/kinds.h"

enum { NODES = 3, SESSIONS = 4 };

#define SESSION(name, version, status)                                                  \
    ("{apiVersion: stentor.io/v1alpha1, kind: BGPSessionStatus, metadata: {name: " name \
     ", namespace: m, resourceVersion: '" version "'}, status: {" status "}}")

/* n1 has two sessions, n2 and n3 have one each. */
static const char *const sessions[SESSIONS] = {
    SESSION("tor.n1", "7",
            "node: n1, peer: tor, state: Established, since: '2026-11-25T20:01:02Z', message: ''"),
    SESSION("tor2.n1", "8", "node: n1, peer: tor2, state: Down, message: no route"),
    SESSION("tor.n2", "9", "node: n2, peer: tor, state: Unknown, message: lost"),
    SESSION("tor.n3", "10", "node: n3, state: 5"),
};

static void decode(struct arena *arena, struct object *ret[SESSIONS])
{
    for (size_t i = 0; i < SESSIONS; i++) {
        struct yaml_documents documents = yaml_parse(str_from(sessions[i]), arena);
        ret[i] = object_decode(kinds_get(KIND_BGP_SESSION_STATUS), documents.list.items[0].tree,
                               STR(""));
        yaml_done(&documents);
        TEST_ASSERT(ret[i] && ret[i]->refused == (i == 3));
    }
}

/* The objects that are found when the members are these: "tor.n1 tor2.n1". */
static struct str found(struct silent *silent, const char *states, struct object *const *objects,
                        bool look, struct arena *arena)
{
    struct gossip_member members[NODES];
    size_t count = members_of(states, arena, members);
    silent_set_members(silent, members, count);
    if (!look)
        return STR("");
    struct str_list ids =
        silent_find(silent, (const struct object *const *)objects, SESSIONS, arena);
    struct sbuf text = {0};
    for (size_t i = 0; i < ids.count; i++) {
        sbuf_puts(&text, i ? " " : "");
        sbuf_put(&text, str_slice(ids.items[i], STR("BGPSessionStatus/m/").len, ids.items[i].len));
    }
    return sbuf_move(&text, arena);
}

static void test_find(void)
{
    static const struct {
        const char *states;
        bool skip; /* nobody looks */
        const char *want;
    } steps[] = {
        {.states = "aaa", .want = ""},
        {.states = "saa", .want = ""},
        {.states = "daa", .want = "tor.n1 tor2.n1"},
        {.states = "daa", .want = ""}, /* told once */
        {.states = "dda", .want = "tor.n2"},
        {.states = "aaa", .skip = true}, /* is noticed all the same */
        {.states = "ddd", .want = "tor.n1 tor2.n1 tor.n2"},
        {.states = "aaa", .want = ""},
        {.states = "l-c", .want = "tor.n1 tor2.n1 tor.n2"}, /* gone is as silent as dead */
        {.states = "dld", .want = ""},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(silent) struct silent *silent = silent_new();
    struct object *objects[SESSIONS];
    decode(arena, objects);
    for (size_t i = 0; i < TEST_COUNT(steps); i++)
        TEST_STR(found(silent, steps[i].states, objects, !steps[i].skip, arena), steps[i].want);
    for (size_t i = 0; i < SESSIONS; i++)
        (void)object_unref(objects[i]);
}

static void test_patch(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(silent) struct silent *silent = silent_new();
    struct object *objects[SESSIONS];
    decode(arena, objects);
    TEST_STR(
        silent_patch(silent, objects[0], 1795636900, arena),
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"state\":\"Unknown\",\"since\":"
        "\"2026-11-25T20:01:40Z\",\"message\":\"the speaker of this node is lost; it said "
        "last: Established since 2026-11-25T20:01:02Z\"}}");
    TEST_STR(
        silent_patch(silent, objects[1], 1795636900, arena),
        "{\"metadata\":{\"resourceVersion\":\"8\"},\"status\":{\"state\":\"Unknown\",\"since\":"
        "\"2026-11-25T20:01:40Z\",\"message\":\"the speaker of this node is lost; it said "
        "last: Down: no route\"}}");
    TEST_STR(silent_patch(silent, objects[2], 1795636900, arena), ""); /* it says so */
    TEST_STR(silent_patch(silent, objects[3], 1795636900, arena), ""); /* is refused */
    (void)found(silent, "aaa", objects, false, arena);
    TEST_STR(silent_patch(silent, objects[0], 1795636900, arena), ""); /* its speaker is back */
    for (size_t i = 0; i < SESSIONS; i++)
        (void)object_unref(objects[i]);
}

TEST_MAIN("controller/silent", TEST(test_find), TEST(test_patch))
