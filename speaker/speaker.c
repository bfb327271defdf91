#include "speaker/speaker.h"

#include <stdlib.h>

#include "common/base/keep.h"
#include "common/base/log.h"
#include "speaker/matters.h"
#include "speaker/pace.h"
#include "speaker/speaker_internal.h"

static const enum kind_id followed[] = {
    KIND_NODE,
    KIND_SERVICE,
    KIND_ENDPOINT_SLICE,
    KIND_IP_ADDRESS_POOL,
    KIND_L2_ADVERTISEMENT,
    /* of no concern to layer 2 */
    KIND_SECRET,
    KIND_CONFIG_MAP,
    KIND_BGP_ADVERTISEMENT,
    KIND_BGP_PEER,
    KIND_BFD_PROFILE,
    KIND_COMMUNITY,
};
enum { FOLLOWED = sizeof(followed) / sizeof(followed[0]) };
enum { STALLED_MS = 20 }; /* between two looks whether we still are; usually we are told before */

/* --- what has changed ------------------------------------------------------------------------ */

static void schedule(struct speaker *s, bool at_once);

static bool balances(void *ctx, struct str namespace, struct str name)
{
    const struct speaker *s = ctx;
    return matters_balances(source_get(s->source, KIND_SERVICE, namespace, name));
}

static bool advertises(const struct speaker *s)
{
    return config_advertisements(s->config)->count > 0;
}

/* Endpoints move addresses only where some are announced on layer 2. */
static bool is_urgent(const struct speaker *s, enum kind_id kind)
{
    return kind != KIND_SERVICE && (kind != KIND_ENDPOINT_SLICE || advertises(s));
}

static void object_changed(void *ctx, const struct object *before, const struct object *after)
{
    struct speaker *s = ctx;
    const struct object *object = after ? after : before;
    if (report_is_about(object)) {
        report_object(s->report, object);
        return;
    }
    enum matters what = matters(before, after, balances, s);
    if (what == MATTERS_NOT)
        return;
    s->config_changed = s->config_changed || what == MATTERS_CONFIG || what == MATTERS_BGP_CONFIG;
    if (s->synced)
        bgp_object_changed(s->options.bgp, before, after);
    if (what == MATTERS_BGP || what == MATTERS_BGP_CONFIG)
        return;
    s->basis = basis_unref(s->basis);
    schedule(s, is_urgent(s, object->kind->id));
}

static struct object *reduce(void *ctx, struct object *object)
{
    const struct speaker *s = ctx;
    return matters_reduce(object, s->keep);
}

static void synced(void *ctx)
{
    struct speaker *s = ctx;
    s->synced = true;
    report_synced(s->report);
    schedule(s, true);
    bgp_changed(s->options.bgp);
}

static void tell_interfaces(struct speaker *s)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const struct iface *ifaces = netlink_list(s->netlink, scratch, &count);
    peers_set_interfaces(s->peers, ifaces, count, config_advertisements(s->config));
}

static void interfaces_changed(void *ctx)
{
    struct speaker *s = ctx;
    tell_interfaces(s);
    schedule(s, true);
    if (s->synced)
        bgp_changed(s->options.bgp);
}

static void members_changed(void *ctx)
{
    struct speaker *s = ctx;
    s->changed_ns = loop_clock_ns();
    s->stalled = s->stalled || peers_are_stalled(s->peers);
    schedule(s, true);
}

static void excludes_changed(void *ctx)
{
    struct speaker *s = ctx;
    netlink_set_excludes(s->netlink, excludes_file_list(s->excludes));
}

static void message_came(void *ctx, struct str from, struct str bytes)
{
    const struct speaker *s = ctx;
    duty_message(s->duty, from, bytes);
}

static void input_findings_changed(void *ctx)
{
    const struct speaker *s = ctx;
    tell_findings(source_findings(s->source));
    report_config(s->report);
}

/* --- making plans ---------------------------------------------------------------------------- */

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
    tell_findings(findings);
    log_info("configuration in force", kv_uint("pools", config_pools(s->config)->count),
             kv_uint("advertisements", config_advertisements(s->config)->count));
}

static void run_config(struct speaker *s, struct arena *scratch)
{
    struct objects all[KIND_COUNT] = {0};
    for (size_t i = 0; i < FOLLOWED; i++)
        all[followed[i]] = list(s, followed[i], scratch);
    config_build(s->config, all, s->options.namespace);
    s->config_changed = false;
    tell_interfaces(s);
    speaker_metrics_config(s->metrics, config_findings(s->config));
    report_config(s->report);
    tell_config(s);
}

static const struct validated *config_now(void *ctx)
{
    struct speaker *s = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    if (s->config_changed)
        run_config(s, scratch);
    return config_validated(s->config);
}

