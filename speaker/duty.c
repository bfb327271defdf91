#include "speaker/duty.h"

#include <stdlib.h>

#include "common/base/log.h"

struct duty {
    struct duty_parts parts;
    const struct duty_calls *calls;
    void *ctx;
    struct apply *apply;
    struct talk *talk;
    const struct plan *plan; /* the newest */
    struct str_list others;  /* live members that can be asked */
    bool back;               /* in touch, since the newest plan */
};

/* --- claims ---------------------------------------------------------------------------------- */

static void send(void *ctx, struct str member, struct str bytes)
{
    const struct duty *d = ctx;
    struct gossip *gossip = peers_gossip(d->parts.peers);
    if (gossip)
        (void)gossip_send(gossip, member, bytes); /* may be lost anyway, and is asked again */
}

static struct claim say(void *ctx, const struct ip *ip)
{
    const struct duty *d = ctx;
    struct claim claim = {
        .ip = *ip, .answers = apply_answers(d->apply, ip), .claims = apply_claims(d->apply, ip)};
    if (claim.claims)
        claim.standing = plan_standing(d->plan, d->parts.elect, ip);
    return claim;
}

static void heard(void *ctx, struct str member, const struct claim *claim, uint64_t asked)
{
    const struct duty *d = ctx;
    int order = 0;
    if (claim->claims) {
        struct claim_standing ours = plan_standing(d->plan, d->parts.elect, &claim->ip);
        order = claim_cmp(&ours, d->parts.tell->node, &claim->standing, member);
    }
    apply_claimed(d->apply, member, claim, asked, order);
}

static const struct talk_calls talk_calls = {.send = send, .say = say, .heard = heard};

void duty_message(struct duty *d, struct str from, struct str bytes)
{
    if (!d->plan)
        return;
    apply_catch_up(d->apply);
    talk_take(d->talk, from, bytes);
}

/* --- what apply asks and notes --------------------------------------------------------------- */

static bool may_answer(void *ctx)
{
    const struct duty *d = ctx;
    return !peers_are_stalled(d->parts.peers);
}

static void ask(void *ctx, struct str member, const struct ip *ip)
{
    const struct duty *d = ctx;
    if (member.len) {
        talk_ask(d->talk, member, ip);
        return;
    }
    for (size_t i = 0; i < d->others.count; i++)
        talk_ask(d->talk, d->others.items[i], ip);
}

static bool known(void *ctx, const struct ip *ip)
{
    const struct duty *d = ctx;
    const struct basis *basis = d->plan->basis;
    const struct basis_address *address = basis_find(basis, ip);
    for (size_t i = 0; address && i < address->service_count; i++) {
        if (d->calls->has_status(d->ctx, basis->services[address->services[i]].key))
            return true;
    }
    return false;
}

static void changed(void *ctx)
{
    const struct duty *d = ctx;
    d->calls->changed(d->ctx);
}

/* All Services that have the address. */
static void tell_services(const struct duty *d, const struct ip *ip, struct str reason,
                          struct str message)
{
    const struct basis *basis = d->plan->basis;
    const struct basis_address *address = basis_find(basis, ip);
    for (size_t i = 0; address && i < address->service_count; i++)
        tell_event(d->parts.tell, basis->services[address->services[i]].key, true, reason, message);
}

static void tell_stranger(const struct duty *d, const struct apply_note *note, const char *outcome)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct mac_text mac = mac_format(&note->mac);
    log_warn("address in use by a stranger", kv_ip("ip", &note->ip), kv_cstr("mac", mac.text),
             kv_str("interface", note->interface), kv_cstr("outcome", outcome));
    tell_services(d, &note->ip, STR("AddressConflict"),
                  arena_printf(arena,
                               "%s is in use by the station %s, which node \"" STR_FMT
                               "\" hears on interface \"" STR_FMT "\": %s",
                               ip_format(&note->ip).text, mac.text, STR_ARG(d->parts.tell->node),
                               STR_ARG(note->interface), outcome));
}

