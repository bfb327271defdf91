#include "common/kube/event_recorder.h"

#include <assert.h>
#include <string.h>

#include "common/base/keep.h"
#include "common/base/map.h"
#include "common/json/patch.h"
#include "common/json/rfc3339.h"

enum {
    WORD_MAX = 128,       /* reason, action, controller, instance (API validation) */
    NOTE_MAX = 1024,      /* the sentence */
    EVENT_NAME_MAX = 253, /* DNS subdomain */
    EVENT_NAME_TAIL = 17, /* "." and 16 hex digits */
    TOKENS_FULL_MS = EVENT_BURST * EVENT_REFILL_MS,
};

/* What was told last about one object. */
struct told {
    struct told *older, *newer; /* in the order of told_at */
    uint64_t content;           /* hash of type, reason, action and note of the last event */
    uint64_t name_tail;         /* of the last event */
    uint64_t count;             /* of the series */
    uint64_t told_at;           /* ms */
    int64_t told_wall_ns;
    uint64_t due_at; /* when the count is to be sent; UINT64_MAX: it was */
    uint64_t refilled_at;
    uint32_t tokens_ms; /* EVENT_REFILL_MS for each event that may be sent now */
    bool lost;          /* there is no event that a repetition could be folded into */
    uint32_t key_len;
    char key[]; /* "Kind/namespace/name/uid" */
};

struct event_recorder {
    struct arena *arena; /* the recorder's own texts */
    struct str controller, instance;
    struct map objects; /* struct told by key */
    struct keep *keep;  /* of them */
    struct told *oldest, *newest;
    uint64_t seed, serial, dropped;
    size_t pending; /* objects with due_at set */
};

