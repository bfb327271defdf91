/* stentorctl: a person's view of the cluster. One run is: read all objects, ask the REST APIs that
 * were named, do one command on that, write what it decided. See settings.c for the manual. */
#include <stdio.h>
#include <stdlib.h>

#include "ctl/check.h"
#include "ctl/run.h"

void run_end(struct run *run, int status)
{
    run->status = status;
    loop_stop(run->program->loop);
}

void run_fail(struct run *run, int status, struct str sentence)
{
    (void)fprintf(stderr, "%s: " STR_FMT "\n", run->program->name, STR_ARG(sentence));
    run_end(run, status);
}

/* --- reading --------------------------------------------------------------------------------- */

void run_read_objects(struct run *run)
{
    const struct settings *s = run->settings;
    run->input = (struct world_input){
        .namespace = s->common.namespace,
        .lb_class = s->lb_class,
        .ignore_excluded = s->ignore_excluded,
        .hash = s->election == 1,
        .now = loop_wall_ns() / 1000000000,
    };
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        struct objects *objects = &run->input.of[kind];
        objects->items = source_list(run->source, (enum kind_id)kind, run->arena, &objects->count);
    }
}

static void on_announcements(void *ctx, json_t *answer, struct str error);
static void on_explained(void *ctx, json_t *answer, struct str error);

static bool explains_service(const struct run *run)
{
    return run->command->of && str_eq(str_from(run->command->of), STR("service"));
}

static void run_command(void *ctx)
{
    struct run *run = ctx;
    run->command->run(run);
}

/* Speakers that are named are asked without a look at any object. */
static void survey(void *ctx)
{
    struct run *run = ctx;
    run->later = NULL;
    run_bgp_survey(run, run_command);
}

/* Asks what is still to be asked; then runs the command. */
static void ask(void *ctx)
{
    struct run *run = ctx;
    const struct settings *s = run->settings;
    run->later = NULL;
    run->live = live_cancel(run->live);
    if (run->command->surveys) {
        run_read_objects(run);
        survey(run);
    } else if (s->speaker.count && !run->asked_speaker) {
        run->asked_speaker = true;
        run->live = live_ask(run->program->loop, s->speaker.items[0], STR("/api/v1/announcements"),
                             s->timeout_ms, on_announcements, run);
    } else if (s->controller.len && explains_service(run) && !run->asked_controller) {
        struct str path =
            arena_printf(run->arena, "/api/v1/explain/" STR_FMT, STR_ARG(run->operands.items[0]));
        run->asked_controller = true;
        run->live =
            live_ask(run->program->loop, s->controller, path, s->timeout_ms, on_explained, run);
    } else {
        run_read_objects(run);
        run->command->run(run);
    }
}

/* A REST API that does not answer is told, and the rest is shown all the same. */
static void take_answer(struct run *run, const char *whom, struct str error)
{
    if (error.len)
        (void)fprintf(stderr, "%s: the %s does not tell: " STR_FMT "\n", run->program->name, whom,
                      STR_ARG(error));
    run->later = loop_defer(run->program->loop, ask, run);
}

static void on_announcements(void *ctx, json_t *answer, struct str error)
{
    struct run *run = ctx;
    run->announcements = answer;
    take_answer(run, "speaker", error);
}

static void on_explained(void *ctx, json_t *answer, struct str error)
{
    struct run *run = ctx;
    run->explained = answer;
    take_answer(run, "controller", error);
}

/* --- commands that show ---------------------------------------------------------------------- */

struct show run_show(struct run *run)
{
    run->world = world_make(&run->input, run->arena);
    return (struct show){
        .format = (enum show_format)run->settings->output,
        .world = run->world,
        .input = &run->input,
        .announcements = run->announcements,
        .explained = run->explained,
        .scratch = run->arena,
        .out = &run->out,
    };
}

static void run_status(struct run *run)
{
    struct show show = run_show(run);
    show_status(&show);
    run_end(run, RUN_DONE);
}

