#include "common/kube/writer.h"

#include <errno.h>
#include <sys/queue.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/kube/identity.h"
#include "common/kube/path.h"
#include "common/kube/status.h"

enum {
    TIMEOUT_MS = 30000,
    TRIES = 5,       /* of a write that the server turns away with a pause */
    PAUSE_MS = 1000, /* when 429 does not say how long */
    PAUSE_MAX_MS = 30000,
};

/* Only the metadata of the object is of use to us. When many are deleted the answer is their list,
 * and the server reports an error, the deed done, when it was asked for one object. */
#define ACCEPT "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
#define ACCEPT_LIST \
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

static const struct {
    const char *method, *content_type, *subresource;
    bool force;
} verbs[] = {
    [WRITE_CREATE] = {"POST", "application/json", "", false},
    [WRITE_PATCH] = {"PATCH", "application/merge-patch+json", "", false},
    [WRITE_PATCH_STATUS] = {"PATCH", "application/merge-patch+json", "/status", false},
    [WRITE_APPLY] = {"PATCH", "application/apply-patch+yaml", "", true},
    [WRITE_APPLY_STATUS] = {"PATCH", "application/apply-patch+yaml", "/status", true},
    [WRITE_DELETE] = {"DELETE", "application/json", "", false},
    [WRITE_DELETE_ALL] = {"DELETE", "application/json", "", false},
};

struct write {
    TAILQ_ENTRY(write) link;
    struct writer *writer;
    struct arena *arena; /* owns the write and its texts */
    enum write_verb verb;
    struct str path, body;
    struct client_call *call; /* NULL: not sent */
    unsigned tries;
    struct identity answer; /* names the new version */
    void (*done)(void *ctx, int result, struct str message, struct str version);
    void *ctx;
};

TAILQ_HEAD(write_list, write);

struct writer {
    struct client *client;
    struct loop *loop;
    struct sbuf manager;
    struct write_list waiting, sent;
    size_t waiting_count, sent_count;
    struct loop_timer *sending; /* deferred */
    struct loop_timer *pause;   /* while the server wants to be left alone */
    uint64_t (*limit_ms)(void *ctx);
    void *limit_ctx;
};

struct writer *writer_new(struct client *client, struct str manager)
{
    struct writer *writer = heap_alloc(sizeof(*writer));
    *writer = (struct writer){.client = client, .loop = client_loop(client)};
    sbuf_put(&writer->manager, manager);
    TAILQ_INIT(&writer->waiting);
    TAILQ_INIT(&writer->sent);
    return writer;
}

struct writer *writer_free(struct writer *writer)
{
    if (!writer)
        return NULL;
    while (!TAILQ_EMPTY(&writer->waiting))
        (void)writer_cancel(TAILQ_FIRST(&writer->waiting));
    while (!TAILQ_EMPTY(&writer->sent))
        (void)writer_cancel(TAILQ_FIRST(&writer->sent));
    writer->sending = loop_timer_cancel(writer->sending);
    writer->pause = loop_timer_cancel(writer->pause);
    sbuf_done(&writer->manager);
    free(writer);
    return NULL;
}

void writer_set_limit(struct writer *writer, uint64_t (*limit_ms)(void *ctx), void *ctx)
{
    writer->limit_ms = limit_ms;
    writer->limit_ctx = ctx;
}

size_t writer_pending(const struct writer *writer)
{
    return writer->waiting_count + writer->sent_count;
}

static void unlink_write(struct write *write)
{
    struct writer *writer = write->writer;
    if (write->call) {
        TAILQ_REMOVE(&writer->sent, write, link);
        writer->sent_count--;
    } else {
        TAILQ_REMOVE(&writer->waiting, write, link);
        writer->waiting_count--;
    }
}

static void send_later(struct writer *writer);

static void on_pause_over(void *ctx)
{
    struct writer *writer = ctx;
    writer->pause = NULL;
    send_later(writer);
}

/* The server has turned a write away: it is the next to be sent, after a pause. */
static void send_again(struct write *write, uint64_t pause_ms)
{
    struct writer *writer = write->writer;
    TAILQ_INSERT_HEAD(&writer->waiting, write, link);
    writer->waiting_count++;
    pause_ms = pause_ms ? pause_ms : PAUSE_MS;
    pause_ms = pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
    if (!writer->pause) {
        log_info("api server asks for a pause", kv_uint("ms", pause_ms),
                 kv_uint("waiting", writer->waiting_count));
        writer->pause = loop_timer_start(writer->loop, pause_ms, 0, on_pause_over, writer);
    }
}

