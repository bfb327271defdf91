/* TLS: versions, and certificates that are replaced while clients are there. Asked by curl. */
#include "common/base/test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/sbuf.h"
#include "common/httpd/httpd.h"

enum { DEADLINE_MS = 30000, WORDS_MAX = 24 };

#define OLD_PAIR "testdata/tls/cert.pem", "testdata/tls/key.pem"
#define NEW_PAIR "testdata/tls/next-cert.pem", "testdata/tls/next-key.pem"

/* The server's files stand in a directory of their own, which goes with the scene. */
struct scene {
    struct loop *loop;
    struct httpd *httpd;
    struct arena *arena;
    const char *dir, *certificate, *key, *both;
    int result;
    struct sbuf output;
};

static void copy_file(const char *from, const char *to, int flags)
{
    char chunk[8192];
    scoped_fd int in = open(from, O_RDONLY | O_CLOEXEC);
    scoped_fd int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    TEST_ASSERT(in >= 0 && out >= 0);
    ssize_t len = read(in, chunk, sizeof(chunk));
    TEST_ASSERT(len > 0 && write(out, chunk, (size_t)len) == len);
}

/* Replaced as a whole, as a mounted Secret is. */
static void put_file(struct scene *s, const char *from, const char *to)
{
    const char *draft = arena_printf(s->arena, "%s/draft", s->dir).ptr;
    copy_file(from, draft, O_TRUNC);
    TEST_ASSERT(rename(draft, to) == 0);
}

static void put_pair(struct scene *s, const char *certificate, const char *key)
{
    put_file(s, certificate, s->certificate);
    put_file(s, key, s->key);
}

static void show(void *ctx, const struct http_request *request, struct http_response *response)
{
    (void)ctx;
    sbuf_printf(&response->body, "(" STR_FMT ")", STR_ARG(request->parameters[0]));
}

static void swap(void *ctx, const struct http_request *request, struct http_response *response)
{
    (void)request;
    put_pair(ctx, NEW_PAIR);
    http_text(response, 200, "swapped");
}

static const struct http_route routes[] = {
    {"GET", "/show/{name}", show},
    {"GET", "/swap", swap},
};

static void scene_open(struct scene *s, enum httpd_tls tls_min)
{
    *s = (struct scene){.loop = loop_new(), .arena = arena_new(0)};
    char *dir = (char *)arena_cstr(s->arena, STR("/tmp/stentor-tls-XXXXXX"));
    TEST_ASSERT(mkdtemp(dir) != NULL);
    s->dir = dir;
    s->certificate = arena_printf(s->arena, "%s/tls.crt", dir).ptr;
    s->key = arena_printf(s->arena, "%s/tls.key", dir).ptr;
    s->both = arena_printf(s->arena, "%s/both", dir).ptr;
    put_pair(s, OLD_PAIR);
    struct httpd_config config = {.name = "test",
                                  .address = STR("127.0.0.1"),
                                  .routes = routes,
                                  .route_count = TEST_COUNT(routes),
                                  .ctx = s,
                                  .certificate_file = str_from(s->certificate),
                                  .key_file = str_from(s->key),
                                  .tls_min = tls_min};
    TEST_ASSERT(httpd_open(s->loop, &config, &s->httpd) == 0);
}

static void scene_close(struct scene *s)
{
    (void)httpd_close(s->httpd);
    (void)loop_free(s->loop);
    sbuf_done(&s->output);
    (void)unlink(s->certificate);
    (void)unlink(s->key);
    (void)unlink(s->both); /* only one test makes it */
    TEST_ASSERT(rmdir(s->dir) == 0);
    (void)arena_free(s->arena);
}

static void curl_ended(void *ctx, int result, struct str output)
{
    struct scene *s = ctx;
    s->result = result;
    sbuf_put(&s->output, output);
    loop_stop(s->loop);
}

/* Runs curl with words separated by blanks, where PORT stands for the server's port; returns its
 * exit status. */
static int curl(struct scene *s, const char *words)
{
    char *arguments[WORDS_MAX] = {"curl", "-s", "--noproxy", "*"};
    size_t count = 4;
    struct str rest = str_from(words), word, head, tail;
    while (str_next(&rest, ' ', &word)) {
        TEST_ASSERT(count + 1 < WORDS_MAX);
        size_t at = 0;
        while (at < word.len && !str_starts_with(str_slice(word, at, word.len), STR("PORT")))
            at++;
        head = str_slice(word, 0, at);
        tail = str_slice(word, at + strlen("PORT"), word.len);
        arguments[count++] =
            (char *)(at == word.len ? arena_cstr(s->arena, word)
                                    : arena_printf(s->arena, STR_FMT "%u" STR_FMT, STR_ARG(head),
                                                   httpd_port(s->httpd), STR_ARG(tail))
                                          .ptr);
    }
    int error;
    sbuf_clear(&s->output);
    TEST_ASSERT(loop_child_start(s->loop, arguments, NULL, 100000, DEADLINE_MS, curl_ended, s,
                                 &error) != NULL);
    loop_run(s->loop);
    return s->result;
}

