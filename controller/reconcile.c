/* From changes to a plan: see controller.h.
 *
 * Every change only marks what it concerns. Once per turn of the loop everything marked is planned
 * together, so that a list of ten thousand Services is one run. The first run of a new leader
 * waits until everything has been listed again after the election was won: what the former leader
 * wrote last is then in the cache, and is adopted before anything new is given. */
#include <malloc.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "controller/controller.h"
#include "controller/status_patch.h"

/* How long counters may lag behind, so that a burst of allocations is one write per pool. */
enum { COUNTERS_DELAY_MS = 500, WATCHDOG_MS = 10 * 1000 };

/* Planning and writing this many Services leaves megabytes of scratch memory behind. */
enum { TRIM_SERVICES = 1000, TRIM_TIMES = 2 };

static const enum kind_id followed[] = {
    KIND_NAMESPACE,
    KIND_SERVICE,
    KIND_IP_ADDRESS_POOL,
    KIND_L2_ADVERTISEMENT,
    KIND_BGP_ADVERTISEMENT,
    KIND_BGP_PEER,
    KIND_BFD_PROFILE,
    KIND_COMMUNITY,
    KIND_IP_RESERVATION,
    KIND_CONFIGURATION_STATE,
    KIND_NODE,
    KIND_ENDPOINT_SLICE,
    KIND_ADDRESS_CONFLICT,
    KIND_BGP_SESSION_STATUS,
};

static int64_t now_s(void)
{
    return loop_wall_ns() / 1000000000;
}

/* Did anything change but the status, which we write ourselves? */
static bool is_changed_by_user(const struct object *before, const struct object *after)
{
    if (!before || !after || !object_same_labels(before, after) ||
        before->refused != after->refused)
        return true;
    if (after->kind->id == KIND_NAMESPACE || after->kind->id == KIND_NODE)
        return false; /* only names and labels of these matter */
    if (!object_same_annotations(before, after))
        return true;
    return after->meta->generation == 0 || before->meta->generation != after->meta->generation;
}

static void offer_service(struct controller *c, const struct object *service)
{
    plan_offer(c->plan, service, apply_is_ahead(c, service));
}

static void service_changed(struct controller *c, const struct object *before,
                            const struct object *after)
{
    const struct object *object = after ? after : before;
    bool replaced = before && after && !str_eq(before->uid, after->uid);
    apply_seen(c, object_id(object), after);
    if (!c->active)
        return;
    reconcile_fence_pass(c, object_id(object), after ? after->resource_version : STR(""));
    if (!after || replaced) {
        reconcile_place_drop(c, object->key);
        plan_drop(c->plan, object->key);
    }
    if (after)
        offer_service(c, after);
    /* At once, so that no write begins before the plan knows: this version may show what is to be
     * written to another Service. */
    if (!after || !after->refused)
        apply_update_handover(c, object->key);
    reconcile_schedule(c);
}

static void config_changed(struct controller *c, const struct object *before,
                           const struct object *after)
{
    const struct object *object = after ? after : before;
    apply_seen(c, object_id(object), after);
    if (!c->active)
        return;
    if (is_changed_by_user(before, after)) {
        c->config_changed = true;
        reconcile_schedule(c);
    } else if (after) {
        if (status_is_judged(after->kind->id))
            apply_add(c, object_id(after));
    }
}

static void conflict_changed(struct controller *c, const struct object *before,
                             const struct object *after)
{
    apply_seen(c, object_id(after ? after : before), after);
    if (!c->active)
        return;
    c->quarantine_changed = true;
    if ((before && before->refused) || (after && after->refused))
        c->config_changed = true; /* for what is found about it */
    reconcile_schedule(c);
}

/* Our own ConfigurationState came without a status, was changed by others or was deleted. */
static void state_changed(struct controller *c, const struct object *object,
                          const struct object *after)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    apply_seen(c, object_id(object), after);
    if (c->active && str_eq(object_id(object), status_state_id(c, scratch)))
        apply_add(c, object_id(object));
}

static void changed(void *ctx, const struct object *before, const struct object *after)
{
    struct controller *c = ctx;
    enum kind_id kind = (after ? after : before)->kind->id;
    if (kind == KIND_NODE)
        reconcile_place_node(c, before, after);
    if (kind == KIND_SERVICE)
        service_changed(c, before, after);
    else if (kind == KIND_ENDPOINT_SLICE)
        reconcile_place_slice(c, before, after);
    else if (kind == KIND_NAMESPACE || kind == KIND_NODE || status_is_judged(kind))
        config_changed(c, before, after);
    else if (kind == KIND_CONFIGURATION_STATE)
        state_changed(c, after ? after : before, after);
    else if (kind == KIND_ADDRESS_CONFLICT)
        conflict_changed(c, before, after);
    else if (kind == KIND_BGP_SESSION_STATUS)
        apply_seen(c, object_id(after ? after : before), after);
}

