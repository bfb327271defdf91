#include "speaker/speaker_metrics.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ANNOUNCED,
    REQUESTS_RECEIVED,
    RESPONSES_SENT,
    GRATUITOUS_SENT,
    CONFIG_LOADED,
    CONFIG_STALE,
    SERVICES,
    FRAMES,
    CLAIMS,
    PROBES_SENT,
    LOST,
    SEND_ERRORS,
    STATE_STALE,
    STATE_WRITES,
    STATE_FAILURES,
    STATE_DAMAGED,
    EXCLUDES_FAILURES,
    HANDOFF_ROUTES,
    HANDOFF_REFUSED,
    HANDOFF_RESTORED,
    HANDOFF_FAILURES,
    CARRY_POSSIBLE,
    CARRIED_ADDRESSES,
    CARRIED_PACKETS,
    CARRIED_BYTES,
    CARRY_FAILURES,
    CARRY_RESTORED,
    PLAN_SECONDS,
    DETECTION_SECONDS,
    FAILOVER_SECONDS,
    HANDOVER_SECONDS,
    CONFLICTS,
    YIELDS,
    IN_USE,
    STATES,
    MEMBERS,
    GOSSIP_DATAGRAMS,
    GOSSIP_BYTES,
    GOSSIP_DROPPED,
    CLAIM_MESSAGES,
    API_REQUESTS,
    API_SECONDS,
    BUILD_INFO,
};

#define LATENCY .buckets = metric_latency_buckets, .bucket_count = METRIC_LATENCY_BUCKETS

