#include "bgp/engine_internal.h"

#include <errno.h>

#include "bgp/listen.h"
#include "bgp/safe.h"
#include "common/base/err.h"
#include "common/base/sbuf.h"

enum {
    PROGRESS_MS = 5, /* between questions whether a reconfiguration is done */
    RETRY_MS = 1000, /* until files are tried again */
};

#define LISTEN_FILE "listen"

/* --- files ----------------------------------------------------------------------------------- */

static void next(struct engine *e);
static void retry(void *ctx);

static void set_pending(struct engine *e)
{
    if (!e->pending)
        e->pending_ns = loop_clock_ns();
    e->pending = true;
    e->current = false;
}

/* What became of it: told when it is another thing than before, and tried again when it is bad. */
static int file_result(struct engine *e, const char *what, int result)
{
    if (result >= 0)
        return result;
    if (result != e->file_error)
        log_error("files of bird cannot be changed", kv_cstr("what", what), kv_err(result));
    e->file_error = result;
    if (!e->retry)
        e->retry = loop_timer_start(e->loop, RETRY_MS, 0, retry, e);
    return result;
}

static void files_are_well(struct engine *e)
{
    if (e->file_error)
        log_info("files of bird can be changed again", kv_err(e->file_error));
    e->file_error = 0;
    e->unrestored = false;
}

/* Only who takes this BIRD over needs it: it is tried once more with each change. */
static void save_port(struct engine *e)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str text = arena_printf(scratch, "%u", e->listen_port);
    int result = e->port_is_saved ? 0 : birdconf_save(e->conf, LISTEN_FILE, text);
    if (result < 0)
        log_error("port of bird cannot be saved", kv_err(result));
    e->port_is_saved = result == 0;
}

/* The main file with the user's part that is known to be good, or with another one. */
static struct str whole_main(struct engine *e, const char *extras, struct arena *arena)
{
    return arena_printf(arena, STR_FMT "%s%s%s", STR_ARG(sbuf_str(&e->main)),
                        extras ? "include \"" : "", extras ? extras : "", extras ? "\";\n" : "");
}

static int write_files(struct engine *e)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    bool extras = e->good_extras.len > 0;
    struct birdconf_texts texts = {
        .main = whole_main(e, extras ? BIRDCONF_EXTRAS : NULL, scratch),
        .routes = sbuf_str(&e->routes),
        .extras = sbuf_str(&e->good_extras),
    };
    int result = file_result(e, "configuration", birdconf_write(e->conf, &texts));
    arena_wipe(scratch);
    if (result >= 0)
        files_are_well(e);
    save_port(e);
    return result;
}

static void remove_files(struct engine *e)
{
    if (file_result(e, "removal", birdconf_remove(e->conf)) >= 0)
        files_are_well(e);
}

/* After a refusal. Without any that was good, what is there stays. */
static void restore_files(struct engine *e)
{
    int result = birdconf_restore(e->conf);
    e->unrestored = result < 0 && result != -ENOENT;
    if (e->unrestored)
        (void)file_result(e, "last good configuration", result);
}

static bool extras_are_new(const struct engine *e)
{
    struct str extras = sbuf_str(&e->extras);
    return extras.len && !str_eq(extras, sbuf_str(&e->good_extras)) &&
           !str_eq(extras, sbuf_str(&e->bad_extras));
}

static void retry(void *ctx)
{
    struct engine *e = ctx;
    e->retry = NULL;
    if (!e->wanted) {
        remove_files(e);
    } else if (!supervisor_ctl(e->supervisor)) {
        (void)write_files(e);
    } else if (e->unrestored && !e->pending && !e->busy) {
        restore_files(e);
    } else {
        if (extras_are_new(e))
            set_pending(e);
        next(e);
    }
}

/* --- configuring ----------------------------------------------------------------------------- */

/* An answer counts when BIRD has given it, and has not been asked to end since: then the files are
 * other ones by now. When it is back, all is done anew. */
static bool counts(const struct engine *e, const struct reply *reply)
{
    return reply && supervisor_ctl(e->supervisor);
}

/* BIRD's sentence: that of its last line, which names file, line and column. */
static void refuse(struct engine *e, bool extras, const struct reply *reply)
{
    struct str why = reply_last(reply)->text;
    e->figures.refused++;
    log_error(extras ? "bgpextras refused by bird" : "configuration refused by bird",
              kv_str("reason", why));
    e->calls.refused(e->calls.ctx, extras, why);
}

static void keep(struct sbuf *to, struct str text)
{
    sbuf_clear(to);
    sbuf_put(to, text);
}

static void configured(struct engine *e)
{
    e->busy = false;
    e->figures.applied++;
    birdconf_mark_good(e->conf);
    engine_watch_configured(e);
    e->current = !e->pending;
    e->calls.applied(e->calls.ctx, loop_clock_ns() - e->busy_ns);
    next(e);
}

