/* What BGP counts: MetalLB's names where dashboards and alerts use them, and our own. Pure. */
#ifndef SPEAKER_BGP_METRICS_H
#define SPEAKER_BGP_METRICS_H

#include "common/metrics/metrics.h"
#include "speaker/bgp_view.h"

struct bgp_metrics;

struct bgp_metrics *bgp_metrics_new(void);
struct bgp_metrics *bgp_metrics_free(struct bgp_metrics *metrics); /* NULL is fine; returns NULL */

/* BIRD has taken a configuration, this long after it was made. */
void bgp_metrics_applied(struct bgp_metrics *metrics, double seconds);

/* Of one session since the start of the process. */
struct bgp_metrics_session {
    const struct bgp_view *view;
    uint64_t updates, downs;
};

/* The sessions as they are now, in place of those before. */
void bgp_metrics_sessions(struct bgp_metrics *metrics, const struct bgp_metrics_session *sessions,
                          size_t count);

/* The Services of a model, in place of those before. NULL: none. */
void bgp_metrics_services(struct bgp_metrics *metrics, const struct model *model);

/* Of BIRD since the start of the process. */
struct bgp_metrics_bird {
    bool up;
    uint64_t starts, crashes, taken, refused;
};
void bgp_metrics_bird(struct bgp_metrics *metrics, const struct bgp_metrics_bird *bird);

const struct metrics *bgp_metrics_set(const struct bgp_metrics *metrics);

/* The table, for the test that looks it over. */
const struct metric *bgp_metrics_rows(size_t *ret_count);

#endif
