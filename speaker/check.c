#include "speaker/check.h"

#include <stdio.h>

#include "bgp/model.h"
#include "bgp/render.h"
#include "common/base/err.h"
#include "common/program/program_check.h"
#include "speaker/config.h"

struct check {
    const struct settings *settings;
    int status;
};

static void print_findings(struct check *check, const struct diag_list *findings)
{
    for (size_t i = 0; i < findings->found.len; i++) {
        const struct diag *diag = &findings->found.items[i];
        (void)fprintf(stderr, "%s: " STR_FMT "%s" STR_FMT ": " STR_FMT "\n",
                      diag_severity_name(diag->severity), STR_ARG(diag->object),
                      diag->field.len ? ": " : "", STR_ARG(diag->field), STR_ARG(diag->message));
    }
    if (diag_errors(findings))
        check->status = 1;
}

static void print_bird(struct check *check, const struct config *config,
                       const struct objects all[KIND_COUNT], struct arena *arena)
{
    const struct settings *s = check->settings;
    const struct render_options options = {0};
    const struct validated *validated = config_validated(config);
    struct model_input input = {
        .node = s->node,
        .lb_class = s->lb_class,
        .ignore_excluded = s->ignore_excluded,
        .config = validated,
        .services = all[KIND_SERVICE],
        .slices = all[KIND_ENDPOINT_SLICE],
        .nodes = all[KIND_NODE],
        .secrets = validated->of[KIND_SECRET],
    };
    struct model *model = model_make(&input, arena);
    for (size_t i = 0; i < model->session_count; i++) {
        if (model->sessions[i].password.len)
            model->sessions[i].password = STR("********"); /* what is printed may be shown around */
    }
    scoped_sbuf struct sbuf out = {0};
    render_main(model, &options, &model->findings, &out);
    (void)fwrite(out.ptr, 1, out.len, stdout);
    print_findings(check, &model->findings);
    model_done(model);
}

static void show(void *ctx, struct source *source)
{
    struct check *check = ctx;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(config) struct config *config = config_new();
    struct objects all[KIND_COUNT] = {0};
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        all[kind].items = source_list(source, (enum kind_id)kind, arena, &all[kind].count);
    config_build(config, all, check->settings->common.namespace);
    print_findings(check, source_findings(source));
    print_findings(check, config_findings(config));
    print_bird(check, config, all, arena);
}

int check_run(const struct settings *settings)
{
    struct check check = {.settings = settings};
    int result = program_check(settings->check, show, &check);
    if (result == 0)
        return check.status;
    (void)fprintf(stderr, "error: " STR_FMT ": %s\n", STR_ARG(settings->check), err_text(result));
    return 1;
}
