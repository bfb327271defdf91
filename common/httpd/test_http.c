#include "common/base/test.h"

#include "common/httpd/http.h"

static void answer_plain(void *ctx, const struct http_request *request,
                         struct http_response *response)
{
    (void)ctx;
    (void)request;
    sbuf_puts(&response->body, "plain");
}

/* Shows what the route understood. */
static void answer_echo(void *ctx, const struct http_request *request,
                        struct http_response *response)
{
    struct str value = STR("-");
    (void)http_query(request, STR("q"), &value);
    sbuf_printf(&response->body, "%s <" STR_FMT "> <" STR_FMT "> q=" STR_FMT, (const char *)ctx,
                STR_ARG(request->parameters[0]), STR_ARG(request->parameters[1]), STR_ARG(value));
}

static void answer_text(void *ctx, const struct http_request *request,
                        struct http_response *response)
{
    (void)ctx;
    (void)request;
    http_text(response, 503, "not ready");
}

static const struct http_route routes[] = {
    {"GET", "/", answer_plain},
    {"GET", "/readyz", answer_text},
    {"GET", "/api/explain/{namespace}/{name}", answer_echo},
    {"POST", "/api/explain/{namespace}/{name}", answer_plain},
    {"PUT", "/api/put", answer_plain},
};

struct http_case {
    const char *method, *target;
    unsigned status;
    const char *body, *allow;
};

#define NOTHING "{\"error\":\"there is nothing at this path\"}\n"
#define MALFORMED "{\"error\":\"the path is malformed\"}\n"
#define NO_METHOD "{\"error\":\"this path has no such method\"}\n"

static const struct http_case cases[] = {
    {"GET", "/", 200, "plain", ""},
    {"HEAD", "/", 200, "plain", ""},
    {"GET", "/?x=1", 200, "plain", ""},
    {"GET", "/readyz", 503, "not ready\n", ""},
    {"GET", "/readyz/", 404, NOTHING, ""},
    {"GET", "//readyz", 404, NOTHING, ""},
    {"GET", "/re%61dyz", 503, "not ready\n", ""},
    {"GET", "/readyzz", 404, NOTHING, ""},
    {"GET", "/api/explain/a/b", 200, "ctx <a> <b> q=-", ""},
    {"GET", "/api/explain/a%2Fb/%c3%A4?q=x+y%2B&q=z", 200, "ctx <a/b> <\xc3\xa4> q=x y+", ""},
    {"GET", "/api/explain/a/b?p&q", 200, "ctx <a> <b> q=", ""},
    {"GET", "/api/explain/a/b?q=%zz", 200, "ctx <a> <b> q=-", ""},
    {"GET", "/api/explain/a/b?q=%ff", 200, "ctx <a> <b> q=-", ""},
    {"GET", "http://host.example/api/explain/a/b?q=1", 200, "ctx <a> <b> q=1", ""},
    {"GET", "https://host.example", 400, MALFORMED, ""},
    {"GET", "/api/explain/a", 404, NOTHING, ""},
    {"GET", "/api/explain//b", 404, NOTHING, ""},
    {"GET", "/api/explain/a/b/c", 404, NOTHING, ""},
    {"GET", "/api/explain/a/b/", 404, NOTHING, ""},
    {"GET", "/api/explain/a/%00", 400, MALFORMED, ""},
    {"GET", "/api/explain/a/%ff", 400, MALFORMED, ""},
    {"GET", "/nowhere/%2", 400, MALFORMED, ""},
    {"GET", "/nowhere/%%", 400, MALFORMED, ""},
    {"GET", "", 400, MALFORMED, ""},
    {"OPTIONS", "*", 400, MALFORMED, ""},
    {"POST", "/api/explain/a/b", 200, "plain", ""},
    {"DELETE", "/api/explain/a/b", 405, NO_METHOD, "GET, HEAD, POST"},
    {"HEAD", "/api/put", 405, NO_METHOD, "PUT"},
    {"get", "/", 405, NO_METHOD, "GET, HEAD"},
};

static void test_dispatch(void)
{
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct http_request request = {.arena = arena,
                                       .method = str_from(cases[i].method),
                                       .target = str_from(cases[i].target)};
        struct http_response response = {0};
        http_dispatch(routes, TEST_COUNT(routes), "ctx", &request, &response);
        TEST_STR(sbuf_str(&response.body), cases[i].body);
        TEST_ASSERT(response.status == cases[i].status);
        TEST_STR(response.allow, cases[i].allow);
        bool text = cases[i].status == 503;
        TEST_STR(str_from(response.content_type),
                 text ? "text/plain; charset=utf-8" : "application/json");
        sbuf_done(&response.body);
    }
}

static void test_error_text(void)
{
    struct http_response response = {0};
    sbuf_puts(&response.body, "half an answer");
    http_error(&response, 500, "bad \"%s\"", "\xff");
    TEST_STR(sbuf_str(&response.body), "{\"error\":\"bad \\\"\xef\xbf\xbd\\\"\"}\n");
    TEST_ASSERT(response.status == 500);
    sbuf_done(&response.body);
}

TEST_MAIN("common/httpd http", TEST(test_dispatch), TEST(test_error_text))
