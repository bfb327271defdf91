#include "crd/state_report.h"

#include "crd/condition_patch.h"
#include "crd/kinds.h"
#include "crd/sentences.h"

static struct str summary_of(const struct state_report *report, struct arena *arena)
{
    struct sentences lines = {.separator = "\n"};
    for (size_t i = 0; i < report->errors.count; i++)
        sentences_add(&lines, report->errors.items[i]);
    return sentences_move(&lines, arena);
}

struct str state_report_patch(const struct state_report *report, const struct object *shown,
                              int64_t now, struct arena *arena)
{
    static const struct configurationstate none;
    const struct configurationstate *state =
        shown ? (const struct configurationstate *)shown : &none;
    bool valid = report->errors.count == 0;
    struct str result = valid ? STR("Valid") : STR("Invalid");
    struct str summary = summary_of(report, arena);
    struct condition ours = {
        .type = report->condition,
        .status = valid ? STR("True") : STR("False"),
        .reason = valid ? STR("Reconciled") : STR("ConfigurationError"),
        .message = summary,
        .since = now,
    };
    const struct condition_want conditions = {.type = ours.type, .ours = &ours};
    if (str_eq(state->status.result, result) && str_eq(state->status.error_summary, summary) &&
        condition_patch_is_done(&state->status.conditions, &conditions, 1))
        return STR("");
    struct patch patch = {0};
    patch_open(&patch, NULL);
    if (shown) {
        patch_open(&patch, "metadata");
        patch_str(&patch, "resourceVersion", shown->resource_version);
        patch_close(&patch);
    }
    patch_open(&patch, "status");
    patch_str(&patch, "result", result);
    patch_str(&patch, "errorSummary", summary);
    condition_patch(&patch, &state->status.conditions, &conditions, 1);
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}

struct str state_report_new(const struct state_report *report, struct arena *arena)
{
    const struct kind *kind = kinds_get(KIND_CONFIGURATION_STATE);
    struct patch patch = {0};
    patch_open(&patch, NULL);
    patch_str(&patch, "apiVersion", kinds_api_version(kind, arena));
    patch_str(&patch, "kind", str_from(kind->name));
    patch_open(&patch, "metadata");
    patch_str(&patch, "name", report->name);
    patch_str(&patch, "namespace", report->namespace);
    patch_open(&patch, "labels");
    patch_str(&patch, "metallb.io/component-type", report->component);
    if (report->node.len)
        patch_str(&patch, "metallb.io/node-name", report->node);
    patch_close(&patch);
    owner_put(&patch, report->owner);
    patch_close(&patch);
    patch_close(&patch);
    return patch_move(&patch, arena);
}