static void note(void *ctx, const struct apply_note *note)
{
    const struct duty *d = ctx;
    speaker_metrics_note(d->parts.metrics, note);
    switch (note->kind) {
    case TENURE_CONFLICT:
        if (note->challenged)
            log_warn("another member answers for an address of ours", kv_ip("ip", &note->ip),
                     kv_str("member", note->member));
        break;
    case TENURE_TRESPASS:
        if (note->defended)
            tell_stranger(d, note, "defended");
        break;
    case TENURE_UNCLEAR:
        tell_stranger(d, note, "not announced, for it may be a node whose speaker is not heard");
        break;
    case TENURE_IN_USE:
        tell_stranger(d, note, "not announced");
        d->calls->conflict(d->ctx, &note->ip, &note->mac, note->interface);
        break;
    case TENURE_NOTHING:
    case TENURE_CONFIRMED:
    case TENURE_EXPIRED:
    case TENURE_YIELDED:
    case TENURE_RESUMED:
    case TENURE_NOTES:
        break;
    }
}

static const struct apply_calls apply_calls = {
    .may_answer = may_answer, .ask = ask, .known = known, .note = note, .changed = changed};

/* --- plans ----------------------------------------------------------------------------------- */

static void list_others(struct duty *d, const struct plan_view *view, struct arena *arena)
{
    d->others.items = arena_array(arena, view->member_count, sizeof(struct str));
    d->others.count = 0;
    for (size_t i = 0; i < view->member_count; i++) {
        const struct gossip_member *member = &view->members[i];
        if (!member->self && gossip_is_alive(member->state) && member->meta.role == GOSSIP_SPEAKER)
            d->others.items[d->others.count++] = arena_str(arena, member->name);
    }
}

/* A member that came back may have answered meanwhile, where we were not heard. */
static bool has_returned(const struct plan *before, const struct plan *now)
{
    for (size_t i = 0; before && i < now->basis->nodes.count; i++) {
        if (nodeset_has(&now->live, i) && i != now->basis->node &&
            !plan_is_live(before, now->basis->nodes.items[i]))
            return true;
    }
    return false;
}

size_t duty_run(struct duty *d, const struct iface *ifaces, size_t iface_count,
                const struct plan *plan, const struct plan_view *view, struct arena *arena)
{
    const struct plan *before = d->plan;
    struct stations *stations = arena_alloc(arena, sizeof(*stations));
    *stations = stations_make(plan->basis, view, arena);
    list_others(d, view, arena);
    struct apply_input input = {
        .ifaces = ifaces,
        .iface_count = iface_count,
        .before = before,
        .plan = plan,
        .stations = stations,
        .watches = view->watches,
        /* The others took this node for dead, and have long taken over what it had. */
        .at_once = before && before->tier == PLAN_NORMAL && plan->tier == PLAN_HELD,
        .back = d->back,
    };
    d->plan = plan;
    d->back = false;
    talk_members(d->talk, view->members, view->member_count);
    size_t taken = apply_run(d->apply, &input);
    if (view->watches && has_returned(before, plan))
        apply_announce(d->apply);
    return taken;
}

void duty_back_in_touch(struct duty *d)
{
    d->back = true;
}

/* --- life ------------------------------------------------------------------------------------ */

struct duty *duty_new(const struct duty_parts *parts, const struct apply_options *options,
                      const struct duty_calls *calls, void *ctx)
{
    struct duty *d = heap_alloc(sizeof(*d));
    *d = (struct duty){.parts = *parts, .calls = calls, .ctx = ctx};
    d->apply = apply_new(parts->loop, options, &apply_calls, d);
    d->talk = talk_new(parts->loop, &talk_calls, d);
    return d;
}

struct duty *duty_free(struct duty *d)
{
    if (!d)
        return NULL;
    (void)apply_free(d->apply);
    (void)talk_free(d->talk);
    free(d);
    return NULL;
}

const struct apply *duty_apply(const struct duty *d)
{
    return d->apply;
}

struct talk_figures duty_talk(const struct duty *d)
{
    return talk_figures(d->talk);
}
