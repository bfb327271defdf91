#include "bgp/supervisor.h"

#include <errno.h>

#include "common/base/err.h"
#include "common/base/sbuf.h"

struct supervisor {
    struct loop *loop;
    struct supervisor_options options; /* texts in the arena */
    struct supervisor_calls calls;
    struct arena *arena;
    struct life life;
    pid_t pid; /* of BIRD; 0: none that is known */
    struct birdctl *ctl;
    bool ready, adopted, ending;
    bool greeted; /* the process has, once */
    bool broken;  /* there is no launcher any more */
    bool failed;
    struct loop_timer *timer, *deferred, *gone, *failing;
    struct str command;    /* how it is asked to end */
    struct sbuf last_line; /* of its log */
    uint64_t repeated;     /* how often that came again */
    uint64_t starts, crashes;
    int last_status;
};

static void step(struct supervisor *s, enum life_event event);

/* --- its log --------------------------------------------------------------------------------- */

static void log_line(const struct logline *line)
{
    log_at(logline_level(line), "bird says", kv_str("protocol", line->protocol),
           kv_str("text", line->text));
}

/* The same trouble comes again with each attempt to connect: it is told once. */
static bool is_repeated(struct supervisor *s, struct str text)
{
    if (text.len && str_eq(sbuf_str(&s->last_line), text)) {
        s->repeated++;
        return true;
    }
    if (s->repeated)
        log_info("bird says the same again", kv_uint("times", s->repeated));
    s->repeated = 0;
    sbuf_clear(&s->last_line);
    sbuf_put(&s->last_line, text);
    return false;
}

static void take_line(struct supervisor *s, const struct logline *line)
{
    scoped_sbuf struct sbuf text = {0};
    sbuf_put(&text, line->protocol);
    sbuf_putc(&text, ' ');
    sbuf_put(&text, line->text);
    if (!is_repeated(s, sbuf_str(&text)))
        log_line(line);
    if (line->state_changed)
        s->calls.state_changed(s->calls.ctx);
}

static void line_came(void *ctx, struct str text)
{
    struct logline line = logline_parse(text);
    take_line(ctx, &line);
}

static void echo_came(void *ctx, struct str text)
{
    struct logline line = logline_parse_echo(text);
    take_line(ctx, &line);
}

/* --- the connection -------------------------------------------------------------------------- */

static void ignore_reply(void *ctx, const struct reply *reply)
{
    (void)ctx;
    (void)reply;
}

static void greeted(void *ctx, const unsigned version[3])
{
    struct supervisor *s = ctx;
    s->ready = s->greeted = true;
    /* The log of a process that we have not started comes this way. */
    if (s->adopted)
        birdctl_send(s->ctl, STR("echo all"), ignore_reply, NULL);
    log_info("bird is ready", kv_int("pid", s->pid), kv_uint("major", version[0]),
             kv_uint("minor", version[1]), kv_uint("patch", version[2]),
             kv_bool("adopted", s->adopted));
    step(s, LIFE_GREETED);
    s->calls.ready(s->calls.ctx, version);
}

static void disconnect(struct supervisor *s)
{
    bool was_ready = s->ready;
    s->ready = false;
    s->ctl = birdctl_close(s->ctl);
    if (was_ready)
        s->calls.away(s->calls.ctx);
}

static void take_as_gone(struct supervisor *s);

static void connection_lost(void *ctx, int error)
{
    struct supervisor *s = ctx;
    if (s->ready)
        log_debug("connection to bird lost", kv_err(error));
    disconnect(s);
    step(s, LIFE_LOST);
    if (s->broken && s->life.state == LIFE_ENDING)
        take_as_gone(s);
}

static int connect_to_bird(struct supervisor *s)
{
    struct birdctl_calls calls = {
        .ready = greeted, .echo = echo_came, .lost = connection_lost, .ctx = s};
    return s->ctl ? 0 : birdctl_open(s->loop, s->options.socket, &calls, &s->ctl);
}

/* --- the process ----------------------------------------------------------------------------- */

static void process_started(void *ctx, pid_t pid)
{
    struct supervisor *s = ctx;
    s->pid = pid;
    s->starts++;
    log_info("bird started", kv_int("pid", pid));
}

static void tell_end(struct supervisor *s, int status)
{
    if (s->life.state == LIFE_ENDING) {
        log_info("bird has ended", kv_int("pid", s->pid), kv_int("status", status));
        return;
    }
    if (s->pid)
        log_error("bird has crashed", kv_int("pid", s->pid), kv_int("status", status));
    else
        log_error("bird cannot be started", kv_err(status));
    s->crashes++;
    s->last_status = status;
    s->calls.crashed(s->calls.ctx, status, !s->greeted);
}

static void process_exited(void *ctx, int status)
{
    struct supervisor *s = ctx;
    disconnect(s);
    tell_end(s, status);
    s->adopted = false;
    s->pid = 0;
    step(s, LIFE_EXITED);
}

/* --- without a launcher ---------------------------------------------------------------------- */

static void gone(void *ctx)
{
    struct supervisor *s = ctx;
    s->gone = NULL;
    process_exited(s, -1);
}

/* Nobody tells that BIRD has ended: this is when we say so. */
static void take_as_gone(struct supervisor *s)
{
    if (!s->gone)
        s->gone = loop_defer(s->loop, gone, s);
}

static void tell_failed(void *ctx)
{
    struct supervisor *s = ctx;
    s->failing = NULL;
    s->calls.failed(s->calls.ctx);
}

