/* Who may write, what the leader cleans up, and the Events. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/json/patch.h"
#include "common/json/rfc3339.h"
#include "common/kube/event_recorder.h"
#include "common/source/dir_file.h"
#include "common/source/source_dir_internal.h"

#define LEADER_LOCK STR("leader.lock")

enum { RETRY_MS = 1000, EVENTS_SIZE_MAX = 1 << 20 };

static void set_leading(struct source_dir *dir, bool leading)
{
    if (dir->leading == leading)
        return;
    dir->leading = leading;
    source_dir_watch_orphans(dir);
    dir->election.changed(dir->election.ctx, leading ? SOURCE_LEADS : SOURCE_STANDS_BY);
}

/* Writes who leads into the lock file, for people to read. */
static void sign_lock(struct source_dir *dir)
{
    struct str identity = dir->election.identity;
    if (ftruncate(dir->leader_fd, 0) < 0 ||
        pwrite(dir->leader_fd, identity.ptr, identity.len, 0) < 0)
        log_warn("leader's name cannot be written", kv_str("directory", dir->status),
                 kv_err(-errno));
}

/* Tries to get the lead, or sees whether it is still ours. */
static void lead(void *ctx)
{
    struct source_dir *dir = ctx;
    uint64_t retry_ms = dir->election.retry_ms ? dir->election.retry_ms : RETRY_MS;
    dir->lead_timer = loop_timer_start(dir->loop, retry_ms, 0, lead, dir);
    if (!dir->status.len) {
        dir->lead_timer = loop_timer_cancel(dir->lead_timer);
        set_leading(dir, true);
    } else if (dir->leader_fd >= 0) {
        if (dir_file_is_current(dir->status, LEADER_LOCK, dir->leader_fd))
            return;
        log_error("lock file was taken away", kv_str("directory", dir->status));
        (void)close(take_fd(&dir->leader_fd));
        set_leading(dir, false);
    } else if (dir_file_lock(dir->status, LEADER_LOCK, &dir->leader_fd) == 0) {
        sign_lock(dir);
        set_leading(dir, true);
    }
}

void source_dir_elect(struct source *source, const struct source_election *election)
{
    struct source_dir *dir = (struct source_dir *)source;
    dir->election = *election;
    dir->election.namespace = arena_str(dir->arena, election->namespace);
    dir->election.name = arena_str(dir->arena, election->name);
    dir->election.identity = arena_str(dir->arena, election->identity);
    if (!dir->lead_timer)
        dir->lead_timer = loop_defer(dir->loop, lead, dir);
}

static void resigned(void *ctx)
{
    struct source_dir *dir = ctx;
    dir->resign_timer = NULL;
    dir->resigned(dir->resigned_ctx);
}

void source_dir_resign(struct source *source, void (*done)(void *ctx), void *ctx)
{
    struct source_dir *dir = (struct source_dir *)source;
    dir->lead_timer = loop_timer_cancel(dir->lead_timer);
    if (dir->leader_fd >= 0)
        (void)close(take_fd(&dir->leader_fd));
    dir->leading = false;
    source_dir_watch_orphans(dir);
    dir->resigned = done;
    dir->resigned_ctx = ctx;
    if (!dir->resign_timer)
        dir->resign_timer = loop_defer(dir->loop, resigned, dir);
}

static void forget_orphans(struct source_dir *dir)
{
    dir->orphan_arena = arena_free(dir->orphan_arena);
    dir->orphans = NULL;
    dir->orphan_count = 0;
}

static bool was_orphan(const struct source_dir *dir, struct str path)
{
    const struct str_list list = {.items = dir->orphans, .count = dir->orphan_count};
    return str_list_has(&list, path);
}

/* Removes what has been an orphan since the timer was started; while some file cannot be read, its
 * objects only seem to be gone. */
