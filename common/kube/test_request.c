#include <errno.h>

#include "common/base/err.h"
#include "common/base/test.h"
#include "common/kube/backoff.h"
#include "common/kube/path.h"
#include "common/kube/status.h"

static void test_paths(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str none = STR("");
    const struct path_choice all = {0};
    const struct path_choice mine = {.name = STR("a b"), .labels = STR("x/node=n1,y!=z")};
    struct str services = path_of(none, STR("v1"), none, STR("services"), none, arena);
    TEST_STR(services, "/api/v1/services");
    TEST_STR(path_of(STR("metallb.io"), STR("v1beta1"), STR("a b"), STR("ipaddresspools"),
                     STR("x/../y?z%"), arena),
             "/apis/metallb.io/v1beta1/namespaces/a%20b/ipaddresspools/x%2F..%2Fy%3Fz%25");
    TEST_STR(path_list(services, &all, 250, none, arena), "/api/v1/services?limit=250");
    TEST_STR(path_list(services, &all, 250, STR("a+b=="), arena),
             "/api/v1/services?limit=250&continue=a%2Bb%3D%3D");
    TEST_STR(path_watch(services, &all, STR("12"), 300, arena),
             "/api/v1/services?watch=1&allowWatchBookmarks=true&resourceVersion=12"
             "&timeoutSeconds=300");
    TEST_STR(path_list(services, &mine, 250, STR("a"), arena),
             "/api/v1/services?limit=250&continue=a&fieldSelector=metadata.name%3Da%20b"
             "&labelSelector=x%2Fnode%3Dn1%2Cy%21%3Dz");
    TEST_STR(path_watch(services, &mine, STR("12"), 300, arena),
             "/api/v1/services?watch=1&allowWatchBookmarks=true&resourceVersion=12"
             "&timeoutSeconds=300&fieldSelector=metadata.name%3Da%20b"
             "&labelSelector=x%2Fnode%3Dn1%2Cy%21%3Dz");
    TEST_STR(path_delete_all(services, mine.labels, arena),
             "/api/v1/services?labelSelector=x%2Fnode%3Dn1%2Cy%21%3Dz");
    TEST_STR(path_write(services, STR("me"), false, arena), "/api/v1/services?fieldManager=me");
    TEST_STR(path_write(services, STR("me"), true, arena),
             "/api/v1/services?fieldManager=me&force=true");
}

static void test_status(void)
{
    static const struct {
        unsigned code;
        const char *body;
        uint64_t retry_after;
        int result;
        const char *reason, *message;
        uint64_t retry_after_ms;
    } cases[] = {
        {200, "", 0, 0, "", "", 0},
        {201, "anything", 3, 0, "", "", 0},
        {409,
         "{\"kind\":\"Status\",\"code\":409,\"reason\":\"Conflict\",\"message\":\"object was "
         "modified\"}",
         0, ERR_CONFLICT, "Conflict", "object was modified", 0},
        {404, "404 page not found\n", 0, -ENOENT, "",
         "the server answered with code 404: 404 page not found", 0},
        {429,
         "{\"kind\":\"Status\",\"message\":\"slow\\nly\",\"details\":{\"retryAfterSeconds\":7}}", 0,
         -EAGAIN, "", "slow ly", 7000},
        {429, "", 2, -EAGAIN, "", "the server answered with code 429", 2000},
        {503, "{\"kind\":\"Status\"", 0, -EAGAIN, "",
         "the server answered with code 503: {\"kind\":\"Status\"", 0},
        {500, "\xff\xfe", 0, -EAGAIN, "", "the server answered with code 500", 0},
        {410, "{\"kind\":\"Status\",\"message\":\"too old\"}", 0, ERR_GONE, "", "too old", 0},
        {401, "", 0, -EACCES, "", "the server answered with code 401", 0},
        {403, "", 0, -EPERM, "", "the server answered with code 403", 0},
        {413, "", 0, ERR_TOO_LARGE, "", "the server answered with code 413", 0},
        {422, "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"no\"}", 0, ERR_REMOTE,
         "Invalid", "no", 0},
        {302, "", 0, ERR_REMOTE, "", "the server answered with code 302", 0},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct status status =
            status_decode(cases[i].code, str_from(cases[i].body), cases[i].retry_after, arena);
        CU_ASSERT_EQUAL(status.result, cases[i].result);
        CU_ASSERT_EQUAL(status.code, cases[i].code);
        CU_ASSERT_EQUAL(status.retry_after_ms, cases[i].retry_after_ms);
        TEST_STR(status.reason, cases[i].reason);
        TEST_STR(status.message, cases[i].message);
    }
}

static void test_long_message(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct sbuf body = {0};
    for (int i = 0; i < 1000; i++)
        sbuf_puts(&body, "\xc3\xa4");
    struct status status = status_decode(500, sbuf_str(&body), 0, arena);
    sbuf_done(&body);
    CU_ASSERT_EQUAL(status.message.len, 1024 + strlen("the server answered with code 500: "));
}

static void test_retry_after(void)
{
    static const struct {
        const char *header;
        uint64_t want;
    } cases[] = {{"1", 1},  {" 30\r\n", 30}, {"99999999999999999999", 0},         {"86400", 3600},
                 {"-1", 0}, {"", 0},         {"Wed, 21 Oct 2026 07:28:00 GMT", 0}};
    for (size_t i = 0; i < TEST_COUNT(cases); i++)
        CU_ASSERT_EQUAL(status_retry_after(str_from(cases[i].header)), cases[i].want);
}

static void test_backoff(void)
{
    struct backoff backoff = {.base_ms = 100, .cap_ms = 1000};
    static const uint64_t most[] = {99, 199, 399, 799, 999, 999};
    for (size_t i = 0; i < TEST_COUNT(most); i++)
        CU_ASSERT_EQUAL(backoff_next(&backoff, 0, UINT32_MAX), most[i]);
    CU_ASSERT_EQUAL(backoff_next(&backoff, 0, 0), 500);
    backoff_reset(&backoff);
    CU_ASSERT_EQUAL(backoff_next(&backoff, 0, 0), 50);
    CU_ASSERT_EQUAL(backoff_next(&backoff, 8000, 0), 8000);
    CU_ASSERT_EQUAL(backoff_next(&backoff, 8000, UINT32_MAX), 8999);
    for (unsigned i = 0; i < 1000000; i++)
        (void)backoff_next(&backoff, 0, 0);
    CU_ASSERT_EQUAL(backoff_next(&backoff, 0, 0), 500);
}

TEST_MAIN("common/kube requests", TEST(test_paths), TEST(test_status), TEST(test_long_message),
          TEST(test_retry_after), TEST(test_backoff))
