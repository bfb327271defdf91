#include "common/base/err.h"
#include "common/base/test.h"
#include "common/kube/list_page.h"
#include "common/kube/object_text.h"
#include "common/kube/watch_event.h"
#include "common/kube/watch_frame.h"

/* What a watch body gives when fed in pieces of `step` bytes, as one text. */
static struct str frames(struct arena *arena, struct str body, size_t step, size_t limit)
{
    struct sbuf out = {0};
    struct watch_frame frame;
    watch_frame_init(&frame, limit);
    for (size_t at = 0; at < body.len; at += step) {
        struct str input = str_slice(body, at, at + step), line;
        while (input.len) {
            enum watch_frame_result result = watch_frame_next(&frame, &input, &line);
            if (result == WATCH_FRAME_EVENT)
                sbuf_printf(&out, "<" STR_FMT ">", STR_ARG(line));
            if (result == WATCH_FRAME_SKIPPED)
                sbuf_printf(&out,
                            "(%zu bytes: " STR_FMT " " STR_FMT " " STR_FMT "/" STR_FMT " " STR_FMT
                            ")",
                            (size_t)frame.skipped.bytes, STR_ARG(identity_str(&frame.skipped.type)),
                            STR_ARG(identity_str(&frame.skipped.kind)),
                            STR_ARG(identity_str(&frame.skipped.namespace)),
                            STR_ARG(identity_str(&frame.skipped.name)),
                            STR_ARG(identity_str(&frame.skipped.resource_version)));
        }
    }
    watch_frame_done(&frame);
    return sbuf_move(&out, arena);
}

#define BIG                                                                                   \
    "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Service\",\"metadata\":{\"annotations\":{" \
    "\"name\":\"no\",\"x\":\"\\\\\\\"}0123456789012345678901234567890123456789\"},"           \
    "\"name\":\"web\",\"namespace\":\"shop\",\"resourceVersion\":\"77\"},"                    \
    "\"spec\":{\"name\":\"no\"}}}"

static void test_frames(void)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"", ""},
        {"{\"a\":1}\n", "<{\"a\":1}>"},
        {"{\"a\":1}\r\n\n \n{\"b\":2}\n", "<{\"a\":1}><{\"b\":2}>"},
        {"{\"a\":1}\n{\"cut", "<{\"a\":1}>"},
        {"{\"a\":1}\n" BIG "\n{\"b\":2}\n",
         "<{\"a\":1}>(216 bytes: MODIFIED Service shop/web 77)<{\"b\":2}>"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct str body = str_from(cases[i].body);
        for (size_t step = 1; step <= body.len + 1; step++) {
            scoped_ptr(arena) struct arena *arena = arena_new(0);
            TEST_STR(frames(arena, body, step, 64), cases[i].want);
        }
    }
}

/* The limit itself still fits. */
static void test_frame_limit(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    TEST_STR(frames(arena, STR("12345678\n"), 3, 8), "<12345678>");
    TEST_STR(frames(arena, STR("123456789\n"), 3, 8), "(9 bytes:   / )");
}

/* What a list body gives in pieces of `step` bytes. */
static struct str page_of(struct arena *arena, struct str body, size_t step, size_t limit)
{
    struct sbuf out = {0};
    struct list_page page;
    list_page_init(&page, limit);
    for (size_t at = 0; at < body.len; at += step) {
        struct str input = str_slice(body, at, at + step), item;
        enum list_page_result result = LIST_PAGE_MORE;
        while (input.len && result != LIST_PAGE_BROKEN) {
            result = list_page_next(&page, &input, &item);
            if (result == LIST_PAGE_ITEM)
                sbuf_printf(&out, "<" STR_FMT ">", STR_ARG(item));
            if (result == LIST_PAGE_SKIPPED)
                sbuf_printf(&out, "(" STR_FMT "/" STR_FMT ")",
                            STR_ARG(identity_str(&page.skipped.namespace)),
                            STR_ARG(identity_str(&page.skipped.name)));
            if (result == LIST_PAGE_END)
                sbuf_printf(&out, "end %s next=%s", sbuf_cstr(&page.resource_version),
                            sbuf_cstr(&page.next));
        }
        if (result == LIST_PAGE_BROKEN) {
            sbuf_puts(&out, "broken");
            break;
        }
    }
    list_page_done(&page);
    return sbuf_move(&out, arena);
}