static struct basis *make_basis(struct speaker *s, struct arena *scratch)
{
    struct snapshot snapshot = {
        .node = s->options.node,
        .lb_class = s->options.lb_class,
        .ignore_excluded = s->options.ignore_excluded,
        .seed = s->options.seed,
        .services = list(s, KIND_SERVICE, scratch),
        .slices = list(s, KIND_ENDPOINT_SLICE, scratch),
        .nodes = list(s, KIND_NODE, scratch),
        .pools = *config_pools(s->config),
        .advertisements = *config_advertisements(s->config),
    };
    peers_set_nodes(s->peers, &snapshot.nodes);
    return basis_make(&snapshot);
}

static void planned_done(struct planned *planned)
{
    plan_done(planned->plan);
    (void)arena_free(planned->arena);
    *planned = (struct planned){0};
}

static void telling_more(void *ctx)
{
    struct speaker *s = ctx;
    if (!tell_some(&s->tell))
        s->telling_more = loop_timer_cancel(s->telling_more);
}

/* Not in the same turn of the loop as carrying out, which is not to wait for it. */
static void telling(void *ctx)
{
    struct speaker *s = ctx;
    s->telling = NULL;
    s->telling_more = loop_timer_cancel(s->telling_more);
    tell_plans(&s->tell, s->told.plan, s->now.plan);
    local_run(s->local, s->now.plan, duty_apply(s->duty));
    bool first = !s->told.plan;
    if (s->told.plan != s->now.plan)
        planned_done(&s->told);
    s->told = s->now;
    if (first)
        report_planned(s->report);
    if (tell_some(&s->tell))
        s->telling_more = loop_timer_start(s->loop, 1, 1, telling_more, s);
}

static void tell_later(struct speaker *s)
{
    if (!s->telling)
        s->telling = loop_timer_start(s->loop, 0, 0, telling, s);
}

static void take_plan(struct speaker *s, struct planned *planned)
{
    if (s->now.plan != s->told.plan)
        planned_done(&s->now); /* nobody was told of it */
    s->now = *planned;
    tell_later(s);
}

/* What is done about addresses has changed without a plan. */
static void duty_changed(void *ctx)
{
    struct speaker *s = ctx;
    if (s->now.plan)
        tell_later(s);
}

static bool owns(void *ctx, const struct ip *ip)
{
    const struct speaker *s = ctx;
    return apply_state(duty_apply(s->duty), ip) == TENURE_OWNING;
}

static void service_changed(void *ctx, struct str service, bool took)
{
    const struct speaker *s = ctx;
    report_service(s->report, service, took);
}

/* --- what duty asks and tells ---------------------------------------------------------------- */

static bool has_status(void *ctx, struct str service)
{
    const struct speaker *s = ctx;
    return source_saved(s->source).stale || report_has_status(s->report, service);
}

static void conflict(void *ctx, const struct ip *ip, const struct mac *mac, struct str interface)
{
    const struct speaker *s = ctx;
    report_conflict(s->report, ip, mac, interface);
}

/* --- a turn ---------------------------------------------------------------------------------- */

static void turn(void *ctx);

/* A plan has been carried out. */
static void note_deaths(struct speaker *s, size_t taken)
{
    const struct gossip *gossip = peers_gossip(s->peers);
    if (!gossip)
        return;
    struct gossip_figures figures = gossip_figures(gossip);
    if (figures.member.deaths == s->deaths)
        return;
    s->deaths = figures.member.deaths;
    if (figures.member.last_detection_us != s->detection_us)
        speaker_metrics_death(s->metrics, figures.member.last_detection_us);
    s->detection_us = figures.member.last_detection_us;
    if (taken)
        speaker_metrics_failover(s->metrics, loop_clock_ns() - s->changed_ns);
}

/* What others have made of our silence is not known while we are stalled: by a plan of that time we
 * would begin to answer for what they have taken over. */
static bool is_in_touch(struct speaker *s)
{
    if (peers_are_stalled(s->peers)) {
        s->stalled = true;
        s->turn = loop_timer_start(s->loop, STALLED_MS, 0, turn, s);
        s->at_once = false;
        return false;
    }
    if (s->stalled)
        duty_back_in_touch(s->duty);
    s->stalled = false;
    return true;
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
    if (!s->basis)
        s->basis = make_basis(s, scratch);
    if (!peers_are_settled(s->peers))
        return; /* there will be a call when they are */
    if (!is_in_touch(s))
        return;
    const struct iface *ifaces = netlink_list(s->netlink, scratch, &count);
    if (!s->started) /* who has no plan must be elected by nobody */
        peers_set_started(s->peers);
    s->started = true;
    struct plan_view view = {.watches = peers_watch(s->peers),
                             .interfaces = iface_usable(ifaces, count, scratch)};
    view.members = peers_list(s->peers, scratch, &view.member_count);
    struct planned planned = {.arena = arena_new(0)};
    planned.plan = plan_make(s->basis, &view, s->elect, planned.arena);
    carrier_run(s->carrier, s->now.plan, planned.plan, &view);
    size_t taken = duty_run(s->duty, ifaces, count, planned.plan, &view, planned.arena);
    note_deaths(s, taken);
    if (s->leaving)
        leaving_planned(s->leaving, planned.plan->tier);
    take_plan(s, &planned);
    s->ended_ns = loop_clock_ns();
    speaker_metrics_planned(s->metrics, s->ended_ns - s->started_ns);
}

