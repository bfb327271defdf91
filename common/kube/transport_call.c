/* One call: an easy handle made from a request, and what comes back for it. */
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

#include "common/kube/status.h"
#include "common/kube/transport_internal.h"

enum {
    BODY_MAX = 256 * 1024,
    BUFFER_SIZE = 16 * 1024,
    CONNECT_TIMEOUT_MS = 5000,
    USER_TIMEOUT_MS = 20000, /* the kernel gives up unacknowledged data (RFC 5482) */
    KEEPALIVE_IDLE_S = 15,
    KEEPALIVE_PROBE_S = 5,
};

static struct str secret_copy(struct str text)
{
    char *copy = heap_alloc(text.len + 1);
    memcpy(copy, text.ptr ? text.ptr : "", text.len);
    copy[text.len] = '\0';
    return (struct str){copy, text.len};
}

static void secret_free(struct str text)
{
    if (!text.ptr)
        return;
    sodium_memzero((void *)(uintptr_t)text.ptr, text.len);
    free((void *)(uintptr_t)text.ptr);
}

struct tls *tls_unref(struct tls *tls)
{
    if (!tls || --tls->refs > 0)
        return NULL;
    secret_free(tls->ca);
    secret_free(tls->cert);
    secret_free(tls->key);
    free(tls);
    return NULL;
}

void transport_set_tls(struct transport *transport, struct str ca, struct str cert, struct str key)
{
    struct tls *tls = heap_alloc(sizeof(*tls));
    *tls = (struct tls){
        .refs = 1, .ca = secret_copy(ca), .cert = secret_copy(cert), .key = secret_copy(key)};
    (void)tls_unref(transport->tls);
    transport->tls = tls;
}

static bool is_success(const struct http_call *call)
{
    long code = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &code);
    return code >= 200 && code <= 299;
}

static void note_received(struct transport *transport, size_t len)
{
    transport->heard_at = loop_now(transport->loop);
    transport->received += len;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t len = size * count;
    note_received(call->transport, len);
    if (call->cancelled)
        return len;
    if (call->data && is_success(call)) {
        call->data(call->ctx, (struct str){bytes, len});
        return len;
    }
    if (len > call->body_max - call->body.len) {
        call->too_large = true;
        return 0; /* ends the call */
    }
    sbuf_put(&call->body, (struct str){bytes, len});
    return len;
}

static bool header_is(struct str line, struct str name, struct str *ret_value)
{
    struct str key;
    if (!str_cut(line, ':', &key, ret_value) || key.len != name.len ||
        strncasecmp(key.ptr, name.ptr, name.len) != 0)
        return false;
    *ret_value = str_trim(*ret_value);
    return true;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    struct str line = {bytes, size * count}, value;
    note_received(call->transport, line.len);
    if (header_is(line, STR("retry-after"), &value)) {
        call->retry_after_s = status_retry_after(value);
    } else if (header_is(line, STR("warning"), &value)) {
        sbuf_clear(&call->warning);
        sbuf_put(&call->warning, str_slice(value, 0, 512));
    } else if (!str_trim(line).len && call->begun && !call->cancelled && is_success(call)) {
        call->begun(call->ctx);
    }
    return line.len;
}

/* CURLOPT_SOCKOPTFUNCTION: data that nobody acknowledges ends the connection. */
static int set_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    (void)ctx;
    (void)purpose;
    unsigned timeout = USER_TIMEOUT_MS;
    /* Without it the connection is merely given up later. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
    return CURL_SOCKOPT_OK;
}

static void add_header(struct http_call *call, const char *name, struct str value)
{
    if (!value.len)
        return;
    struct sbuf line = {0};
    sbuf_printf(&line, "%s: ", name);
    sbuf_put(&line, value);
    call->headers = curl_slist_append(call->headers, sbuf_cstr(&line));
    sodium_memzero(line.ptr, line.len);
    sbuf_done(&line);
}

#define SET(option, value) (void)curl_easy_setopt(call->easy, (option), (value))

static void set_blob(struct http_call *call, CURLoption option, struct str text)
{
    struct curl_blob blob = {.data = (void *)(uintptr_t)text.ptr, .len = text.len};
    if (text.len)
        SET(option, &blob); /* not copied: call->tls keeps it */
}

