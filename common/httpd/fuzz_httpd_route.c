/* A request line from a stranger: "METHOD target", then a query name. */
#include <assert.h>
#include <stdint.h>

#include "common/base/utf8.h"
#include "common/httpd/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void echo(void *ctx, const struct http_request *request, struct http_response *response)
{
    struct str value = {0};
    (void)ctx;
    for (size_t i = 0; i < HTTP_PARAMETERS_MAX; i++)
        assert(utf8_valid(request->parameters[i]));
    (void)http_query(request, STR("q"), &value);
    assert(utf8_valid(value));
    sbuf_json(&response->body, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct http_route routes[] = {
        {"GET", "/", echo},
        {"GET", "/a/{x}/{y}", echo},
        {"POST", "/a/{x}/b", echo},
    };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct http_request request = {.arena = arena};
    struct http_response response = {0};
    (void)str_cut((struct str){.ptr = (const char *)data, .len = size}, ' ', &request.method,
                  &request.target);
    http_dispatch(routes, 3, NULL, &request, &response);
    assert(response.status == 200 || response.status == 400 || response.status == 404 ||
           response.status == 405);
    assert(response.body.len > 0 && response.content_type);
    sbuf_done(&response.body);
    return 0;
}