static void fail(struct supervisor *s, const char *what)
{
    if (s->failed)
        return;
    s->failed = true;
    log_error("bird is out of reach without its launcher", kv_int("pid", s->pid),
              kv_cstr("needed", what));
    s->failing = loop_defer(s->loop, tell_failed, s);
}

/* What it wrote to the launcher comes over the control socket from now on. */
static void launcher_broke(void *ctx)
{
    struct supervisor *s = ctx;
    s->broken = true;
    log_error("the launcher of bird has ended: bird cannot be started again",
              kv_int("pid", s->pid));
    if (s->ready && !s->adopted)
        birdctl_send(s->ctl, STR("echo all"), ignore_reply, NULL);
    s->adopted = s->pid != 0;
    if (s->life.state == LIFE_ENDING && !s->ctl)
        take_as_gone(s); /* its end has begun, and what would tell of it is lost */
}

/* Does nobody listen any more? One that has just been started does not either. */
static bool is_absent(int result)
{
    return result == -ECONNREFUSED || result == -ENOENT;
}

/* --- what is done to it ---------------------------------------------------------------------- */

static void try_to_connect(struct supervisor *s)
{
    int result = connect_to_bird(s); /* not there yet: the timer tries again */
    if (s->broken && s->greeted && is_absent(result))
        take_as_gone(s);
}

static void start_process(struct supervisor *s)
{
    s->greeted = false;
    if (s->broken)
        fail(s, "start");
    else
        launcher_start(s->options.launcher);
}

static void terminate_process(struct supervisor *s)
{
    if (!s->broken)
        launcher_terminate(s->options.launcher);
    else if (is_absent(connect_to_bird(s)) && (s->greeted || !s->pid))
        take_as_gone(s); /* else it is asked to end when it greets */
}

static void kill_process(struct supervisor *s)
{
    if (!s->broken) {
        launcher_kill(s->options.launcher);
        return;
    }
    if (!is_absent(connect_to_bird(s)))
        fail(s, "kill");
    take_as_gone(s);
}

static void adopt(struct supervisor *s)
{
    log_info("bird is running already", kv_int("pid", s->options.found));
    s->pid = s->options.found;
    s->adopted = true;
    step(s, LIFE_ADOPT);
}

/* --- steps ----------------------------------------------------------------------------------- */

static void timer_ran_out(void *ctx)
{
    struct supervisor *s = ctx;
    s->timer = NULL;
    step(s, LIFE_TIME);
}

static void tell_ended(void *ctx)
{
    struct supervisor *s = ctx;
    s->deferred = NULL;
    s->calls.ended(s->calls.ctx);
}

static void act(struct supervisor *s, const struct life_actions *actions)
{
    if (actions->disconnect)
        disconnect(s);
    if (actions->ask && s->ctl)
        birdctl_send(s->ctl, s->command, ignore_reply, NULL);
    if (actions->terminate)
        terminate_process(s);
    if (actions->kill)
        kill_process(s);
    if (actions->start)
        start_process(s);
    if (actions->connect)
        try_to_connect(s);
    if (actions->set_timer) {
        (void)loop_timer_cancel(s->timer);
        s->timer = loop_timer_start(s->loop, actions->timer_ms, 0, timer_ran_out, s);
    }
}

static void step(struct supervisor *s, enum life_event event)
{
    struct life_actions actions = life_step(&s->life, event, loop_now(s->loop));
    act(s, &actions);
    if (s->ending && s->life.state == LIFE_OFF && !s->deferred) {
        s->ending = false;
        s->deferred = loop_defer(s->loop, tell_ended, s);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

struct supervisor *supervisor_new(struct loop *loop, const struct supervisor_options *options,
                                  const struct supervisor_calls *calls)
{
    struct supervisor *s = heap_alloc(sizeof(*s));
    struct arena *arena = arena_new(0);
    *s = (struct supervisor){
        .loop = loop,
        .calls = *calls,
        .arena = arena,
        .options = {.launcher = options->launcher,
                    .found = options->found,
                    .socket = arena_str(arena, options->socket)},
        .command = STR("down"),
    };
    struct launcher_calls launcher = {.started = process_started,
                                      .line = line_came,
                                      .exited = process_exited,
                                      .broken = launcher_broke,
                                      .ctx = s};
    launcher_watch(s->options.launcher, loop, &launcher);
    if (options->found)
        adopt(s);
    return s;
}

struct supervisor *supervisor_free(struct supervisor *s)
{
    if (!s)
        return NULL;
    (void)loop_timer_cancel(s->timer);
    (void)loop_timer_cancel(s->deferred);
    (void)loop_timer_cancel(s->gone);
    (void)loop_timer_cancel(s->failing);
    (void)birdctl_close(s->ctl);
    sbuf_done(&s->last_line);
    (void)arena_free(s->arena);
    free(s);
    return NULL;
}

void supervisor_start(struct supervisor *s)
{
    s->ending = false;
    if (!s->life.wanted)
        step(s, LIFE_WANT);
}

void supervisor_end(struct supervisor *s, struct str command)
{
    s->command = command;
    s->ending = true;
    step(s, LIFE_UNWANT);
}

struct birdctl *supervisor_ctl(const struct supervisor *s)
{
    return s->ready && s->life.state != LIFE_ENDING ? s->ctl : NULL;
}

struct supervisor_figures supervisor_figures(const struct supervisor *s)
{
    return (struct supervisor_figures){
        .state = s->life.state,
        .pid = s->pid,
        .starts = s->starts,
        .crashes = s->crashes,
        .last_status = s->last_status,
    };
}