static const struct metric rows[] = {
    [ANNOUNCED] = {"metallb_speaker_announced", "Addresses that this node announces, each 1.",
                   METRIC_GAUGE, .labels = {"service", "protocol", "node", "ip"},
                   .borrowed_name = true},
    [REQUESTS_RECEIVED] = {"metallb_layer2_requests_received",
                           "Requests for an address that were answered.", METRIC_COUNTER,
                           .labels = {"ip"}, .borrowed_name = true},
    [RESPONSES_SENT] = {"metallb_layer2_responses_sent", "Answers sent for an address.",
                        METRIC_COUNTER, .labels = {"ip"}, .borrowed_name = true},
    [GRATUITOUS_SENT] = {"metallb_layer2_gratuitous_sent",
                         "Frames sent unasked to announce an address.", METRIC_COUNTER,
                         .labels = {"ip"}, .borrowed_name = true},
    [CONFIG_LOADED] = {"metallb_k8s_client_config_loaded_bool",
                       "Whether a configuration is in force.", METRIC_GAUGE, .borrowed_name = true},
    [CONFIG_STALE] = {"metallb_k8s_client_config_stale_bool",
                      "Whether an object of the configuration is refused.", METRIC_GAUGE,
                      .borrowed_name = true},
    [SERVICES] = {"stentor_speaker_services",
                  "Services by the reason for which they are announced here or not.", METRIC_GAUGE,
                  .labels = {"reason"}},
    [FRAMES] = {"stentor_speaker_frames_total",
                "ARP and NDP frames about addresses of ours that were received, by interface and "
                "what was made of them.",
                METRIC_COUNTER, .labels = {"interface", "protocol", "verdict"}},
    [CLAIMS] = {"stentor_speaker_claims_total",
                "Frames in which another station claims an address of ours, by interface.",
                METRIC_COUNTER, .labels = {"interface"}},
    [PROBES_SENT] = {"stentor_speaker_probes_sent_total",
                     "Probes for addresses to be announced that were sent, by interface.",
                     METRIC_COUNTER, .labels = {"interface"}},
    [LOST] = {"stentor_speaker_lost_frames_total",
              "Frames that came faster than they were read, by interface.", METRIC_COUNTER,
              .labels = {"interface"}},
    [SEND_ERRORS] = {"stentor_speaker_send_errors_total",
                     "Frames that the kernel did not take, by interface.", METRIC_COUNTER,
                     .labels = {"interface"}},
    [STATE_STALE] = {"stentor_speaker_state_stale",
                     "Whether saved state is in use, because the API server has not answered.",
                     METRIC_GAUGE},
    [STATE_WRITES] = {"stentor_speaker_state_writes_total", "Files of saved state written.",
                      METRIC_COUNTER},
    [STATE_FAILURES] = {"stentor_speaker_state_failures_total",
                        "Files of saved state that could not be written.", METRIC_COUNTER},
    [STATE_DAMAGED] = {"stentor_speaker_state_damaged_total",
                       "Files of saved state that could not be used at the start.", METRIC_COUNTER},
    [EXCLUDES_FAILURES] = {"stentor_speaker_excludes_failures_total",
                           "Changed lists of excluded interfaces that could not be understood.",
                           METRIC_COUNTER},
    [HANDOFF_ROUTES] = {"stentor_speaker_handoff_routes",
                        "Local routes that hand addresses to processes on this node.",
                        METRIC_GAUGE},
    [HANDOFF_REFUSED] = {"stentor_speaker_handoff_refused",
                         "Addresses that want a local route and cannot have it.", METRIC_GAUGE},
    [HANDOFF_RESTORED] = {"stentor_speaker_handoff_restored_total",
                          "Local routes put back after somebody else had removed them.",
                          METRIC_COUNTER},
    [HANDOFF_FAILURES] = {"stentor_speaker_handoff_failures_total",
                          "Changes of local routes that the kernel refused.", METRIC_COUNTER},
    [CARRY_POSSIBLE] = {"stentor_speaker_carry_possible",
                        "Whether (1) or not (0) connections that are open when their address comes "
                        "here can be carried to the node that had it.",
                        METRIC_GAUGE,
                        {"family"}},
    [CARRIED_ADDRESSES] = {"stentor_speaker_carried_addresses",
                           "Addresses whose older connections are carried to another node now.",
                           METRIC_GAUGE},
    [CARRIED_PACKETS] = {"stentor_speaker_carried_packets_total",
                         "Packets of such connections that were sent on to another node.",
                         METRIC_COUNTER},
    [CARRIED_BYTES] = {"stentor_speaker_carried_bytes_total", "Bytes of these packets.",
                       METRIC_COUNTER},
    [CARRY_FAILURES] = {"stentor_speaker_carry_failures_total",
                        "Times that the kernel did not take the rules that carry connections.",
                        METRIC_COUNTER},
    [CARRY_RESTORED] =
        {"stentor_speaker_carry_restored_total",
         "Times that these rules were put back after somebody else had removed them.",
         METRIC_COUNTER},
    [PLAN_SECONDS] = {"stentor_speaker_plan_duration_seconds", "Time that planning took.",
                      METRIC_HISTOGRAM, LATENCY},
    [DETECTION_SECONDS] = {"stentor_speaker_detection_duration_seconds",
                           "Silence of a member before this node found it dead.", METRIC_HISTOGRAM,
                           LATENCY},
    [FAILOVER_SECONDS] = {"stentor_speaker_failover_duration_seconds",
                          "Time from when a member's death was known until its addresses that "
                          "come to this node were answered for and announced.",
                          METRIC_HISTOGRAM, LATENCY},
    [HANDOVER_SECONDS] = {"stentor_speaker_handover_duration_seconds",
                          "Time from when an address was another member's until that one said "
                          "that it answers.",
                          METRIC_HISTOGRAM, LATENCY},
    [CONFLICTS] = {"stentor_speaker_conflicts_total",
                   "Times that somebody else was heard to answer for an address of this node: "
                   "another member, or a stranger.",
                   METRIC_COUNTER, .labels = {"with"}},
    [YIELDS] = {"stentor_speaker_yields_total",
                "Addresses given up to a member with a better claim.", METRIC_COUNTER},
    [IN_USE] = {"stentor_speaker_addresses_in_use_total",
                "New addresses that a stranger was found to have, and that were not announced.",
                METRIC_COUNTER},
    [STATES] = {"stentor_speaker_addresses", "Addresses by what this node does about them.",
                METRIC_GAUGE, .labels = {"state"}},
    [MEMBERS] = {"stentor_speaker_members", "Members by state, this one included.", METRIC_GAUGE,
                 .labels = {"state"}},
    [GOSSIP_DATAGRAMS] = {"stentor_speaker_gossip_datagrams_total", "Datagrams between members.",
                          METRIC_COUNTER, .labels = {"direction"}},
    [GOSSIP_BYTES] = {"stentor_speaker_gossip_bytes_total", "Their bytes.", METRIC_COUNTER,
                      .labels = {"direction"}},
    [GOSSIP_DROPPED] = {"stentor_speaker_gossip_dropped_total",
                        "Datagrams that were not taken, by reason.", METRIC_COUNTER,
                        .labels = {"reason"}},
    [CLAIM_MESSAGES] = {"stentor_speaker_claim_messages_total",
                        "Messages between members about who answers for an address.",
                        METRIC_COUNTER, .labels = {"direction"}},
    [API_REQUESTS] = {"stentor_speaker_api_requests_total",
                      "Calls to the API server by method and HTTP code; 0: no answer.",
                      METRIC_COUNTER, .labels = {"method", "code"}},
    [API_SECONDS] = {"stentor_speaker_api_request_duration_seconds",
                     "Time that calls to the API server took, watches left aside.",
                     METRIC_HISTOGRAM, .labels = {"method"}, LATENCY},
    [BUILD_INFO] = {"stentor_speaker_build_info", "The version, with the value 1.", METRIC_GAUGE,
                    .labels = {"version"}},
};

