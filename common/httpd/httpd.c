/* The HTTP server's shell.
 *
 * We listen and accept ourselves and hand each connection to a libmicrohttpd daemon in external
 * epoll mode: one descriptor to watch and one timer. libmicrohttpd limits header sizes, the number
 * of connections and the time without activity. A client that trickles bytes is active, so a sweep
 * of our own also limits the time that one request may take.
 *
 * A daemon with its watch and timer is an "engine". It keeps the certificate it was started with:
 * when the files have changed, which is looked at when a client connects, a second engine takes
 * over and the first one retires, that is, it ends each connection with the next answer and goes
 * with the last one.
 *
 * A connection's record lives from accept to close and owns the request under way on it. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/httpd/httpd.h"
#include "common/httpd/key_pair.h"
#include "common/httpd/listen.h"

enum {
    BODY_MAX = 64 * 1024,
    CONNECTIONS_MAX = 128,
    CONNECTIONS_PER_PEER = 32,
    REQUEST_MS = 30000,
    IDLE_S = 60,
    SWEEP_MS = 1000,
    ACCEPT_PAUSE_MS = 1000, /* after running out of descriptors */
};

static const char *const tls_names[] = {
    [HTTPD_TLS_1_3] = "VersionTLS13", [HTTPD_TLS_1_2] = "VersionTLS12"};
const struct names httpd_tls_names = NAMES(tls_names);

struct exchange {
    struct http_request request;
    struct sbuf body;
    bool started;   /* the headers are read */
    bool too_large; /* what comes is dropped, and refused at the end */
};

struct engine {
    struct httpd *httpd;
    struct MHD_Daemon *daemon;
    struct loop_fd *events;
    struct loop_timer *timer;
    struct key_pair pair; /* libmicrohttpd borrows the texts */
    size_t connections;
    bool retired;
    TAILQ_ENTRY(engine) link; /* retired */
};

TAILQ_HEAD(engines, engine);

struct connection {
    struct engine *engine;
    int fd;
    uint64_t since; /* start of the request, or of waiting for one */
    struct exchange *exchange;
    TAILQ_ENTRY(connection) link;
};

TAILQ_HEAD(connections, connection);

struct httpd {
    struct loop *loop;
    struct httpd_config config;
    struct engine *engine;  /* serves new connections */
    struct engines retired; /* still have old ones */
    int listener;
    struct loop_fd *accepts;
    struct loop_timer *sweeper, *pause;
    struct connections connections;
    struct arena *arena;    /* what is copied from the configuration */
    struct key_files files; /* of the certificate */
};

static void serve(struct engine *engine);

static void serve_event(void *ctx, unsigned events)
{
    (void)events;
    serve(ctx);
}

static void serve_timer(void *ctx)
{
    struct engine *engine = ctx;
    engine->timer = NULL;
    serve(engine);
}

static struct engine *engine_free(struct engine *engine)
{
    if (!engine)
        return NULL;
    (void)loop_fd_cancel(engine->events);
    (void)loop_timer_cancel(engine->timer);
    if (engine->daemon)
        MHD_stop_daemon(engine->daemon);
    key_pair_done(&engine->pair);
    free(engine);
    return NULL;
}

SCOPE_DEFINE(engine, struct engine, engine_free)

static void serve(struct engine *engine)
{
    MHD_UNSIGNED_LONG_LONG delay;
    (void)MHD_run(engine->daemon); /* fails only in modes that are not ours */
    if (engine->retired && engine->connections == 0) {
        TAILQ_REMOVE(&engine->httpd->retired, engine, link);
        (void)engine_free(engine);
        return;
    }
    engine->timer = loop_timer_cancel(engine->timer);
    if (MHD_get_timeout(engine->daemon, &delay) == MHD_YES)
        engine->timer = loop_timer_start(engine->httpd->loop, delay, 0, serve_timer, engine);
}

static struct exchange *exchange_new(const char *target)
{
    struct exchange *exchange = heap_alloc(sizeof(*exchange));
    exchange->request.arena = arena_new(0);
    exchange->request.target = arena_str(exchange->request.arena, str_from(target));
    return exchange;
}

static struct exchange *exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return NULL;
    (void)arena_free(exchange->request.arena);
    sbuf_done(&exchange->body);
    free(exchange);
    return NULL;
}

