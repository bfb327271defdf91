/* One event of a watch: {"type": …, "object": …}. */
#ifndef COMMON_KUBE_WATCH_EVENT_H
#define COMMON_KUBE_WATCH_EVENT_H

#include <jansson.h>

#include "common/base/str.h"

enum watch_type { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

struct watch_event {
    enum watch_type type;
    json_t *tree;                /* owned */
    const json_t *object;        /* part of tree; a Status for WATCH_ERROR */
    struct str resource_version; /* part of tree; empty for WATCH_ERROR */
};

/* The type of that name: 0, or -ENOENT. */
int watch_type_find(struct str name, enum watch_type *ret) __attribute__((warn_unused_result));

/* Reads one line. 0; ERR_SYNTAX when it is not JSON that we can hold; ERR_PROTOCOL when it is no
 * event, or one of an object without a resourceVersion. */
int watch_event_parse(struct str line, struct watch_event *ret) __attribute__((warn_unused_result));
void watch_event_done(struct watch_event *event);

#endif