/* Where nothing can be announced on layer 2, a plan only says why, for people to read. */
static uint64_t delay_ms(const struct speaker *s)
{
    return advertises(s) ? pace_delay_ms(loop_clock_ns(), s->started_ns, s->ended_ns)
                         : PACE_LONGEST_MS;
}

static void schedule(struct speaker *s, bool at_once)
{
    if (!s->synced || !netlink_is_complete(s->netlink) || (s->turn && (s->at_once || !at_once)))
        return;
    uint64_t delay = at_once ? 0 : delay_ms(s);
    s->turn = loop_timer_cancel(s->turn);
    s->at_once = delay == 0;
    s->turn = delay ? loop_timer_start(s->loop, delay, 0, turn, s) : loop_defer(s->loop, turn, s);
}

/* --- life ------------------------------------------------------------------------------------ */

static void follow(struct speaker *s)
{
    struct source_follow what[FOLLOWED + REPORT_FOLLOWS];
    for (size_t i = 0; i < FOLLOWED; i++) {
        what[i] = (struct source_follow){.kind = followed[i]};
        if (!matters_cluster_wide(followed[i]))
            what[i].namespace = s->options.namespace;
    }
    size_t count = FOLLOWED + report_follow(s->report, what + FOLLOWED);
    struct source_calls calls = {.changed = object_changed,
                                 .synced = synced,
                                 .findings = input_findings_changed,
                                 .reduce = reduce,
                                 .ctx = s};
    source_start(s->source, what, count, &calls);
}

int speaker_new(struct loop *loop, struct source *source, struct speaker_metrics *metrics,
                const struct speaker_options *options, struct speaker **ret)
{
    struct speaker *s = heap_alloc(sizeof(*s));
    *s = (struct speaker){
        .options = *options,
        .loop = loop,
        .keep = keep_new(),
        .source = source,
        .metrics = metrics,
        .config = config_new(),
        .elect = elect_new(options->seed),
        .local = local_open(loop, source, options->node),
        .carrier = carrier_open(loop, source),
        .tell = {.source = source,
                 .node = options->node,
                 .owns = owns,
                 .changed = service_changed,
                 .ctx = s},
        .config_changed = true,
    };
    static const struct gossip_calls calls = {.changed = members_changed, .message = message_came};
    s->excludes = excludes_file_open(loop, options->excludes_path, excludes_changed, s);
    int result = peers_open(loop, &options->peers, &calls, s, &s->peers);
    if (result >= 0)
        result =
            netlink_open(loop, excludes_file_list(s->excludes), interfaces_changed, s, &s->netlink);
    if (result < 0) {
        (void)speaker_free(s);
        return result;
    }
    struct duty_parts parts = {
        .loop = loop, .peers = s->peers, .elect = s->elect, .metrics = metrics, .tell = &s->tell};
    static const struct duty_calls duty_calls = {
        .changed = duty_changed, .has_status = has_status, .conflict = conflict};
    s->duty = duty_new(&parts, &options->apply, &duty_calls, s);
    speaker_report_begin(s, config_now);
    follow(s);
    *ret = s;
    return 0;
}

struct speaker *speaker_free(struct speaker *s)
{
    if (!s)
        return NULL;
    (void)loop_timer_cancel(s->turn);
    (void)loop_timer_cancel(s->telling);
    (void)loop_timer_cancel(s->telling_more);
    tell_done(&s->tell);
    (void)leaving_cancel(s->leaving);
    (void)report_free(s->report);
    (void)source_free(s->source);
    (void)netlink_close(s->netlink);
    (void)excludes_file_close(s->excludes);
    (void)duty_free(s->duty);
    (void)peers_close(s->peers);
    (void)local_close(s->local);
    (void)carrier_close(s->carrier);
    (void)config_free(s->config);
    (void)elect_free(s->elect);
    if (s->told.plan != s->now.plan)
        planned_done(&s->told);
    planned_done(&s->now);
    (void)basis_unref(s->basis);
    sbuf_done(&s->findings);
    (void)keep_free(s->keep);
    free(s);
    return NULL;
}

void speaker_leave(struct speaker *s, void (*done)(void *ctx), void *ctx)
{
    s->leaving = leaving_start(s->loop, s->peers, s->duty, done, ctx);
    schedule(s, true);
}

bool speaker_is_ready(const struct speaker *s, const char **ret_phrase)
{
    if (s->leaving)
        *ret_phrase = "leaving";
    else if (!s->told.plan)
        *ret_phrase = "listing objects, interfaces and members";
    else
        *ret_phrase = "ok";
    return s->told.plan && !s->leaving;
}
