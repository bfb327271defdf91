#include "controller/check.h"

#include <stdio.h>

#include "common/base/err.h"
#include "common/program/program_check.h"
#include "controller/dry_run.h"

struct check {
    const struct settings *settings;
    int status;
};

static void print(struct check *check, const struct report *report)
{
    scoped_sbuf struct sbuf out = {0};
    if (check->settings->output == SETTINGS_JSON)
        report_json(report, &out);
    else
        report_text(report, &out);
    (void)fwrite(out.ptr, 1, out.len, stdout);
    check->status = diag_errors(report->findings) ? 1 : 0;
}

static void show(void *ctx, struct source *source)
{
    struct check *check = ctx;
    const struct settings *s = check->settings;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct dry_run_options options = {.lb_class = s->lb_class,
                                      .hash = s->election == SETTINGS_HASH,
                                      .ignore_excluded = s->ignore_excluded};
    struct config_input input = {.now = loop_wall_ns() / 1000000000,
                                 .namespace = s->common.namespace};
    struct diag_list findings = {.arena = arena};
    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        input.objects[kind] = source_list(source, (enum kind_id)kind, arena, &input.counts[kind]);
    scoped_ptr(dry_run) struct dry_run *dry_run = dry_run_new(&input, &options, arena);
    struct report report = dry_run_report(dry_run);
    report.findings = &findings;
    diag_add_all(&findings, source_findings(source));
    diag_add_all(&findings, dry_run_findings(dry_run));
    print(check, &report);
    diag_done(&findings);
}

static void show_failure(struct check *check, int error)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list findings = {.arena = arena};
    diag_add(&findings, DIAG_ERROR, check->settings->check, STR(""), "%s", err_text(error));
    print(check, &(struct report){.findings = &findings});
    diag_done(&findings);
}

int check_run(const struct settings *settings)
{
    struct check check = {.settings = settings, .status = 1};
    int result = program_check(settings->check, show, &check);
    if (result < 0)
        show_failure(&check, result);
    return check.status;
}
