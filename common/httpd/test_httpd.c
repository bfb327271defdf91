#include "common/base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"
#include "common/httpd/httpd.h"

enum { DEADLINE_MS = 30000 };

struct scene {
    struct loop *loop;
    struct httpd *httpd;
    struct loop_timer *deadline;
    struct loop_fd *watch;
    int client;
    struct sbuf reply;
    bool closed; /* by the server */
    size_t want; /* bytes of reply to wait for; 0: until it closes */
    int child_result;
};

static void show(void *ctx, const struct http_request *request, struct http_response *response)
{
    (void)ctx;
    sbuf_printf(&response->body, "{\"name\":\"" STR_FMT "\"}", STR_ARG(request->parameters[0]));
}

static void count_body(void *ctx, const struct http_request *request,
                       struct http_response *response)
{
    (void)ctx;
    sbuf_printf(&response->body, "%zu bytes of " STR_FMT, request->body.len,
                STR_ARG(request->content_type));
    response->content_type = "text/plain";
}

static const struct http_route routes[] = {
    {"GET", "/show/{name}", show},
    {"POST", "/count", count_body},
};

static void scene_open(struct scene *s, struct httpd_config config)
{
    *s = (struct scene){.loop = loop_new(), .client = -1};
    config.name = "test";
    config.address = config.address.len ? config.address : STR("127.0.0.1");
    config.routes = routes;
    config.route_count = TEST_COUNT(routes);
    TEST_ASSERT(httpd_open(s->loop, &config, &s->httpd) == 0);
    TEST_ASSERT(httpd_port(s->httpd) != 0);
}

static void hang_up(struct scene *s)
{
    s->watch = loop_fd_cancel(s->watch);
    s->deadline = loop_timer_cancel(s->deadline);
    if (s->client >= 0)
        (void)close(take_fd(&s->client));
    sbuf_clear(&s->reply);
    s->closed = false;
}

static void scene_close(struct scene *s)
{
    hang_up(s);
    s->httpd = httpd_close(s->httpd);
    (void)loop_free(s->loop);
    sbuf_done(&s->reply);
}

static void out_of_time(void *ctx)
{
    struct scene *s = ctx;
    s->deadline = NULL;
    loop_stop(s->loop);
}

static void client_reads(void *ctx, unsigned events)
{
    struct scene *s = ctx;
    char chunk[4096];
    (void)events;
    ssize_t len = read(s->client, chunk, sizeof(chunk));
    if (len > 0) {
        sbuf_put(&s->reply, (struct str){.ptr = chunk, .len = (size_t)len});
        if (s->want == 0 || s->reply.len < s->want)
            return;
    } else {
        s->closed = true;
        s->watch = loop_fd_cancel(s->watch);
    }
    loop_stop(s->loop);
}

