#include "common/httpd/http.h"

#include <stdarg.h>

#include "common/base/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return utf8_valid(text);
}

/* Percent-decodes text (RFC 3986 section 2.1): true and the result in the arena. */
static bool decode(struct arena *arena, struct str text, bool plus_is_blank, struct str *ret)
{
    char *decoded = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        decoded[len++] = c;
    }
    struct str result = {.ptr = decoded, .len = len};
    if (!is_printable(result))
        return false;
    *ret = result;
    return true;
}

/* Sets path and query from the target. The absolute form must be accepted too (RFC 9112 section
 * 3.2.2). */
static bool split_target(struct http_request *request)
{
    struct str rest = request->target;
    if (str_starts_with(rest, STR("http://")) || str_starts_with(rest, STR("https://"))) {
        size_t host = str_find(rest, '/') + 2;
        rest = str_slice(rest, host, rest.len);
        rest = str_slice(rest, str_find(rest, '/'), rest.len);
    }
    (void)str_cut(rest, '?', &request->path, &request->query);
    return str_starts_with(request->path, STR("/"));
}

enum fit { FIT, NO_FIT, BAD };

static enum fit fit_pattern(struct str pattern, struct http_request *request)
{
    struct str path = request->path;
    /* str_next does not tell "/a" from "/a/". */
    bool same_end = str_ends_with(path, STR("/")) == str_ends_with(pattern, STR("/"));
    size_t parameters = 0;
    struct str part, segment;
    while (str_next(&pattern, '/', &part)) {
        if (!str_next(&path, '/', &segment))
            return NO_FIT;
        struct str decoded;
        if (!decode(request->arena, segment, false, &decoded))
            return BAD;
        if (!str_starts_with(part, STR("{"))) {
            if (!str_eq(part, decoded))
                return NO_FIT;
        } else if (decoded.len == 0 || parameters == HTTP_PARAMETERS_MAX) {
            return NO_FIT;
        } else {
            request->parameters[parameters++] = decoded;
        }
    }
    return path.len == 0 && same_end ? FIT : NO_FIT;
}

static bool fit_method(const struct http_route *route, struct str method)
{
    struct str own = str_from(route->method);
    return str_eq(own, method) || (str_eq(method, STR("HEAD")) && str_eq(own, STR("GET")));
}

enum http_match http_match(const struct http_route *routes, size_t count,
                           struct http_request *request, const struct http_route **ret_route)
{
    enum http_match outcome = HTTP_NO_PATH;
    struct str ignored;
    if (!split_target(request) || !decode(request->arena, request->path, false, &ignored))
        return HTTP_BAD_TARGET;
    for (size_t i = 0; i < count; i++) {
        enum fit fit = fit_pattern(str_from(routes[i].pattern), request);
        if (fit == BAD)
            return HTTP_BAD_TARGET;
        if (fit == NO_FIT)
            continue;
        if (fit_method(&routes[i], request->method)) {
            *ret_route = &routes[i];
            return HTTP_MATCH;
        }
        outcome = HTTP_NO_METHOD;
    }
    return outcome;
}

/* The methods of all routes that fit the path, for the Allow header (RFC 9110 section 10.2.1). */
static struct str allowed_methods(const struct http_route *routes, size_t count,
                                  struct http_request *request)
{
    scoped_sbuf struct sbuf list = {0};
    for (size_t i = 0; i < count; i++) {
        if (fit_pattern(str_from(routes[i].pattern), request) != FIT)
            continue;
        sbuf_printf(&list, "%s%s", list.len ? ", " : "", routes[i].method);
        if (str_eq(str_from(routes[i].method), STR("GET")))
            sbuf_puts(&list, ", HEAD");
    }
    return arena_str(request->arena, sbuf_str(&list));
}

void http_dispatch(const struct http_route *routes, size_t count, void *ctx,
                   struct http_request *request, struct http_response *response)
{
    const struct http_route *route;
    switch (http_match(routes, count, request, &route)) {
    case HTTP_MATCH:
        route->handle(ctx, request, response);
        break;
    case HTTP_NO_PATH:
        http_error(response, 404, "there is nothing at this path");
        break;
    case HTTP_NO_METHOD:
        http_error(response, 405, "this path has no such method");
        response->allow = allowed_methods(routes, count, request);
        break;
    case HTTP_BAD_TARGET:
        http_error(response, 400, "the path is malformed");
        break;
    }
    if (response->status == 0)
        response->status = 200;
    if (!response->content_type)
        response->content_type = "application/json";
}

bool http_query(const struct http_request *request, struct str name, struct str *ret)
{
    struct str rest = request->query, pair, key, value;
    while (str_next(&rest, '&', &pair)) {
        (void)str_cut(pair, '=', &key, &value);
        struct str decoded;
        if (decode(request->arena, key, true, &decoded) && str_eq(decoded, name))
            return decode(request->arena, value, true, ret);
    }
    return false;
}

void http_error(struct http_response *response, unsigned status, const char *format, ...)
{
    scoped_sbuf struct sbuf message = {0};
    va_list args;
    va_start(args, format);
    sbuf_vprintf(&message, format, args);
    va_end(args);
    response->status = status;
    response->content_type = "application/json";
    sbuf_clear(&response->body);
    sbuf_puts(&response->body, "{\"error\":");
    sbuf_json(&response->body, sbuf_str(&message));
    sbuf_puts(&response->body, "}\n");
}

void http_text(struct http_response *response, unsigned status, const char *text)
{
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    sbuf_clear(&response->body);
    sbuf_printf(&response->body, "%s\n", text);
}
