/* All addresses: plans, interfaces, timers, figures. What happens to one is in apply_held.c. */
#include "speaker/apply.h"

#include <stdlib.h>

#include "common/base/keep.h"
#include "common/base/log.h"
#include "speaker/apply_held.h"

enum {
    BURST = 64,      /* announcements in one turn of the loop; then others have theirs */
    LOG_BATCH = 64,  /* lines in one turn */
    NOT_YET_MS = 50, /* until it is asked again whether frames may be sent */
};

/* --- timers ---------------------------------------------------------------------------------- */

static void timer_due(void *ctx);

static void start_timer(struct apply *a, uint64_t delay_ms)
{
    a->timer = loop_timer_cancel(a->timer);
    a->timer = loop_timer_start(a->loop, delay_ms, 0, timer_due, a);
}

/* What is due now, but for what is too much for one turn. False: something is left. */
static bool send_due(struct apply *a)
{
    uint64_t now = loop_now(a->loop);
    size_t cursor = 0, sent = 0;
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        if (sent == BURST)
            return false;
        if (held->tenure.state != TENURE_OWNING ||
            !announce_take(&held->rounds, now, a->options.refresh_ms, &a->chaos))
            continue;
        held_send(a, held);
        sent++;
    }
    return true;
}

static void tick_all(struct apply *a)
{
    static const struct tenure_event tick = {.kind = TENURE_TICK};
    uint64_t now = loop_now(a->loop);
    size_t cursor = 0;
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        if (held->tenure.due && held->tenure.due <= now)
            held_step(a, held, &tick, NULL);
    }
}

static void timer_due(void *ctx)
{
    struct apply *a = ctx;
    a->timer = NULL;
    tick_all(a);
    if (!a->calls->may_answer(a->ctx))
        start_timer(a, NOT_YET_MS);
    else if (!send_due(a))
        start_timer(a, 1); /* not 0: libuv would run it again before it polls */
    else
        apply_settle(a);
}

static uint64_t next_due(const struct apply *a)
{
    uint64_t soonest = UINT64_MAX, next;
    size_t cursor = 0;
    for (const struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        if (held->tenure.due && held->tenure.due < soonest)
            soonest = held->tenure.due;
        if (held->tenure.state == TENURE_OWNING && announce_next(&held->rounds, &next) &&
            next < soonest)
            soonest = next;
    }
    return soonest;
}

static void forget_names(struct apply *a)
{
    size_t cursor = 0;
    if (!intern_is_full(&a->names))
        return;
    for (const struct held *held; (held = ip_table_next(&a->held, &cursor));)
        intern_mark(&a->names, held->tenure.peer);
    for (size_t i = a->logged; i < a->changes.len; i++)
        intern_mark(&a->names, a->changes.items[i].peer);
    intern_sweep(&a->names);
}

static void settling(void *ctx)
{
    struct apply *a = ctx;
    forget_names(a); /* nothing is under way that has one in hand */
    uint64_t due = next_due(a), now = loop_now(a->loop);
    a->settling = NULL;
    a->timer = loop_timer_cancel(a->timer);
    if (due != UINT64_MAX)
        start_timer(a, due > now ? due - now : 0);
}

static void log_change(const struct change *change)
{
    if (change->new == TENURE_OWNING && change->old == TENURE_NONE)
        log_info("address announced", kv_ip("ip", &change->ip));
    else if (change->new == TENURE_NONE)
        log_info("address withdrawn", kv_ip("ip", &change->ip),
                 kv_cstr("old", tenure_state_name(change->old)));
    else
        log_info("address changes hands", kv_ip("ip", &change->ip),
                 kv_cstr("old", tenure_state_name(change->old)),
                 kv_cstr("new", tenure_state_name(change->new)), kv_str("member", change->peer));
}

/* A fail-over of thousands of addresses must not stop everything else. */
static void logging(void *ctx)
{
    struct apply *a = ctx;
    size_t end = a->logged + LOG_BATCH < a->changes.len ? a->logged + LOG_BATCH : a->changes.len;
    a->logging = NULL;
    if (a->changed)
        a->calls->changed(a->ctx);
    a->changed = false;
    while (a->logged < end)
        log_change(&a->changes.items[a->logged++]);
    if (a->logged < a->changes.len) {
        a->logging = loop_timer_start(a->loop, 1, 0, logging, a);
        return;
    }
    vec_done(&a->changes);
    a->logged = 0;
}

