#include "common/kube/events.h"

#include <errno.h>
#include <sodium.h>
#include <sys/queue.h>

#include "common/base/keep.h"
#include "common/base/log.h"
#include "common/kube/backoff.h"
#include "common/kube/path.h"
#include "common/kube/status.h"

enum {
    IN_FLIGHT = 4,
    MANY_WRITES = 8,  /* while so many are not done, they go first */
    TRICKLE_MS = 250, /* … and an Event is sent after so long, that none may wait for ever */
    QUEUE_MAX = 1000, /* the oldest gives way */
    TRIES = 5,
    TIMEOUT_MS = 15000,
    SERIES_LOOK_MS = 10000,
};

/* One request that waits or is under way. */
struct sending {
    TAILQ_ENTRY(sending) link;
    struct events *events;
    struct arena *arena; /* of the keep: owns it and its texts */
    struct event_request request;
    struct event_about about;
    struct client_call *call; /* NULL: waits */
    unsigned tries;
};

TAILQ_HEAD(sending_list, sending);

struct events {
    struct client *client;
    const struct writer *writer;
    struct loop *loop;
    struct event_recorder *recorder;
    struct keep *keep; /* of what is sent: a thousand of them must not leave holes in the heap */
    struct sending_list queue; /* in the order of telling, also what is under way */
    size_t queued, in_flight;
    struct backoff backoff;
    struct loop_timer *starting; /* deferred, or after TRICKLE_MS */
    struct loop_timer *pause;    /* after a failure */
    struct loop_timer *look;     /* for series that are due, and what is to be forgotten */
    struct events_counts counts;
};

struct events *events_new(struct client *client, const struct writer *writer, struct str controller,
                          struct str instance)
{
    struct events *events = heap_alloc(sizeof(*events));
    *events = (struct events){
        .client = client,
        .writer = writer,
        .loop = client_loop(client),
        .keep = keep_new(),
        .backoff = {.base_ms = 1000, .cap_ms = 30000},
    };
    uint64_t seed;
    randombytes_buf(&seed, sizeof(seed));
    events->recorder = event_recorder_new(controller, instance, seed);
    TAILQ_INIT(&events->queue);
    return events;
}

static void sending_free(struct sending *sending)
{
    struct events *events = sending->events;
    events->in_flight -= sending->call != NULL;
    (void)client_cancel(sending->call);
    TAILQ_REMOVE(&events->queue, sending, link);
    events->queued--;
    (void)arena_free(sending->arena);
}

struct events *events_free(struct events *events)
{
    if (!events)
        return NULL;
    while (!TAILQ_EMPTY(&events->queue))
        sending_free(TAILQ_FIRST(&events->queue));
    events->starting = loop_timer_cancel(events->starting);
    events->pause = loop_timer_cancel(events->pause);
    events->look = loop_timer_cancel(events->look);
    (void)event_recorder_free(events->recorder);
    (void)keep_free(events->keep);
    free(events);
    return NULL;
}

static void start_later(struct events *events);

static void on_pause_over(void *ctx)
{
    struct events *events = ctx;
    events->pause = NULL;
    start_later(events);
}

/* Sends it again after a pause, where that may help. False when it is of no use. */
static bool try_again(struct sending *sending, const struct status *status)
{
    struct events *events = sending->events;
    bool useful = status->code == 0 || status->result == -EAGAIN || status->result == -EACCES;
    if (!useful || sending->tries >= TRIES)
        return false;
    uint64_t wait_ms = backoff_next(&events->backoff, status->retry_after_ms, randombytes_random());
    if (!events->pause)
        events->pause = loop_timer_start(events->loop, wait_ms, 0, on_pause_over, events);
    return true;
}

static void on_done(void *ctx, const struct http_response *response)
{
    struct sending *sending = ctx;
    struct events *events = sending->events;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct status status = {.result = response->result, .message = response->error};
    if (response->result == 0)
        status = status_decode(response->code, response->body, response->retry_after_s, arena);
    sending->call = NULL;
    events->in_flight--;
    if (status.result == 0) {
        events->counts.sent++;
        backoff_reset(&events->backoff);
    } else if (try_again(sending, &status)) {
        return;
    } else {
        events->counts.failed++;
        log_debug("event not sent", kv_str("about", sending->about.name),
                  kv_str("why", status.message));
        event_recorder_lost(events->recorder, &sending->about);
    }
    sending_free(sending);
    start_later(events);
}

