/* One address: its responders, probes and steps. */
#include "speaker/apply_held.h"

#include <stdlib.h>

#include "common/base/keep.h"

/* --- interfaces ------------------------------------------------------------------------------ */

bool held_has_interface(const struct held *held, uint32_t interface)
{
    for (size_t i = 0; held->interfaces && i < held->interfaces->count; i++) {
        if (held->interfaces->indices[i] == interface)
            return true;
    }
    return false;
}

bool held_waits(const struct apply *a, const struct held *held)
{
    bool waits = false;
    for (size_t i = 0; held->interfaces && i < held->interfaces->count; i++) {
        const struct link *link = links_find(a->links, held->interfaces->indices[i]);
        waits |= link && link->waits;
    }
    return waits;
}

bool held_is_listened(const struct apply *a, const struct held *held)
{
    for (size_t i = 0; held->interfaces && i < held->interfaces->count; i++) {
        const struct link *link = links_find(a->links, held->interfaces->indices[i]);
        if (link && link->responder)
            return true;
    }
    return false;
}

static struct interfaces *interfaces_unref(struct interfaces *interfaces)
{
    if (interfaces && --interfaces->refs == 0)
        free(interfaces);
    return NULL;
}

static bool is_same(const struct interfaces *a, const uint32_t *indices, size_t count)
{
    size_t i = 0;
    while (a && i < count && i < a->count && a->indices[i] == indices[i])
        i++;
    return a && i == count && i == a->count;
}

/* Those that were set last, when they are the same, or new ones; a reference either way. */
static struct interfaces *find_interfaces(struct apply *a, const uint32_t *indices, size_t count)
{
    if (!is_same(a->interfaces, indices, count)) {
        (void)interfaces_unref(a->interfaces);
        a->interfaces = heap_alloc(sizeof(*a->interfaces) + count * sizeof(*indices));
        *a->interfaces = (struct interfaces){.refs = 1, .count = count};
        for (size_t i = 0; i < count; i++)
            a->interfaces->indices[i] = indices[i];
    }
    a->interfaces->refs++;
    return a->interfaces;
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

bool held_set_interfaces(struct apply *a, struct held *held, const struct str_list *names)
{
    VEC(uint32_t) indices = {0};
    size_t cursor = 0;
    for (const struct link *link; (link = links_next(a->links, &cursor));) {
        if (str_list_has(names, link->iface.name))
            vec_push(&indices, link->iface.index);
    }
    vec_sort(&indices, by_index);
    bool same = is_same(held->interfaces, indices.items, indices.len);
    if (!same) {
        (void)interfaces_unref(held->interfaces);
        held->interfaces = find_interfaces(a, indices.items, indices.len);
    }
    vec_done(&indices);
    return !same;
}

struct held_more *held_more(const struct apply *a, const struct held *held)
{
    return ip_table_get(&a->more, &held->ip);
}

static struct held_more *need_more(struct apply *a, const struct held *held)
{
    struct held_more *more = held_more(a, held);
    if (more)
        return more;
    more = keep_alloc(a->keep, sizeof(*more));
    *more = (struct held_more){.ip = held->ip};
    (void)ip_table_put(&a->more, &more->ip);
    return more;
}

static void more_free(struct apply *a, struct held_more *more)
{
    (void)ip_table_remove(&a->more, &more->ip);
    keep_release(more, sizeof(*more));
}

void held_free(struct apply *a, struct held *held)
{
    held_probe_stop(a, held);
    struct held_more *more = held_more(a, held);
    if (more)
        more_free(a, more);
    (void)interfaces_unref(held->interfaces);
    keep_release(held, sizeof(*held));
}

/* --- responders ------------------------------------------------------------------------------ */

void held_keep_figures(struct apply *a, struct held *held, const struct responder *responder)
{
    const struct owned_address *address = responder_get(responder, &held->ip);
    if (!address)
        return;
    struct held_more *more = need_more(a, held);
    more->requests += address->received;
    more->replies += address->answered;
    more->gratuitous += address->announced;
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
            held_keep_figures(a, held, link->responder);
            responder_disown(link->responder, &held->ip);
        }
    }
}

void held_send(struct apply *a, struct held *held)
{
    for (size_t i = 0; held->interfaces && i < held->interfaces->count; i++) {
        const struct link *link = links_find(a->links, held->interfaces->indices[i]);
        if (link && link->responder) /* what the kernel does not take is counted there */
            (void)responder_announce(link->responder, &held->ip);
    }
}

