#include "common/metrics/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/map.h"
#include "common/base/utf8.h"

const double metric_latency_buckets[METRIC_LATENCY_BUCKETS] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

struct series {
    double value; /* of a counter or gauge; the sum of a histogram */
    uint64_t count;
    uint64_t *buckets; /* observations that belong to this bucket alone */
    char *key;         /* labels as they are printed: owned, and the key in the map */
};

struct family {
    const struct metric *row;
    struct map series; /* printed labels to struct series */
};

struct metrics {
    struct family *families;
    size_t count;
};

static size_t label_count(const struct metric *row)
{
    size_t count = 0;
    while (row->labels[count])
        count++;
    return count;
}

static void put_escaped(struct sbuf *out, struct str value)
{
    while (value.len) {
        size_t len = utf8_len(value);
        if (len == 0)
            sbuf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
        else if (value.ptr[0] == '\n')
            sbuf_puts(out, "\\n");
        else if (value.ptr[0] == '"' || value.ptr[0] == '\\')
            sbuf_printf(out, "\\%c", value.ptr[0]);
        else
            sbuf_put(out, str_slice(value, 0, len));
        value = str_slice(value, len ? len : 1, value.len);
    }
}

static void put_labels(struct sbuf *out, const struct metric *row, struct metric_labels labels)
{
    assert(labels.count == label_count(row));
    for (size_t i = 0; i < labels.count; i++) {
        sbuf_printf(out, "%s%s=\"", i ? "," : "", row->labels[i]);
        put_escaped(out, labels.values[i]);
        sbuf_putc(out, '"');
    }
}

static struct family *find_family(const struct metrics *metrics, size_t id)
{
    assert(id < metrics->count);
    return &metrics->families[id];
}

static struct series *find_series(const struct metrics *metrics, size_t id,
                                  struct metric_labels labels)
{
    const struct family *family = find_family(metrics, id);
    scoped_sbuf struct sbuf key = {0};
    put_labels(&key, family->row, labels);
    return map_get(&family->series, sbuf_str(&key));
}

static struct series *need_series(struct metrics *metrics, size_t id, struct metric_labels labels)
{
    struct family *family = find_family(metrics, id);
    struct sbuf key = {0};
    sbuf_puts(&key, ""); /* so that there is memory to own, also without labels */
    put_labels(&key, family->row, labels);
    struct series *series = map_get(&family->series, sbuf_str(&key));
    if (series) {
        sbuf_done(&key);
        return series;
    }
    series = heap_alloc(sizeof(*series));
    series->key = key.ptr;
    if (family->row->kind == METRIC_HISTOGRAM)
        series->buckets = heap_alloc((family->row->bucket_count + 1) * sizeof(uint64_t));
    (void)map_put(&family->series, sbuf_str(&key), series);
    return series;
}

static void series_free(struct series *series)
{
    if (!series)
        return;
    free(series->buckets);
    free(series->key);
    free(series);
}

struct metrics *metrics_new(const struct metric *rows, size_t count)
{
    struct metrics *metrics = heap_alloc(sizeof(*metrics));
    metrics->families = heap_alloc(count * sizeof(*metrics->families));
    metrics->count = count;
    for (size_t i = 0; i < count; i++) {
        metrics->families[i].row = &rows[i];
        if (label_count(&rows[i]) == 0)
            (void)need_series(metrics, i, NO_LABELS);
    }
    return metrics;
}

struct metrics *metrics_free(struct metrics *metrics)
{
    if (!metrics)
        return NULL;
    for (size_t i = 0; i < metrics->count; i++)
        metric_clear(metrics, i);
    free(metrics->families);
    free(metrics);
    return NULL;
}

void metric_inc(struct metrics *metrics, size_t id, struct metric_labels labels)
{
    metric_add(metrics, id, 1, labels);
}

void metric_add(struct metrics *metrics, size_t id, double value, struct metric_labels labels)
{
    assert(find_family(metrics, id)->row->kind != METRIC_HISTOGRAM);
    need_series(metrics, id, labels)->value += value;
}

void metric_set(struct metrics *metrics, size_t id, double value, struct metric_labels labels)
{
    assert(find_family(metrics, id)->row->kind != METRIC_HISTOGRAM);
    need_series(metrics, id, labels)->value = value;
}

void metric_observe(struct metrics *metrics, size_t id, double value, struct metric_labels labels)
{
    const struct metric *row = find_family(metrics, id)->row;
    assert(row->kind == METRIC_HISTOGRAM);
    struct series *series = need_series(metrics, id, labels);
    size_t bucket = 0;
    while (bucket < row->bucket_count && !(value <= row->buckets[bucket])) /* NaN: the last */
        bucket++;
    series->buckets[bucket]++;
    series->count++;
    series->value += value;
}