static void set_tls(struct http_call *call)
{
    const struct transport *transport = call->transport;
    call->tls = transport->tls;
    call->tls->refs++;
    SET(CURLOPT_SSL_VERIFYPEER, transport->insecure ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, transport->insecure ? 0L : 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    set_blob(call, CURLOPT_CAINFO_BLOB, call->tls->ca);
    set_blob(call, CURLOPT_SSLCERT_BLOB, call->tls->cert);
    set_blob(call, CURLOPT_SSLKEY_BLOB, call->tls->key);
    if (transport->connect_to.len) {
        call->connect_to = curl_slist_append(NULL, sbuf_cstr(&transport->connect_to));
        SET(CURLOPT_CONNECT_TO, call->connect_to);
    }
}

static void set_connection(struct http_call *call)
{
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    SET(CURLOPT_PIPEWAIT, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
    SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_PROBE_S);
    SET(CURLOPT_SOCKOPTFUNCTION, set_socket);
    SET(CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE);
}

static void set_request(struct http_call *call, const struct http_request *request)
{
    const struct transport *transport = call->transport;
    sbuf_put(&call->url, sbuf_str(&transport->server));
    sbuf_put(&call->url, request->path);
    SET(CURLOPT_URL, sbuf_cstr(&call->url));
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body.len) {
        sbuf_put(&call->request_body, request->body);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->request_body.len);
        SET(CURLOPT_POSTFIELDS, sbuf_cstr(&call->request_body));
    }
    add_header(call, "Accept", request->accept.len ? request->accept : STR("application/json"));
    add_header(call, "Authorization", request->authorization);
    add_header(call, "Content-Type", request->content_type);
    add_header(call, "Host", sbuf_str(&transport->host));
    add_header(call, "User-Agent", sbuf_str(&transport->user_agent));
    call->headers = curl_slist_append(call->headers, "Expect:");
    SET(CURLOPT_HTTPHEADER, call->headers);
    if (request->timeout_ms)
        SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    if (request->silence_ms) {
        SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(CURLOPT_LOW_SPEED_TIME, (long)((request->silence_ms + 999) / 1000));
    }
}

static void set_callbacks(struct http_call *call)
{
    SET(CURLOPT_PRIVATE, call);
    SET(CURLOPT_ERRORBUFFER, call->error);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, call);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, call);
}

struct http_call *transport_call_open(struct transport *transport,
                                      const struct http_request *request)
{
    struct http_call *call = heap_alloc(sizeof(*call));
    *call = (struct http_call){
        .transport = transport,
        .easy = curl_easy_init(),
        .method = request->watch ? "WATCH" : request->method,
        .body_max = request->body_max ? request->body_max : BODY_MAX,
        .started_ns = loop_clock_ns(),
        .begun = request->begun,
        .data = request->data,
        .done = request->done,
        .ctx = request->ctx,
    };
    assert(call->easy); /* only memory can be missing */
    set_connection(call);
    set_tls(call);
    set_request(call, request);
    set_callbacks(call);
    TAILQ_INSERT_TAIL(&transport->calls, call, link);
    transport->active++;
    transport_call_set_due(call, true);
    return call;
}

void transport_call_set_due(struct http_call *call, bool due)
{
    struct call_list *list = &call->transport->due;
    if (due && !call->is_due)
        TAILQ_INSERT_TAIL(list, call, due_link);
    else if (!due && call->is_due)
        TAILQ_REMOVE(list, call, due_link);
    call->is_due = due;
}

void transport_call_close(struct http_call *call)
{
    struct transport *transport = call->transport;
    if (call->added)
        (void)curl_multi_remove_handle(transport->multi, call->easy);
    curl_easy_cleanup(call->easy);
    for (struct curl_slist *header = call->headers; header; header = header->next)
        sodium_memzero(header->data, strlen(header->data));
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->connect_to);
    sbuf_done(&call->url);
    sbuf_done(&call->request_body);
    sbuf_done(&call->body);
    sbuf_done(&call->warning);
    (void)tls_unref(call->tls);
    transport_call_set_due(call, false);
    TAILQ_REMOVE(&transport->calls, call, link);
    transport->active--;
    free(call);
}