enum { CURL_OK = 0, CURL_NO_HANDSHAKE = 35, CURL_NOT_TRUSTED = 60 };

#define WITH_OLD "--cacert testdata/tls/cert.pem https://127.0.0.1:PORT/show/x"
#define WITH_NEW "--cacert testdata/tls/next-cert.pem https://127.0.0.1:PORT/show/x"

static void test_versions(void)
{
    struct scene s;
    scene_open(&s, HTTPD_TLS_1_3);
    TEST_ASSERT(curl(&s, WITH_OLD) == CURL_OK);
    TEST_STR(sbuf_str(&s.output), "(x)");
    TEST_ASSERT(curl(&s, "--tls-max 1.2 " WITH_OLD) == CURL_NO_HANDSHAKE);
    scene_close(&s);
    scene_open(&s, HTTPD_TLS_1_2);
    TEST_ASSERT(curl(&s, "--tls-max 1.2 " WITH_OLD) == CURL_OK);
    TEST_ASSERT(curl(&s, "--tlsv1.3 " WITH_OLD) == CURL_OK);
    TEST_ASSERT(curl(&s, "--tls-max 1.1 " WITH_OLD) == CURL_NO_HANDSHAKE);
    scene_close(&s);
    TEST_STR(str_from(names_of(&httpd_tls_names, HTTPD_TLS_1_3)), "VersionTLS13");
    TEST_STR(str_from(names_of(&httpd_tls_names, HTTPD_TLS_1_2)), "VersionTLS12");
}

/* The old certificate serves until the new one is there with its key. */
static void test_replaced(void)
{
    struct scene s;
    scene_open(&s, HTTPD_TLS_1_3);
    TEST_ASSERT(curl(&s, WITH_NEW) == CURL_NOT_TRUSTED);
    put_file(&s, "testdata/tls/next-cert.pem", s.certificate);
    TEST_ASSERT(curl(&s, WITH_OLD) == CURL_OK);
    TEST_ASSERT(unlink(s.key) == 0);
    TEST_ASSERT(curl(&s, WITH_OLD) == CURL_OK);
    put_file(&s, "testdata/tls/next-key.pem", s.key);
    TEST_ASSERT(curl(&s, WITH_NEW) == CURL_OK);
    TEST_STR(sbuf_str(&s.output), "(x)");
    TEST_ASSERT(curl(&s, WITH_OLD) == CURL_NOT_TRUSTED);
    scene_close(&s);
}

/* One client, one connection by address and one by name: the files change while the first one is
 * open, the second one meets the new certificate, and the first one still gets its answer, which
 * is its last. */
static void test_replaced_under_way(void)
{
    struct scene s;
    scene_open(&s, HTTPD_TLS_1_3);
    copy_file("testdata/tls/cert.pem", s.both, O_APPEND);
    copy_file("testdata/tls/next-cert.pem", s.both, O_APPEND);
    scoped_sbuf struct sbuf words = {0};
    sbuf_printf(&words,
                "-i --cacert %s --resolve localhost:PORT:127.0.0.1 -w <%%{num_connects}> "
                "https://127.0.0.1:PORT/swap https://localhost:PORT/show/b "
                "https://127.0.0.1:PORT/show/c https://127.0.0.1:PORT/show/d",
                s.both);
    TEST_ASSERT(curl(&s, sbuf_cstr(&words)) == CURL_OK);
    /* Only the answer to "c" closes, and only the one to "d" needs another connection again. */
    scoped_sbuf struct sbuf seen = {0};
    struct str rest = sbuf_str(&s.output), line;
    while (str_next(&rest, '\n', &line)) {
        if (str_starts_with(line, STR("Connection: ")))
            sbuf_printf(&seen, "%s ", str_contains(line, STR("close")) ? "close" : "keep");
        if (str_contains(line, STR("<"))) /* "(b)<1>HTTP/1.1 200 OK": the next answer follows */
            sbuf_put(&seen, str_slice(line, 0, str_find(line, 'H')));
    }
    TEST_STR(sbuf_str(&seen), "<1>(b)<1>close (c)<0>(d)<1>");
    scene_close(&s);
}

TEST_MAIN("common/httpd tls", TEST(test_versions), TEST(test_replaced),
          TEST(test_replaced_under_way))