void metric_remove(struct metrics *metrics, size_t id, struct metric_labels labels)
{
    struct family *family = find_family(metrics, id);
    scoped_sbuf struct sbuf key = {0};
    put_labels(&key, family->row, labels);
    series_free(map_remove(&family->series, sbuf_str(&key)));
}

void metric_clear(struct metrics *metrics, size_t id)
{
    struct family *family = find_family(metrics, id);
    size_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&family->series, &cursor));)
        series_free(entry->value);
    map_done(&family->series);
}

double metric_value(const struct metrics *metrics, size_t id, struct metric_labels labels)
{
    const struct series *series = find_series(metrics, id, labels);
    return series ? series->value : 0;
}

/* The shortest text that reads back as the same number. OpenMetrics wants bounds of buckets to look
 * like floats (section "Considerations: Canonical Numbers"). */
static void put_number(struct sbuf *out, double value, bool as_float)
{
    if (isnan(value) || isinf(value)) {
        sbuf_puts(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    sbuf_puts(out, text);
    if (as_float && !str_contains(str_from(text), STR(".")) &&
        !str_contains(str_from(text), STR("e")))
        sbuf_puts(out, ".0");
}

/* One line: name, suffix, labels (with one more, "le", for a bucket), value. */
struct sample {
    const char *name, *suffix;
    struct str labels;
    const double *bound; /* NULL: no bucket */
    double value;
    bool float_bound;
};

static void put_sample(struct sbuf *out, const struct sample *sample)
{
    sbuf_printf(out, "%s%s", sample->name, sample->suffix);
    if (sample->labels.len || sample->bound) {
        sbuf_putc(out, '{');
        sbuf_put(out, sample->labels);
        if (sample->bound) {
            sbuf_puts(out, sample->labels.len ? ",le=\"" : "le=\"");
            put_number(out, *sample->bound, sample->float_bound);
            sbuf_putc(out, '"');
        }
        sbuf_putc(out, '}');
    }
    sbuf_putc(out, ' ');
    put_number(out, sample->value, false);
    sbuf_putc(out, '\n');
}

static void put_histogram(struct sbuf *out, const struct metric *row, const struct series *series,
                          struct str labels, enum metrics_format format)
{
    struct sample sample = {.name = row->name,
                            .suffix = "_bucket",
                            .labels = labels,
                            .float_bound = format == METRICS_OPENMETRICS};
    const double infinite = INFINITY;
    uint64_t below = 0;
    for (size_t i = 0; i <= row->bucket_count; i++) {
        below += series->buckets[i];
        sample.bound = i < row->bucket_count ? &row->buckets[i] : &infinite;
        sample.value = (double)below;
        put_sample(out, &sample);
    }
    put_sample(out,
               &(struct sample){
                   .name = row->name, .suffix = "_sum", .labels = labels, .value = series->value});
    put_sample(out, &(struct sample){.name = row->name,
                                     .suffix = "_count",
                                     .labels = labels,
                                     .value = (double)series->count});
}

/* OpenMetrics names a counter without "_total"; one that has no such ending cannot be a counter
 * there, and is of unknown type so that it keeps its name. */
static void put_header(struct sbuf *out, const struct metric *row, enum metrics_format format)
{
    static const char *const kinds[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    struct str name = str_from(row->name);
    const char *kind = kinds[row->kind];
    if (format == METRICS_OPENMETRICS && row->kind == METRIC_COUNTER) {
        if (str_ends_with(name, STR("_total")))
            name.len -= STR("_total").len;
        else
            kind = "unknown";
    }
    sbuf_printf(out, "# HELP " STR_FMT " %s\n", STR_ARG(name), row->help);
    sbuf_printf(out, "# TYPE " STR_FMT " %s\n", STR_ARG(name), kind);
}

static void put_family(struct sbuf *out, const struct family *family, enum metrics_format format)
{
    if (map_count(&family->series) == 0)
        return;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct map_entry *entries = map_sorted(&family->series, arena, &count);
    put_header(out, family->row, format);
    for (size_t i = 0; i < count; i++) {
        const struct series *series = entries[i].value;
        if (family->row->kind == METRIC_HISTOGRAM)
            put_histogram(out, family->row, series, entries[i].key, format);
        else
            put_sample(out, &(struct sample){.name = family->row->name,
                                             .suffix = "",
                                             .labels = entries[i].key,
                                             .value = series->value});
    }
}

void metrics_render(const struct metrics *const *sets, size_t count, enum metrics_format format,
                    struct sbuf *out)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sets[i]->count; j++)
            put_family(out, &sets[i]->families[j], format);
    }
    if (format == METRICS_OPENMETRICS)
        sbuf_puts(out, "# EOF\n");
}