/* --- running the plan ------------------------------------------------------------------------ */

/* Once a storm is over memory is to be given back: by the watchdog, some seconds later, when the
 * Events of the storm have been sent too. */
static void plan_trim(struct controller *c)
{
    struct work_figures work = work_queue_figures(c->queue);
    if (c->planned < TRIM_SERVICES || work.ready + work.in_flight > 0)
        return;
    c->planned = 0;
    c->trims = TRIM_TIMES;
}

static void counters_due(void *ctx)
{
    struct controller *c = ctx;
    c->counters = NULL;
    plan_trim(c);
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    static const enum kind_id counted[] = {KIND_IP_ADDRESS_POOL, KIND_IP_RESERVATION};
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
        size_t count;
        const struct object **objects = source_list(c->source, counted[i], scratch, &count);
        for (size_t j = 0; j < count; j++)
            apply_add(c, object_id(objects[j]));
    }
}

static void expiry_due(void *ctx)
{
    struct controller *c = ctx;
    c->expiry = NULL;
    c->config_changed = true;
    reconcile_schedule(c);
}

static void quarantine_due(void *ctx)
{
    struct controller *c = ctx;
    c->quarantine_end = NULL;
    c->quarantine_changed = true;
    reconcile_schedule(c);
}

/* A timer for the moment `next` (0: never) at which something ends; long waits are cut, the run
 * then finds nothing. */
static struct loop_timer *schedule_end(struct controller *c, int64_t next, void (*due)(void *ctx))
{
    enum { LONGEST_S = 24 * 3600 };
    int64_t now = now_s();
    if (next == 0)
        return NULL;
    int64_t wait = next > now ? next - now : 0;
    if (wait > LONGEST_S)
        wait = LONGEST_S;
    return loop_timer_start(c->loop, (uint64_t)wait * 1000 + 1000, 0, due, c);
}

static void run_quarantine(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t conflict_count;
    const struct object **conflicts =
        source_list(c->source, KIND_ADDRESS_CONFLICT, scratch, &conflict_count);
    const struct quarantine *before = plan_quarantine(c->plan);
    struct quarantine *now = quarantine_new(before, conflicts, conflict_count,
                                            reconcile_members_known(c, scratch), now_s());
    size_t count, count_before;
    (void)quarantine_list(before, &count_before);
    (void)quarantine_list(now, &count);
    if (count || count_before || quarantine_rejected(now))
        log_info("quarantine in force", kv_uint("addresses", count),
                 kv_uint("before", count_before), kv_uint("rejected", quarantine_rejected(now)));
    controller_metrics_quarantine(c->metrics, count);
    plan_set_quarantine(c->plan, now);
    for (size_t i = 0; i < conflict_count; i++) {
        if (quarantine_is_over(now, object_id(conflicts[i]), now_s()))
            apply_add(c, object_id(conflicts[i]));
    }
    c->quarantine_end = loop_timer_cancel(c->quarantine_end);
    c->quarantine_end = schedule_end(c, quarantine_next_end(now), quarantine_due);
}

static void run_config(struct controller *c)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct config_input input = {.namespace = c->options.namespace, .now = now_s()};
    for (size_t i = 0; i < sizeof(followed) / sizeof(followed[0]); i++) {
        enum kind_id kind = followed[i];
        input.objects[kind] = source_list(c->source, kind, scratch, &input.counts[kind]);
    }
    plan_set_pools(c->plan, config_build(c->config, &input));
    c->world_changed = true;
    c->expiry = loop_timer_cancel(c->expiry);
    c->expiry = schedule_end(c, config_next_expiry(c->config), expiry_due);
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        for (size_t i = 0; status_is_judged((enum kind_id)kind) && i < input.counts[kind]; i++)
            apply_add(c, object_id(input.objects[kind][i]));
    }
    apply_add(c, status_state_id(c, scratch));
    controller_metrics_config(c->metrics, config_findings(c->config));
    log_info("configuration in force", kv_uint("pools", input.counts[KIND_IP_ADDRESS_POOL]),
             kv_uint("findings", config_findings(c->config)->found.len));
}