static void dial(struct scene *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(httpd_port(s->httpd)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    s->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    TEST_ASSERT(connect(s->client, (struct sockaddr *)&to, sizeof(to)) == 0);
    s->watch = loop_fd_watch(s->loop, s->client, LOOP_READ, client_reads, s);
}

static void wait_reply(struct scene *s, size_t want)
{
    s->want = want;
    s->deadline = loop_timer_start(s->loop, DEADLINE_MS, 0, out_of_time, s);
    loop_run(s->loop);
    TEST_ASSERT(s->deadline != NULL);
    s->deadline = loop_timer_cancel(s->deadline);
}

/* Sends a whole request on a new connection and returns all that comes until the server closes. */
static struct str ask(struct scene *s, const char *request)
{
    hang_up(s);
    dial(s);
    size_t len = strlen(request);
    TEST_ASSERT(write(s->client, request, len) == (ssize_t)len);
    wait_reply(s, 0);
    return sbuf_str(&s->reply);
}

static bool has(struct str text, const char *part)
{
    bool found = str_contains(text, str_from(part));
    if (!found)
        printf("\nno \"%s\" in:\n" STR_FMT "\n", part, STR_ARG(text));
    return found;
}

static void test_answers(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){0});
    struct str reply =
        ask(&s, "GET /show/a%2Fb?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    TEST_ASSERT(str_starts_with(reply, STR("HTTP/1.1 200 ")));
    TEST_ASSERT(has(reply, "\r\nContent-Type: application/json\r\n"));
    TEST_ASSERT(has(reply, "\r\nCache-Control: no-store\r\n"));
    TEST_ASSERT(str_ends_with(reply, STR("\r\n\r\n{\"name\":\"a/b\"}")));
    reply = ask(&s, "HEAD /show/abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    TEST_ASSERT(has(reply, "\r\nContent-Length: 14\r\n"));
    TEST_ASSERT(str_ends_with(reply, STR("\r\n\r\n")));
    reply = ask(&s, "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    TEST_ASSERT(str_starts_with(reply, STR("HTTP/1.1 404 ")));
    TEST_ASSERT(str_ends_with(reply, STR("{\"error\":\"there is nothing at this path\"}\n")));
    reply = ask(&s, "DELETE /show/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    TEST_ASSERT(str_starts_with(reply, STR("HTTP/1.1 405 ")));
    TEST_ASSERT(has(reply, "\r\nAllow: GET, HEAD\r\n"));
    reply = ask(&s, "nonsense\r\n\r\n");
    TEST_ASSERT(s.closed);
    scene_close(&s);
}

static void test_bodies(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){.body_max = 10});
    struct str reply = ask(&s, "POST /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               "Content-Type: a/b\r\nContent-Length: 10\r\n\r\n0123456789");
    TEST_ASSERT(str_ends_with(reply, STR("\r\n\r\n10 bytes of a/b")));
    reply = ask(&s, "POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
    TEST_ASSERT(str_starts_with(reply, STR("HTTP/1.1 413 ")));
    reply = ask(&s, "POST /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n");
    TEST_ASSERT(str_starts_with(reply, STR("HTTP/1.1 413 ")));
    TEST_ASSERT(str_ends_with(reply, STR("{\"error\":\"the body is larger than 10 bytes\"}\n")));
    scene_close(&s);
}

/* Two requests on one connection, the second in two pieces. */
static void test_keep_alive(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){0});
    dial(&s);
    static const char first[] = "GET /show/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /sho";
    static const char second[] = "w/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    TEST_ASSERT(write(s.client, first, sizeof(first) - 1) > 0);
    wait_reply(&s, 1);
    TEST_ASSERT(has(sbuf_str(&s.reply), "{\"name\":\"1\"}"));
    TEST_ASSERT(write(s.client, second, sizeof(second) - 1) > 0);
    wait_reply(&s, 0);
    TEST_ASSERT(has(sbuf_str(&s.reply), "{\"name\":\"2\"}"));
    scene_close(&s);
}

/* A header that is larger than any of ours is refused and leaves nothing behind. */
static void test_huge_header(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){0});
    scoped_sbuf struct sbuf request = {0};
    sbuf_puts(&request, "GET /show/1 HTTP/1.1\r\nHost: x\r\nX-Long: ");
    for (int i = 0; i < 20000; i++)
        sbuf_puts(&request, "xyz");
    sbuf_puts(&request, "\r\n\r\n");
    (void)ask(&s, sbuf_cstr(&request));
    TEST_ASSERT(s.closed);
    TEST_ASSERT(!str_starts_with(sbuf_str(&s.reply), STR("HTTP/1.1 200 ")));
    scene_close(&s);
}

/* A request that does not come to its end is cut off. */
static void test_slow_request(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){.request_ms = 1});
    (void)ask(&s, "GET /show/1 HTTP/1.1\r\nHost:");
    TEST_ASSERT(s.closed && s.reply.len == 0);
    scene_close(&s);
}

