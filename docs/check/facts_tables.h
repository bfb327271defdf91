/* What the programs that write facts (facts.c, facts_speaker.c) share: rows of tables as JSON. */
#ifndef DOCS_CHECK_FACTS_TABLES_H
#define DOCS_CHECK_FACTS_TABLES_H

#include <stdio.h>

#include "common/base/options.h"
#include "common/json/patch.h"
#include "common/metrics/process_metrics.h"

static inline void put_text(struct patch *json, const char *key, const char *text)
{
    patch_str(json, key, str_from(text ? text : ""));
}

static inline void put_flags(struct patch *json, const struct options *options)
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

static inline void put_metric(struct patch *json, const struct metric *row)
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

static inline void put_process_metrics(struct patch *json)
{
    for (size_t i = 0; i < PROCESS_METRICS; i++)
        put_metric(json, &process_metrics_rows[i]);
}

static inline bool write_file(const char *path, struct str text)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    bool good = fprintf(file, STR_FMT "\n", STR_ARG(text)) > 0;
    return fclose(file) == 0 && good;
}

#endif
