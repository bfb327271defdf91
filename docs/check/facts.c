/* Writes what the documents must repeat, taken from the tables of the programs themselves, to a
 * file: {"annotations":[…],"flags":[…],"metrics":[…],"reasons":[…]}. documents.py compares. Fails
 * when a metric breaks the rules of metrics_lint.
 *
 * usage: docs_facts FILE */
#include "controller/alloc.h"
#include "controller/controller_metrics.h"
#include "controller/service_patch.h"
#include "controller/settings.h"
#include "crd/annotations.h"
#include "docs/check/facts_tables.h"

static void put_annotations(struct patch *json)
{
    patch_list(json, "annotations");
    for (size_t id = 0; id < ANNOTATION_COUNT; id++) {
        const struct annotation *row = annotations_get((enum annotation_id)id);
        patch_open(json, NULL);
        patch_str(json, "key", row->key);
        patch_str(json, "deprecated", row->deprecated);
        patch_bool(json, "read", row->use == ANNOTATION_IN);
        put_text(json, "help", row->help);
        patch_close(json);
    }
    patch_close(json);
}

static void put_metrics(struct patch *json)
{
    size_t count;
    const struct metric *rows = controller_metrics_rows(&count);
    patch_list(json, "metrics");
    for (size_t i = 0; i < count; i++)
        put_metric(json, &rows[i]);
    put_process_metrics(json);
    patch_close(json);
}

static void put_reasons(struct patch *json)
{
    patch_list(json, "reasons");
    for (size_t outcome = 0; outcome < ALLOC_OUTCOME_COUNT; outcome++)
        put_text(json, NULL, alloc_outcome_name((enum alloc_outcome)outcome));
    put_text(json, NULL, SERVICE_REASON_LEADER_CHANGED);
    patch_close(json);
}

int main(int argc, char **argv)
{
    scoped_sbuf struct sbuf breaches = {0};
    size_t count;
    const struct metric *rows = controller_metrics_rows(&count);
    if (argc != 2)
        return 2;
    if (metrics_lint(rows, count, "stentor_controller_", &breaches)) {
        printf(STR_FMT, STR_ARG(sbuf_str(&breaches)));
        return 1;
    }
    scoped_patch struct patch json = {0};
    patch_open(&json, NULL);
    put_annotations(&json);
    put_flags(&json, &settings_flags.options);
    put_metrics(&json);
    put_reasons(&json);
    patch_close(&json);
    return write_file(argv[1], patch_text(&json)) ? 0 : 1;
}
