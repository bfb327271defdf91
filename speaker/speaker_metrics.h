/* What the speaker counts: MetalLB's names where dashboards and alerts use them, and our own. */
#ifndef SPEAKER_SPEAKER_METRICS_H
#define SPEAKER_SPEAKER_METRICS_H

#include "arp/responder_figures.h"
#include "common/base/diag.h"
#include "common/gossip/member.h"
#include "common/metrics/metrics.h"
#include "speaker/apply_note.h"
#include "speaker/carrier_figures.h"
#include "speaker/handoff_plan.h"
#include "speaker/plan.h"

struct speaker_metrics;

struct speaker_metrics *speaker_metrics_new(void);
struct speaker_metrics *speaker_metrics_free(struct speaker_metrics *metrics);

/* A configuration has been judged. */
void speaker_metrics_config(struct speaker_metrics *metrics, const struct diag_list *findings);
/* A plan has been made and is carried out. */
void speaker_metrics_planned(struct speaker_metrics *metrics, uint64_t duration_ns);
/* What is announced, and the Services by reason. */
void speaker_metrics_plan(struct speaker_metrics *metrics, const struct plan *plan,
                          struct str node);
/* After it: an address of a Service that is announced over BGP. */
void speaker_metrics_announced_bgp(struct speaker_metrics *metrics, struct str service,
                                   struct str node, const struct ip *ip);
/* Totals of one address since the start of the process. */
void speaker_metrics_address(struct speaker_metrics *metrics, const struct ip *ip,
                             uint64_t requests, uint64_t replies, uint64_t gratuitous);
/* What the responder of an interface counted. Before the first of them, forget all. */
void speaker_metrics_clear_interfaces(struct speaker_metrics *metrics);
void speaker_metrics_interface(struct speaker_metrics *metrics, struct str interface,
                               const struct responder_figures *figures);
/* State saved on disk: whether it is in use, files written, and those that could not be written or
 * used. */
void speaker_metrics_saved(struct speaker_metrics *metrics, bool stale, uint64_t writes,
                           uint64_t failures, uint64_t damaged);
/* How often a changed list of excluded interfaces could not be understood. */
void speaker_metrics_excludes(struct speaker_metrics *metrics, uint64_t failures);
/* Something happened about an address. */
void speaker_metrics_note(struct speaker_metrics *metrics, const struct apply_note *note);
/* This node found a member dead after so much silence. */
void speaker_metrics_death(struct speaker_metrics *metrics, uint64_t silence_us);
/* What a dead member had was taken over: the time from the moment that its death was known until
 * all of it was answered for and announced. */
void speaker_metrics_failover(struct speaker_metrics *metrics, uint64_t duration_ns);
/* What is done about addresses now, and what members have sent each other. */
void speaker_metrics_state(struct speaker_metrics *metrics, enum tenure_state state, size_t count);
void speaker_metrics_dropped(struct speaker_metrics *metrics, const char *reason, uint64_t count);
void speaker_metrics_members(struct speaker_metrics *metrics, const struct member_figures *figures);
void speaker_metrics_gossip(struct speaker_metrics *metrics, struct str direction,
                            uint64_t datagrams, uint64_t bytes);
void speaker_metrics_talk(struct speaker_metrics *metrics, struct str direction, uint64_t messages);
/* What local hand-off has counted. */
void speaker_metrics_handoff(struct speaker_metrics *metrics, struct handoff_figures figures);
/* What the carrying of connections has come to. */
void speaker_metrics_carrier(struct speaker_metrics *metrics,
                             const struct carrier_figures *figures);
/* A call to the API server has ended; ctx is the metrics. code is 0 when there was no answer. */
void speaker_metrics_request(void *ctx, const char *method, unsigned code, double duration_s);

const struct metrics *speaker_metrics_set(const struct speaker_metrics *metrics);

/* The table, for the test that looks it over. */
const struct metric *speaker_metrics_rows(size_t *ret_count);

#endif
