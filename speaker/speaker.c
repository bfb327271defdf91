#include "speaker/speaker.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "crd/endpointslice.h"
#include "crd/node.h"
#include "crd/service.h"
#include "speaker/config.h"
#include "speaker/pace.h"

static const enum kind_id followed[] = {
    KIND_NODE, KIND_SERVICE, KIND_ENDPOINT_SLICE, KIND_IP_ADDRESS_POOL, KIND_L2_ADVERTISEMENT,
};
enum { FOLLOWED = sizeof(followed) / sizeof(followed[0]) };

struct speaker {
    struct speaker_options options;
    struct loop *loop;
    struct source *source;
    struct excludes_file *excludes;
    struct netlink *netlink;
    struct speaker_metrics *metrics;
    struct config *config;
    struct elect *elect;
    struct apply *apply;
    struct local *local;
    struct plan *plan; /* carried out; in the arena below */
    struct arena *plan_arena;
    struct loop_timer *turn;       /* a plan is due */
    bool at_once;                  /* it does not wait for its time (pace.h) */
    uint64_t started_ns, ended_ns; /* the last plan, from its making to its telling */
    struct sbuf findings;          /* as they were logged last */
    bool synced;                   /* the cache holds everything */
    bool config_changed;
};

/* --- what a change means --------------------------------------------------------------------- */

/* A node's heartbeats change its object all the time. */
static bool node_matters(const struct object *before, const struct object *after)
{
    if (!before || !after || !object_same_labels(before, after))
        return true;
    return ((const struct node *)before)->network_unavailable !=
           ((const struct node *)after)->network_unavailable;
}

static bool is_balanced(const struct object *service)
{
    return service && ((const struct service *)service)->is_load_balancer;
}

/* Most EndpointSlices of a cluster are those of Services that are none of ours. */
static bool slice_matters(const struct speaker *s, const struct object *object)
{
    const struct endpointslice *slice = (const struct endpointslice *)object;
    struct str namespace, name;
    if (!object || !str_cut(slice->service, '/', &namespace, &name))
        return false;
    return is_balanced(source_get(s->source, KIND_SERVICE, namespace, name));
}

/* Counters and conditions in the status of configuration are the controller's own writing. */
static bool spec_changed(const struct object *before, const struct object *after)
{
    return !before || !after || !object_same_labels(before, after) || after->meta.generation == 0 ||
           before->meta.generation != after->meta.generation;
}

static bool matters(struct speaker *s, enum kind_id kind, const struct object *before,
                    const struct object *after)
{
    switch (kind) {
    case KIND_NODE:
        return node_matters(before, after);
    case KIND_SERVICE:
        return is_balanced(before) || is_balanced(after);
    case KIND_ENDPOINT_SLICE:
        return slice_matters(s, before) || slice_matters(s, after);
    default:
        if (!spec_changed(before, after))
            return false;
        s->config_changed = true;
        return true;
    }
}

static void schedule(struct speaker *s, bool at_once);

static void object_changed(void *ctx, const struct object *before, const struct object *after)
{
    struct speaker *s = ctx;
    enum kind_id kind = (after ? after : before)->kind->id;
    if (matters(s, kind, before, after))
        schedule(s, kind != KIND_SERVICE);
}

static void synced(void *ctx)
{
    struct speaker *s = ctx;
    s->synced = true;
    schedule(s, true);
}

static void interfaces_changed(void *ctx)
{
    schedule(ctx, true);
}

static void excludes_changed(void *ctx)
{
    struct speaker *s = ctx;
    netlink_set_excludes(s->netlink, excludes_file_list(s->excludes));
}

static void log_findings(const struct diag_list *list)
{
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        log_warn("input refused", kv_str("object", diag->object), kv_str("field", diag->field),
                 kv_str("reason", diag->message));
    }
}

static void input_findings_changed(void *ctx)
{
    log_findings(source_findings(((const struct speaker *)ctx)->source));
}

/* --- telling what has changed ---------------------------------------------------------------- */

static void tell_event(struct speaker *s, struct str key, bool warning, struct str reason,
                       struct str message)
{
    struct str namespace, name;
    (void)str_cut(key, '/', &namespace, &name);
    const struct object *service = source_get(s->source, KIND_SERVICE, namespace, name);
    if (!service)
        return;
    struct source_event event = {.about = service,
                                 .warning = warning,
                                 .reason = reason,
                                 .action = STR("Announce"),
                                 .message = message};
    source_event(s->source, &event);
}