static void send_request(struct sending *sending)
{
    struct events *events = sending->events;
    const struct event_request *event = &sending->request;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    bool post = event->verdict == EVENT_POST;
    struct http_request request = {
        .method = post ? "POST" : "PATCH",
        .path = path_of(STR("events.k8s.io"), STR("v1"), event->namespace, STR("events"),
                        post ? STR("") : event->name, arena),
        .content_type = post ? STR("application/json") : STR("application/merge-patch+json"),
        .body = event->body,
        .timeout_ms = TIMEOUT_MS,
        .done = on_done,
        .ctx = sending,
    };
    sending->tries++;
    sending->call = client_call(events->client, &request);
    events->in_flight++;
}

/* A series is counted up only after its event has been created. */
static bool is_blocked(const struct sending *sending)
{
    const struct sending *before;
    TAILQ_FOREACH(before, &sending->events->queue, link)
    {
        if (before == sending)
            return false;
        if (str_eq(before->request.name, sending->request.name))
            return true;
    }
    return false;
}

static bool is_trickling(const struct events *events)
{
    return writer_pending(events->writer) >= MANY_WRITES;
}

static void on_start(void *ctx)
{
    struct events *events = ctx;
    events->starting = NULL;
    size_t most = is_trickling(events) ? 1 : IN_FLIGHT;
    struct sending *sending;
    TAILQ_FOREACH(sending, &events->queue, link)
    {
        if (events->pause || events->in_flight >= most)
            return;
        if (!sending->call && !is_blocked(sending))
            send_request(sending);
    }
}

static void start_later(struct events *events)
{
    if (events->starting || events->pause || events->queued == events->in_flight)
        return;
    events->starting = is_trickling(events)
                           ? loop_timer_start(events->loop, TRICKLE_MS, 0, on_start, events)
                           : loop_defer(events->loop, on_start, events);
}

/* The queue is full: the oldest that is not under way gives way. */
static void make_room(struct events *events)
{
    struct sending *sending;
    TAILQ_FOREACH(sending, &events->queue, link)
    {
        if (sending->call)
            continue;
        events->counts.overflowed++;
        event_recorder_lost(events->recorder, &sending->about);
        sending_free(sending);
        return;
    }
}

/* With copies of all texts. */
static struct sending *sending_new(struct events *events, const struct event_request *request,
                                   const struct event_about *about)
{
    struct event_request its = *request;
    struct event_about of = {
        .kind = about->kind, .namespace = about->namespace, .name = about->name, .uid = about->uid};
    struct str *texts[] = {&its.namespace, &its.name, &its.body, &of.kind,
                           &of.namespace,  &of.name,  &of.uid};
    size_t size = sizeof(struct sending), count = sizeof(texts) / sizeof(texts[0]);
    for (size_t i = 0; i < count; i++)
        size += texts[i]->len + 1;
    struct arena *arena = arena_new_kept(events->keep, size, 0);
    struct sending *sending = arena_alloc(arena, sizeof(*sending));
    for (size_t i = 0; i < count; i++)
        *texts[i] = arena_str(arena, *texts[i]);
    *sending = (struct sending){.events = events, .arena = arena, .request = its, .about = of};
    return sending;
}

static void enqueue(struct events *events, const struct event_request *request,
                    const struct event_about *about)
{
    if (events->queued >= QUEUE_MAX)
        make_room(events);
    struct sending *sending = sending_new(events, request, about);
    TAILQ_INSERT_TAIL(&events->queue, sending, link);
    events->queued++;
    start_later(events);
}

static void on_look(void *ctx)
{
    struct events *events = ctx;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct event_clock clock = {.now = loop_now(events->loop), .wall_ns = loop_wall_ns()};
    size_t count;
    struct event_request *due = event_recorder_due(events->recorder, &clock, arena, &count);
    for (size_t i = 0; i < count; i++)
        enqueue(events, &due[i], &due[i].about);
    if (event_recorder_is_empty(events->recorder))
        events->look = loop_timer_cancel(events->look);
}

void events_tell(struct events *events, const struct event_note *note)
{
    struct event_clock clock = {.now = loop_now(events->loop), .wall_ns = loop_wall_ns()};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct event_request request = event_recorder_tell(events->recorder, note, &clock, arena);
    switch (request.verdict) {
    case EVENT_POST:
    case EVENT_PATCH:
        enqueue(events, &request, &note->about);
        break;
    case EVENT_FOLDED:
        events->counts.folded++;
        break;
    case EVENT_LIMITED:
        events->counts.limited++;
        break;
    }
    if (!events->look)
        events->look =
            loop_timer_start(events->loop, SERIES_LOOK_MS, SERIES_LOOK_MS, on_look, events);
}

struct events_counts events_counts(const struct events *events)
{
    return events->counts;
}
