/* Events (events.k8s.io/v1) sent to the API server: event_recorder.h on a client. A few are in
 * flight at once, the rest wait in a bounded queue: what a person may read never holds up what
 * the cluster needs. While there are many writes Events only trickle; each costs the server as much
 * as a write does. */
#ifndef COMMON_KUBE_EVENTS_H
#define COMMON_KUBE_EVENTS_H

#include "common/kube/event_recorder.h"
#include "common/kube/writer.h"

struct events;

/* writer: whose writes go first. controller: "stentor.io/controller"; instance tells replicas apart
 * (the pod's name). The client and the writer outlive it. */
struct events *events_new(struct client *client, const struct writer *writer, struct str controller,
                          struct str instance);
/* What has not been sent is lost. NULL is fine; returns NULL. */
struct events *events_free(struct events *events);
SCOPE_DEFINE(events, struct events, events_free)

void events_tell(struct events *events, const struct event_note *note);

struct events_counts {
    uint64_t sent, folded, limited, overflowed, failed;
};
struct events_counts events_counts(const struct events *events);

#endif