static void tell_announced(struct speaker *s, const struct plan_service *service,
                           struct arena *scratch)
{
    log_info("service announced", kv_str("service", service->key),
             kv_uint("epoch", service->epoch));
    tell_event(s, service->key, false, STR("nodeAssigned"),
               arena_printf(scratch,
                            "announcing from node \"" STR_FMT "\" with protocol \"layer2\"",
                            STR_ARG(s->options.node)));
}

static void tell_no_interface(struct speaker *s, const struct plan_service *service,
                              struct arena *scratch)
{
    log_warn("service has no interface to be announced on", kv_str("service", service->key));
    tell_event(s, service->key, true, STR("announceFailed"),
               arena_printf(scratch,
                            "node \"" STR_FMT "\" owns the address but has none of the interfaces "
                            "that the L2Advertisements name",
                            STR_ARG(s->options.node)));
}

/* Only transitions are told. */
static void tell_service(struct speaker *s, const struct plan_service *before,
                         const struct plan_service *after, struct arena *scratch)
{
    enum reason was = before ? before->reason : REASON_SERVICE_DELETED;
    enum placement_verdict worth = before ? before->placement : PLACEMENT_NOT_PUBLISHED;
    if (after->placement != worth && after->placement > PLACEMENT_NOT_PUBLISHED)
        log_warn("published placement ignored", kv_str("service", after->key),
                 kv_cstr("reason", placement_verdict_name(after->placement)));
    if (after->reason == was)
        return;
    if (after->reason == REASON_NONE)
        tell_announced(s, after, scratch);
    else if (was == REASON_NONE)
        log_info("service withdrawn", kv_str("service", after->key),
                 kv_cstr("reason", reason_name(after->reason)), kv_str("owner", after->owner));
    if (after->reason == REASON_NO_INTERFACE)
        tell_no_interface(s, after, scratch);
}

/* Why a Service is in the plan no more. */
static enum reason reason_gone(const struct speaker *s, struct str key)
{
    struct str namespace, name;
    (void)str_cut(key, '/', &namespace, &name);
    const struct object *service = source_get(s->source, KIND_SERVICE, namespace, name);
    return service && !is_balanced(service) ? REASON_NOT_LOAD_BALANCER : REASON_SERVICE_DELETED;
}

static void tell(struct speaker *s, const struct plan *before, const struct plan *after,
                 struct arena *scratch)
{
    for (size_t i = 0; i < after->service_count; i++)
        tell_service(s, plan_find(before, after->services[i].key), &after->services[i], scratch);
    for (size_t i = 0; before && i < before->service_count; i++) {
        const struct plan_service *gone = &before->services[i];
        if (gone->reason == REASON_NONE && !plan_find(after, gone->key))
            log_info("service withdrawn", kv_str("service", gone->key),
                     kv_cstr("reason", reason_name(reason_gone(s, gone->key))));
    }
}

/* --- a turn ---------------------------------------------------------------------------------- */

static struct objects list(const struct speaker *s, enum kind_id kind, struct arena *scratch)
{
    struct objects objects;
    objects.items = source_list(s->source, kind, scratch, &objects.count);
    return objects;
}

/* Logs the configuration when what is in force, or what is refused, reads otherwise than before. */
static void tell_config(struct speaker *s)
{
    const struct diag_list *findings = config_findings(s->config);
    struct sbuf text = {0};
    sbuf_printf(&text, "%zu %zu\n", config_pools(s->config)->count,
                config_advertisements(s->config)->count);
    for (size_t i = 0; i < findings->found.len; i++) {
        sbuf_put(&text, findings->found.items[i].object);
        sbuf_put(&text, findings->found.items[i].message);
    }
    bool same = str_eq(sbuf_str(&text), sbuf_str(&s->findings));
    sbuf_done(&s->findings);
    s->findings = text;
    if (same)
        return;
    log_findings(findings);
    log_info("configuration in force", kv_uint("pools", config_pools(s->config)->count),
             kv_uint("advertisements", config_advertisements(s->config)->count));
}

static void run_config(struct speaker *s, struct arena *scratch)
{
    struct objects pools = list(s, KIND_IP_ADDRESS_POOL, scratch);
    struct objects advertisements = list(s, KIND_L2_ADVERTISEMENT, scratch);
    config_build(s->config, &pools, &advertisements, s->options.namespace);
    s->config_changed = false;
    speaker_metrics_config(s->metrics, config_findings(s->config));
    tell_config(s);
}