static void not_configured(struct engine *e, const struct reply *reply)
{
    e->busy = false;
    if (e->with_extras) { /* they were good with another main file */
        refuse(e, true, reply);
        keep(&e->bad_extras, sbuf_str(&e->good_extras));
        sbuf_clear(&e->good_extras);
        set_pending(e);
    } else {
        refuse(e, false, reply);
        restore_files(e);
    }
    next(e);
}

static void progress_came(void *ctx, const struct reply *reply);

static void ask_progress(void *ctx)
{
    struct engine *e = ctx;
    struct birdctl *ctl = supervisor_ctl(e->supervisor);
    e->progress = NULL;
    if (ctl)
        birdctl_send(ctl, STR("configure status"), progress_came, e);
}

static void await_progress(struct engine *e)
{
    e->progress = loop_timer_start(e->loop, PROGRESS_MS, 0, ask_progress, e);
}

static void progress_came(void *ctx, const struct reply *reply)
{
    struct engine *e = ctx;
    if (!counts(e, reply))
        return;
    if (reply->lines[0].code == REPLY_RECONFIGURED)
        configured(e);
    else
        await_progress(e);
}

static void configure_came(void *ctx, const struct reply *reply)
{
    struct engine *e = ctx;
    if (!counts(e, reply))
        return;
    unsigned code = reply_last(reply)->code;
    if (reply_is_error(reply))
        not_configured(e, reply);
    else if (code == REPLY_IN_PROGRESS || code == REPLY_QUEUED)
        await_progress(e);
    else
        configured(e);
}

static void trial_came(void *ctx, const struct reply *reply)
{
    struct engine *e = ctx;
    if (!counts(e, reply))
        return;
    e->busy = false;
    if (reply_is_error(reply)) {
        refuse(e, true, reply);
        keep(&e->bad_extras, sbuf_str(&e->extras));
    } else {
        keep(&e->good_extras, sbuf_str(&e->extras));
    }
    next(e);
}

/* False when the files cannot be written, which is tried again; the rest does not wait for it. */
static bool try_extras(struct engine *e, struct birdctl *ctl)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    int result =
        birdconf_write_trial(e->conf, whole_main(e, BIRDCONF_TRIED, scratch), sbuf_str(&e->extras));
    arena_wipe(scratch);
    if (file_result(e, "bgpextras", result) < 0)
        return false;
    struct str command =
        arena_printf(scratch, "configure check \"" STR_FMT "\"", STR_ARG(e->trial_path));
    e->busy = true;
    birdctl_send(ctl, command, trial_came, e);
    return true;
}

/* Does what is due, if nothing is under way. */
static void next(struct engine *e)
{
    struct birdctl *ctl = supervisor_ctl(e->supervisor);
    if (!ctl || e->busy || !e->wanted || !e->pending)
        return;
    if (extras_are_new(e) && try_extras(e, ctl))
        return;
    if (e->extras.len == 0)
        sbuf_clear(&e->good_extras);
    if (write_files(e) < 0)
        return; /* it stays pending */
    e->pending = false;
    e->busy = true;
    e->busy_ns = e->pending_ns;
    e->with_extras = e->good_extras.len > 0;
    birdctl_send(ctl, STR("configure"), configure_came, e);
}

/* --- what the supervisor tells --------------------------------------------------------------- */

/* Whatever BIRD has read when it started, the newest is what it shall have. */
static void ready(void *ctx, const unsigned version[3])
{
    struct engine *e = ctx;
    for (size_t i = 0; i < 3; i++)
        e->figures.version[i] = version[i];
    e->busy = false;
    set_pending(e);
    engine_watch_changed(e);
    next(e);
}

static void away(void *ctx)
{
    struct engine *e = ctx;
    e->busy = e->polling = e->poll_again = false;
    e->progress = loop_timer_cancel(e->progress);
    e->poll = loop_timer_cancel(e->poll);
    e->wake = loop_timer_cancel(e->wake);
    arena_reset(e->state);
    e->status = (struct status){0};
    e->bfd = (struct status_bfd_list){0};
    e->calls.changed(e->calls.ctx);
}

static void state_changed(void *ctx)
{
    struct engine *e = ctx;
    engine_watch_changed(e);
}

/* One that could not even start has read files that are no good: the last good ones are tried. */
static void crashed(void *ctx, int status, bool before)
{
    struct engine *e = ctx;
    (void)status;
    if (before && birdconf_restore(e->conf) == 0)
        log_warn("bird is started with its last good configuration", kv_int("status", status));
}

static void ended(void *ctx)
{
    struct engine *e = ctx;
    e->calls.ended(e->calls.ctx);
}

static void failed(void *ctx)
{
    struct engine *e = ctx;
    e->calls.failed(e->calls.ctx);
}

/* --- life ------------------------------------------------------------------------------------ */

static void choose_port(struct engine *e, bool found)
{
    struct str text;
    uint64_t port = 0;
    bool known = found && birdconf_load(e->conf, LISTEN_FILE, e->arena, &text) == 0 &&
                 str_to_u64(text, UINT16_MAX, &port) == 0;
    e->listen_port = known ? (uint16_t)port : listen_choose();
    if (e->listen_port != LISTEN_BGP)
        log_warn("bird does not listen on port 179, which is taken or not allowed: peers cannot "
                 "open sessions by themselves",
                 kv_uint("port", e->listen_port));
    save_port(e);
}

