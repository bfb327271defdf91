/* One address: its responders, probes and steps. */
#include "speaker/apply_held.h"

#include <stdlib.h>

bool held_has_interface(const struct held *held, uint32_t interface)
{
    for (size_t i = 0; i < held->interfaces.len; i++) {
        if (held->interfaces.items[i] == interface)
            return true;
    }
    return false;
}

struct str apply_intern(struct apply *a, struct str name)
{
    struct str *kept = map_get(&a->names, name);
    if (!name.len)
        return name;
    if (kept)
        return *kept;
    kept = heap_alloc(sizeof(*kept) + name.len);
    char *text = (char *)(kept + 1);
    for (size_t i = 0; i < name.len; i++)
        text[i] = name.ptr[i];
    *kept = (struct str){.ptr = text, .len = name.len};
    (void)map_put(&a->names, *kept, kept);
    return *kept;
}

/* --- responders ------------------------------------------------------------------------------ */

void held_keep_figures(struct held *held, const struct responder *responder)
{
    const struct owned_address *address = responder_get(responder, &held->ip);
    if (!address)
        return;
    held->past.requests += address->received;
    held->past.replies += address->answered;
    held->past.gratuitous += address->announced;
}

void held_sync(struct apply *a, struct held *held)
{
    bool answers = tenure_answers(&held->tenure);
    size_t cursor = 0;
    for (const struct link *link; (link = links_next(a->links, &cursor));) {
        if (!link->responder)
            continue;
        if (answers && held_has_interface(held, link->iface.index)) {
            responder_own(link->responder, &held->ip);
        } else {
            held_keep_figures(held, link->responder);
            responder_disown(link->responder, &held->ip);
        }
    }
}

void held_send(struct apply *a, struct held *held)
{
    for (size_t i = 0; i < held->interfaces.len; i++) {
        const struct link *link = links_find(a->links, held->interfaces.items[i]);
        if (link && link->responder) /* what the kernel does not take is counted there */
            (void)responder_announce(link->responder, &held->ip);
    }
}

/* --- probes ---------------------------------------------------------------------------------- */

void held_forget_probe(struct held *held, uint32_t interface)
{
    for (size_t i = held->probes.len; i-- > 0;) {
        if (held->probes.items[i]->interface != interface)
            continue;
        free(held->probes.items[i]);
        vec_drop(&held->probes, i);
    }
    if (!held->probes.len)
        vec_done(&held->probes); /* thousands have probed once */
}

void held_probe_stop(struct held *held)
{
    for (size_t i = 0; i < held->probes.len; i++) {
        (void)responder_probe_cancel(held->probes.items[i]->probe);
        free(held->probes.items[i]);
    }
    vec_done(&held->probes);
}

/* Who has it: a member, this node by another interface, or a stranger. */
static void taken(struct apply *a, struct held *held, const struct link *link,
                  const struct mac *mac)
{
    const struct station *station = stations_find(a->stations, mac);
    struct apply_note note = {.mac = *mac};
    struct tenure_event event = {.kind = TENURE_TAKEN};
    if (link)
        note.interface = link->iface.name;
    if (station && station->self)
        event.kind = TENURE_FREE;
    else if (station && station->live)
        event =
            (struct tenure_event){.kind = TENURE_HEARD, .member = apply_intern(a, station->member)};
    held_probe_stop(held);
    held_step(a, held, &event, &note);
}

static void probed(void *ctx, const struct ip *ip, const struct mac *taken_by)
{
    struct probing *probing = ctx;
    struct apply *a = probing->apply;
    struct held *held = probing->held;
    const struct link *link = links_find(a->links, probing->interface);
    (void)ip;
    held_forget_probe(held, probing->interface);
    if (taken_by)
        taken(a, held, link, taken_by);
    else if (held->probes.len == 0)
        held_step(a, held, &(struct tenure_event){.kind = TENURE_FREE}, NULL);
    apply_settle(a);
}

static bool is_probing_on(const struct held *held, uint32_t interface)
{
    for (size_t i = 0; i < held->probes.len; i++) {
        if (held->probes.items[i]->interface == interface)
            return true;
    }
    return false;
}

void held_probe(struct apply *a, struct held *held)
{
    for (size_t i = 0; i < held->interfaces.len; i++) {
        uint32_t interface = held->interfaces.items[i];
        const struct link *link = links_find(a->links, interface);
        if (!link || !link->responder || is_probing_on(held, interface))
            continue;
        struct probing *probing = heap_alloc(sizeof(*probing));
        *probing = (struct probing){.apply = a, .held = held, .interface = interface};
        vec_push(&held->probes, probing);
        probing->probe = responder_probe_start(link->responder, &held->ip, a->options.probe_mode,
                                               probed, probing);
    }
}

/* --- steps ----------------------------------------------------------------------------------- */

static void note_change(struct apply *a, const struct held *held, enum tenure_state old)
{
    a->changed = true;
    a->counts[old]--;
    a->counts[held->tenure.state]++;
    vec_push(
        &a->changes,
        ((struct change){
            .ip = held->ip, .old = old, .new = held->tenure.state, .peer = held->tenure.peer}));
}

/* note: what is known of the other station; may be NULL. */
static void tell(struct apply *a, const struct held *held, const struct apply_note *known,
                 const struct tenure_actions *actions, const struct tenure *before)
{
    struct apply_note note = known ? *known : (struct apply_note){0};
    note.kind = actions->note;
    note.ip = held->ip;
    note.defended = actions->defend;
    note.member = held->tenure.peer.len ? held->tenure.peer : before->peer;
    if (note.kind == TENURE_TRESPASS || note.kind == TENURE_IN_USE)
        note.member = (struct str){0};
    if (note.kind == TENURE_CONFIRMED)
        note.lasted_ms = held->tenure.since - before->since;
    a->calls->note(a->ctx, &note);
}

void held_step(struct apply *a, struct held *held, const struct tenure_event *event,
               const struct apply_note *note)
{
    struct tenure before = held->tenure;
    uint64_t now = loop_now(a->loop);
    struct tenure_actions actions = tenure_step(&held->tenure, event, now);
    if (before.state != held->tenure.state) {
        note_change(a, held, before.state);
        held_sync(a, held);
    }
    if (actions.probe_stop)
        held_probe_stop(held);
    if (actions.probe)
        held_probe(a, held);
    if (actions.announce) {
        announce_start(&held->rounds, now);
        held->announced = true;
    } else if (held->tenure.state != TENURE_OWNING) {
        held->rounds = (struct announce){.chaos = held->rounds.chaos};
    }
    if (actions.defend && a->calls->may_answer(a->ctx))
        held_send(a, held);
    if (actions.ask.len)
        a->calls->ask(a->ctx, actions.ask, &held->ip);
    if (actions.ask_all)
        a->calls->ask(a->ctx, (struct str){0}, &held->ip);
    if (actions.note != TENURE_NOTHING)
        tell(a, held, note, &actions, &before);
}