static struct connection *connection_of(struct MHD_Connection *peer)
{
    return MHD_get_connection_info(peer, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void sweep(void *ctx)
{
    struct httpd *httpd = ctx;
    uint64_t now = loop_now(httpd->loop);
    uint64_t idle_ms = (uint64_t)httpd->config.idle_s * 1000;
    struct connection *connection;
    TAILQ_FOREACH(connection, &httpd->connections, link)
    {
        /* A waiting connection that is still there past its idle time trickles a first line. */
        uint64_t limit = connection->exchange ? httpd->config.request_ms : 2 * idle_ms;
        if (now - connection->since > limit)
            (void)shutdown(connection->fd, SHUT_RDWR); /* libmicrohttpd sees the end and closes */
    }
    if (TAILQ_EMPTY(&httpd->connections))
        httpd->sweeper = loop_timer_cancel(httpd->sweeper);
}

static void connection_changed(void *ctx, struct MHD_Connection *peer, void **socket_context,
                               enum MHD_ConnectionNotificationCode code)
{
    struct engine *engine = ctx;
    struct httpd *httpd = engine->httpd;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct connection *connection = *socket_context;
        engine->connections--;
        TAILQ_REMOVE(&httpd->connections, connection, link);
        (void)exchange_free(connection->exchange);
        free(connection);
        return;
    }
    struct connection *connection = heap_alloc(sizeof(*connection));
    connection->engine = engine;
    connection->fd = MHD_get_connection_info(peer, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->since = loop_now(httpd->loop);
    engine->connections++;
    TAILQ_INSERT_TAIL(&httpd->connections, connection, link);
    *socket_context = connection;
    if (!httpd->sweeper)
        httpd->sweeper = loop_timer_start(httpd->loop, SWEEP_MS, SWEEP_MS, sweep, httpd);
}

/* The first line of a request has come. The result is the request's own pointer. */
static void *request_began(void *ctx, const char *target, struct MHD_Connection *peer)
{
    struct httpd *httpd = ctx;
    struct connection *connection = connection_of(peer);
    (void)exchange_free(connection->exchange);
    connection->exchange = exchange_new(target);
    connection->since = loop_now(httpd->loop);
    return connection->exchange;
}

static void request_ended(void *ctx, struct MHD_Connection *peer, void **exchange,
                          enum MHD_RequestTerminationCode code)
{
    struct httpd *httpd = ctx;
    struct connection *connection = connection_of(peer);
    (void)code;
    connection->exchange = exchange_free(connection->exchange);
    connection->since = loop_now(httpd->loop);
    *exchange = NULL;
}

/* Targets are decoded by http.c, segment by segment. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *peer, char *text)
{
    (void)ctx;
    (void)peer;
    return strlen(text);
}

static struct str header(struct MHD_Connection *peer, const char *name)
{
    return str_from(MHD_lookup_connection_value(peer, MHD_HEADER_KIND, name));
}

static void add_header(struct MHD_Response *reply, const char *name, const char *value)
{
    enum MHD_Result result = MHD_add_response_header(reply, name, value);
    assert(result == MHD_YES);
}

static enum MHD_Result send_response(struct MHD_Connection *peer, struct http_response *response)
{
    sbuf_puts(&response->body, ""); /* so that there is memory to give away */
    struct MHD_Response *reply = MHD_create_response_from_buffer(
        response->body.len, response->body.ptr, MHD_RESPMEM_MUST_FREE);
    assert(reply);
    add_header(reply, "Content-Type", response->content_type);
    add_header(reply, "Cache-Control", "no-store");
    add_header(reply, "X-Content-Type-Options", "nosniff");
    if (response->allow.len)
        add_header(reply, "Allow", response->allow.ptr);
    if (response->status == 413 || connection_of(peer)->engine->retired)
        add_header(reply, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(peer, response->status, reply);
    MHD_destroy_response(reply);
    return result;
}

static enum MHD_Result answer(struct httpd *httpd, struct MHD_Connection *peer,
                              struct exchange *exchange)
{
    struct http_response response = {0};
    exchange->request.body = sbuf_str(&exchange->body);
    if (exchange->too_large) {
        http_error(&response, 413, "the body is larger than %zu bytes", httpd->config.body_max);
    } else {
        http_dispatch(httpd->config.routes, httpd->config.route_count, httpd->config.ctx,
                      &exchange->request, &response);
    }
    log_debug("request answered", kv_cstr("server", httpd->config.name),
              kv_str("method", exchange->request.method), kv_str("path", exchange->request.path),
              kv_uint("status", response.status));
    return send_response(peer, &response);
}

/* The headers are there: what cannot be answered well is refused before its body comes. */
static enum MHD_Result start_exchange(struct httpd *httpd, struct MHD_Connection *peer,
                                      struct exchange *exchange, const char *method)
{
    struct http_request *request = &exchange->request;
    const struct http_route *route;
    exchange->started = true;
    request->method = arena_str(request->arena, str_from(method));
    request->accept = arena_str(request->arena, header(peer, "Accept"));
    request->authorization = arena_str(request->arena, header(peer, "Authorization"));
    request->content_type = arena_str(request->arena, header(peer, "Content-Type"));
    struct str length = header(peer, "Content-Length");
    uint64_t bytes;
    exchange->too_large = length.len && str_to_u64(length, httpd->config.body_max, &bytes) < 0;
    if (exchange->too_large ||
        http_match(httpd->config.routes, httpd->config.route_count, request, &route) != HTTP_MATCH)
        return answer(httpd, peer, exchange);
    return MHD_YES;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *peer, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **context)
{
    struct httpd *httpd = ctx;
    struct exchange *exchange = *context;
    (void)url;
    (void)version;
    if (!exchange->started)
        return start_exchange(httpd, peer, exchange, method);
    if (*size == 0)
        return answer(httpd, peer, exchange);
    if (exchange->body.len + *size > httpd->config.body_max)
        exchange->too_large = true;
    else
        sbuf_put(&exchange->body, (struct str){.ptr = data, .len = *size});
    *size = 0;
    return MHD_YES;
}

__attribute__((format(printf, 2, 0))) static void log_detail(void *ctx, const char *format,
                                                             va_list args)
{
    struct httpd *httpd = ctx;
    scoped_sbuf struct sbuf text = {0};
    sbuf_vprintf(&text, format, args);
    log_debug("http server detail", kv_cstr("server", httpd->config.name),
              kv_str("detail", str_trim(sbuf_str(&text))));
}

static struct MHD_Daemon *start_daemon(struct engine *engine)
{
    static const char *const priorities[] = {
        [HTTPD_TLS_1_3] = "NORMAL:-VERS-ALL:+VERS-TLS1.3",
        [HTTPD_TLS_1_2] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
    };
    const struct httpd_config *config = &engine->httpd->config;
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, engine->pair.certificate.ptr},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, engine->pair.key.ptr},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities[config->tls_min]},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem no_options[] = {{MHD_OPTION_END, 0, NULL}};
    bool tls = engine->httpd->files.certificate.len > 0;
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(
        flags | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL, handle, engine->httpd,
        MHD_OPTION_EXTERNAL_LOGGER, log_detail, engine->httpd, MHD_OPTION_CONNECTION_LIMIT,
        config->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->connections_per_peer,
        MHD_OPTION_CONNECTION_TIMEOUT, config->idle_s, MHD_OPTION_URI_LOG_CALLBACK, request_began,
        engine->httpd, MHD_OPTION_NOTIFY_COMPLETED, request_ended, engine->httpd,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, engine, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escapes, engine->httpd, MHD_OPTION_ARRAY, tls ? tls_options : no_options,
        MHD_OPTION_END);
}