static void open_supervisor(struct engine *e, struct str socket, pid_t found)
{
    struct supervisor_options options = {.launcher = e->launcher, .found = found, .socket = socket};
    struct supervisor_calls calls = {.ready = ready,
                                     .away = away,
                                     .state_changed = state_changed,
                                     .crashed = crashed,
                                     .ended = ended,
                                     .failed = failed,
                                     .ctx = e};
    e->supervisor = supervisor_new(e->loop, &options, &calls);
}

static int open_parts(struct engine *e, const struct engine_options *options)
{
    int result = birdconf_open(options->directory, &e->conf);
    if (result < 0)
        return result;
    struct str socket = birdconf_path(e->conf, "bird.ctl");
    struct launcher_command command = {
        .program = arena_cstr(e->arena, options->program),
        .config = birdconf_path(e->conf, BIRDCONF_MAIN).ptr,
        .socket = socket.ptr,
    };
    pid_t found;
    result = launcher_open(&command, &e->launcher, &found);
    if (result < 0)
        return result;
    e->trial_path = birdconf_path(e->conf, BIRDCONF_TRIAL);
    choose_port(e, found);
    e->figures.bfd_is_taken = !found && listen_bfd_is_taken();
    open_supervisor(e, socket, found);
    return 0;
}

int engine_open(struct loop *loop, const struct engine_options *options,
                const struct engine_calls *calls, struct engine **ret)
{
    if (!safe_is_text(options->directory))
        return -EINVAL;
    struct engine *e = heap_alloc(sizeof(*e));
    *e = (struct engine){
        .loop = loop, .calls = *calls, .arena = arena_new(0), .state = arena_new(0)};
    int result = open_parts(e, options);
    if (result < 0) {
        (void)engine_close(e);
        return result;
    }
    if (birdconf_is_saved(e->conf))
        supervisor_start(e->supervisor);
    *ret = e;
    return 0;
}

struct engine *engine_close(struct engine *e)
{
    if (!e)
        return NULL;
    (void)loop_timer_cancel(e->progress);
    (void)loop_timer_cancel(e->retry);
    (void)loop_timer_cancel(e->wake);
    (void)loop_timer_cancel(e->poll);
    (void)supervisor_free(e->supervisor);
    (void)launcher_close(e->launcher);
    (void)birdconf_close(e->conf);
    sbuf_wipe(&e->main);
    sbuf_done(&e->routes);
    sbuf_wipe(&e->extras);
    sbuf_wipe(&e->good_extras);
    sbuf_wipe(&e->bad_extras);
    (void)arena_free(e->state);
    (void)arena_free(e->arena);
    free(e);
    return NULL;
}

uint16_t engine_listen_port(const struct engine *e)
{
    return e->listen_port == LISTEN_BGP ? 0 : e->listen_port;
}

/* What was removed is not to come back with the next start, and its passwords are not to stay. */
static void apply_nothing(struct engine *e)
{
    e->current = e->pending = false;
    sbuf_wipe(&e->main);
    sbuf_clear(&e->routes);
    sbuf_wipe(&e->extras);
    remove_files(e);
    if (supervisor_figures(e->supervisor).state != LIFE_OFF)
        supervisor_end(e->supervisor, STR("down"));
}

void engine_apply(struct engine *e, const struct engine_texts *texts)
{
    e->wanted = texts != NULL;
    if (!texts) {
        apply_nothing(e);
        return;
    }
    if (e->current && str_eq(sbuf_str(&e->main), texts->main) &&
        str_eq(sbuf_str(&e->routes), texts->routes) && str_eq(sbuf_str(&e->extras), texts->extras))
        return;
    set_pending(e);
    keep(&e->main, texts->main);
    keep(&e->routes, texts->routes);
    keep(&e->extras, texts->extras);
    if (!supervisor_ctl(e->supervisor))
        (void)write_files(e); /* what BIRD reads when it starts */
    supervisor_start(e->supervisor);
    next(e);
}

void engine_end(struct engine *e, bool restarting)
{
    e->wanted = false;
    e->retry = loop_timer_cancel(e->retry); /* what is there is what the next one starts with */
    supervisor_end(e->supervisor, restarting ? STR("graceful restart") : STR("down"));
}

const struct status *engine_status(const struct engine *e)
{
    return &e->status;
}

const struct status_bfd_list *engine_bfd(const struct engine *e)
{
    return &e->bfd;
}

struct engine_figures engine_figures(const struct engine *e)
{
    struct engine_figures figures = e->figures;
    figures.bird = supervisor_figures(e->supervisor);
    figures.extras_are_refused = e->extras.len &&
                                 str_eq(sbuf_str(&e->extras), sbuf_str(&e->bad_extras)) &&
                                 !str_eq(sbuf_str(&e->extras), sbuf_str(&e->good_extras));
    figures.is_current = e->wanted && e->current && supervisor_ctl(e->supervisor);
    return figures;
}