/* At most max bytes, whole characters. */
static struct str cut(struct str text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    while (len && len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return str_slice(text, 0, len);
}

struct event_recorder *event_recorder_new(struct str controller, struct str instance, uint64_t seed)
{
    struct arena *arena = arena_new(0);
    struct event_recorder *recorder = arena_alloc(arena, sizeof(*recorder));
    *recorder = (struct event_recorder){
        .arena = arena,
        .controller = arena_str(arena, cut(controller, WORD_MAX)),
        .instance = arena_str(arena, cut(instance, WORD_MAX)),
        .objects = {.seed = seed},
        .keep = keep_new(),
        .seed = seed,
    };
    return recorder;
}

static struct str told_key(const struct told *told)
{
    return (struct str){.ptr = told->key, .len = told->key_len};
}

static void told_free(struct told *told)
{
    keep_release(told, sizeof(*told) + told->key_len);
}

struct event_recorder *event_recorder_free(struct event_recorder *recorder)
{
    if (!recorder)
        return NULL;
    while (recorder->oldest) {
        struct told *told = recorder->oldest;
        recorder->oldest = told->newer;
        told_free(told);
    }
    map_done(&recorder->objects);
    (void)keep_free(recorder->keep);
    (void)arena_free(recorder->arena);
    return NULL;
}

/* The parts of a key again; none of them has a slash. */
static struct event_about about_of(struct str key)
{
    struct event_about about = {0};
    struct str rest = key;
    (void)str_cut(rest, '/', &about.kind, &rest);
    (void)str_cut(rest, '/', &about.namespace, &rest);
    (void)str_cut(rest, '/', &about.name, &about.uid);
    return about;
}

static struct str key_of(const struct event_about *about, struct arena *arena)
{
    return arena_printf(arena, STR_FMT "/" STR_FMT "/" STR_FMT "/" STR_FMT, STR_ARG(about->kind),
                        STR_ARG(about->namespace), STR_ARG(about->name), STR_ARG(about->uid));
}

static void unlink_told(struct event_recorder *recorder, struct told *told)
{
    *(told->older ? &told->older->newer : &recorder->oldest) = told->newer;
    *(told->newer ? &told->newer->older : &recorder->newest) = told->older;
    told->older = told->newer = NULL;
}

/* Makes it the newest. */
static void link_told(struct event_recorder *recorder, struct told *told)
{
    told->older = recorder->newest;
    *(recorder->newest ? &recorder->newest->newer : &recorder->oldest) = told;
    recorder->newest = told;
}

static void set_due(struct event_recorder *recorder, struct told *told, uint64_t due_at)
{
    recorder->pending -= told->due_at != UINT64_MAX;
    recorder->pending += due_at != UINT64_MAX;
    told->due_at = due_at;
}

static void forget(struct event_recorder *recorder, struct told *told)
{
    set_due(recorder, told, UINT64_MAX);
    unlink_told(recorder, told);
    (void)map_remove(&recorder->objects, told_key(told));
    told_free(told);
}

static void refill(struct told *told, uint64_t now)
{
    uint64_t passed = now - told->refilled_at;
    told->tokens_ms = passed >= (uint64_t)TOKENS_FULL_MS - told->tokens_ms
                          ? (uint32_t)TOKENS_FULL_MS
                          : told->tokens_ms + (uint32_t)passed;
    told->refilled_at = now;
}

static struct str micro_time(int64_t wall_ns, struct arena *arena)
{
    struct sbuf text = {0};
    rfc3339_format(&text, wall_ns / 1000000000, (int32_t)(wall_ns % 1000000000), 6);
    return sbuf_move(&text, arena);
}

/* What tells the name of a new event from all others. */
static uint64_t next_tail(struct event_recorder *recorder, int64_t wall_ns, struct arena *arena)
{
    struct str unique =
        arena_printf(arena, "%lld.%llu.%llu", (long long)wall_ns,
                     (unsigned long long)recorder->serial++, (unsigned long long)recorder->seed);
    return map_hash(recorder->seed, unique);
}

/* The name of the last event about the object. */
static struct str event_name(const struct told *told, struct arena *arena)
{
    struct str object = cut(about_of(told_key(told)).name, EVENT_NAME_MAX - EVENT_NAME_TAIL);
    while (object.len && (object.ptr[object.len - 1] == '.' || object.ptr[object.len - 1] == '-'))
        object.len--;
    return arena_printf(arena, STR_FMT ".%016llx", STR_ARG(object),
                        (unsigned long long)told->name_tail);
}

/* Where it is. */
static struct str event_namespace(const struct told *told, struct arena *arena)
{
    struct str namespace = about_of(told_key(told)).namespace;
    return arena_str(arena, namespace.len ? namespace : STR("default"));
}

/* The body that creates an event. */
static struct str post_body(const struct event_recorder *recorder, const struct told *told,
                            const struct event_note *note, struct arena *arena)
{
    const struct event_about *about = &note->about;
    struct patch body = {0};
    patch_open(&body, NULL);
    patch_str(&body, "apiVersion", STR("events.k8s.io/v1"));
    patch_str(&body, "kind", STR("Event"));
    patch_open(&body, "metadata");
    patch_str(&body, "namespace", event_namespace(told, arena));
    patch_str(&body, "name", event_name(told, arena));
    patch_close(&body);
    patch_str(&body, "eventTime", micro_time(told->told_wall_ns, arena));
    patch_str(&body, "reportingController", recorder->controller);
    patch_str(&body, "reportingInstance", recorder->instance);
    patch_str(&body, "type", note->warning ? STR("Warning") : STR("Normal"));
    patch_str(&body, "reason", cut(note->reason, WORD_MAX));
    patch_str(&body, "action", cut(note->action.len ? note->action : note->reason, WORD_MAX));
    patch_str(&body, "note", cut(note->message, NOTE_MAX));
    patch_open(&body, "regarding");
    patch_str(&body, "apiVersion", about->api_version);
    patch_str(&body, "kind", about->kind);
    if (about->namespace.len)
        patch_str(&body, "namespace", about->namespace);
    patch_str(&body, "name", about->name);
    if (about->uid.len)
        patch_str(&body, "uid", about->uid);
    if (about->resource_version.len)
        patch_str(&body, "resourceVersion", about->resource_version);
    patch_close(&body);
    patch_close(&body);
    return patch_move(&body, arena);
}

static struct event_request request_of(enum event_verdict verdict, const struct told *told,
                                       struct arena *arena)
{
    return (struct event_request){.verdict = verdict,
                                  .namespace = event_namespace(told, arena),
                                  .name = event_name(told, arena)};
}

/* Sends the count of a series. */
static struct event_request send_series(struct event_recorder *recorder, struct told *told,
                                        struct arena *arena)
{
    struct event_request request = request_of(EVENT_PATCH, told, arena);
    struct patch body = {0};
    patch_open(&body, NULL);
    patch_open(&body, "series");
    patch_int(&body, "count", (int64_t)told->count);
    patch_str(&body, "lastObservedTime", micro_time(told->told_wall_ns, arena));
    patch_close(&body);
    patch_close(&body);
    request.body = patch_move(&body, arena);
    set_due(recorder, told, UINT64_MAX);
    request.about = about_of(arena_str(arena, told_key(told)));
    return request;
}

/* The same as the last time: the second at once, then the count at most once a while. */
static struct event_request repeat(struct event_recorder *recorder, struct told *told,
                                   const struct event_clock *clock, struct arena *arena)
{
    unlink_told(recorder, told);
    link_told(recorder, told);
    told->count++;
    told->told_at = clock->now;
    told->told_wall_ns = clock->wall_ns;
    if (told->count == 2)
        return send_series(recorder, told, arena);
    if (told->due_at == UINT64_MAX)
        set_due(recorder, told, clock->now + EVENT_SERIES_MS);
    return request_of(EVENT_FOLDED, told, arena);
}

/* An object about which nothing was told yet, or not for long. */
static struct told *told_new(struct event_recorder *recorder, struct str key, uint64_t now)
{
    assert(key.len <= UINT32_MAX);
    if (map_count(&recorder->objects) >= EVENT_OBJECTS_MAX)
        forget(recorder, recorder->oldest);
    struct told *told = keep_alloc(recorder->keep, sizeof(*told) + key.len);
    *told = (struct told){.due_at = UINT64_MAX,
                          .refilled_at = now,
                          .tokens_ms = TOKENS_FULL_MS,
                          .key_len = (uint32_t)key.len};
    memcpy(told->key, key.ptr, key.len);
    (void)map_put(&recorder->objects, told_key(told), told);
    link_told(recorder, told);
    return told;
}

/* A new event about the object, which takes of its tokens. */
static void renew(struct event_recorder *recorder, struct told *told, uint64_t content,
                  const struct event_clock *clock, struct arena *arena)
{
    unlink_told(recorder, told);
    link_told(recorder, told);
    set_due(recorder, told, UINT64_MAX);
    told->content = content;
    told->name_tail = next_tail(recorder, clock->wall_ns, arena);
    told->lost = false;
    told->count = 1;
    told->told_at = clock->now;
    told->told_wall_ns = clock->wall_ns;
    told->tokens_ms -= EVENT_REFILL_MS;
}

static uint64_t content_of(const struct event_recorder *recorder, const struct event_note *note,
                           struct arena *arena)
{
    struct str content =
        arena_printf(arena, "%d\n" STR_FMT "\n" STR_FMT "\n" STR_FMT, note->warning,
                     STR_ARG(cut(note->reason, WORD_MAX)), STR_ARG(cut(note->action, WORD_MAX)),
                     STR_ARG(cut(note->message, NOTE_MAX)));
    return map_hash(recorder->seed, content);
}

struct event_request event_recorder_tell(struct event_recorder *recorder,
                                         const struct event_note *note,
                                         const struct event_clock *clock, struct arena *arena)
{
    struct str key = key_of(&note->about, arena);
    uint64_t content = content_of(recorder, note, arena);
    struct told *told = map_get(&recorder->objects, key);
    if (told)
        refill(told, clock->now);
    if (told && !told->lost && told->content == content &&
        clock->now - told->told_at < EVENT_FOLD_MS)
        return repeat(recorder, told, clock, arena);
    if (told && told->tokens_ms < EVENT_REFILL_MS) {
        recorder->dropped++;
        told->lost = true; /* the series ends here: this was something else */
        return request_of(EVENT_LIMITED, told, arena);
    }
    if (!told)
        told = told_new(recorder, key, clock->now);
    renew(recorder, told, content, clock, arena);
    struct event_request request = request_of(EVENT_POST, told, arena);
    request.body = post_body(recorder, told, note, arena);
    return request;
}

/* Nothing more is to be sent or remembered about the object. */
static bool is_over(const struct told *told, uint64_t now)
{
    return told->due_at == UINT64_MAX && now - told->told_at >= EVENT_FOLD_MS &&
           now - told->refilled_at >= (uint64_t)TOKENS_FULL_MS - told->tokens_ms;
}

struct event_request *event_recorder_due(struct event_recorder *recorder,
                                         const struct event_clock *clock, struct arena *arena,
                                         size_t *ret_count)
{
    struct event_request *requests =
        arena_array(arena, recorder->pending, sizeof(struct event_request));
    *ret_count = 0;
    for (struct told *told = recorder->oldest, *newer; told; told = newer) {
        newer = told->newer;
        if (told->due_at <= clock->now)
            requests[(*ret_count)++] = send_series(recorder, told, arena);
        else if (is_over(told, clock->now))
            forget(recorder, told);
    }
    return requests;
}

bool event_recorder_is_empty(const struct event_recorder *recorder)
{
    return !recorder->oldest;
}

void event_recorder_lost(struct event_recorder *recorder, const struct event_about *about)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct told *told = map_get(&recorder->objects, key_of(about, arena));
    if (told) {
        told->lost = true;
        set_due(recorder, told, UINT64_MAX);
    }
}

uint64_t event_recorder_dropped(const struct event_recorder *recorder)
{
    return recorder->dropped;
}