static void run_explain_service(struct run *run)
{
    struct show show = run_show(run);
    struct str key = run->operands.items[0];
    size_t service = world_find_service(run->world, key);
    if (service == run->world->service_count) {
        run_fail(run, RUN_REFUSED,
                 arena_printf(run->arena,
                              "there is no Service \"" STR_FMT "\" of type LoadBalancer",
                              STR_ARG(key)));
        return;
    }
    show_service(&show, service);
    run_end(run, RUN_DONE);
}

static void run_explain_vip(struct run *run)
{
    struct show show = run_show(run);
    struct ip ip;
    if (ip_parse(run->operands.items[0], &ip) < 0) {
        run_fail(run, RUN_USAGE,
                 arena_printf(run->arena, "\"" STR_FMT "\" is not an address",
                              STR_ARG(run->operands.items[0])));
        return;
    }
    show_address(&show, &ip);
    run_end(run, RUN_DONE);
}

static void run_explain_node(struct run *run)
{
    struct show show = run_show(run);
    size_t node = world_find_node(run->world, run->operands.items[0]);
    if (node == run->world->node_count) {
        run_fail(run, RUN_REFUSED,
                 arena_printf(run->arena, "there is no node \"" STR_FMT "\"",
                              STR_ARG(run->operands.items[0])));
        return;
    }
    show_node(&show, node);
    run_end(run, RUN_DONE);
}

static void run_plan(struct run *run)
{
    const struct settings *s = run->settings;
    struct show show = run_show(run);
    struct whatif_request request = {
        .kill = settings_parts(&s->kill, run->arena),
        .drain = settings_parts(&s->drain, run->arena),
        .add = (size_t)s->add,
    };
    struct show_capacity capacity = {.per_node = (size_t)s->per_node,
                                     .failures = (size_t)s->failures};
    struct whatif whatif;
    struct str error = {0};
    if (whatif_run(run->world, &request, run->arena, &whatif, &error) < 0) {
        run_fail(run, RUN_REFUSED, error);
        return;
    }
    show_plan(&show, &whatif, &capacity);
    run_end(run, RUN_DONE);
}

static void run_check(struct run *run)
{
    size_t errors = check_show(&run->input, source_findings(run->source),
                               (enum show_format)run->settings->output, run->arena, &run->out);
    run_end(run, errors ? RUN_REFUSED : RUN_DONE);
}

/* --- life ------------------------------------------------------------------------------------ */

static const struct command commands[] = {
    {"status", NULL, 0, 0, run_status, false},
    {"explain", "service", 1, 1, run_explain_service, false},
    {"explain", "vip", 1, 1, run_explain_vip, false},
    {"explain", "node", 1, 1, run_explain_node, false},
    {"bgp", "routes", 0, 1, run_bgp_routes, true},
    {"bgp", "explain", 1, 1, run_bgp_explain, true},
    {"bgp", NULL, 0, 0, run_bgp, true},
    {"plan", NULL, 0, 0, run_plan, false},
    {"move", NULL, 1, 2, run_move, false},
    {"drain", NULL, 1, 1, run_edits, false},
    {"undrain", NULL, 1, 1, run_edits, false},
    {"check", NULL, 1, 1, run_check, false},
};

/* What every command needs; check looks at all kinds. */
static const enum kind_id followed[] = {
    KIND_NODE,
    KIND_SERVICE,
    KIND_ENDPOINT_SLICE,
    KIND_IP_ADDRESS_POOL,
    KIND_L2_ADVERTISEMENT,
    KIND_SERVICE_L2_STATUS,
};
enum { FOLLOWED = sizeof(followed) / sizeof(followed[0]) };

/* Where the speakers are, and what they have written. */
static const enum kind_id surveyed[] = {KIND_NODE, KIND_BGP_SESSION_STATUS};
enum { SURVEYED = sizeof(surveyed) / sizeof(surveyed[0]) };

static bool is_check(const struct run *run)
{
    return run->command->run == run_check;
}

static void synced(void *ctx)
{
    struct run *run = ctx;
    if (!run->world && !run->survey) /* again after a conflict means nothing */
        ask(run);
}

static void ignore_change(void *ctx, const struct object *before, const struct object *after)
{
    (void)ctx;
    (void)before;
    (void)after;
}

static void ignore_findings(void *ctx)
{
    (void)ctx; /* read when time is up */
}

