#include "ctl/check.h"

#include "controller/dry_run.h"

/* Why nobody would announce the addresses of a record, or NULL. */
static const char *silence_of(const struct eligible *eligible, const struct plan_record *record,
                              struct arena *arena)
{
    const struct service *service = (const struct service *)record->object;
    struct candidacy candidacy;
    eligible_judge_at(eligible, service, record->ips, record->ip_count, arena, &candidacy);
    if (!candidacy.stands)
        return reason_name(candidacy.reason);
    return nodeset_is_empty(&candidacy.nodes) ? "noNode" : NULL;
}

static void add_silent(const struct world *world, const struct plan_record *const *records,
                       size_t count, struct arena *arena, struct diag_list *findings)
{
    for (size_t i = 0; i < count; i++) {
        if (!records[i]->managed || !records[i]->ip_count)
            continue;
        const char *why = silence_of(world->eligible, records[i], arena);
        if (why)
            diag_add(findings, DIAG_WARNING, object_id(records[i]->object), STR(""),
                     "no node may announce its addresses on the local network: %s", why);
    }
}

size_t check_show(const struct world_input *input, const struct diag_list *input_findings,
                  enum show_format format, struct arena *arena, struct sbuf *out)
{
    struct diag_list findings = {.arena = arena};
    struct config_input what = {.namespace = input->namespace, .now = input->now};
    struct dry_run_options options = {.lb_class = input->lb_class,
                                      .hash = input->hash,
                                      .ignore_excluded = input->ignore_excluded};
    struct world *world = world_make(input, arena);
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        what.objects[kind] = input->of[kind].items;
        what.counts[kind] = input->of[kind].count;
    }
    scoped_ptr(dry_run) struct dry_run *dry_run = dry_run_new(&what, &options, arena);
    struct report report = dry_run_report(dry_run);
    report.findings = &findings;
    diag_add_all(&findings, input_findings);
    diag_add_all(&findings, dry_run_findings(dry_run));
    add_silent(world, report.records, report.count, arena, &findings);
    if (format == SHOW_JSON)
        report_json(&report, out);
    else
        report_text(&report, out);
    size_t errors = diag_errors(&findings);
    diag_done(&findings);
    world_done(world);
    return errors;
}