static void on_data(void *ctx, struct str bytes)
{
    struct write *write = ctx;
    identity_feed(&write->answer, bytes);
}

/* Who we are, or what we may do, is nothing that the caller of one write can act on. */
static int result_for_caller(int result)
{
    return result == -EACCES || result == -EPERM || result == ERR_GONE ? ERR_REMOTE : result;
}

static void on_done(void *ctx, const struct http_response *response)
{
    struct write *write = ctx;
    struct writer *writer = write->writer;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    unlink_write(write);
    write->call = NULL;
    struct status status = {.result = response->result, .message = response->error};
    if (response->result == 0)
        status = status_decode(response->code, response->body, response->retry_after_s, arena);
    bool pause = status.code == 429 || (status.result == -EAGAIN && status.retry_after_ms);
    if (pause && write->tries < TRIES) {
        send_again(write, status.retry_after_ms);
        return;
    }
    struct str version = {0};
    if (status.result == 0)
        version = arena_str(arena, identity_str(&write->answer.resource_version));
    void (*done)(void *, int, struct str, struct str) = write->done;
    void *done_ctx = write->ctx;
    (void)arena_free(write->arena);
    send_later(writer);
    done(done_ctx, result_for_caller(status.result), status.message, version);
}

/* The path, with the time that the server has. */
static struct str limited_path(const struct write *write, struct arena *arena)
{
    const struct writer *writer = write->writer;
    uint64_t limit = writer->limit_ms ? writer->limit_ms(writer->limit_ctx) : 0;
    if (!limit)
        return write->path;
    return arena_printf(arena, STR_FMT "%ctimeout=%llums", STR_ARG(write->path),
                        str_contains(write->path, STR("?")) ? '&' : '?', (unsigned long long)limit);
}

static void send_write(struct write *write)
{
    struct writer *writer = write->writer;
    scoped_ptr(arena) struct arena *scratch = arena_new(256);
    unlink_write(write);
    write->tries++;
    identity_init(&write->answer, false);
    struct http_request request = {
        .method = verbs[write->verb].method,
        .path = limited_path(write, scratch),
        .accept = write->verb == WRITE_DELETE_ALL ? STR(ACCEPT_LIST) : STR(ACCEPT),
        .content_type = str_from(verbs[write->verb].content_type),
        .body = write->body,
        .timeout_ms = TIMEOUT_MS,
        .data = on_data,
        .done = on_done,
        .ctx = write,
    };
    write->call = client_call(writer->client, &request);
    TAILQ_INSERT_TAIL(&writer->sent, write, link);
    writer->sent_count++;
}

static void on_send(void *ctx)
{
    struct writer *writer = ctx;
    writer->sending = NULL;
    while (!writer->pause && writer->sent_count < WRITER_IN_FLIGHT &&
           !TAILQ_EMPTY(&writer->waiting))
        send_write(TAILQ_FIRST(&writer->waiting));
}

static void send_later(struct writer *writer)
{
    if (!writer->sending && !writer->pause && writer->waiting_count)
        writer->sending = loop_defer(writer->loop, on_send, writer);
}

static struct str path_for(const struct writer *writer, const struct write_request *request,
                           struct arena *arena)
{
    const struct kind *kind = kinds_get(request->kind);
    bool create = request->verb == WRITE_CREATE;
    struct str object =
        kinds_path(kind, request->namespace, create ? STR("") : request->name, arena);
    object = arena_printf(arena, STR_FMT "%s", STR_ARG(object), verbs[request->verb].subresource);
    if (request->verb == WRITE_DELETE)
        return object;
    if (request->verb == WRITE_DELETE_ALL)
        return path_delete_all(object, request->labels, arena);
    struct str manager = request->manager.len ? request->manager : sbuf_str(&writer->manager);
    return path_write(object, manager, verbs[request->verb].force, arena);
}

struct write *writer_start(struct writer *writer, const struct write_request *request)
{
    struct arena *arena = arena_new(0);
    struct write *write = arena_alloc(arena, sizeof(*write));
    write->writer = writer;
    write->arena = arena;
    write->verb = request->verb;
    write->path = path_for(writer, request, arena);
    write->body = arena_str(arena, request->body);
    write->done = request->done;
    write->ctx = request->ctx;
    TAILQ_INSERT_TAIL(&writer->waiting, write, link);
    writer->waiting_count++;
    send_later(writer);
    return write;
}

struct write *writer_cancel(struct write *write)
{
    if (!write)
        return NULL;
    struct writer *writer = write->writer;
    unlink_write(write);
    write->call = client_cancel(write->call);
    (void)arena_free(write->arena);
    send_later(writer);
    return NULL;
}
