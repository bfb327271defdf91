#include "controller/controller_metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/err.h"

enum {
    ADDRESSES_TOTAL,
    ADDRESSES_IN_USE,
    IPV4_TOTAL,
    IPV6_TOTAL,
    IPV4_IN_USE,
    IPV6_IN_USE,
    SERVICES_ALLOCATED,
    CLIENT_UPDATES,
    CLIENT_UPDATE_ERRORS,
    CONFIG_LOADED,
    CONFIG_STALE,
    LEADER,
    SERVICES,
    QUARANTINED,
    FINDINGS,
    PLAN_SECONDS,
    PLANNED,
    WRITE_SECONDS,
    WRITE_ERRORS,
    REQUESTS,
    REQUEST_SECONDS,
    QUEUE_WAITING,
    QUEUE_IN_FLIGHT,
    QUEUE_RETRIES,
    NODE_VIPS,
    NODES,
    MOVES_LEFT,
    MOVES,
    TAKEOVERS,
    BUILD_INFO,
};

#define POOL_GAUGE(metric, text)                                                 \
    {                                                                            \
        .name = "metallb_allocator_" metric, .help = text, .kind = METRIC_GAUGE, \
        .labels = {"pool"}, .borrowed_name = true                                \
    }

#define LATENCY .buckets = metric_latency_buckets, .bucket_count = METRIC_LATENCY_BUCKETS

static const struct metric rows[] = {
    [ADDRESSES_TOTAL] = POOL_GAUGE("addresses_total", "Addresses of the pool."),
    [ADDRESSES_IN_USE] = POOL_GAUGE("addresses_in_use_total", "Addresses of the pool in use."),
    [IPV4_TOTAL] = POOL_GAUGE("ipv4_addresses_total", "IPv4 addresses of the pool."),
    [IPV6_TOTAL] = POOL_GAUGE("ipv6_addresses_total", "IPv6 addresses of the pool."),
    [IPV4_IN_USE] = POOL_GAUGE("ipv4_addresses_in_use_total", "IPv4 addresses of the pool in use."),
    [IPV6_IN_USE] = POOL_GAUGE("ipv6_addresses_in_use_total", "IPv6 addresses of the pool in use."),
    [SERVICES_ALLOCATED] =
        POOL_GAUGE("services_allocated_total", "Services that have addresses of the pool."),
    [CLIENT_UPDATES] = {"metallb_k8s_client_updates_total", "Writes to objects.", METRIC_COUNTER,
                        .borrowed_name = true},
    [CLIENT_UPDATE_ERRORS] = {"metallb_k8s_client_update_errors_total",
                              "Writes to objects that failed.", METRIC_COUNTER,
                              .borrowed_name = true},
    [CONFIG_LOADED] = {"metallb_k8s_client_config_loaded_bool",
                       "Whether a configuration is in force (1) or not yet (0).", METRIC_GAUGE,
                       .borrowed_name = true},
    [CONFIG_STALE] = {"metallb_k8s_client_config_stale_bool",
                      "Whether an object of the configuration is refused (1).", METRIC_GAUGE,
                      .borrowed_name = true},
    [LEADER] = {"stentor_controller_leader", "Whether this replica leads (1) or stands by (0).",
                METRIC_GAUGE},
    [SERVICES] = {"stentor_controller_services",
                  "Services of type LoadBalancer by the reason of their condition.", METRIC_GAUGE,
                  .labels = {"reason"}},
    [QUARANTINED] = {"stentor_controller_addresses_in_quarantine",
                     "Addresses that somebody else answers for and that are not given for now.",
                     METRIC_GAUGE},
    [FINDINGS] = {"stentor_controller_findings", "Findings about the configuration by severity.",
                  METRIC_GAUGE, .labels = {"severity"}},
    [PLAN_SECONDS] = {"stentor_controller_plan_duration_seconds", "Time that planning took.",
                      METRIC_HISTOGRAM, LATENCY},
    [PLANNED] = {"stentor_controller_planned_services_total", "Services that were decided for.",
                 METRIC_COUNTER},
    [WRITE_SECONDS] = {"stentor_controller_write_duration_seconds",
                       "Time from sending a write to its answer.", METRIC_HISTOGRAM, LATENCY},
    [WRITE_ERRORS] = {"stentor_controller_write_errors_total", "Writes that failed by cause.",
                      METRIC_COUNTER, .labels = {"cause"}},
    [REQUESTS] = {"stentor_controller_api_requests_total",
                  "Calls to the API server by method and HTTP code; 0: no answer.", METRIC_COUNTER,
                  .labels = {"method", "code"}},
    [REQUEST_SECONDS] = {"stentor_controller_api_request_duration_seconds",
                         "Time that calls to the API server took, watches left aside.",
                         METRIC_HISTOGRAM, .labels = {"method"}, LATENCY},
    [QUEUE_WAITING] = {"stentor_controller_queue_waiting", "Objects that wait to be written.",
                       METRIC_GAUGE},
    [QUEUE_IN_FLIGHT] = {"stentor_controller_queue_in_flight", "Objects that are being written.",
                         METRIC_GAUGE},
    [QUEUE_RETRIES] = {"stentor_controller_queue_retries_total", "Writes that were tried again.",
                       METRIC_COUNTER},
    [NODE_VIPS] = {"stentor_controller_node_vips",
                   "Addresses placed on the node; those that must stay together count as one.",
                   METRIC_GAUGE, .labels = {"node"}},
    [NODES] =
        {"stentor_controller_nodes",
         "Nodes by what may be placed on them: normal, held (back a short while ago), leaving "
         "(drained, or its speaker ends), dead (without a speaker that answers).",
         METRIC_GAUGE, .labels = {"state"}},
    [MOVES_LEFT] = {"stentor_controller_moves_left",
                    "Addresses that are still to be moved for balance.", METRIC_GAUGE},
    [MOVES] = {"stentor_controller_moves_total", "Addresses that were moved for balance.",
               METRIC_COUNTER},
    [TAKEOVERS] = {"stentor_controller_takeovers_total",
                   "Addresses that passed to a backup, as the node before it may not answer.",
                   METRIC_COUNTER},
    [BUILD_INFO] = {"stentor_controller_build_info", "Always 1; its label is the version.",
                    METRIC_GAUGE, .labels = {"version"}},
};