struct speaker_metrics {
    struct metrics *set;
};

struct speaker_metrics *speaker_metrics_new(void)
{
    struct speaker_metrics *m = heap_alloc(sizeof(*m));
    m->set = metrics_new(rows, sizeof(rows) / sizeof(rows[0]));
    metric_set(m->set, BUILD_INFO, 1, LABELS(STR(STENTOR_VERSION)));
    return m;
}

struct speaker_metrics *speaker_metrics_free(struct speaker_metrics *m)
{
    if (m)
        (void)metrics_free(m->set);
    free(m);
    return NULL;
}

void speaker_metrics_config(struct speaker_metrics *m, const struct diag_list *findings)
{
    metric_set(m->set, CONFIG_LOADED, 1, NO_LABELS);
    metric_set(m->set, CONFIG_STALE, diag_errors(findings) ? 1 : 0, NO_LABELS);
}

static void set_announced(struct speaker_metrics *m, const struct plan *plan,
                          const struct plan_address *address, struct str node)
{
    struct ip_text ip = ip_format(&address->ip);
    struct str service;
    for (size_t next = 0; plan_next_service(plan, address, &next, &service);)
        metric_set(m->set, ANNOUNCED, 1, LABELS(service, STR("layer2"), node, str_from(ip.text)));
}

void speaker_metrics_announced_bgp(struct speaker_metrics *m, struct str service, struct str node,
                                   const struct ip *ip)
{
    struct ip_text text = ip_format(ip);
    metric_set(m->set, ANNOUNCED, 1, LABELS(service, STR("bgp"), node, str_from(text.text)));
}

void speaker_metrics_planned(struct speaker_metrics *m, uint64_t duration_ns)
{
    metric_observe(m->set, PLAN_SECONDS, (double)duration_ns / 1e9, NO_LABELS);
}

void speaker_metrics_plan(struct speaker_metrics *m, const struct plan *plan, struct str node)
{
    metric_clear(m->set, ANNOUNCED);
    metric_clear(m->set, SERVICES);
    struct plan_address address;
    for (size_t next = 0; plan_next_address(plan, &next, &address);) {
        if (address.announced)
            set_announced(m, plan, &address, node);
    }
    for (size_t i = 0; i < plan->basis->service_count; i++) {
        struct plan_service service = plan_service_at(plan, i);
        metric_inc(m->set, SERVICES, LABELS(str_from(reason_name(plan_reason(&service)))));
    }
}

static void observe_ns(struct speaker_metrics *m, size_t id, uint64_t duration_ns)
{
    metric_observe(m->set, id, (double)duration_ns / 1e9, NO_LABELS);
}

void speaker_metrics_death(struct speaker_metrics *m, uint64_t silence_us)
{
    observe_ns(m, DETECTION_SECONDS, silence_us * 1000);
}

void speaker_metrics_failover(struct speaker_metrics *m, uint64_t duration_ns)
{
    observe_ns(m, FAILOVER_SECONDS, duration_ns);
}

void speaker_metrics_note(struct speaker_metrics *m, const struct apply_note *note)
{
    switch (note->kind) {
    case TENURE_CONFIRMED:
        observe_ns(m, HANDOVER_SECONDS, note->lasted_ms * 1000000);
        break;
    case TENURE_CONFLICT:
        metric_inc(m->set, CONFLICTS, LABELS(STR("member")));
        break;
    case TENURE_TRESPASS:
        metric_inc(m->set, CONFLICTS, LABELS(STR("stranger")));
        break;
    case TENURE_YIELDED:
        metric_inc(m->set, YIELDS, NO_LABELS);
        break;
    case TENURE_IN_USE:
        metric_inc(m->set, IN_USE, NO_LABELS);
        break;
    case TENURE_NOTHING:
    case TENURE_UNCLEAR:
    case TENURE_EXPIRED:
    case TENURE_RESUMED:
    case TENURE_NOTES:
        break;
    }
}

void speaker_metrics_state(struct speaker_metrics *m, enum tenure_state state, size_t count)
{
    metric_set(m->set, STATES, (double)count, LABELS(str_from(tenure_state_name(state))));
}

void speaker_metrics_dropped(struct speaker_metrics *m, const char *reason, uint64_t count)
{
    metric_set(m->set, GOSSIP_DROPPED, (double)count, LABELS(str_from(reason)));
}

void speaker_metrics_members(struct speaker_metrics *m, const struct member_figures *figures)
{
    for (size_t i = 0; i <= GOSSIP_LEFT; i++)
        metric_set(m->set, MEMBERS, (double)figures->members[i],
                   LABELS(str_from(gossip_state_name((enum gossip_state)i))));
}

