#include "speaker/speaker.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "crd/endpointslice.h"
#include "crd/node.h"
#include "crd/service.h"
#include "speaker/config.h"
#include "speaker/leaving.h"
#include "speaker/pace.h"
#include "speaker/tell.h"

static const enum kind_id followed[] = {
    KIND_NODE, KIND_SERVICE, KIND_ENDPOINT_SLICE, KIND_IP_ADDRESS_POOL, KIND_L2_ADVERTISEMENT,
};
enum { FOLLOWED = sizeof(followed) / sizeof(followed[0]) };

/* A plan with its arena. */
struct planned {
    struct plan *plan; /* NULL: none yet */
    struct arena *arena;
};

struct speaker {
    struct speaker_options options;
    struct loop *loop;
    struct source *source;
    struct excludes_file *excludes;
    struct netlink *netlink;
    struct speaker_metrics *metrics;
    struct config *config;
    struct elect *elect;
    struct peers *peers;
    struct duty *duty;
    struct leaving *leaving; /* NULL: stays */
    struct local *local;
    struct tell tell;
    struct basis *basis;           /* NULL: objects have changed since */
    struct planned now;            /* carried out */
    struct planned told;           /* what people were told of last */
    struct loop_timer *turn;       /* a plan is due */
    struct loop_timer *telling;    /* deferred: the plan carried out is to be told of */
    bool at_once;                  /* it does not wait for its time (pace.h) */
    uint64_t started_ns, ended_ns; /* the last plan, from its making to its telling */
    uint64_t changed_ns;           /* members have changed last */
    uint64_t deaths, detection_us; /* as noted last */
    struct sbuf findings;          /* as they were logged last */
    bool synced;                   /* the cache holds everything */
    bool config_changed;
};

/* --- what a change means --------------------------------------------------------------------- */

static bool same_addresses(const struct node *a, const struct node *b)
{
    const struct node_address *x = a->addresses.items, *y = b->addresses.items;
    if (a->addresses.count != b->addresses.count)
        return false;
    for (size_t i = 0; i < a->addresses.count; i++) {
        if (!str_eq(x[i].type, y[i].type) || !str_eq(x[i].text, y[i].text))
            return false;
    }
    return true;
}

/* A node's heartbeats change its object all the time. */
static bool node_matters(const struct object *before, const struct object *after)
{
    if (!before || !after || !object_same_labels(before, after))
        return true;
    const struct node *a = (const struct node *)before, *b = (const struct node *)after;
    return a->network_unavailable != b->network_unavailable || a->draining != b->draining ||
           !same_addresses(a, b);
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
    if (!matters(s, kind, before, after))
        return;
    s->basis = basis_unref(s->basis);
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
    struct speaker *s = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const struct iface *ifaces = netlink_list(s->netlink, scratch, &count);
    peers_set_interfaces(s->peers, ifaces, count);
    schedule(s, true);
}

static void members_changed(void *ctx)
{
    struct speaker *s = ctx;
    s->changed_ns = loop_clock_ns();
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
    tell_findings(source_findings(((const struct speaker *)ctx)->source));
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
    speaker_metrics_config(s->metrics, config_findings(s->config));
    tell_config(s);
}

static struct basis *make_basis(struct speaker *s, struct arena *scratch)
{
    struct snapshot snapshot = {
        .node = s->options.node,
        .lb_class = s->options.lb_class,
        .ignore_excluded = s->options.ignore_excluded,
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

/* Not in the same turn of the loop as carrying out, which is not to wait for it. */
static void telling(void *ctx)
{
    struct speaker *s = ctx;
    s->telling = NULL;
    speaker_metrics_planned(s->metrics, s->ended_ns - s->started_ns);
    tell_plans(&s->tell, s->told.plan, s->now.plan);
    local_run(s->local, s->now.plan);
    planned_done(&s->told);
    s->told = s->now;
}

static void take_plan(struct speaker *s, struct planned *planned)
{
    if (s->now.plan != s->told.plan)
        planned_done(&s->now); /* nobody was told of it */
    s->now = *planned;
    if (!s->telling)
        s->telling = loop_timer_start(s->loop, 0, 0, telling, s);
}

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
    const struct iface *ifaces = netlink_list(s->netlink, scratch, &count);
    struct plan_view view = {.watches = peers_watch(s->peers),
                             .interfaces = iface_usable(ifaces, count, scratch)};
    view.members = peers_list(s->peers, scratch, &view.member_count);
    struct planned planned = {.arena = arena_new(0)};
    planned.plan = plan_make(s->basis, &view, s->elect, planned.arena);
    size_t taken = duty_run(s->duty, ifaces, count, planned.plan, &view, planned.arena);
    note_deaths(s, taken);
    if (s->leaving)
        leaving_planned(s->leaving, planned.plan->tier);
    take_plan(s, &planned);
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
        .local = local_open(loop, source, options->node),
        .tell = {.source = source, .node = options->node},
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
    s->duty = duty_new(&parts, &options->apply);
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
    (void)leaving_cancel(s->leaving);
    (void)source_free(s->source);
    (void)netlink_close(s->netlink);
    (void)excludes_file_close(s->excludes);
    (void)duty_free(s->duty);
    (void)peers_close(s->peers);
    (void)local_close(s->local);
    (void)config_free(s->config);
    (void)elect_free(s->elect);
    if (s->told.plan != s->now.plan)
        planned_done(&s->told);
    planned_done(&s->now);
    (void)basis_unref(s->basis);
    sbuf_done(&s->findings);
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
    else if (!s->now.plan)
        *ret_phrase = "listing objects, interfaces and members";
    else
        *ret_phrase = "ok";
    return s->now.plan && !s->leaving;
}

const struct plan *speaker_plan(const struct speaker *s)
{
    return s->now.plan;
}

const struct peers *speaker_peers(const struct speaker *s)
{
    return s->peers;
}

const struct duty *speaker_duty(const struct speaker *s)
{
    return s->duty;
}

const struct apply *speaker_apply(const struct speaker *s)
{
    return duty_apply(s->duty);
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

struct source_saved speaker_saved(const struct speaker *s)
{
    return source_saved(s->source);
}

struct str speaker_node(const struct speaker *s)
{
    return s->options.node;
}
