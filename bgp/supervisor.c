#include "bgp/supervisor.h"

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
    struct loop_timer *timer, *deferred;
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

static void connection_lost(void *ctx, int error)
{
    struct supervisor *s = ctx;
    if (s->ready)
        log_debug("connection to bird lost", kv_err(error));
    disconnect(s);
    step(s, LIFE_LOST);
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

static void launcher_broke(void *ctx)
{
    const struct supervisor *s = ctx;
    log_error("the launcher of bird has ended: bird cannot be started again",
              kv_int("pid", s->pid));
}

static void start_process(struct supervisor *s)
{
    s->greeted = false;
    launcher_start(s->options.launcher);
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
        launcher_terminate(s->options.launcher);
    if (actions->kill)
        launcher_kill(s->options.launcher);
    if (actions->start)
        start_process(s);
    if (actions->connect)
        (void)connect_to_bird(s); /* not there yet: the timer tries again */
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