static void test_pages(void)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"{\"kind\":\"L\",\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"abc\","
         "\"remainingItemCount\":3},\"items\":[{\"a\":\"]}\"}, {\"b\":[{}]}]}\n",
         "<{\"a\":\"]}\"}><{\"b\":[{}]}>end 9 next=abc"},
        {"{\"items\":[],\"metadata\":{\"resourceVersion\":\"9\"}}", "end 9 next="},
        {"{\"items\":null,\"metadata\":{\"resourceVersion\":\"9\"}}", "end 9 next="},
        /* only the top-level "items" counts */
        {"{\"x\":{\"items\":[{\"a\":1}]},\"metadata\":{\"resourceVersion\":\"9\"}}", "end 9 next="},
        {"{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{\"a\":1},{\"metadata\":{"
         "\"labels\":{\"name\":\"no\"},\"name\":\"web\",\"namespace\":\"shop\",\"x\":"
         "\"0123456789012345678901234567890\"}},{\"b\":2}]}",
         "<{\"a\":1}>(shop/web)<{\"b\":2}>end 9 next="},
        {"{\"items\":[{\"a\":1}]}", "<{\"a\":1}>broken"},
        {"{\"metadata\":{},\"items\":[]}", "broken"},
        {"{\"metadata\":{\"resourceVersion\":\"9\"},\"metadata\":{\"resourceVersion\":\"8\"}}",
         "broken"},
        {"{\"items\":[}", "broken"},
        {"404 page not found\n", "broken"},
        {"{\"metadata\":{\"resourceVersion\":\"9\"}}x", "end 9 next=broken"},
        {"{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{\"a\"", ""},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct str body = str_from(cases[i].body);
        for (size_t step = 1; step <= body.len; step++) {
            scoped_ptr(arena) struct arena *arena = arena_new(0);
            TEST_STR(page_of(arena, body, step, 64), cases[i].want);
        }
    }
}

/* However deep a text is, its end is found, and what follows is as before. */
static void test_depth(void)
{
    enum { DEEP = 100000 };
    struct json_scan scan = {0};
    for (size_t i = 1; i <= DEEP; i++) {
        TEST_ASSERT(json_scan_byte(&scan, i % 2 ? '{' : '[') == SCAN_OPEN);
        TEST_ASSERT(scan.depth == i);
    }
    for (size_t i = DEEP; i > 1; i--)
        TEST_ASSERT(json_scan_byte(&scan, i % 2 ? '}' : ']') == SCAN_CLOSE);
    CU_ASSERT_EQUAL(scan.depth, 1);
    for (const char *c = ",\"key\":\"value"; *c; c++)
        CU_ASSERT_EQUAL(json_scan_byte(&scan, *c), SCAN_NONE);
    CU_ASSERT_EQUAL(json_scan_byte(&scan, '"'), SCAN_STRING);
    TEST_STR(json_scan_value(&scan), "value");
    CU_ASSERT(json_scan_at(&scan, 1, STR("key")));
    CU_ASSERT_EQUAL(json_scan_byte(&scan, ']'), SCAN_BROKEN);
    CU_ASSERT_EQUAL(json_scan_byte(&scan, '}'), SCAN_BROKEN);
}

