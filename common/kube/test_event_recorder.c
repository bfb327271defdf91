#include "common/base/sbuf.h"
#include "common/base/test.h"
#include "common/kube/event_recorder.h"

#include <jansson.h>

static const struct event_about web = {
    .api_version = STR_INIT("v1"),
    .kind = STR_INIT("Service"),
    .namespace = STR_INIT("shop"),
    .name = STR_INIT("web"),
    .uid = STR_INIT("u1"),
    .resource_version = STR_INIT("7"),
};

static const char *verdict_name(enum event_verdict verdict)
{
    static const char *const verdicts[] = {"post", "patch", "folded", "limited"};
    return verdicts[verdict];
}

/* Tells one sentence about the Service at a time in ms; what happens, with the count of a patch. */
static struct str tell(struct event_recorder *recorder, const char *message, uint64_t now,
                       struct arena *arena)
{
    struct event_note note = {.about = web,
                              .reason = STR("IPAllocated"),
                              .action = STR("Allocate"),
                              .message = str_from(message)};
    struct event_clock clock = {.now = now, .wall_ns = (int64_t)now * 1000000};
    struct event_request request = event_recorder_tell(recorder, &note, &clock, arena);
    bool patch = request.verdict == EVENT_PATCH;
    return arena_printf(arena, "%s" STR_FMT, verdict_name(request.verdict),
                        patch ? (int)request.body.len : 0, patch ? request.body.ptr : "");
}

static void test_post(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(event_recorder) struct event_recorder *recorder =
        event_recorder_new(STR("stentor.io/controller"), STR("pod-1"), 1);
    struct event_note note = {.about = web,
                              .warning = true,
                              .reason = STR("AllocationFailed"),
                              .message = STR("no \"address\"")};
    struct event_clock clock = {.now = 5, .wall_ns = 1767225600123456789};
    struct event_request request = event_recorder_tell(recorder, &note, &clock, arena);
    CU_ASSERT_EQUAL(request.verdict, EVENT_POST);
    TEST_STR(request.namespace, "shop");
    CU_ASSERT_EQUAL(request.name.len, strlen("web.") + 16);
    struct str want = arena_printf(
        arena,
        "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{"
        "\"namespace\":\"shop\",\"name\":\"%s\"},\"eventTime\":\"2026-01-01T00:00:00.123456Z\","
        "\"reportingController\":\"stentor.io/controller\",\"reportingInstance\":\"pod-1\","
        "\"type\":\"Warning\",\"reason\":\"AllocationFailed\",\"action\":\"AllocationFailed\","
        "\"note\":\"no \\\"address\\\"\",\"regarding\":{\"apiVersion\":\"v1\",\"kind\":\"Service\","
        "\"namespace\":\"shop\",\"name\":\"web\",\"uid\":\"u1\",\"resourceVersion\":\"7\"}}",
        request.name.ptr);
    TEST_STR(request.body, want.ptr);
}

static void test_folding(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(event_recorder) struct event_recorder *recorder =
        event_recorder_new(STR("c"), STR("i"), 1);
    static const struct {
        uint64_t now;
        const char *message, *want;
    } steps[] = {
        {0, "a", "post"},
        {1000, "a",
         "patch{\"series\":{\"count\":2,\"lastObservedTime\":\"1970-01-01T00:00:01.000000Z\"}}"},
        {2000, "a", "folded"},
        {3000, "a", "folded"},
        /* a switch and a switch back both show */
        {4000, "b", "post"},
        {5000, "a", "post"},
        /* and so does the same thing much later */
        {5000 + EVENT_FOLD_MS, "a", "post"},
    };
    for (size_t i = 0; i < TEST_COUNT(steps); i++)
        TEST_STR(tell(recorder, steps[i].message, steps[i].now, arena), steps[i].want);
}