struct controller_metrics {
    struct metrics *set;
};

struct controller_metrics *controller_metrics_new(void)
{
    struct controller_metrics *m = heap_alloc(sizeof(*m));
    m->set = metrics_new(rows, sizeof(rows) / sizeof(rows[0]));
    metric_set(m->set, BUILD_INFO, 1, LABELS(STR(STENTOR_VERSION)));
    return m;
}

struct controller_metrics *controller_metrics_free(struct controller_metrics *m)
{
    if (m)
        (void)metrics_free(m->set);
    free(m);
    return NULL;
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

void controller_metrics_loaded(struct controller_metrics *m)
{
    metric_set(m->set, CONFIG_LOADED, 1, NO_LABELS);
}

void controller_metrics_config(struct controller_metrics *m, const struct diag_list *findings)
{
    size_t counts[DIAG_NOTE + 1] = {0};
    for (size_t i = 0; i < findings->found.len; i++)
        counts[findings->found.items[i].severity]++;
    for (size_t i = 0; i <= DIAG_NOTE; i++)
        metric_set(m->set, FINDINGS, (double)counts[i],
                   LABELS(str_from(diag_severity_name((enum diag_severity)i))));
    controller_metrics_loaded(m);
    metric_set(m->set, CONFIG_STALE, counts[DIAG_ERROR] ? 1 : 0, NO_LABELS);
}

void controller_metrics_quarantine(struct controller_metrics *m, size_t addresses)
{
    metric_set(m->set, QUARANTINED, (double)addresses, NO_LABELS);
}

void controller_metrics_run(struct controller_metrics *m, uint64_t duration_ns, size_t services)
{
    metric_observe(m->set, PLAN_SECONDS, seconds(duration_ns), NO_LABELS);
    metric_add(m->set, PLANNED, (double)services, NO_LABELS);
}

/* A few named causes, so that the label stays bounded. */
static struct str cause_of(int result)
{
    static const struct {
        int result;
        struct str cause;
    } causes[] = {
        {ERR_CONFLICT, STR_INIT("conflict")}, {-ENOENT, STR_INIT("not_found")},
        {ERR_REMOTE, STR_INIT("refused")},    {-EAGAIN, STR_INIT("overload")},
        {-ETIMEDOUT, STR_INIT("timeout")},
    };
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (causes[i].result == result)
            return causes[i].cause;
    }
    return STR("transport");
}

void controller_metrics_write(struct controller_metrics *m, int result, uint64_t duration_ns)
{
    metric_inc(m->set, CLIENT_UPDATES, NO_LABELS);
    metric_observe(m->set, WRITE_SECONDS, seconds(duration_ns), NO_LABELS);
    if (result == 0)
        return;
    metric_inc(m->set, CLIENT_UPDATE_ERRORS, NO_LABELS);
    metric_inc(m->set, WRITE_ERRORS, LABELS(cause_of(result)));
}

