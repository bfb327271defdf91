/* Inside the directory source: what its three files share. */
#ifndef COMMON_SOURCE_SOURCE_DIR_INTERNAL_H
#define COMMON_SOURCE_SOURCE_DIR_INTERNAL_H

#include <sys/queue.h>

#include "common/base/map.h"
#include "common/source/dir_model.h"
#include "common/source/dir_watch.h"
#include "common/source/source_ops.h"

struct dir_request;
struct event_recorder;
TAILQ_HEAD(dir_requests, dir_request);

struct source_dir {
    struct source base;
    struct loop *loop;
    struct arena *arena; /* of this struct and of the texts below */
    struct str manifests, status;
    uint64_t gone_ms, orphan_ms;
    struct source_follow *follow;
    size_t follow_count;
    struct dir_model *model;
    uint64_t findings_version; /* of the findings told last */

    /* reading */
    struct dir_watch *manifest_watch, *status_watch;
    struct loop_timer *list; /* to list both directories */
    bool sync_wanted, manifests_read, status_read, status_failed;

    /* writing */
    struct dir_requests requests;
    struct loop_timer *work; /* to carry out requests */
    bool *freed;             /* not NULL while a request's `done` runs: set when we are freed */

    /* leading */
    struct source_election election; /* texts in the arena */
    struct loop_timer *lead_timer, *resign_timer, *orphan_timer;
    void (*resigned)(void *ctx);
    void *resigned_ctx;
    int leader_fd; /* holds the lock; -1 when not leading */
    bool leading;
    struct arena *orphan_arena; /* of the list of orphans seen when the timer was started */
    struct str *orphans;
    size_t orphan_count;
    struct event_recorder *recorder; /* folds and limits Events */
    bool events_failed;              /* that has been logged */
};

/* Tells the owner what changed in the model, objects and findings. */
void source_dir_tell(struct source_dir *dir);

/* Reads what is stored under a path into the model. */
void source_dir_read_stored(struct source_dir *dir, struct str path);

/* source_dir_write.c */
struct source_request *source_dir_write(struct source *source, const struct source_write *write);
struct source_request *source_dir_cancel(struct source_request *request);
void source_dir_writes_done(struct source_dir *dir);

/* source_dir_lead.c */
void source_dir_elect(struct source *source, const struct source_election *election);
void source_dir_resign(struct source *source, void (*done)(void *ctx), void *ctx);
void source_dir_event(struct source *source, const struct source_event *event);
/* Starts or stops waiting to remove what is stored over objects that are gone. */
void source_dir_watch_orphans(struct source_dir *dir);
void source_dir_lead_done(struct source_dir *dir);

#endif