static void test_series_due(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(event_recorder) struct event_recorder *recorder =
        event_recorder_new(STR("c"), STR("i"), 1);
    for (uint64_t i = 0; i < 5; i++)
        (void)tell(recorder, "a", i * 1000, arena);
    struct event_clock clock = {.now = 2000 + EVENT_SERIES_MS - 1};
    size_t count;
    (void)event_recorder_due(recorder, &clock, arena, &count);
    CU_ASSERT_EQUAL(count, 0);
    clock.now++;
    struct event_request *due = event_recorder_due(recorder, &clock, arena, &count);
    CU_ASSERT_EQUAL_FATAL(count, 1);
    CU_ASSERT_EQUAL(due[0].verdict, EVENT_PATCH);
    TEST_STR(due[0].body,
             "{\"series\":{\"count\":5,\"lastObservedTime\":\"1970-01-01T00:00:04.000000Z\"}}");
    clock.now += EVENT_SERIES_MS;
    (void)event_recorder_due(recorder, &clock, arena, &count);
    CU_ASSERT_EQUAL(count, 0);
    /* the event has gone from the server: the next one is new */
    event_recorder_lost(recorder, &web);
    TEST_STR(tell(recorder, "a", 70000, arena), "post");
}

static void test_rate(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(event_recorder) struct event_recorder *recorder =
        event_recorder_new(STR("c"), STR("i"), 1);
    for (int i = 0; i < EVENT_BURST; i++)
        TEST_STR(tell(recorder, i % 2 ? "a" : "b", 0, arena), "post");
    TEST_STR(tell(recorder, "a", EVENT_REFILL_MS - 1, arena), "limited");
    TEST_STR(tell(recorder, "a", EVENT_REFILL_MS, arena), "post");
    TEST_STR(tell(recorder, "b", EVENT_REFILL_MS, arena), "limited");
    CU_ASSERT_EQUAL(event_recorder_dropped(recorder), 2);
    /* what was dropped ended the series: its return is no repetition */
    TEST_STR(tell(recorder, "a", EVENT_REFILL_MS, arena), "limited");
}

/* Many objects: memory stays bounded, and who was told about longest ago is forgotten first. */
static void test_many_objects(void)
{
    scoped_ptr(event_recorder) struct event_recorder *recorder =
        event_recorder_new(STR("c"), STR("i"), 1);
    static const struct {
        int object;
        enum event_verdict want;
    } again[] = {{0, EVENT_POST}, {EVENT_OBJECTS_MAX, EVENT_PATCH}, {2, EVENT_PATCH}};
    for (int i = 0; i <= EVENT_OBJECTS_MAX + (int)TEST_COUNT(again); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        bool fill = i <= EVENT_OBJECTS_MAX;
        int object = fill ? i : again[i - EVENT_OBJECTS_MAX - 1].object;
        struct event_note note = {
            .about = {.kind = STR("Service"), .name = arena_printf(arena, "s%d", object)},
            .reason = STR("r")};
        struct event_clock clock = {.now = (uint64_t)i};
        struct event_request request = event_recorder_tell(recorder, &note, &clock, arena);
        CU_ASSERT_EQUAL(request.verdict, fill ? EVENT_POST : again[i - EVENT_OBJECTS_MAX - 1].want);
        TEST_STR(request.namespace, "default");
    }
    CU_ASSERT(!event_recorder_is_empty(recorder));
    /* all of it is forgotten after a long silence */
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct event_clock late = {.now = 100 * EVENT_FOLD_MS};
    size_t count;
    (void)event_recorder_due(recorder, &late, arena, &count);
    CU_ASSERT_EQUAL(count, 0);
    CU_ASSERT(event_recorder_is_empty(recorder));
}

static void test_long_texts(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(event_recorder) struct event_recorder *recorder =
        event_recorder_new(STR("c"), STR("i"), 1);
    char *text = arena_alloc(arena, 4000);
    memset(text, 'x', 4000);
    memcpy(text + 1023, "\xc3\xa4", 2); /* a character across the limit */
    struct event_note note = {.about = web, .reason = {text, 400}, .message = {text, 4000}};
    note.about.name = (struct str){text, 253};
    struct event_clock clock = {0};
    struct event_request request = event_recorder_tell(recorder, &note, &clock, arena);
    CU_ASSERT_EQUAL(request.name.len, 253);
    json_t *body = json_loadb(request.body.ptr, request.body.len, 0, NULL);
    CU_ASSERT_EQUAL(json_string_length(json_object_get(body, "note")), 1023);
    CU_ASSERT_EQUAL(json_string_length(json_object_get(body, "reason")), 128);
    json_decref(body);
}

TEST_MAIN("common/kube events", TEST(test_post), TEST(test_folding), TEST(test_series_due),
          TEST(test_rate), TEST(test_many_objects), TEST(test_long_texts))