/* An engine with what the files of the certificate hold now. */
static int engine_new(struct httpd *httpd, struct engine **ret)
{
    scoped_ptr(engine) struct engine *engine = heap_alloc(sizeof(*engine));
    engine->httpd = httpd;
    if (httpd->files.certificate.len) {
        int result = key_pair_read(&httpd->files, &engine->pair);
        if (result < 0)
            return result;
    }
    engine->daemon = start_daemon(engine);
    if (!engine->daemon)
        return ERR_KEY_PAIR;
    int epoll = MHD_get_daemon_info(engine->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    engine->events = loop_fd_watch(httpd->loop, epoll, LOOP_READ, serve_event, engine);
    *ret = take_ptr(engine);
    return 0;
}

static void retire(struct httpd *httpd, struct engine *engine)
{
    if (engine->connections == 0) {
        (void)engine_free(engine);
        return;
    }
    engine->retired = true;
    TAILQ_INSERT_TAIL(&httpd->retired, engine, link);
}

/* When the files have changed into a certificate with its key, new connections get that. */
static void refresh(struct httpd *httpd)
{
    if (!httpd->files.certificate.len || !key_files_changed(&httpd->files))
        return;
    struct engine *engine;
    int result = engine_new(httpd, &engine);
    if (result < 0) {
        log_warn("changed certificate not taken, the old one stays",
                 kv_cstr("server", httpd->config.name), kv_str("file", httpd->files.certificate),
                 kv_err(result));
        return;
    }
    log_info("changed certificate taken", kv_cstr("server", httpd->config.name),
             kv_str("file", httpd->files.certificate));
    retire(httpd, httpd->engine);
    httpd->engine = engine;
}

static void resume_accepting(void *ctx)
{
    struct httpd *httpd = ctx;
    httpd->pause = NULL;
    loop_fd_change(httpd->accepts, LOOP_READ);
}

static void accept_connections(void *ctx, unsigned events)
{
    struct httpd *httpd = ctx;
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    (void)events;
    int fd = accept4(httpd->listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        refresh(httpd);
        /* Closes the descriptor by itself when it refuses the connection. */
        (void)MHD_add_connection(httpd->engine->daemon, fd, (struct sockaddr *)&peer, len);
        serve(httpd->engine);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log_warn("cannot accept connections for now", kv_cstr("server", httpd->config.name),
                 kv_err(-errno));
        loop_fd_change(httpd->accepts, 0);
        httpd->pause = loop_timer_start(httpd->loop, ACCEPT_PAUSE_MS, 0, resume_accepting, httpd);
    }
}

static void fill_defaults(struct httpd_config *config)
{
    config->body_max = config->body_max ? config->body_max : BODY_MAX;
    config->connections_max = config->connections_max ? config->connections_max : CONNECTIONS_MAX;
    config->connections_per_peer =
        config->connections_per_peer ? config->connections_per_peer : CONNECTIONS_PER_PEER;
    config->request_ms = config->request_ms ? config->request_ms : REQUEST_MS;
    config->idle_s = config->idle_s ? config->idle_s : IDLE_S;
}

int httpd_open(struct loop *loop, const struct httpd_config *config, struct httpd **ret)
{
    scoped_ptr(httpd) struct httpd *httpd = heap_alloc(sizeof(*httpd));
    httpd->loop = loop;
    httpd->config = *config;
    TAILQ_INIT(&httpd->connections);
    TAILQ_INIT(&httpd->retired);
    fill_defaults(&httpd->config);
    httpd->arena = arena_new(256);
    httpd->files.certificate = arena_str(httpd->arena, config->certificate_file);
    httpd->files.key = arena_str(httpd->arena, config->key_file);
    httpd->listener = listen_open(config->address, config->port);
    if (httpd->listener < 0)
        return httpd->listener;
    int result = engine_new(httpd, &httpd->engine);
    if (result < 0)
        return result;
    httpd->accepts = loop_fd_watch(loop, httpd->listener, LOOP_READ, accept_connections, httpd);
    *ret = take_ptr(httpd);
    return 0;
}

struct httpd *httpd_close(struct httpd *httpd)
{
    if (!httpd)
        return NULL;
    (void)loop_fd_cancel(httpd->accepts);
    (void)loop_timer_cancel(httpd->pause);
    (void)engine_free(httpd->engine);
    for (struct engine *engine; (engine = TAILQ_FIRST(&httpd->retired));) {
        TAILQ_REMOVE(&httpd->retired, engine, link);
        (void)engine_free(engine);
    }
    (void)loop_timer_cancel(httpd->sweeper);
    if (httpd->listener >= 0)
        (void)close(httpd->listener);
    (void)arena_free(httpd->arena);
    free(httpd);
    return NULL;
}

uint16_t httpd_port(const struct httpd *httpd)
{
    return listen_port(httpd->listener);
}