static void turn(void *ctx)
{
    struct controller *c = ctx;
    c->turn = NULL;
    if (!c->active)
        return;
    uint64_t started = loop_clock_ns();
    if (c->config_changed)
        run_config(c);
    if (c->quarantine_changed)
        run_quarantine(c);
    c->config_changed = false;
    c->quarantine_changed = false;
    plan_run(c->plan);
    reconcile_fence_fill(c);
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str_list keys = plan_changes(c->plan, scratch);
    /* All who give something up are known before anybody is written. */
    for (size_t i = 0; i < keys.count; i++)
        apply_update_handover(c, keys.items[i]);
    for (size_t i = 0; i < keys.count; i++)
        apply_add(c, arena_printf(scratch, "Service/" STR_FMT, STR_ARG(keys.items[i])));
    reconcile_place_run(c, &keys);
    if (!c->counters)
        c->counters = loop_timer_start(c->loop, COUNTERS_DELAY_MS, 0, counters_due, c);
    controller_metrics_run(c->metrics, loop_clock_ns() - started, keys.count);
    c->planned += keys.count;
}

void reconcile_schedule(struct controller *c)
{
    if (!c->turn)
        c->turn = loop_defer(c->loop, turn, c);
}

/* --- leading --------------------------------------------------------------------------------- */

static void watchdog(void *ctx)
{
    struct controller *c = ctx;
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    if (c->active)
        apply_add(c, status_state_id(c, scratch));
    if (c->trims == 0)
        return;
    c->trims--;
    (void)malloc_trim(0); /* whether it could give anything back does not matter */
}

static void activate(struct controller *c)
{
    struct plan_options options = {
        .lb_class = c->options.lb_class, .seed = c->options.seed, .writes = apply_writes, .ctx = c};
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    const struct object **services = source_list(c->source, KIND_SERVICE, scratch, &count);
    c->active = true;
    c->led_since_ns = loop_wall_ns();
    c->config_changed = true;
    c->quarantine_changed = true;
    reconcile_place_end(c);
    (void)plan_free(c->plan);
    c->plan = plan_new(&options);
    reconcile_fence_raise(c);
    reconcile_place_begin(c);
    reconcile_members_make_secret(c);
    for (size_t i = 0; i < count; i++)
        offer_service(c, services[i]);
    log_info("leading", kv_str("identity", c->options.identity), kv_uint("services", count));
    reconcile_schedule(c);
}

/* Not the leader any more: nothing may be written from here on. */
static void deactivate(struct controller *c)
{
    c->active = false;
    c->turn = loop_timer_cancel(c->turn);
    c->counters = loop_timer_cancel(c->counters);
    c->expiry = loop_timer_cancel(c->expiry);
    c->quarantine_end = loop_timer_cancel(c->quarantine_end);
    reconcile_fence_keep(c);
    apply_give_up(c);
    reconcile_place_end(c);
    c->plan = plan_free(c->plan);
    controller_metrics_quarantine(c->metrics, 0);
    log_info("standing by", kv_str("identity", c->options.identity));
}

static void leader_changed(void *ctx, enum source_lead lead)
{
    struct controller *c = ctx;
    c->leader = lead != SOURCE_STANDS_BY;
    c->lead = lead;
    c->fence_all |= lead == SOURCE_SUCCEEDS || (c->stopped && !c->leader);
    controller_metrics_leader(c->metrics, c->leader);
    if (!c->leader && c->active)
        deactivate(c);
    else if (!c->leader && c->stopped)
        apply_give_up(c); /* what waits to be sent must not be */
    else if (c->leader)
        source_refresh(c->source); /* the fence: `synced` comes when it holds the newest state */
}

static void synced(void *ctx)
{
    struct controller *c = ctx;
    c->synced = true;
    reconcile_members_find(c);
    controller_metrics_loaded(c->metrics);
    if (c->leader && !c->active && !c->stopped)
        activate(c);
}

static void findings_changed(void *ctx)
{
    struct controller *c = ctx;
    const struct diag_list *list = source_findings(c->source);
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        log_warn("input refused", kv_str("object", diag->object), kv_str("field", diag->field),
                 kv_str("reason", diag->message));
    }
    if (c->active) {
        scoped_ptr(arena) struct arena *scratch = arena_new(0);
        apply_add(c, status_state_id(c, scratch));
    }
}

