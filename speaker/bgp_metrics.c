#include "speaker/bgp_metrics.h"

#include <stdlib.h>

#include "common/base/arena.h"

enum {
    SESSION_UP,
    UPDATES,
    ANNOUNCED_PREFIXES,
    PENDING_PREFIXES,
    BFD_UP,
    SESSION_DOWNS,
    SERVICES,
    BIRD_UP,
    BIRD_STARTS,
    BIRD_CRASHES,
    CONFIGURATIONS,
    CONFIGURE_SECONDS,
};

#define PEER_LABELS .labels = {"peer", "vrf"}

static const struct metric rows[] = {
    [SESSION_UP] = {"metallb_bgp_session_up", "Whether the session with a BGP peer is established.",
                    METRIC_GAUGE, PEER_LABELS, .borrowed_name = true},
    [UPDATES] = {"metallb_bgp_updates_total", "Routes sent to or withdrawn from a BGP peer.",
                 METRIC_COUNTER, PEER_LABELS, .borrowed_name = true},
    [ANNOUNCED_PREFIXES] = {"metallb_bgp_announced_prefixes_total",
                            "Prefixes that a BGP peer has from this node.", METRIC_GAUGE,
                            PEER_LABELS, .borrowed_name = true},
    [PENDING_PREFIXES] = {"metallb_bgp_pending_prefixes_total",
                          "Prefixes that are for a BGP peer and that it does not have yet.",
                          METRIC_GAUGE, PEER_LABELS, .borrowed_name = true},
    [BFD_UP] = {"metallb_bfd_session_up", "Whether the BFD session with a peer is up.",
                METRIC_GAUGE, PEER_LABELS, .borrowed_name = true},
    [SESSION_DOWNS] = {"stentor_speaker_bgp_session_downs_total",
                       "Times that an established session with a BGP peer went down.",
                       METRIC_COUNTER, PEER_LABELS},
    [SERVICES] = {"stentor_speaker_bgp_services",
                  "Services by the reason for which they are announced over BGP or not.",
                  METRIC_GAUGE, .labels = {"reason"}},
    [BIRD_UP] = {"stentor_speaker_bird_up", "Whether BIRD runs and takes commands.", METRIC_GAUGE},
    [BIRD_STARTS] = {"stentor_speaker_bird_starts_total", "Times that BIRD was started.",
                     METRIC_COUNTER},
    [BIRD_CRASHES] = {"stentor_speaker_bird_crashes_total",
                      "Times that BIRD ended unasked, or could not be started.", METRIC_COUNTER},
    [CONFIGURATIONS] = {"stentor_speaker_bird_configurations_total",
                        "Configurations that BIRD was given, by whether it took them.",
                        METRIC_COUNTER, .labels = {"result"}},
    [CONFIGURE_SECONDS] = {"stentor_speaker_bird_configuration_duration_seconds",
                           "Time from when a configuration was made until BIRD had taken it.",
                           METRIC_HISTOGRAM, .buckets = metric_latency_buckets,
                           .bucket_count = METRIC_LATENCY_BUCKETS},
};

struct bgp_metrics {
    struct metrics *set;
};

struct bgp_metrics *bgp_metrics_new(void)
{
    struct bgp_metrics *m = heap_alloc(sizeof(*m));
    m->set = metrics_new(rows, sizeof(rows) / sizeof(rows[0]));
    return m;
}

struct bgp_metrics *bgp_metrics_free(struct bgp_metrics *m)
{
    if (m)
        (void)metrics_free(m->set);
    free(m);
    return NULL;
}

void bgp_metrics_applied(struct bgp_metrics *m, double seconds)
{
    metric_observe(m->set, CONFIGURE_SECONDS, seconds, NO_LABELS);
}

/* "address:port" as MetalLB has it, the interface for an unnumbered peer. IPv6 in brackets. */
static struct str peer_label(const struct bgp_view *view, bool with_port, struct arena *arena)
{
    struct ip_text text = ip_format(&view->address);
    if (view->interface.len)
        return view->interface;
    if (!with_port)
        return arena_str(arena, str_from(text.text));
    return arena_printf(arena, view->address.family == IP_V6 ? "[%s]:%u" : "%s:%u", text.text,
                        (unsigned)view->port);
}

static void set_session(struct bgp_metrics *m, const struct bgp_metrics_session *session,
                        struct arena *arena)
{
    const struct bgp_view *view = session->view;
    struct str peer = peer_label(view, true, arena);
    bool up = view->state == STATUS_ESTABLISHED;
    uint64_t there = view->prefixes < view->wanted ? view->prefixes : view->wanted;
    metric_set(m->set, SESSION_UP, up, LABELS(peer, view->vrf));
    metric_set(m->set, UPDATES, (double)session->updates, LABELS(peer, view->vrf));
    metric_set(m->set, SESSION_DOWNS, (double)session->downs, LABELS(peer, view->vrf));
    metric_set(m->set, ANNOUNCED_PREFIXES, (double)view->prefixes, LABELS(peer, view->vrf));
    metric_set(m->set, PENDING_PREFIXES, (double)(view->wanted - there), LABELS(peer, view->vrf));
    if (view->bfd)
        metric_set(m->set, BFD_UP, view->bfd_state == STATUS_BFD_UP,
                   LABELS(peer_label(view, false, arena), view->vrf));
}

void bgp_metrics_sessions(struct bgp_metrics *m, const struct bgp_metrics_session *sessions,
                          size_t count)
{
    static const size_t of_sessions[] = {SESSION_UP,       UPDATES, ANNOUNCED_PREFIXES,
                                         PENDING_PREFIXES, BFD_UP,  SESSION_DOWNS};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof(of_sessions) / sizeof(of_sessions[0]); i++)
        metric_clear(m->set, of_sessions[i]);
    for (size_t i = 0; i < count; i++)
        set_session(m, &sessions[i], arena);
}

void bgp_metrics_services(struct bgp_metrics *m, const struct model *model)
{
    metric_clear(m->set, SERVICES);
    for (size_t i = 0; model && i < model->service_count; i++)
        metric_inc(m->set, SERVICES, LABELS(str_from(reason_name(model->services[i].reason))));
}

void bgp_metrics_bird(struct bgp_metrics *m, const struct bgp_metrics_bird *bird)
{
    metric_set(m->set, BIRD_UP, bird->up, NO_LABELS);
    metric_set(m->set, BIRD_STARTS, (double)bird->starts, NO_LABELS);
    metric_set(m->set, BIRD_CRASHES, (double)bird->crashes, NO_LABELS);
    metric_set(m->set, CONFIGURATIONS, (double)bird->taken, LABELS(STR("taken")));
    metric_set(m->set, CONFIGURATIONS, (double)bird->refused, LABELS(STR("refused")));
}

const struct metrics *bgp_metrics_set(const struct bgp_metrics *m)
{
    return m->set;
}

const struct metric *bgp_metrics_rows(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