static void remove_orphans(void *ctx)
{
    struct source_dir *dir = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    struct str *orphans = dir_model_orphans(dir->model, scratch, &count);
    dir->orphan_timer = NULL;
    scoped_fd int lock = -1;
    if (dir_model_is_whole(dir->model) && dir->manifests_read &&
        (!dir->status.len || dir_file_lock(dir->status, STR("write.lock"), &lock) == 0)) {
        for (size_t i = 0; i < count; i++) {
            struct str path = arena_str(scratch, orphans[i]);
            if (!was_orphan(dir, path))
                continue;
            if (dir->status.len && dir_file_remove(dir->status, path) < 0)
                continue; /* tried again next time */
            log_info("status of a removed object dropped", kv_str("file", path));
            (void)dir_model_stored(dir->model, path, NULL);
        }
    }
    forget_orphans(dir);
    source_dir_tell(dir);
    source_dir_watch_orphans(dir);
}

void source_dir_watch_orphans(struct source_dir *dir)
{
    if (!dir->leading) {
        dir->orphan_timer = loop_timer_cancel(dir->orphan_timer);
        forget_orphans(dir);
        return;
    }
    if (dir->orphan_timer)
        return;
    struct arena *arena = arena_new(0);
    size_t count;
    struct str *orphans = dir_model_orphans(dir->model, arena, &count);
    if (!count) {
        (void)arena_free(arena);
        return;
    }
    for (size_t i = 0; i < count; i++)
        orphans[i] = arena_str(arena, orphans[i]);
    dir->orphan_arena = arena;
    dir->orphans = orphans;
    dir->orphan_count = count;
    dir->orphan_timer = loop_timer_start(dir->loop, dir->orphan_ms, 0, remove_orphans, dir);
}

static struct str event_line(const struct source_event *event, struct arena *arena)
{
    int64_t now = loop_wall_ns();
    scoped_sbuf struct sbuf time = {0};
    struct patch line = {0};
    rfc3339_format(&time, now / 1000000000, (int32_t)(now % 1000000000), 6);
    patch_open(&line, NULL);
    patch_str(&line, "time", sbuf_str(&time));
    patch_str(&line, "type", event->warning ? STR("Warning") : STR("Normal"));
    patch_str(&line, "object", object_id(event->about));
    patch_str(&line, "reason", event->reason);
    patch_str(&line, "action", event->action);
    patch_str(&line, "message", event->message);
    patch_close(&line);
    return patch_move(&line, arena);
}

/* Is this worth a line? Repetitions and floods are not, by the rules of Events in a cluster. */
static bool is_news(struct source_dir *dir, const struct source_event *event, struct arena *arena)
{
    const struct object *about = event->about;
    const struct event_note note = {
        .about = {.api_version = kinds_api_version(about->kind, arena),
                  .kind = str_from(about->kind->name),
                  .namespace = object_namespace(about),
                  .name = object_name(about),
                  .uid = about->uid,
                  .resource_version = about->resource_version},
        .warning = event->warning,
        .reason = event->reason,
        .action = event->action,
        .message = event->message,
    };
    const struct event_clock clock = {.now = loop_now(dir->loop), .wall_ns = loop_wall_ns()};
    return event_recorder_tell(dir->recorder, &note, &clock, arena).verdict == EVENT_POST;
}

void source_dir_event(struct source *source, const struct source_event *event)
{
    struct source_dir *dir = (struct source_dir *)source;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    if (!dir->status.len || !is_news(dir, event, scratch))
        return;
    int result = dir_file_append(dir->status, STR("events.jsonl"), event_line(event, scratch),
                                 EVENTS_SIZE_MAX);
    if (result < 0 && !dir->events_failed)
        log_error("event cannot be written", kv_str("directory", dir->status), kv_err(result));
    dir->events_failed = result < 0;
}

void source_dir_lead_done(struct source_dir *dir)
{
    (void)loop_timer_cancel(dir->lead_timer);
    (void)loop_timer_cancel(dir->resign_timer);
    (void)loop_timer_cancel(dir->orphan_timer);
    (void)arena_free(dir->orphan_arena);
    (void)event_recorder_free(dir->recorder);
    if (dir->leader_fd >= 0)
        (void)close(take_fd(&dir->leader_fd));
}
