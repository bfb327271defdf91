/* What the controller counts: MetalLB's names where dashboards and alerts use them, and our own. */
#ifndef CONTROLLER_CONTROLLER_METRICS_H
#define CONTROLLER_CONTROLLER_METRICS_H

#include "common/base/diag.h"
#include "common/metrics/metrics.h"
#include "controller/placing.h"
#include "controller/plan.h"

struct controller_metrics;

struct controller_metrics *controller_metrics_new(void);
struct controller_metrics *controller_metrics_free(struct controller_metrics *metrics);

/* The configuration has been read; a standby reads it and leaves judging to the leader. */
void controller_metrics_loaded(struct controller_metrics *metrics);
/* A configuration has been judged. */
void controller_metrics_config(struct controller_metrics *metrics,
                               const struct diag_list *findings);
/* A quarantine is in force, with so many addresses. */
void controller_metrics_quarantine(struct controller_metrics *metrics, size_t addresses);
/* The plan has run over some Services. */
void controller_metrics_run(struct controller_metrics *metrics, uint64_t duration_ns,
                            size_t services);
/* A write was answered. result: as source_write's `done`. */
void controller_metrics_write(struct controller_metrics *metrics, int result, uint64_t duration_ns);
/* A call to the API server has ended; ctx is the metrics. code is 0 when there was no answer. */
void controller_metrics_request(void *ctx, const char *method, unsigned code, double duration_s);
void controller_metrics_leader(struct controller_metrics *metrics, bool leader);
/* The figures of the work queue. */
void controller_metrics_queue(struct controller_metrics *metrics, size_t waiting, size_t in_flight,
                              uint64_t retries);
/* Counters of all pools; none (NULL) on a standby. */
void controller_metrics_pools(struct controller_metrics *metrics, const struct alloc *alloc);
/* Services by pool and by the reason of their condition, of a plan or none (NULL); call after
 * controller_metrics_pools. */
void controller_metrics_records(struct controller_metrics *metrics, const struct plan *plan);

/* What each node carries; NULL: this replica places nothing. moves_left: units that are still to
 * be moved. */
void controller_metrics_placing(struct controller_metrics *metrics, const struct placing *placing,
                                size_t moves_left);
/* So many units were moved, or passed to a backup. */
void controller_metrics_moves(struct controller_metrics *metrics, size_t moved, size_t taken_over);

const struct metrics *controller_metrics_set(const struct controller_metrics *metrics);

/* The table, for the test that looks it over. */
const struct metric *controller_metrics_rows(size_t *ret_count);

#endif
