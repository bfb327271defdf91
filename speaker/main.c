/* stentor-speaker: announces the addresses of Services from this node. See speaker.h for how it
 * works. */
#include <sodium.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/program/program_main.h"
#include "common/program/program_source.h"
#include "speaker/check.h"
#include "speaker/rest.h"
#include "speaker/sandbox.h"
#include "speaker/settings.h"
#include "speaker/speaker.h"

struct state {
    struct program *program;
    const struct settings *settings;
    struct speaker_metrics *metrics;
    struct bgp *bgp;
    struct speaker *speaker;
    struct rest *rest;
    bool leaves, failed;
};

static bool start_speaker(struct state *state, struct source *source, struct str *ret_error)
{
    const struct settings *s = state->settings;
    struct program *program = state->program;
    struct speaker_options options = {
        .node = s->node,
        .namespace = s->common.namespace,
        .lb_class = s->lb_class,
        .pod = s->pod,
        .excludes_path = s->excludes_path,
        .ignore_excluded = s->ignore_excluded,
        .bgp = state->bgp,
        .peers = {.node = s->node,
                  .bind = program_members_bind(&s->members),
                  .port = (uint16_t)s->members.port,
                  .key_dir = s->members.key_dir,
                  .hold_down_ms = s->hold_down_ms},
        .apply = {.probes = s->probe != SETTINGS_PROBE_OFF,
                  .probe_mode = s->probe == SETTINGS_PROBE_FULL ? PROBE_FULL : PROBE_FAST,
                  .refresh_ms = s->refresh_ms},
    };
    struct ip *peers = NULL;
    /* They were checked. */
    (void)program_members_peers(&s->members, program->arena, &peers, &options.peers.fixed_count);
    options.peers.fixed = peers;
    randombytes_buf(&options.seed, sizeof(options.seed));
    randombytes_buf(&options.apply.seed, sizeof(options.apply.seed));
    int result = speaker_new(program->loop, source, state->metrics, &options, &state->speaker);
    if (result < 0)
        *ret_error = arena_printf(program->arena, "cannot follow interfaces or members: %s",
                                  err_text(result));
    return result >= 0;
}

/* Everything that needs more than the list is open by now. */
static bool enter_sandbox(const struct state *state, const struct source *source,
                          struct str *ret_error)
{
    const struct settings *s = state->settings;
    struct str directories[] = {s->common.state_dir, s->common.status, s->bird_dir};
    struct str_list writable = {.items = directories, .count = 3};
    struct sandbox_config config = {
        .mode = (enum sandbox_mode)s->sandbox,
        .runs_programs = !s->common.manifests.len && source_kube_runs_programs(source),
        .writable = &writable,
    };
    struct sandbox_figures figures;
    int result = sandbox_enter(&config, &figures);
    if (result < 0) {
        *ret_error =
            arena_printf(state->program->arena, "cannot confine itself: %s", err_text(result));
        return false;
    }
    log_info("confined", kv_uint("calls", figures.calls), kv_int("landlock", figures.files),
             kv_bool("netAdmin", figures.net_admin), kv_bool("programs", config.runs_programs));
    return true;
}

static void left_bgp(void *ctx)
{
    const struct state *state = ctx;
    loop_stop(state->program->loop);
}

static void left(void *ctx)
{
    const struct state *state = ctx;
    bgp_leave(state->bgp, left_bgp, ctx);
}

static void stop(void *ctx)
{
    struct state *state = ctx;
    if (state->leaves)
        return;
    state->leaves = true;
    speaker_leave(state->speaker, left, ctx);
}

static void bgp_failed(void *ctx)
{
    struct state *state = ctx;
    state->failed = true;
    stop(state);
}

static void start_bgp(struct state *state)
{
    const struct settings *s = state->settings;
    struct bgp_options options = {
        .node = s->node,
        .namespace = s->common.namespace,
        .lb_class = s->lb_class,
        .ignore_excluded = s->ignore_excluded,
        .program = s->bird,
        .directory = s->bird_dir,
        .drain_ms = s->drain_ms,
        .failed = bgp_failed,
        .ctx = state,
    };
    randombytes_buf(&options.seed, sizeof(options.seed));
    state->bgp = bgp_open(state->program->loop, &options);
}

static bool start(struct state *state, struct str *ret_error)
{
    struct source_kube_config config = {
        .reporter = STR("metallb-speaker"),
        .instance = state->settings->node,
        .observe = speaker_metrics_request,
        .ctx = state->metrics,
    };
    start_bgp(state); /* first: it forks */
    struct source *source = program_source_open(state->program, &config, ret_error);
    if (!source || !start_speaker(state, source, ret_error))
        return false;
    state->rest = rest_start(state->program, state->speaker, state->metrics, ret_error);
    return state->rest != NULL && enter_sandbox(state, source, ret_error);
}

static int serve(struct program *program)
{
    struct state state = {
        .program = program,
        .settings = (const struct settings *)program->settings,
        .metrics = speaker_metrics_new(),
    };
    struct str error = {0};
    int status = EXIT_FAILURE;
    if (start(&state, &error)) {
        program_run(program, kv_str("node", state.settings->node), stop, &state);
        status = state.failed ? EXIT_FAILURE : EXIT_SUCCESS;
    } else {
        log_error("cannot start", kv_str("reason", error));
    }
    (void)rest_stop(state.rest);
    (void)speaker_free(state.speaker);
    (void)bgp_close(state.bgp);
    (void)speaker_metrics_free(state.metrics);
    return status;
}

static int run(struct program *program)
{
    const struct settings *s = (const struct settings *)program->settings;
    return s->check.len ? check_run(s) : serve(program);
}

int main(int argc, char **argv)
{
    static const struct program_kind kind = {&settings_flags, "speaker", run};
    return program_main(&kind, argc, argv);
}
