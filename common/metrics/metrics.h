/* Metrics by tables: one row is a metric, its series come and go by label values.
 *
 *     enum { ANNOUNCED, REQUESTS };
 *     static const struct metric rows[] = {
 *         [ANNOUNCED] = {"stentor_announced", "Addresses announced here.", METRIC_GAUGE,
 *                        .labels = {"service", "ip"}},
 *     };
 *     metric_set(metrics, ANNOUNCED, 1, LABELS(service, ip));
 *
 * Rendered as Prometheus text (version 0.0.4) or OpenMetrics 1.0.0, always in the order of the rows
 * and sorted by labels. Pure; code that counts per packet keeps its own numbers and hands them over
 * with metric_set before each rendering: tens of thousands of series take milliseconds, also when
 * they are cleared first, as long as mostly the same ones come back. */
#ifndef COMMON_METRICS_METRICS_H
#define COMMON_METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/sbuf.h"
#include "common/base/scope.h"
#include "common/base/str.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_LABELS_MAX = 6 };

struct metric {
    const char *name, *help;
    enum metric_kind kind;
    const char *labels[METRIC_LABELS_MAX + 1]; /* ends in NULL */
    const double *buckets; /* METRIC_HISTOGRAM: upper bounds, rising, without the infinite one */
    size_t bucket_count;
    /* The name was given by others and is kept although it breaks our rules (a counter that does
     * not end in "_total", a gauge that does). */
    bool borrowed_name;
};

/* Bounds for latencies of requests: 1 ms to 10 s. */
enum { METRIC_LATENCY_BUCKETS = 13 };
extern const double metric_latency_buckets[METRIC_LATENCY_BUCKETS];

struct metrics;

/* Rows are borrowed. Metrics without labels start with a series of 0. */
struct metrics *metrics_new(const struct metric *rows, size_t count);
struct metrics *metrics_free(struct metrics *metrics); /* NULL is fine; returns NULL */
SCOPE_DEFINE(metrics, struct metrics, metrics_free)

/* Values of the labels in the order of the row. Bytes that are no UTF-8 become U+FFFD. */
struct metric_labels {
    const struct str *values;
    size_t count;
};
#define LABELS(...)                                                      \
    ((struct metric_labels){.values = (const struct str[]){__VA_ARGS__}, \
                            .count =                                     \
                                sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str)})
#define NO_LABELS ((struct metric_labels){0})

/* Counters and gauges; a series that is not there starts at 0. */
void metric_inc(struct metrics *metrics, size_t id, struct metric_labels labels);
void metric_add(struct metrics *metrics, size_t id, double value, struct metric_labels labels);
void metric_set(struct metrics *metrics, size_t id, double value, struct metric_labels labels);

/* Histograms. */
void metric_observe(struct metrics *metrics, size_t id, double value, struct metric_labels labels);

/* Removes one series, or all of one metric. */
void metric_remove(struct metrics *metrics, size_t id, struct metric_labels labels);
void metric_clear(struct metrics *metrics, size_t id);

/* The value of a counter or gauge, 0 when the series is not there. */
double metric_value(const struct metrics *metrics, size_t id, struct metric_labels labels);

enum metrics_format { METRICS_TEXT, METRICS_OPENMETRICS };

/* What the client's Accept header (empty: none) prefers; text when it does not care. */
enum metrics_format metrics_negotiate(struct str accept);
const char *metrics_content_type(enum metrics_format format);

/* All sets one after another. */
void metrics_render(const struct metrics *const *sets, size_t count, enum metrics_format format,
                    struct sbuf *out);

/* Checks rows against the rules: names of [a-z0-9_] with the prefix (or borrowed), counters and
 * only counters end in "_total", units are base units and histograms end in theirs, help is a
 * sentence, labels are well formed and not reserved, buckets rise, no name twice (also not by a
 * histogram's suffixes). One line for each breach is added to out; returns their number. */
size_t metrics_lint(const struct metric *rows, size_t count, const char *prefix, struct sbuf *out);

#endif