static void test_connection_limit(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){.connections_per_peer = 1});
    dial(&s);
    static const char request[] = "GET /show/1 HTTP/1.1\r\nHost: x\r\n\r\n";
    TEST_ASSERT(write(s.client, request, sizeof(request) - 1) > 0);
    wait_reply(&s, 1);
    s.watch = loop_fd_cancel(s.watch);
    int first = take_fd(&s.client);
    (void)ask(&s, "");
    TEST_ASSERT(s.closed && s.reply.len == 0);
    (void)close(first);
    scene_close(&s);
}

static void test_close_with_clients(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){0});
    dial(&s);
    TEST_ASSERT(write(s.client, "GET /sh", 7) == 7);
    (void)loop_defer(s.loop, out_of_time, &s); /* one turn, so that the server accepts */
    loop_run(s.loop);
    s.httpd = httpd_close(s.httpd);
    wait_reply(&s, 0);
    TEST_ASSERT(s.closed);
    scene_close(&s);
}

static void test_cannot_open(void)
{
    struct scene s;
    scene_open(&s, (struct httpd_config){0});
    struct httpd *other = NULL;
    struct httpd_config config = {
        .name = "other", .address = STR("127.0.0.1"), .port = httpd_port(s.httpd)};
    TEST_ASSERT(httpd_open(s.loop, &config, &other) == -EADDRINUSE);
    config.address = STR("no address");
    TEST_ASSERT(httpd_open(s.loop, &config, &other) == -EINVAL);
    config = (struct httpd_config){.name = "other",
                                   .address = STR("127.0.0.1"),
                                   .certificate_file = STR("testdata/tls/none.pem"),
                                   .key_file = STR("testdata/tls/key.pem")};
    TEST_ASSERT(httpd_open(s.loop, &config, &other) == -ENOENT);
    config.certificate_file = STR("testdata/tls/key.pem");
    TEST_ASSERT(httpd_open(s.loop, &config, &other) == ERR_KEY_PAIR);
    scene_close(&s);
}

static void curl_ended(void *ctx, int result, struct str output)
{
    struct scene *s = ctx;
    s->child_result = result;
    sbuf_put(&s->reply, output);
    loop_stop(s->loop);
}

/* Every address of both families, TLS: asked by curl over IPv4 with the certificate checked. */
static void test_tls(void)
{
    struct scene s;
    int error;
    scene_open(&s, (struct httpd_config){.certificate_file = STR("testdata/tls/cert.pem"),
                                         .key_file = STR("testdata/tls/key.pem")});
    scoped_sbuf struct sbuf url = {0};
    sbuf_printf(&url, "https://127.0.0.1:%u/show/tls", httpd_port(s.httpd));
    char *arguments[] = {"curl",  "-sS", "--noproxy", "*", "--cacert", "testdata/tls/cert.pem",
                         url.ptr, NULL};
    TEST_ASSERT(loop_child_start(s.loop, arguments, NULL, 1000, DEADLINE_MS, curl_ended, &s,
                                 &error) != NULL);
    loop_run(s.loop);
    TEST_ASSERT(s.child_result == 0);
    TEST_STR(sbuf_str(&s.reply), "{\"name\":\"tls\"}");
    scene_close(&s);
}

static void test_all_addresses(void)
{
    struct scene s;
    s = (struct scene){.loop = loop_new(), .client = -1};
    struct httpd_config config = {
        .name = "all", .routes = routes, .route_count = TEST_COUNT(routes)};
    TEST_ASSERT(httpd_open(s.loop, &config, &s.httpd) == 0);
    struct str reply = ask(&s, "GET /show/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    TEST_ASSERT(str_ends_with(reply, STR("{\"name\":\"1\"}")));
    scene_close(&s);
}

TEST_MAIN("common/httpd", TEST(test_answers), TEST(test_bodies), TEST(test_keep_alive),
          TEST(test_huge_header), TEST(test_slow_request), TEST(test_connection_limit),
          TEST(test_close_with_clients), TEST(test_cannot_open), TEST(test_tls),
          TEST(test_all_addresses))