void apply_settle(struct apply *a)
{
    if (!a->settling)
        a->settling = loop_defer(a->loop, settling, a);
    if (!a->logging && a->changes.len)
        a->logging = loop_timer_start(a->loop, 0, 0, logging, a);
}

/* --- interfaces ------------------------------------------------------------------------------ */

static void link_ready(void *ctx, const struct link *link)
{
    struct apply *a = ctx;
    size_t cursor = 0;
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        if (!held_has_interface(held, link->iface.index))
            continue;
        if (held->tenure.state == TENURE_PROBING)
            held_probe(a, held);
        if (tenure_answers(&held->tenure))
            responder_own(link->responder, &held->ip);
        if (held->tenure.state == TENURE_OWNING)
            announce_start(&held->rounds, loop_now(a->loop));
    }
    apply_settle(a);
}

/* What was to be known before anything is done about an address, and will not be: a probe has ended
 * while an interface waited, or went with its interface when those on others had ended. Such are
 * begun anew where that is possible. */
static void probe_anew(void *ctx)
{
    struct apply *a = ctx;
    size_t cursor = 0;
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        if (held->tenure.state == TENURE_PROBING && !held_is_probed(a, held))
            held_probe(a, held);
    }
    apply_settle(a);
}

static void link_closing(void *ctx, const struct link *link)
{
    struct apply *a = ctx;
    size_t cursor = 0;
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        held_keep_figures(a, held, link->responder);
        held_forget_probe(a, held, link->iface.index);
    }
}

void apply_catch_up(struct apply *a)
{
    size_t cursor = 0;
    for (const struct link *link; (link = links_next(a->links, &cursor));) {
        if (link->responder)
            responder_catch_up(link->responder);
    }
}

static struct held *find_held(const struct apply *a, const struct ip *ip)
{
    return ip_table_get(&a->held, ip);
}

/* A member that asks with the address as its own is what kube-proxy with IPVS makes of every node;
 * it answers nobody. */
static void link_heard(void *ctx, const struct link *link, const struct ip *ip,
                       const struct mac *mac, enum reaction_claim claim)
{
    struct apply *a = ctx;
    struct held *held = find_held(a, ip);
    const struct station *station = stations_find(a->stations, mac);
    struct apply_note note = {.mac = *mac, .interface = link->iface.name};
    if (!held || (station && (station->self || claim == CLAIM_USED)))
        return;
    struct tenure_event event = {.kind = TENURE_STRANGER,
                                 .unsure = station || a->stations->incomplete};
    if (station && station->live)
        event = (struct tenure_event){.kind = TENURE_HEARD,
                                      .member = intern_take(&a->names, station->member)};
    held_step(a, held, &event, &note);
    apply_settle(a);
}

static bool link_may_answer(void *ctx)
{
    const struct apply *a = ctx;
    return a->calls->may_answer(a->ctx);
}

static const struct links_calls link_calls = {
    .ready = link_ready,
    .all_open = probe_anew,
    .closing = link_closing,
    .closed = probe_anew,
    .heard = link_heard,
    .may_answer = link_may_answer,
};

/* --- a plan ---------------------------------------------------------------------------------- */

static struct held *need_held(struct apply *a, const struct ip *ip)
{
    struct held *held = find_held(a, ip);
    if (held)
        return held;
    held = keep_alloc(a->keep, sizeof(*held));
    *held = (struct held){.ip = *ip};
    a->counts[TENURE_NONE]++;
    (void)ip_table_put(&a->held, &held->ip);
    return held;
}

/* Who of the others had it by the plan before; empty: none. */
static struct str former_owner(const struct apply_input *input, const struct ip *ip)
{
    struct plan_unit unit;
    if (!input->before || !plan_find_unit(input->before, ip, &unit) ||
        unit.tier == PLAN_NO_INTERFACE || unit.owner == input->before->basis->node)
        return (struct str){0};
    return plan_owner(input->before, &unit);
}