static void on_timeout(void *ctx)
{
    struct run *run = ctx;
    const struct diag_list *findings = source_findings(run->source);
    run->timeout = NULL;
    for (size_t i = 0; i < findings->found.len; i++)
        (void)fprintf(stderr, "%s: " STR_FMT ": " STR_FMT "\n", run->program->name,
                      STR_ARG(findings->found.items[i].object),
                      STR_ARG(findings->found.items[i].message));
    run_fail(run, RUN_NO_ANSWER, STR("not done in time (--timeout)"));
}

static void follow(struct run *run)
{
    struct source_follow what[KIND_COUNT];
    size_t count = 0;
    size_t most = is_check(run) ? (size_t)KIND_COUNT : (size_t)FOLLOWED;
    const enum kind_id *kinds = run->command->surveys ? surveyed : followed;
    for (size_t i = 0; i < (run->command->surveys ? (size_t)SURVEYED : most); i++) {
        enum kind_id kind = is_check(run) ? (enum kind_id)i : kinds[i];
        what[count] =
            (struct source_follow){.kind = kind, .optional = kind == KIND_BGP_SESSION_STATUS};
        if ((kinds_get(kind)->config || kind == KIND_BGP_SESSION_STATUS) && !is_check(run))
            what[count].namespace = run->settings->common.namespace;
        count++;
    }
    struct source_calls calls = {
        .changed = ignore_change, .synced = synced, .findings = ignore_findings, .ctx = run};
    source_start(run->source, what, count, &calls);
}

/* The command of the operands; what is behind it stays in the operands. */
static const struct command *find_command(struct str_list *operands)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const struct command *command = &commands[i];
        size_t words = command->of ? 2 : 1;
        if (operands->count < words || !str_eq(operands->items[0], str_from(command->name)) ||
            (command->of && !str_eq(operands->items[1], str_from(command->of))))
            continue;
        operands->items += words;
        operands->count -= words;
        return operands->count >= command->least && operands->count <= command->most ? command
                                                                                     : NULL;
    }
    return NULL;
}

static void finish(struct run *run)
{
    run->timeout = loop_timer_cancel(run->timeout);
    run->later = loop_timer_cancel(run->later);
    run->live = live_cancel(run->live);
    run->survey = survey_free(run->survey);
    run->write = source_cancel(run->write);
    if (run->world)
        world_done(run->world);
    run->source = source_free(run->source);
    json_decref(run->written);
    json_decref(run->announcements);
    json_decref(run->explained);
    (void)fwrite(sbuf_cstr(&run->out), 1, run->out.len, stdout);
    sbuf_done(&run->out);
}

static bool open_source(struct run *run, struct str *ret_error)
{
    struct source_kube_config config = {.reporter = STR("stentor.io/ctl"), .instance = STR("ctl")};
    run->source = program_source_open(run->program, &config, ret_error);
    if (!run->source)
        return false;
    run->timeout =
        loop_timer_start(run->program->loop, run->settings->timeout_ms, 0, on_timeout, run);
    follow(run);
    return true;
}

static int run_program(struct program *program)
{
    struct settings *settings = (struct settings *)program->settings;
    struct run run = {.program = program,
                      .settings = settings,
                      .operands = program->settings->operands,
                      .arena = program->arena};
    struct str error = {0};
    run.command = find_command(&run.operands);
    if (!run.command) {
        (void)fprintf(stderr, "%s: no such command, or not with these arguments\nSee %s --help.\n",
                      program->name, program->name);
        return RUN_USAGE;
    }
    if (is_check(&run)) {
        settings->common.manifests = run.operands.items[0];
        settings->common.status = STR("");
    }
    if (run.command->surveys && settings->speaker.count) {
        run.later = loop_defer(program->loop, survey, &run);
    } else if (!open_source(&run, &error)) {
        (void)fprintf(stderr, "%s: " STR_FMT "\n", program->name, STR_ARG(error));
        return RUN_NO_ANSWER;
    }
    loop_run(program->loop);
    finish(&run);
    return run.status;
}

int main(int argc, char **argv)
{
    static const struct program_kind kind = {&settings_flags, "ctl", run_program};
    return program_main(&kind, argc, argv);
}
