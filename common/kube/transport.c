/* Parts: one multi handle, driven by descriptor watches and one timer of the loop (libcurl's
 * socket interface); a list of calls, each with its easy handle; the keepalive timer.
 *
 * libcurl must not be re-entered from its own callbacks. So while it runs (`inside`), calls that
 * are started or cancelled are only marked as due, and settled once it has returned. `done` is
 * never called from inside libcurl; `data` is, so that nothing is copied. */
#include <assert.h>
#include <errno.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/kube/transport_internal.h"

enum {
    STREAMS_MAX = 200, /* of one connection; the server's own limit holds too */
    QUIET_MS = 30000,  /* silence after which a sign of life is asked for */
    SIGN_MS = 10000,   /* how long it may take */
    DEAD_MS = 4000,    /* a call that timed out while all was silent for so long: no connection */
};

/* While answers to many calls come one after another they are read together, each few ms: whenever
 * a descriptor is ready libcurl looks at every call of its connection. */
enum {
    REST_MS = 5,
    REST_CALLS = 8,        /* so many are many */
    REST_BYTES = 8 * 1024, /* when more came at once, as of a list, the next is read at once */
};

/* A descriptor of libcurl's, watched. */
struct watched {
    LIST_ENTRY(watched) link;
    struct transport *transport;
    int fd;
    unsigned events; /* that libcurl wants */
    struct loop_fd *watch;
};

/* What libcurl's results mean to us; every other one is ERR_PROTOCOL. */
static const struct {
    CURLcode code;
    int result;
} curl_results[] = {
    {CURLE_OK, 0},
    {CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
    {CURLE_COULDNT_CONNECT, -ECONNREFUSED},
    {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
    {CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED},
    {CURLE_SSL_CACERT_BADFILE, -EKEYREJECTED},
    {CURLE_SSL_CONNECT_ERROR, -ECONNRESET},
    {CURLE_SEND_ERROR, -ECONNRESET},
    {CURLE_RECV_ERROR, -ECONNRESET},
    {CURLE_GOT_NOTHING, -ECONNRESET},
    {CURLE_PARTIAL_FILE, -ECONNRESET},
    {CURLE_HTTP2, -ECONNRESET},
    {CURLE_HTTP2_STREAM, -ECONNRESET},
};

static int result_of(CURLcode code)
{
    for (size_t i = 0; i < sizeof(curl_results) / sizeof(curl_results[0]); i++)
        if (curl_results[i].code == code)
            return curl_results[i].result;
    return ERR_PROTOCOL;
}

static void give_up(struct transport *transport);

/* Reports a call that has ended, and frees it. */
static void call_finish(struct http_call *call)
{
    struct transport *transport = call->transport;
    bool dead =
        call->result == -ETIMEDOUT && loop_now(transport->loop) - transport->heard_at >= DEAD_MS;
    long code = 0;
    (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &code);
    if (transport->observe)
        transport->observe(transport->ctx, call->method, (unsigned)code,
                           (double)(loop_clock_ns() - call->started_ns) / 1e9);
    struct http_response response = {
        .result = call->too_large ? ERR_TOO_LARGE : call->result,
        .code = (unsigned)code,
        .body = sbuf_str(&call->body),
        .warning = sbuf_str(&call->warning),
        .retry_after_s = call->retry_after_s,
    };
    if (response.result)
        response.error = str_from(call->error[0] ? call->error : err_text(response.result));
    void (*done)(void *ctx, const struct http_response *response) = call->done;
    call->cancelled = true; /* a cancel from inside `done` finds nothing to do */
    done(call->ctx, &response);
    transport_call_close(call);
    if (dead)
        give_up(transport);
}

static void settle(struct transport *transport);

static void on_settle(void *ctx)
{
    struct transport *transport = ctx;
    transport->settling = NULL;
    settle(transport);
}

static void settle_later(struct transport *transport)
{
    if (!transport->settling && !transport->closing)
        transport->settling = loop_defer(transport->loop, on_settle, transport);
}

static void take_ended(struct transport *transport)
{
    int left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(transport->multi, &left));) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        struct http_call *call = NULL;
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
        call->ended = true;
        call->result = result_of(msg->data.result);
        transport_call_set_due(call, true);
    }
}

/* Outside libcurl: frees what was cancelled, reports what has ended, starts what is new. */
static void settle(struct transport *transport)
{
    take_ended(transport);
    for (struct http_call *call; (call = TAILQ_FIRST(&transport->due));) {
        transport_call_set_due(call, false);
        if (call->cancelled) {
            transport_call_close(call);
        } else if (call->ended) {
            call_finish(call);
        } else {
            call->added = true;
            transport->inside = true;
            (void)curl_multi_add_handle(transport->multi, call->easy);
            transport->inside = false;
        }
    }
}