/* An object whose managed fields nest deeper than anything that is read is an item like others. */
static void test_deep_item(void)
{
    enum { DEEP = 5000 };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf item = {0}, body = {0};
    sbuf_puts(&item, "{\"metadata\":{\"name\":\"a\",\"managedFields\":[{\"fieldsV1\":");
    for (int i = 0; i < DEEP; i++)
        sbuf_puts(&item, "{\"f:a\":");
    sbuf_puts(&item, "{}");
    for (int i = 0; i < DEEP; i++)
        sbuf_putc(&item, '}');
    sbuf_puts(&item, "}],\"uid\":\"u\"}}");
    sbuf_printf(&body, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[%s,{\"b\":1}]}",
                sbuf_cstr(&item));
    TEST_STR(page_of(arena, sbuf_str(&body), 1000, LIST_PAGE_LIMIT),
             arena_printf(arena, "<%s><{\"b\":1}>end 9 next=", sbuf_cstr(&item)).ptr);
    json_t *tree = object_text_load(sbuf_str(&item));
    scoped_heap char *text = json_dumps(tree, JSON_COMPACT);
    TEST_STR(str_from(text), "{\"metadata\":{\"name\":\"a\",\"managedFields\":[],\"uid\":\"u\"}}");
    json_decref(tree);
}

/* Managed fields are not read, wherever strings and brackets tempt to end them; all else is. */
static void test_object_text(void)
{
#define FIELDS "\"managedFields\":"
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"{\"a\":1}", "{\"a\":1}"},
        {"{\"m\":{" FIELDS
         "[{\"f\":{\"k:{\\\"x\\\":\\\"]\\\"}\":[{},\"\\\\\"]}},{}],\"b\":2},\"c\":[]}",
         "{\"m\":{" FIELDS "[],\"b\":2},\"c\":[]}"},
        {"{\"m\":{\"a\":1," FIELDS "[]}}", "{\"m\":{\"a\":1," FIELDS "[]}}"},
        {"{\"m\":{\"a\":1, " FIELDS " [1]}}", "{\"m\":{\"a\":1," FIELDS "[1]}}"},
        /* in a string, as another value, as the end of another name */
        {"{\"a\":\",\\\"managedFields\\\":[1]\"}", "{\"a\":\",\\\"managedFields\\\":[1]\"}"},
        {"{" FIELDS "\"[1]\"}", "{" FIELDS "\"[1]\"}"},
        {"{\"x\\" FIELDS "[1]}", "{\"x\\" FIELDS "[1]}"},
        /* texts with a NUL, which no key may have */
        {"{\"a\":\"x\\u0000y\"}", "{\"a\":\"x\\u0000y\"}"},
        {"{\"x\\u0000y\":1}", "no"},
        /* not JSON, before or after it was cut */
        {"{\"m\":{" FIELDS "[{\"f\":1}", "no"},
        {"{\"m\":{" FIELDS "[\"]}}", "no"},
        {"{" FIELDS "[1]", "no"},
        {"{" FIELDS "[1]," FIELDS "[2]}", "no"},
        {FIELDS "[1]", "no"},
        {"", "no"},
    };
#undef FIELDS
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        json_t *tree = object_text_load(str_from(cases[i].text));
        char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
        TEST_STR(str_from(text ? text : "no"), cases[i].want);
        free(text);
        json_decref(tree);
    }
}

static void test_events(void)
{
    static const struct {
        const char *line;
        int want;
        enum watch_type type;
        const char *version;
    } cases[] = {
        {"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"5\"}}}", 0,
         WATCH_ADDED, "5"},
        {"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"6\"}}}", 0,
         WATCH_BOOKMARK, "6"},
        {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}", 0, WATCH_ERROR, ""},
        {"{\"type\":\"DELETED\",\"object\":{\"metadata\":{}}}", ERR_PROTOCOL, 0, ""},
        {"{\"type\":\"OTHER\",\"object\":{\"metadata\":{\"resourceVersion\":\"5\"}}}", ERR_PROTOCOL,
         0, ""},
        {"{\"type\":\"ADDED\"}", ERR_PROTOCOL, 0, ""},
        {"[]", ERR_PROTOCOL, 0, ""},
        {"{\"type\":\"ADDED\",\"object\":{", ERR_SYNTAX, 0, ""},
        {"{\"type\":\"ADDED\",\"type\":\"DELETED\"}", ERR_SYNTAX, 0, ""},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        struct watch_event event = {0};
        CU_ASSERT_EQUAL(watch_event_parse(str_from(cases[i].line), &event), cases[i].want);
        CU_ASSERT_EQUAL(event.type, cases[i].type);
        TEST_STR(event.resource_version, cases[i].version);
        watch_event_done(&event);
    }
}

TEST_MAIN("common/kube watch", TEST(test_frames), TEST(test_frame_limit), TEST(test_pages),
          TEST(test_depth), TEST(test_deep_item), TEST(test_object_text), TEST(test_events))
