/* Events (events.k8s.io/v1): what to send, when something is told about an object. Pure.
 *
 * The same thing told again right away is folded into the event's series (a PATCH of its count);
 * something else about the object, also the return of an earlier thing, is a new event, so that a
 * switch and a switch back both show. Each object has a token bucket; what is over it is counted,
 * not sent. Memory is bounded: the objects told about longest ago are forgotten first. */
#ifndef COMMON_KUBE_EVENT_RECORDER_H
#define COMMON_KUBE_EVENT_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/str.h"

enum {
    EVENT_BURST = 25,              /* events of one object at once */
    EVENT_REFILL_MS = 10 * 1000,   /* then one more each */
    EVENT_FOLD_MS = 6 * 60 * 1000, /* a repetition after this long is a new event */
    EVENT_SERIES_MS = 60 * 1000,   /* a series' count is sent at most so often, after its second */
    EVENT_OBJECTS_MAX = 1024,
};

struct event_recorder;

/* controller is a qualified name ("stentor.io/controller"), instance tells replicas apart, both
 * at most 128 bytes; seed makes names of events unique. */
struct event_recorder *event_recorder_new(struct str controller, struct str instance,
                                          uint64_t seed);
struct event_recorder *event_recorder_free(struct event_recorder *recorder);

SCOPE_DEFINE(event_recorder, struct event_recorder, event_recorder_free)

struct event_about {
    struct str api_version, kind, namespace, name, uid, resource_version;
};

struct event_note {
    struct event_about about;
    bool warning;
    struct str reason, action; /* UpperCamelCase, cut to 128 bytes; an empty action is the reason */
    struct str message;        /* cut to 1024 bytes */
};

struct event_clock {
    uint64_t now;    /* monotonic ms */
    int64_t wall_ns; /* since 1970 */
};

enum event_verdict {
    EVENT_POST,    /* create: body */
    EVENT_PATCH,   /* merge patch on the event `name`: body */
    EVENT_FOLDED,  /* counted in its series, sent later by event_recorder_due */
    EVENT_LIMITED, /* over the object's rate: dropped and counted */
};

struct event_request {
    enum event_verdict verdict;
    struct str namespace, name; /* of the event */
    struct str body;            /* JSON; all texts are in the caller's arena */
    struct event_about about;   /* kind, namespace, name and uid; only of event_recorder_due */
};

/* Something is told about an object. */
struct event_request event_recorder_tell(struct event_recorder *recorder,
                                         const struct event_note *note,
                                         const struct event_clock *clock, struct arena *arena);

/* The series whose count is due to be sent (EVENT_PATCH), the one told about longest ago first; the
 * array is in the arena. Objects about which nothing was told for long are forgotten. */
struct event_request *event_recorder_due(struct event_recorder *recorder,
                                         const struct event_clock *clock, struct arena *arena,
                                         size_t *ret_count);

/* Is no object remembered? Else something will be due, or to be forgotten. */
bool event_recorder_is_empty(const struct event_recorder *recorder);

/* The event could not be created, or is no longer there: the next repetition is a new event. */
void event_recorder_lost(struct event_recorder *recorder, const struct event_about *about);

/* Number of events dropped by the rate limit since the start. */
uint64_t event_recorder_dropped(const struct event_recorder *recorder);

#endif
