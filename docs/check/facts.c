/* Writes what the documents must repeat, taken from the tables of the programs themselves, to a
 * file: {"annotations":[…],"flags":[…],"metrics":[…],"reasons":[…]}. documents.py compares. Fails
 * when a metric breaks the rules of metrics_lint.
 *
 * usage: docs_facts FILE */
#include <stdio.h>

#include "common/json/patch.h"
#include "common/metrics/process_metrics.h"
#include "controller/alloc.h"
#include "controller/controller_metrics.h"
#include "controller/settings.h"
#include "crd/annotations.h"

static void put_text(struct patch *json, const char *key, const char *text)
{
    patch_str(json, key, str_from(text ? text : ""));
}

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

static void put_flags(struct patch *json, const struct options *options)
{
    patch_list(json, "flags");
    for (size_t i = 0; i < options->count; i++) {
        const struct option *row = &options->rows[i];
        patch_open(json, NULL);
        put_text(json, "flag", row->flag);
        put_text(json, "environment", row->env);
        put_text(json, "value", row->value);
        put_text(json, "default", row->fallback);
        put_text(json, "help", row->help);
        patch_close(json);
    }
    patch_close(json);
}

static void put_metric(struct patch *json, const struct metric *row)
{
    static const char *const kinds[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    patch_open(json, NULL);
    put_text(json, "name", row->name);
    put_text(json, "kind", kinds[row->kind]);
    patch_list(json, "labels");
    for (size_t i = 0; row->labels[i]; i++)
        put_text(json, NULL, row->labels[i]);
    patch_close(json);
    put_text(json, "help", row->help);
    patch_close(json);
}

static void put_metrics(struct patch *json)
{
    size_t count;
    const struct metric *rows = controller_metrics_rows(&count);
    patch_list(json, "metrics");
    for (size_t i = 0; i < count; i++)
        put_metric(json, &rows[i]);
    for (size_t i = 0; i < PROCESS_METRICS; i++)
        put_metric(json, &process_metrics_rows[i]);
    patch_close(json);
}

static void put_reasons(struct patch *json)
{
    patch_list(json, "reasons");
    for (size_t outcome = 0; outcome < ALLOC_OUTCOME_COUNT; outcome++)
        put_text(json, NULL, alloc_outcome_name((enum alloc_outcome)outcome));
    patch_close(json);
}

static bool write_file(const char *path, struct str text)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    bool good = fprintf(file, STR_FMT "\n", STR_ARG(text)) > 0;
    return fclose(file) == 0 && good;
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