void speaker_metrics_gossip(struct speaker_metrics *m, struct str direction, uint64_t datagrams,
                            uint64_t bytes)
{
    metric_set(m->set, GOSSIP_DATAGRAMS, (double)datagrams, LABELS(direction));
    metric_set(m->set, GOSSIP_BYTES, (double)bytes, LABELS(direction));
}

void speaker_metrics_talk(struct speaker_metrics *m, struct str direction, uint64_t messages)
{
    metric_set(m->set, CLAIM_MESSAGES, (double)messages, LABELS(direction));
}

void speaker_metrics_address(struct speaker_metrics *m, const struct ip *ip, uint64_t requests,
                             uint64_t replies, uint64_t gratuitous)
{
    struct ip_text text = ip_format(ip);
    struct str label = str_from(text.text);
    metric_set(m->set, REQUESTS_RECEIVED, (double)requests, LABELS(label));
    metric_set(m->set, RESPONSES_SENT, (double)replies, LABELS(label));
    metric_set(m->set, GRATUITOUS_SENT, (double)gratuitous, LABELS(label));
}

void speaker_metrics_clear_interfaces(struct speaker_metrics *m)
{
    for (size_t i = FRAMES; i <= SEND_ERRORS; i++)
        metric_clear(m->set, i);
}

void speaker_metrics_interface(struct speaker_metrics *m, struct str interface,
                               const struct responder_figures *figures)
{
    for (size_t i = 0; i < REACTION_PROTOCOLS; i++) {
        struct str protocol = str_from(reaction_protocol_name((enum reaction_protocol)i));
        for (size_t j = 0; j < REACTION_VERDICTS; j++)
            metric_set(m->set, FRAMES, (double)figures->verdicts[i][j],
                       LABELS(interface, protocol,
                              str_from(reaction_verdict_name((enum reaction_verdict)j))));
    }
    metric_set(m->set, CLAIMS, (double)figures->claims, LABELS(interface));
    metric_set(m->set, PROBES_SENT, (double)figures->probes, LABELS(interface));
    metric_set(m->set, LOST, (double)figures->lost, LABELS(interface));
    metric_set(m->set, SEND_ERRORS, (double)figures->send_errors, LABELS(interface));
}

void speaker_metrics_saved(struct speaker_metrics *m, bool stale, uint64_t writes,
                           uint64_t failures, uint64_t damaged)
{
    metric_set(m->set, STATE_STALE, stale ? 1 : 0, NO_LABELS);
    metric_set(m->set, STATE_WRITES, (double)writes, NO_LABELS);
    metric_set(m->set, STATE_FAILURES, (double)failures, NO_LABELS);
    metric_set(m->set, STATE_DAMAGED, (double)damaged, NO_LABELS);
}

void speaker_metrics_excludes(struct speaker_metrics *m, uint64_t failures)
{
    metric_set(m->set, EXCLUDES_FAILURES, (double)failures, NO_LABELS);
}

void speaker_metrics_handoff(struct speaker_metrics *m, struct handoff_figures figures)
{
    metric_set(m->set, HANDOFF_ROUTES, (double)figures.routes, NO_LABELS);
    metric_set(m->set, HANDOFF_REFUSED, (double)figures.refused, NO_LABELS);
    metric_set(m->set, HANDOFF_RESTORED, (double)figures.restored, NO_LABELS);
    metric_set(m->set, HANDOFF_FAILURES, (double)figures.failures, NO_LABELS);
}

void speaker_metrics_carrier(struct speaker_metrics *m, const struct carrier_figures *figures)
{
    metric_set(m->set, CARRY_POSSIBLE, figures->ipv4 ? 1 : 0, LABELS(STR("ipv4")));
    metric_set(m->set, CARRY_POSSIBLE, figures->ipv6 ? 1 : 0, LABELS(STR("ipv6")));
    metric_set(m->set, CARRIED_ADDRESSES, (double)figures->addresses, NO_LABELS);
    metric_set(m->set, CARRIED_PACKETS, (double)figures->packets, NO_LABELS);
    metric_set(m->set, CARRIED_BYTES, (double)figures->bytes, NO_LABELS);
    metric_set(m->set, CARRY_FAILURES, (double)figures->failures, NO_LABELS);
    metric_set(m->set, CARRY_RESTORED, (double)figures->restored, NO_LABELS);
}

void speaker_metrics_request(void *ctx, const char *method, unsigned code, double duration_s)
{
    struct speaker_metrics *m = ctx;
    enum { WATCH_S = 60 };
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", code);
    metric_inc(m->set, API_REQUESTS, LABELS(str_from(method), str_from(text)));
    if (duration_s < WATCH_S) /* a watch lasts for minutes by its nature */
        metric_observe(m->set, API_SECONDS, duration_s, LABELS(str_from(method)));
}

const struct metrics *speaker_metrics_set(const struct speaker_metrics *m)
{
    return m->set;
}

const struct metric *speaker_metrics_rows(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