static struct tenure_plan ours(struct apply *a, const struct apply_input *input,
                               const struct held *held)
{
    struct tenure_plan plan = {.whose = TENURE_OURS, .met = a->met};
    if (held->tenure.state != TENURE_NONE && held->tenure.state != TENURE_PROBING)
        return plan; /* the rest says how to begin */
    struct str former = former_owner(input, &held->ip);
    plan.known =
        former.len || !a->options.probes || held->announced || a->calls->known(a->ctx, &held->ip);
    if (input->watches && former.len && plan_is_live(input->plan, former))
        plan.before = intern_take(&a->names, former);
    return plan;
}

/* May the owner have taken over while we were out of touch? */
static bool has_begun(const struct apply_input *input, struct str owner)
{
    return input->back && input->before && !plan_is_live(input->before, owner);
}

static struct tenure_plan theirs(struct apply *a, const struct apply_input *input,
                                 const struct plan_unit *unit)
{
    struct str owner = plan_owner(input->plan, unit);
    if (!owner.len || unit->owner == input->plan->basis->node || unit->tier == PLAN_NO_INTERFACE)
        return (struct tenure_plan){.whose = TENURE_NOBODYS};
    return (struct tenure_plan){.whose = TENURE_THEIRS,
                                .owner = intern_take(&a->names, owner),
                                .owner_hears = input->watches,
                                .has_begun = has_begun(input, owner),
                                .may_serve = unit->may_serve && !input->at_once};
}

static void plan_held(struct apply *a, const struct apply_input *input, struct held *held,
                      bool is_ours)
{
    struct plan_unit unit;
    struct tenure_event event = {.kind = TENURE_PLANNED};
    bool stands = plan_find_unit(input->plan, &held->ip, &unit);
    if (is_ours)
        event.plan = ours(a, input, held);
    else if (stands)
        event.plan = theirs(a, input, &unit);
    if (stands)
        event.plan.standing =
            (struct claim_standing){.epoch = unit.epoch, .tier = (uint8_t)input->plan->tier};
    event.plan.peer_lives = held->tenure.peer.len && plan_is_live(input->plan, held->tenure.peer);
    held_step(a, held, &event, NULL);
}

static void plan_address(struct apply *a, const struct apply_input *input,
                         const struct plan_address *address)
{
    struct held *held = need_held(a, &address->ip);
    bool fresh = held_set_interfaces(a, held, &address->interfaces),
         owned = tenure_claims(&held->tenure);
    held->seen = true;
    plan_held(a, input, held, true);
    if (!fresh)
        return;
    held_sync(a, held);
    if (held->tenure.state == TENURE_PROBING)
        held_probe(a, held);
    if (owned && tenure_claims(&held->tenure))
        announce_start(&held->rounds, loop_now(a->loop));
}

size_t apply_run(struct apply *a, const struct apply_input *input)
{
    size_t cursor = 0, before = a->counts[TENURE_OWNING];
    a->plan = input->plan;
    a->met = stations_met(a->stations, input->stations);
    a->stations = input->stations;
    links_set(a->links, input->ifaces, input->iface_count);
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));)
        held->seen = false;
    struct plan_address address;
    for (size_t next = 0; plan_next_address(input->plan, &next, &address);)
        plan_address(a, input, &address);
    cursor = 0;
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        if (!held->seen && held->tenure.state != TENURE_NONE)
            plan_held(a, input, held, false);
    }
    if (a->calls->may_answer(a->ctx))
        (void)send_due(a); /* what is left is due at once */
    apply_settle(a);
    return a->counts[TENURE_OWNING] > before ? a->counts[TENURE_OWNING] - before : 0;
}

void apply_claimed(struct apply *a, struct str member, const struct claim *claim, uint64_t asked,
                   int order)
{
    struct held *held = find_held(a, &claim->ip);
    if (!held)
        return;
    struct tenure_event event = {.kind = TENURE_CLAIMED,
                                 .claim = {.member = intern_take(&a->names, member),
                                           .answers = claim->answers,
                                           .claims = claim->claims,
                                           .asked = asked,
                                           .order = order}};
    held_step(a, held, &event, NULL);
    apply_settle(a);
}