static struct plan *make_plan(struct speaker *s, const struct iface *ifaces, size_t count,
                              struct arena *arena, struct arena *scratch)
{
    struct snapshot snapshot = {
        .node = s->options.node,
        .lb_class = s->options.lb_class,
        .ignore_excluded = s->options.ignore_excluded,
        .interfaces = iface_usable(ifaces, count, scratch),
        .services = list(s, KIND_SERVICE, scratch),
        .slices = list(s, KIND_ENDPOINT_SLICE, scratch),
        .nodes = list(s, KIND_NODE, scratch),
        .pools = *config_pools(s->config),
        .advertisements = *config_advertisements(s->config),
    };
    return plan_make(&snapshot, s->elect, arena);
}

static void turn(void *ctx)
{
    struct speaker *s = ctx;
    s->turn = NULL;
    s->started_ns = loop_clock_ns();
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    if (s->config_changed)
        run_config(s, scratch);
    const struct iface *ifaces = netlink_list(s->netlink, scratch, &count);
    struct arena *arena = arena_new(0);
    struct plan *plan = make_plan(s, ifaces, count, arena, scratch);
    apply_run(s->apply, ifaces, count, plan);
    speaker_metrics_plan(s->metrics, plan, s->options.node, loop_clock_ns() - s->started_ns);
    tell(s, s->plan, plan, scratch);
    (void)arena_free(s->plan_arena);
    s->plan = plan;
    s->plan_arena = arena;
    local_run(s->local, plan);
    s->ended_ns = loop_clock_ns();
}

static void schedule(struct speaker *s, bool at_once)
{
    if (!s->synced || !netlink_is_complete(s->netlink) || (s->turn && (s->at_once || !at_once)))
        return;
    uint64_t delay = at_once ? 0 : pace_delay_ms(loop_clock_ns(), s->started_ns, s->ended_ns);
    s->turn = loop_timer_cancel(s->turn);
    s->at_once = delay == 0;
    s->turn = delay ? loop_timer_start(s->loop, delay, 0, turn, s) : loop_defer(s->loop, turn, s);
}

/* --- life ------------------------------------------------------------------------------------ */

static void follow(struct speaker *s)
{
    struct source_follow what[FOLLOWED];
    for (size_t i = 0; i < FOLLOWED; i++) {
        what[i] = (struct source_follow){.kind = followed[i]};
        if (kinds_get(followed[i])->config)
            what[i].namespace = s->options.namespace;
    }
    struct source_calls calls = {
        .changed = object_changed, .synced = synced, .findings = input_findings_changed, .ctx = s};
    source_start(s->source, what, FOLLOWED, &calls);
}

int speaker_new(struct loop *loop, struct source *source, struct speaker_metrics *metrics,
                const struct speaker_options *options, struct speaker **ret)
{
    struct speaker *s = heap_alloc(sizeof(*s));
    *s = (struct speaker){
        .options = *options,
        .loop = loop,
        .source = source,
        .metrics = metrics,
        .config = config_new(),
        .elect = elect_new(options->seed),
        .apply = apply_new(loop, options->seed),
        .local = local_open(loop, source, options->node),
        .config_changed = true,
    };
    s->excludes = excludes_file_open(loop, options->excludes_path, excludes_changed, s);
    int result =
        netlink_open(loop, excludes_file_list(s->excludes), interfaces_changed, s, &s->netlink);
    if (result < 0) {
        (void)speaker_free(s);
        return result;
    }
    follow(s);
    *ret = s;
    return 0;
}

struct speaker *speaker_free(struct speaker *s)
{
    if (!s)
        return NULL;
    (void)loop_timer_cancel(s->turn);
    (void)source_free(s->source);
    (void)netlink_close(s->netlink);
    (void)excludes_file_close(s->excludes);
    (void)apply_free(s->apply);
    (void)local_close(s->local);
    (void)config_free(s->config);
    (void)elect_free(s->elect);
    (void)arena_free(s->plan_arena);
    sbuf_done(&s->findings);
    free(s);
    return NULL;
}

bool speaker_is_ready(const struct speaker *s)
{
    return s->plan != NULL;
}

const struct plan *speaker_plan(const struct speaker *s)
{
    return s->plan;
}

const struct apply *speaker_apply(const struct speaker *s)
{
    return s->apply;
}

const struct local *speaker_local(const struct speaker *s)
{
    return s->local;
}

const struct excludes_file *speaker_excludes(const struct speaker *s)
{
    return s->excludes;
}

const struct netlink *speaker_netlink(const struct speaker *s)
{
    return s->netlink;
}

const struct diag_list *speaker_findings(const struct speaker *s)
{
    return config_findings(s->config);
}

const struct diag_list *speaker_input_findings(const struct speaker *s)
{
    return source_findings(s->source);
}

struct str speaker_node(const struct speaker *s)
{
    return s->options.node;
}