static void run_curl(struct transport *transport, curl_socket_t fd, int events)
{
    int running;
    transport->inside = true;
    (void)curl_multi_socket_action(transport->multi, fd, events, &running);
    transport->inside = false;
    settle(transport);
}

/* The events to watch for now. */
static unsigned events_of(const struct watched *watched)
{
    return watched->transport->rest ? watched->events & ~(unsigned)LOOP_READ : watched->events;
}

static void update_watches(struct transport *transport)
{
    struct watched *watched;
    LIST_FOREACH(watched, &transport->watched, link)
    loop_fd_change(watched->watch, events_of(watched));
}

static void on_rested(void *ctx)
{
    struct transport *transport = ctx;
    transport->rest = NULL;
    update_watches(transport);
}

/* Something was read, so long after the time before. */
static void rest(struct transport *transport, uint64_t since_ms)
{
    if (transport->rest || since_ms > (uint64_t)2 * REST_MS || transport->active < REST_CALLS ||
        transport->received > REST_BYTES)
        return;
    transport->rest = loop_timer_start(transport->loop, REST_MS, 0, on_rested, transport);
    update_watches(transport);
}

static void on_fd(void *ctx, unsigned events)
{
    const struct watched *watched = ctx;
    struct transport *transport = watched->transport;
    uint64_t now = loop_now(transport->loop), since_ms = now - transport->ready_at;
    transport->ready_at = now;
    transport->received = 0;
    run_curl(transport, watched->fd,
             (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
                 (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0)); /* watched may be gone now */
    if (events & LOOP_READ)
        rest(transport, since_ms);
}

static void on_timer(void *ctx)
{
    struct transport *transport = ctx;
    transport->timer = NULL;
    run_curl(transport, CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_SOCKETFUNCTION */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    (void)easy;
    struct transport *transport = ctx;
    struct watched *watched = socket_ctx;
    if (what == CURL_POLL_REMOVE) {
        if (watched) {
            LIST_REMOVE(watched, link);
            (void)loop_fd_cancel(watched->watch);
        }
        free(watched);
        (void)curl_multi_assign(transport->multi, fd, NULL);
        return 0;
    }
    unsigned events = (what & CURL_POLL_IN ? (unsigned)LOOP_READ : 0) |
                      (what & CURL_POLL_OUT ? (unsigned)LOOP_WRITE : 0);
    if (watched) {
        watched->events = events;
        loop_fd_change(watched->watch, events_of(watched));
        return 0;
    }
    watched = heap_alloc(sizeof(*watched));
    *watched = (struct watched){.transport = transport, .fd = fd, .events = events};
    watched->watch = loop_fd_watch(transport->loop, fd, events_of(watched), on_fd, watched);
    LIST_INSERT_HEAD(&transport->watched, watched, link);
    (void)curl_multi_assign(transport->multi, fd, watched);
    return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int set_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    (void)multi;
    struct transport *transport = ctx;
    transport->timer = loop_timer_cancel(transport->timer);
    if (timeout_ms >= 0)
        transport->timer =
            loop_timer_start(transport->loop, (uint64_t)timeout_ms, 0, on_timer, transport);
    return 0;
}

static void watch_silence(struct transport *transport);

static struct http_call *call_new(struct transport *transport, const struct http_request *request)
{
    struct http_call *call = transport_call_open(transport, request);
    settle_later(transport);
    return call;
}

struct http_call *transport_call(struct transport *transport, const struct http_request *request)
{
    if (transport->active == 0)
        transport->heard_at = loop_now(transport->loop);
    struct http_call *call = call_new(transport, request);
    watch_silence(transport);
    return call;
}

struct http_call *transport_cancel(struct http_call *call)
{
    if (!call || call->cancelled)
        return NULL;
    call->cancelled = true;
    if (!call->transport->inside) {
        transport_call_close(call);
        return NULL;
    }
    transport_call_set_due(call, true);
    settle_later(call->transport);
    return NULL;
}

size_t transport_active(const struct transport *transport)
{
    return transport->active;
}

static void multi_open(struct transport *transport)
{
    CURLM *multi = curl_multi_init();
    assert(multi);
    transport->multi = multi;
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transport);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transport);
    (void)curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    (void)curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX);
}

/* Closes all connections. */
static void multi_close(struct transport *transport)
{
    transport->inside = true;
    (void)curl_multi_cleanup(transport->multi);
    transport->inside = false;
    transport->timer = loop_timer_cancel(transport->timer);
    transport->multi = NULL;
}