void apply_announce(struct apply *a)
{
    size_t cursor = 0;
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));) {
        if (held->tenure.state == TENURE_OWNING)
            announce_start(&held->rounds, loop_now(a->loop));
    }
    apply_settle(a);
}

enum tenure_state apply_state(const struct apply *a, const struct ip *ip)
{
    const struct held *held = find_held(a, ip);
    return held ? held->tenure.state : TENURE_NONE;
}

bool apply_answers(const struct apply *a, const struct ip *ip)
{
    const struct held *held = find_held(a, ip);
    return held && tenure_answers(&held->tenure) && held_is_listened(a, held) &&
           !held_waits(a, held) && a->calls->may_answer(a->ctx);
}

bool apply_claims(const struct apply *a, const struct ip *ip)
{
    const struct held *held = find_held(a, ip);
    return held && tenure_claims(&held->tenure) &&
           (held_is_listened(a, held) || held_waits(a, held));
}

size_t apply_count(const struct apply *a, enum tenure_state state)
{
    return a->counts[state];
}

/* --- life ------------------------------------------------------------------------------------ */

struct apply *apply_new(struct loop *loop, const struct apply_options *options,
                        const struct apply_calls *calls, void *ctx)
{
    static const struct stations nobody = {.incomplete = true};
    struct apply *a = heap_alloc(sizeof(*a));
    *a = (struct apply){.loop = loop,
                        .options = *options,
                        .calls = calls,
                        .ctx = ctx,
                        .keep = keep_new(),
                        .held = {.table.seed = options->seed},
                        .more = {.table.seed = options->seed},
                        .chaos = map_hash(options->seed, STR("refresh")), /* seen by others */
                        .stations = &nobody};
    a->links = links_new(loop, options->seed, &link_calls, a);
    return a;
}

struct apply *apply_free(struct apply *a)
{
    size_t cursor = 0;
    if (!a)
        return NULL;
    (void)loop_timer_cancel(a->timer);
    (void)loop_timer_cancel(a->settling);
    (void)loop_timer_cancel(a->logging);
    for (struct held *held; (held = ip_table_next(&a->held, &cursor));)
        held_free(a, held);
    ip_table_done(&a->held);
    intern_done(&a->names);
    vec_done(&a->changes);
    (void)links_free(a->links);
    free(a->interfaces); /* nobody has them any more */
    (void)keep_free(a->keep);
    free(a);
    return NULL;
}

/* --- figures --------------------------------------------------------------------------------- */

bool apply_listens(const struct apply *a, uint32_t interface, struct responder_figures *ret_figures)
{
    const struct link *link = links_find(a->links, interface);
    if (!link || !link->responder)
        return false;
    if (ret_figures)
        *ret_figures = responder_figures(link->responder);
    return true;
}

static struct apply_figures figures_of(const struct apply *a, const struct held *held)
{
    struct apply_figures figures = {
        .ip = held->ip, .state = held->tenure.state, .peer = held->tenure.peer};
    const struct held_more *more = held_more(a, held);
    size_t cursor = 0;
    if (more) {
        figures.requests = more->requests;
        figures.replies = more->replies;
        figures.gratuitous = more->gratuitous;
    }
    for (const struct link *link; (link = links_next(a->links, &cursor));) {
        const struct owned_address *address =
            link->responder ? responder_get(link->responder, &held->ip) : NULL;
        if (!address)
            continue;
        figures.requests += address->received;
        figures.replies += address->answered;
        figures.gratuitous += address->announced;
    }
    return figures;
}

static int by_ip(const void *a, const void *b)
{
    return ip_cmp(&((const struct apply_figures *)a)->ip, &((const struct apply_figures *)b)->ip);
}

struct apply_figures *apply_figures(const struct apply *a, struct arena *arena, size_t *ret_count)
{
    struct apply_figures *list = arena_array(arena, ip_table_count(&a->held), sizeof(*list));
    size_t cursor = 0, count = 0;
    for (const struct held *held; (held = ip_table_next(&a->held, &cursor));)
        list[count++] = figures_of(a, held);
    if (count)
        qsort(list, count, sizeof(*list), by_ip);
    *ret_count = count;
    return list;
}
