/* Requests, routes and responses of our HTTP servers, without sockets.
 *
 *     static void show_pool(void *ctx, const struct http_request *request,
 *                           struct http_response *response);
 *     static const struct http_route routes[] = {
 *         {"GET", "/api/v1/pools", list_pools},
 *         {"GET", "/api/v1/explain/{namespace}/{name}", explain},
 *     };
 *
 * A part of a pattern in braces matches one non-empty segment of the path. Segments are
 * percent-decoded one by one (so "%2F" is part of a name), and must then be printable UTF-8. HEAD
 * is answered by the route for GET. Errors are JSON: {"error":"…"}. Pure. */
#ifndef COMMON_HTTPD_HTTP_H
#define COMMON_HTTPD_HTTP_H

#include "common/base/arena.h"
#include "common/base/sbuf.h"
#include "common/base/str.h"

enum { HTTP_PARAMETERS_MAX = 4 };

struct http_request {
    struct arena *arena; /* lives as long as the request */
    struct str method;
    struct str target; /* as sent (RFC 9112 section 3.2): path and query, not decoded */
    struct str accept, authorization, content_type; /* headers; empty when absent */
    struct str body;
    /* Filled by http_match. */
    struct str path, query;                     /* as sent, without each other */
    struct str parameters[HTTP_PARAMETERS_MAX]; /* decoded, in the order of the pattern */
};

struct http_response {
    unsigned status;          /* 0 counts as 200 */
    const char *content_type; /* constant; NULL: "application/json" */
    struct sbuf body;
    struct str allow; /* with 405: the methods there are; in the request's arena */
};

struct http_route {
    const char *method;
    const char *pattern;
    /* Answers by filling response; ctx is the server's. */
    void (*handle)(void *ctx, const struct http_request *request, struct http_response *response);
};

enum http_match {
    HTTP_MATCH,      /* ret_route is set */
    HTTP_NO_PATH,    /* 404 */
    HTTP_NO_METHOD,  /* 405: the path is there for other methods */
    HTTP_BAD_TARGET, /* 400: the target is no valid path */
};

/* Finds the route of a request and fills what belongs to it; the first row that fits wins. */
enum http_match http_match(const struct http_route *routes, size_t count,
                           struct http_request *request, const struct http_route **ret_route);

/* Answers a request by its route, or with the error that it deserves. response is empty. */
void http_dispatch(const struct http_route *routes, size_t count, void *ctx,
                   struct http_request *request, struct http_response *response);

/* The decoded value of a query parameter ("?name=value&…", the first of its name; "+" is a blank):
 * true when it is there and valid. */
bool http_query(const struct http_request *request, struct str name, struct str *ret);

/* Makes the response an error with a sentence; what the body held is dropped. */
void http_error(struct http_response *response, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes the response a line of plain text. */
void http_text(struct http_response *response, unsigned status, const char *text);

#endif
