/* stentor-controller: gives addresses to Services. See controller.h for how it works. */
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/program/program_main.h"
#include "common/program/program_source.h"
#include "controller/check.h"
#include "controller/controller.h"
#include "controller/rest.h"
#include "controller/settings.h"

struct state {
    struct program *program;
    struct settings *settings;
    struct controller_metrics *metrics;
    struct controller *controller;
    struct rest *rest;
};

/* Each start of a replica is a holder of its own: a pod that was killed and comes back under the
 * same name must not take its own Lease for granted while its last writes may still be under way.
 */
static struct str unique_identity(struct str name, struct arena *arena)
{
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    return arena_printf(arena, STR_FMT "_%08x", STR_ARG(name.len ? name : str_from(host)),
                        randombytes_random());
}

static struct controller *start_controller(struct state *state, struct source *source)
{
    const struct settings *s = state->settings;
    struct controller_options options = {
        .namespace = s->common.namespace,
        .lb_class = s->lb_class,
        .identity = s->identity,
        .deployment = s->deployment,
        .elect = s->elect,
        .lease_ms = s->lease_ms,
        .renew_ms = s->renew_ms,
        .retry_ms = s->retry_ms,
        .writes_in_flight = s->writes_in_flight,
        .placing = {.hash = s->election == SETTINGS_HASH, .ignore_excluded = s->ignore_excluded},
        .rebalance = s->rebalance == SETTINGS_ON,
        .rebalance_rate = s->rebalance_rate,
    };
    randombytes_buf(&options.seed, sizeof(options.seed));
    return controller_new(state->program->loop, source, state->metrics, &options);
}

static bool watch(struct state *state, struct str *ret_error)
{
    const struct settings *s = state->settings;
    struct arena *arena = state->program->arena;
    struct controller_members members = {
        .name = arena_printf(arena, "controller/" STR_FMT, STR_ARG(s->identity)),
        .bind = program_members_bind(&s->members),
        .port = (uint16_t)s->members.port,
        .key_dir = s->members.key_dir,
        .secret = s->ml_secret,
    };
    struct ip *peers;
    (void)program_members_peers(&s->members, arena, &peers, &members.fixed_count); /* was checked */
    members.fixed = peers;
    int result = controller_watch(state->controller, &members);
    if (result < 0)
        *ret_error = arena_printf(arena, "cannot watch the speakers from " STR_FMT ": %s",
                                  STR_ARG(s->members.bind), err_text(result));
    return result >= 0;
}

static bool start(struct state *state, struct str *ret_error)
{
    struct source_kube_config config = {
        .reporter = STR("metallb-controller"),
        .instance = state->settings->identity,
        .observe = controller_metrics_request,
        .ctx = state->metrics,
    };
    struct source *source = program_source_open(state->program, &config, ret_error);
    if (!source)
        return false;
    state->controller = start_controller(state, source);
    if (!watch(state, ret_error))
        return false;
    state->rest = rest_start(state->program, state->controller, ret_error);
    return state->rest != NULL;
}

static void stopped(void *ctx)
{
    const struct state *state = ctx;
    loop_stop(state->program->loop);
}

static void stop(void *ctx)
{
    struct state *state = ctx;
    controller_stop(state->controller, stopped, state);
}

static int serve(struct state *state)
{
    struct str error = {0};
    int status = EXIT_SUCCESS;
    state->metrics = controller_metrics_new();
    if (start(state, &error)) {
        program_run(state->program, kv_str("identity", state->settings->identity), stop, state);
    } else {
        log_error("cannot start", kv_str("reason", error));
        status = EXIT_FAILURE;
    }
    (void)rest_stop(state->rest);
    (void)controller_free(state->controller);
    (void)controller_metrics_free(state->metrics);
    return status;
}

static int run(struct program *program)
{
    struct settings *s = (struct settings *)program->settings;
    struct state state = {.program = program, .settings = s};
    if (s->check.len)
        return check_run(s);
    s->identity = unique_identity(s->identity, program->arena);
    return serve(&state);
}

int main(int argc, char **argv)
{
    static const struct program_kind kind = {&settings_flags, "controller", run};
    return program_main(&kind, argc, argv);
}