void controller_metrics_request(void *ctx, const char *method, unsigned code, double duration_s)
{
    struct controller_metrics *m = ctx;
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", code);
    metric_inc(m->set, REQUESTS, LABELS(str_from(method), str_from(text)));
    /* A watch lasts for minutes by its nature. */
    if (!str_eq(str_from(method), STR("WATCH")))
        metric_observe(m->set, REQUEST_SECONDS, duration_s, LABELS(str_from(method)));
}

void controller_metrics_leader(struct controller_metrics *m, bool leader)
{
    metric_set(m->set, LEADER, leader ? 1 : 0, NO_LABELS);
}

void controller_metrics_queue(struct controller_metrics *m, size_t waiting, size_t in_flight,
                              uint64_t retries)
{
    metric_set(m->set, QUEUE_WAITING, (double)waiting, NO_LABELS);
    metric_set(m->set, QUEUE_IN_FLIGHT, (double)in_flight, NO_LABELS);
    metric_set(m->set, QUEUE_RETRIES, (double)retries, NO_LABELS);
}

void controller_metrics_pools(struct controller_metrics *m, const struct alloc *alloc)
{
    for (size_t id = ADDRESSES_TOTAL; id <= SERVICES_ALLOCATED; id++)
        metric_clear(m->set, id);
    const struct pool_set *set = alloc ? alloc_pools(alloc) : NULL;
    for (uint32_t i = 0; set && i < set->count; i++) {
        struct str pool = set->pools[i].name;
        struct alloc_usage v4 = alloc_usage(alloc, &set->pools[i], 0);
        struct alloc_usage v6 = alloc_usage(alloc, &set->pools[i], 1);
        metric_set(m->set, IPV4_TOTAL, (double)v4.capacity, LABELS(pool));
        metric_set(m->set, IPV6_TOTAL, (double)v6.capacity, LABELS(pool));
        metric_set(m->set, IPV4_IN_USE, (double)v4.assigned, LABELS(pool));
        metric_set(m->set, IPV6_IN_USE, (double)v6.assigned, LABELS(pool));
        metric_set(m->set, ADDRESSES_TOTAL, (double)v4.capacity + (double)v6.capacity,
                   LABELS(pool));
        metric_set(m->set, ADDRESSES_IN_USE, (double)(v4.assigned + v6.assigned), LABELS(pool));
    }
}

/* A count of Services that is not in its series yet: mostly the next one has the same label. */
struct tally {
    size_t id;
    struct str label;
    size_t count;
};

static void tally_flush(struct controller_metrics *m, struct tally *tally)
{
    if (tally->count)
        metric_add(m->set, tally->id, (double)tally->count, LABELS(tally->label));
    tally->count = 0;
}

static void tally_add(struct controller_metrics *m, struct tally *tally, struct str label)
{
    if (!str_eq(tally->label, label))
        tally_flush(m, tally);
    tally->label = label;
    tally->count++;
}

void controller_metrics_records(struct controller_metrics *m, const struct plan *plan)
{
    struct tally reasons = {.id = SERVICES}, pools = {.id = SERVICES_ALLOCATED};
    size_t cursor = 0;
    metric_clear(m->set, SERVICES);
    for (const struct plan_record *record; plan && (record = plan_next(plan, &cursor));) {
        if (record->managed)
            tally_add(m, &reasons, str_from(record->reason));
        if (record->ip_count)
            tally_add(m, &pools, record->pool);
    }
    tally_flush(m, &reasons);
    tally_flush(m, &pools);
}

void controller_metrics_placing(struct controller_metrics *m, const struct placing *placing,
                                size_t moves_left)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count = 0;
    metric_clear(m->set, NODE_VIPS);
    const struct placing_node *nodes = placing ? placing_nodes(placing, scratch, &count) : NULL;
    size_t states[PLACE_STATES] = {0};
    for (size_t i = 0; i < count; i++) {
        metric_set(m->set, NODE_VIPS, (double)nodes[i].units, LABELS(nodes[i].name));
        states[nodes[i].state]++;
    }
    for (size_t i = 0; i < PLACE_STATES; i++)
        metric_set(m->set, NODES, (double)states[i],
                   LABELS(str_from(place_state_name((enum place_state)i))));
    metric_set(m->set, MOVES_LEFT, (double)moves_left, NO_LABELS);
}

void controller_metrics_moves(struct controller_metrics *m, size_t moved, size_t taken_over)
{
    metric_add(m->set, MOVES, (double)moved, NO_LABELS);
    metric_add(m->set, TAKEOVERS, (double)taken_over, NO_LABELS);
}

const struct metrics *controller_metrics_set(const struct controller_metrics *m)
{
    return m->set;
}

const struct metric *controller_metrics_rows(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