/* --- probes ---------------------------------------------------------------------------------- */

/* The probe on that interface, or NULL. */
static struct probing *find_probe(const struct apply *a, const struct held *held,
                                  uint32_t interface)
{
    const struct held_more *more = held_more(a, held);
    struct probing *probing;
    if (!more)
        return NULL;
    LIST_FOREACH(probing, &more->probes, link)
    {
        if (probing->interface == interface)
            break;
    }
    return probing;
}

bool held_is_probed(const struct apply *a, const struct held *held)
{
    const struct held_more *more = held_more(a, held);
    return more && !LIST_EMPTY(&more->probes);
}

/* With the last one goes what there was for them alone. */
static void probing_free(struct probing *probing)
{
    struct apply *a = probing->apply;
    struct held_more *more = held_more(a, probing->held);
    LIST_REMOVE(probing, link);
    free(probing);
    if (LIST_EMPTY(&more->probes) && !more->requests && !more->replies && !more->gratuitous)
        more_free(a, more);
}

void held_forget_probe(struct apply *a, struct held *held, uint32_t interface)
{
    struct probing *probing = find_probe(a, held, interface);
    if (probing)
        probing_free(probing);
}

void held_probe_stop(struct apply *a, struct held *held)
{
    while (held_is_probed(a, held)) {
        struct probing *probing = LIST_FIRST(&held_more(a, held)->probes);
        (void)responder_probe_cancel(probing->probe);
        probing_free(probing);
    }
}

/* Who has it: a member, this node by another interface, or a stranger. A member that is not heard
 * any more may answer still, and one that was never heard of, too. */
static void taken(struct apply *a, struct held *held, const struct link *link,
                  const struct mac *mac)
{
    const struct station *station = stations_find(a->stations, mac);
    struct apply_note note = {.mac = *mac};
    struct tenure_event event = {.kind = TENURE_TAKEN,
                                 .unsure = station || a->stations->incomplete};
    if (link)
        note.interface = link->iface.name;
    if (station && station->self)
        event = (struct tenure_event){.kind = TENURE_FREE};
    else if (station && station->live)
        event = (struct tenure_event){.kind = TENURE_HEARD,
                                      .member = intern_take(&a->names, station->member)};
    held_probe_stop(a, held);
    held_step(a, held, &event, &note);
}

static void probed(void *ctx, const struct ip *ip, const struct mac *taken_by)
{
    struct probing *probing = ctx;
    struct apply *a = probing->apply;
    struct held *held = probing->held;
    const struct link *link = links_find(a->links, probing->interface);
    (void)ip;
    held_forget_probe(a, held, probing->interface);
    if (taken_by)
        taken(a, held, link, taken_by);
    else if (!held_is_probed(a, held) && !held_waits(a, held))
        held_step(a, held, &(struct tenure_event){.kind = TENURE_FREE}, NULL);
    apply_settle(a);
}

void held_probe(struct apply *a, struct held *held)
{
    for (size_t i = 0; held->interfaces && i < held->interfaces->count; i++) {
        uint32_t interface = held->interfaces->indices[i];
        const struct link *link = links_find(a->links, interface);
        if (!link || !link->responder || find_probe(a, held, interface))
            continue;
        struct probing *probing = heap_alloc(sizeof(*probing));
        *probing = (struct probing){.apply = a, .held = held, .interface = interface};
        LIST_INSERT_HEAD(&need_more(a, held)->probes, probing, link);
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
    note.challenged = actions->ask.len != 0;
    note.member = held->tenure.peer.len ? held->tenure.peer : before->peer;
    if (note.kind == TENURE_TRESPASS || note.kind == TENURE_IN_USE || note.kind == TENURE_UNCLEAR)
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
    if (before.state != held->tenure.state)
        note_change(a, held, before.state);
    if (before.state != held->tenure.state || before.silent != held->tenure.silent)
        held_sync(a, held);
    if (actions.probe_stop)
        held_probe_stop(a, held);
    if (actions.probe)
        held_probe(a, held);
    if (actions.announce) {
        announce_start(&held->rounds, now);
        held->announced = true;
    } else if (held->tenure.state != TENURE_OWNING) {
        held->rounds = (struct announce){0};
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
