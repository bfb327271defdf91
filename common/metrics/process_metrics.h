/* Figures about this process itself, under the names that Prometheus' client libraries use. */
#ifndef COMMON_METRICS_PROCESS_METRICS_H
#define COMMON_METRICS_PROCESS_METRICS_H

#include "common/metrics/metrics.h"

/* The order of process_metrics_rows. */
enum process_metric {
    PROCESS_CPU_SECONDS,
    PROCESS_RESIDENT_BYTES,
    PROCESS_VIRTUAL_BYTES,
    PROCESS_OPEN_FDS,
    PROCESS_MAX_FDS,
    PROCESS_START_TIME,
    PROCESS_METRICS,
};

/* For the table of all metrics in the documentation; PROCESS_METRICS rows. */
extern const struct metric process_metrics_rows[PROCESS_METRICS];

/* Metrics with those rows, all 0 until the first update. Free with metrics_free. */
struct metrics *process_metrics_new(void);

/* Sets them to what the kernel says now: before each metrics_render. What cannot be read (no /proc)
 * keeps its value. */
void process_metrics_update(struct metrics *metrics);

#endif