static void start(struct controller *c)
{
    enum { OWN_DEPLOYMENT = 1 };
    struct source_follow follow[sizeof(followed) / sizeof(followed[0]) + OWN_DEPLOYMENT];
    size_t count = sizeof(followed) / sizeof(followed[0]);
    for (size_t i = 0; i < count; i++) {
        follow[i] = (struct source_follow){.kind = followed[i]};
        if (status_is_judged(followed[i]) || followed[i] == KIND_CONFIGURATION_STATE ||
            followed[i] == KIND_ADDRESS_CONFLICT || followed[i] == KIND_BGP_SESSION_STATUS)
            follow[i].namespace = c->options.namespace;
        if (followed[i] == KIND_IP_RESERVATION)
            follow[i].namespace = STR("");
    }
    if (c->options.deployment.len)
        follow[count++] = (struct source_follow){.kind = KIND_DEPLOYMENT,
                                                 .namespace = c->options.namespace,
                                                 .name = c->options.deployment,
                                                 .optional = true};
    struct source_calls calls = {
        .changed = changed,
        .synced = synced,
        .findings = findings_changed,
        .reduce = reconcile_place_reduce,
        .ctx = c,
    };
    source_start(c->source, follow, count, &calls);
    if (!c->options.elect) { /* nobody says how who was there before has ended */
        c->leader = c->fence_all = true;
        c->lead = SOURCE_SUCCEEDS;
        return;
    }
    struct source_election election = {
        .namespace = c->options.namespace,
        .name = STR("stentor-controller"),
        .identity = c->options.identity,
        .lease_ms = c->options.lease_ms,
        .renew_ms = c->options.renew_ms,
        .retry_ms = c->options.retry_ms,
        .changed = leader_changed,
        .ctx = c,
    };
    source_elect(c->source, &election);
}

struct controller *controller_new(struct loop *loop, struct source *source,
                                  struct controller_metrics *metrics,
                                  const struct controller_options *options)
{
    struct controller *c = heap_alloc(sizeof(*c));
    *c = (struct controller){
        .options = *options,
        .loop = loop,
        .source = source,
        .metrics = metrics,
        .config = config_new(),
    };
    apply_init(c);
    reconcile_place_init(c);
    c->watchdog = loop_timer_start(loop, WATCHDOG_MS, WATCHDOG_MS, watchdog, c);
    start(c);
    return c;
}

struct controller *controller_free(struct controller *c)
{
    if (!c)
        return NULL;
    (void)loop_timer_cancel(c->turn);
    (void)loop_timer_cancel(c->counters);
    (void)loop_timer_cancel(c->expiry);
    (void)loop_timer_cancel(c->quarantine_end);
    (void)loop_timer_cancel(c->watchdog);
    apply_done(c);
    reconcile_fence_drop(c);
    reconcile_place_end(c);
    reconcile_members_done(c);
    (void)plan_free(c->plan);
    (void)source_free(c->source);
    (void)config_free(c->config);
    free(c);
    return NULL;
}

bool controller_is_ready(const struct controller *c)
{
    return c->synced && (c->active || !c->leader) && !c->turn;
}

/* --- stopping -------------------------------------------------------------------------------- */

static void resigned(void *ctx)
{
    struct controller *c = ctx;
    c->stopped(c->stopped_ctx);
}

/* Looks each 20 ms whether the last write has ended; gives up waiting after 2 s. */
static void wind_down(void *ctx)
{
    struct controller *c = ctx;
    c->counters = NULL;
    enum { STEP_MS = 20 };
    if (!apply_is_idle(c) && loop_now(c->loop) < c->stop_deadline_ms) {
        c->counters = loop_timer_start(c->loop, STEP_MS, 0, wind_down, c);
        return;
    }
    bool ended = apply_is_idle(c) && !c->fence && !c->fence_all;
    apply_give_up(c);
    if (c->options.elect && ended)
        source_resign(c->source, resigned, c);
    else /* not given back while a write may still be done: whoever comes next waits, and knows */
        resigned(c);
}

void controller_stop(struct controller *c, void (*stopped)(void *ctx), void *ctx)
{
    enum { LONGEST_MS = 2000 };
    c->stopped = stopped;
    c->stopped_ctx = ctx;
    c->active = false; /* plans nothing new; writes that have begun may end */
    c->stop_deadline_ms = loop_now(c->loop) + LONGEST_MS;
    c->turn = loop_timer_cancel(c->turn);
    c->expiry = loop_timer_cancel(c->expiry);
    c->quarantine_end = loop_timer_cancel(c->quarantine_end);
    c->counters = loop_timer_cancel(c->counters);
    c->counters = loop_timer_start(c->loop, 0, 0, wind_down, c);
}