/* The connection is dead: all calls on it end, and new ones get a new connection. */
static void give_up(struct transport *transport)
{
    log_warn("connection to the api server is dead", kv_str("server", sbuf_str(&transport->server)),
             kv_uint("calls", transport->active));
    struct http_call *call;
    TAILQ_FOREACH(call, &transport->calls, link)
    {
        if (!call->added)
            continue;
        (void)curl_multi_remove_handle(transport->multi, call->easy);
        call->ended = true;
        call->result = -ETIMEDOUT;
        transport_call_set_due(call, true);
    }
    multi_close(transport);
    TAILQ_FOREACH(call, &transport->calls, link)
    call->added = false;
    multi_open(transport);
    transport->heard_at = loop_now(transport->loop);
    settle_later(transport);
}

/* Any answer will do, also a refusal; without one, call_finish gives the connection up. */
static void on_sign(void *ctx, const struct http_response *response)
{
    (void)response;
    struct transport *transport = ctx;
    transport->sign = NULL;
}

static void on_keepalive(void *ctx)
{
    struct transport *transport = ctx;
    transport->keepalive = NULL;
    uint64_t quiet = loop_now(transport->loop) - transport->heard_at;
    if (transport->active && !transport->sign && quiet >= QUIET_MS) {
        struct http_request request = {.method = "GET",
                                       .path = STR("/version"),
                                       .timeout_ms = SIGN_MS,
                                       .done = on_sign,
                                       .ctx = transport};
        transport->sign = call_new(transport, &request);
    }
    watch_silence(transport);
}

/* Looks again when the silence would be long enough. */
static void watch_silence(struct transport *transport)
{
    if (transport->keepalive || !transport->active)
        return;
    uint64_t quiet = loop_now(transport->loop) - transport->heard_at;
    uint64_t left = quiet < QUIET_MS ? QUIET_MS - quiet : QUIET_MS;
    transport->keepalive = loop_timer_start(transport->loop, left, 0, on_keepalive, transport);
}

/* "https://host:port/prefix" with another name to verify: the URL gets that name, the connection
 * goes to the host. */
static void set_server_name(struct transport *transport, const struct transport_config *config)
{
    size_t scheme = str_starts_with(config->server, STR("https://")) ? 8 : 7;
    struct str rest = str_slice(config->server, scheme, config->server.len);
    size_t slash = str_find(rest, '/');
    struct str authority = str_slice(rest, 0, slash);
    size_t bracket = str_find(authority, ']');
    size_t colon = bracket < authority.len ? bracket + 1 : str_find(authority, ':');
    struct str host = str_slice(authority, 0, colon);
    struct str port = str_slice(authority, colon, authority.len); /* with its colon, or empty */
    struct str scheme_text = str_slice(config->server, 0, scheme);
    const char *fallback = scheme == 8 ? ":443" : ":80";
    sbuf_printf(&transport->server, STR_FMT STR_FMT STR_FMT STR_FMT, STR_ARG(scheme_text),
                STR_ARG(config->tls_server_name), STR_ARG(port),
                STR_ARG(str_slice(rest, slash, rest.len)));
    sbuf_printf(&transport->connect_to, "::" STR_FMT "%s" STR_FMT, STR_ARG(host),
                port.len ? "" : fallback, STR_ARG(port));
    sbuf_put(&transport->host, authority);
}

struct transport *transport_new(struct loop *loop, const struct transport_config *config)
{
    struct transport *transport = heap_alloc(sizeof(*transport));
    *transport = (struct transport){
        .loop = loop,
        .insecure = config->insecure,
        .observe = config->observe,
        .ctx = config->ctx,
    };
    TAILQ_INIT(&transport->calls);
    TAILQ_INIT(&transport->due);
    if (config->tls_server_name.len)
        set_server_name(transport, config);
    else
        sbuf_put(&transport->server, config->server);
    sbuf_put(&transport->user_agent, config->user_agent);
    transport_set_tls(transport, STR(""), STR(""), STR(""));
    multi_open(transport);
    return transport;
}

struct transport *transport_free(struct transport *transport)
{
    if (!transport)
        return NULL;
    assert(!transport->inside);
    transport->closing = true;
    while (!TAILQ_EMPTY(&transport->calls))
        transport_call_close(TAILQ_FIRST(&transport->calls));
    multi_close(transport);
    transport->settling = loop_timer_cancel(transport->settling);
    transport->rest = loop_timer_cancel(transport->rest);
    transport->keepalive = loop_timer_cancel(transport->keepalive);
    (void)tls_unref(transport->tls);
    sbuf_done(&transport->server);
    sbuf_done(&transport->connect_to);
    sbuf_done(&transport->host);
    sbuf_done(&transport->user_agent);
    free(transport);
    return NULL;
}
