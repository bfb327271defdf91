#include "speaker/tenure.h"

#include "common/base/names.h"

static const char *const state_names[] = {
    [TENURE_NONE] = "none",     [TENURE_PROBING] = "probing", [TENURE_REFUSED] = "refused",
    [TENURE_OWNING] = "owning", [TENURE_HANDING] = "handing", [TENURE_YIELDING] = "yielding",
};
static const struct names states = NAMES(state_names);
_Static_assert(sizeof(state_names) / sizeof(state_names[0]) == TENURE_STATES, "a name each");

const char *tenure_state_name(enum tenure_state state)
{
    return names_of(&states, state);
}

/* One step. */
struct step {
    struct tenure *tenure;
    const struct tenure_event *event;
    uint64_t now;
    struct tenure_actions actions;
};

/* --- entering states ------------------------------------------------------------------------- */

static void set_state(struct step *s, enum tenure_state state, struct str peer)
{
    struct tenure *t = s->tenure;
    if (t->state == TENURE_PROBING && state != TENURE_PROBING && s->event->kind != TENURE_FREE &&
        s->event->kind != TENURE_TAKEN)
        s->actions.probe_stop = true;
    t->state = state;
    t->peer = peer;
    t->peer_hears = peer.len != 0;
    t->since = s->now;
    t->due = 0;
    t->asked = 0;
    t->silent = false;
}

static const struct str nobody = {0};

static void ask(struct step *s, uint64_t again_ms)
{
    s->tenure->asked++;
    s->tenure->due = s->now + again_ms;
    s->actions.ask = s->tenure->peer;
}

/* tell: a member that may answer still, or nobody. */
static void own(struct step *s, struct str tell)
{
    set_state(s, TENURE_OWNING, tell);
    s->actions.announce = true;
    if (tell.len)
        ask(s, TENURE_ASK_MS);
}

static void probe(struct step *s)
{
    set_state(s, TENURE_PROBING, nobody);
    s->actions.probe = true;
}

static void leave(struct step *s, enum tenure_note note)
{
    set_state(s, TENURE_NONE, nobody);
    s->actions.note = note;
}

static void hand(struct step *s)
{
    const struct tenure_plan *plan = &s->event->plan;
    uint64_t trespassed = s->tenure->trespassed;
    if (!plan->owner_hears && trespassed && s->now - trespassed < TENURE_OVERLAP_MS) {
        leave(s, TENURE_CONFIRMED); /* it knew before us, and was heard */
        return;
    }
    set_state(s, TENURE_HANDING, plan->owner);
    s->tenure->peer_hears = plan->owner_hears;
    s->tenure->silent = plan->owner_hears && plan->has_begun;
    if (plan->owner_hears)
        ask(s, TENURE_ASK_MS);
    else
        s->tenure->due = s->now + TENURE_OVERLAP_MS;
}

static void yield_to(struct step *s, struct str member)
{
    set_state(s, TENURE_YIELDING, member);
    s->tenure->due = s->now + TENURE_ASK_SLOWLY_MS;
    s->actions.note = TENURE_YIELDED;
}

/* --- a plan ---------------------------------------------------------------------------------- */

static bool same_standing(const struct claim_standing *a, const struct claim_standing *b)
{
    return a->epoch == b->epoch && a->tier == b->tier && a->rank == b->rank;
}

static void planned_ours(struct step *s)
{
    struct tenure *t = s->tenure;
    const struct tenure_plan *plan = &s->event->plan;
    bool same = same_standing(&t->standing, &plan->standing);
    t->standing = plan->standing;
    switch (t->state) {
    case TENURE_NONE:
        if (plan->known)
            own(s, plan->before);
        else
            probe(s);
        break;
    case TENURE_PROBING:
        if (plan->known)
            own(s, plan->before);
        break;
    case TENURE_OWNING:
        if (t->peer.len && !plan->peer_lives) {
            t->peer = nobody;
            t->due = 0;
        }
        break;
    case TENURE_HANDING: /* the new owner may have begun to answer, or is no more */
        own(s, plan->peer_lives && t->peer_hears ? t->peer : nobody);
        break;
    case TENURE_YIELDING:
        if (!plan->peer_lives)
            own(s, nobody);
        else if (!same)
            own(s, t->peer);
        break;
    case TENURE_REFUSED: /* as when all start at once and probe before they have heard of each other
                          */
        if (plan->met)
            probe(s);
        break;
    case TENURE_STATES:
        break;
    }
}

static bool has_it(const struct tenure *t)
{
    return t->state == TENURE_OWNING || t->state == TENURE_HANDING;
}

static void planned_theirs(struct step *s)
{
    struct tenure *t = s->tenure;
    const struct tenure_plan *plan = &s->event->plan;
    t->standing = plan->standing;
    if (!plan->may_serve || !has_it(t)) {
        if (t->state != TENURE_NONE)
            leave(s, TENURE_NOTHING);
        return;
    }
    if (t->state == TENURE_OWNING || !str_eq(t->peer, plan->owner))
        hand(s);
}

static void planned(struct step *s)
{
    switch (s->event->plan.whose) {
    case TENURE_OURS:
        planned_ours(s);
        break;
    case TENURE_THEIRS:
        planned_theirs(s);
        break;
    case TENURE_NOBODYS:
        if (s->tenure->state != TENURE_NONE)
            leave(s, TENURE_NOTHING);
        break;
    }
}

/* --- what others say and do ------------------------------------------------------------------ */

/* Asks a member that may answer for what we own. */
static void challenge(struct step *s, struct str member)
{
    struct tenure *t = s->tenure;
    if (str_eq(t->peer, member))
        return; /* is being asked already */
    t->peer = member;
    t->peer_hears = true;
    t->asked = 0;
    ask(s, TENURE_ASK_MS);
}

static void claimed_owned(struct step *s, bool better, bool fresh)
{
    struct tenure *t = s->tenure;
    const struct tenure_claim *claim = &s->event->claim;
    if (better && fresh) {
        yield_to(s, claim->member);
    } else if (better) {
        challenge(s, claim->member);
    } else if (!claim->answers && !claim->claims && str_eq(claim->member, t->peer)) {
        t->peer = nobody; /* it has been told, and has stopped */
        t->due = 0;
    }
}

static void claimed(struct step *s)
{
    struct tenure *t = s->tenure;
    const struct tenure_claim *claim = &s->event->claim;
    bool takes = claim->answers && claim->claims, better = takes && claim->order > 0;
    bool fresh = claim->asked && claim->asked >= t->since, is_peer = str_eq(claim->member, t->peer);
    switch (t->state) {
    case TENURE_PROBING: /* it is no stranger's */
        if (better)
            yield_to(s, claim->member);
        else if (claim->answers)
            own(s, claim->member);
        break;
    case TENURE_OWNING:
        claimed_owned(s, better, fresh);
        break;
    case TENURE_HANDING: /* one that answers without a claim is waiting, too, for another to */
        if (takes && fresh && (is_peer || better))
            leave(s, TENURE_CONFIRMED);
        else if (is_peer && fresh)
            t->silent = false; /* it does not answer yet */
        break;
    case TENURE_YIELDING: /* one that claims it without an answer opens an interface meanwhile */
        if (is_peer && !better && (claim->answers || !claim->claims)) {
            own(s, claim->answers ? claim->member : nobody);
            s->actions.note = TENURE_RESUMED;
        }
        break;
    case TENURE_NONE:
    case TENURE_REFUSED:
    case TENURE_STATES:
        break;
    }
}

/* Whoever is on the segment can send frames in the names of all members in turn: each is noted, and
 * few are worth a question. */
static void heard_owned(struct step *s)
{
    struct tenure *t = s->tenure;
    if (str_eq(t->peer, s->event->member))
        return; /* is being asked already */
    s->actions.note = TENURE_CONFLICT;
    if (t->challenged && s->now - t->challenged < TENURE_CHALLENGE_MS)
        return;
    t->challenged = s->now;
    challenge(s, s->event->member);
}

static void heard(struct step *s)
{
    struct tenure *t = s->tenure;
    switch (t->state) {
    case TENURE_PROBING:
        own(s, s->event->member);
        break;
    case TENURE_OWNING:
        heard_owned(s);
        break;
    case TENURE_HANDING: /* a frame may be older than a change of mind; what it says is not */
        if (!str_eq(t->peer, s->event->member))
            break;
        if (t->peer_hears && t->asked < TENURE_ASKED_IN_VAIN)
            ask(s, TENURE_ASK_MS);
        else
            leave(s, TENURE_CONFIRMED);
        break;
    case TENURE_NONE:
    case TENURE_REFUSED:
    case TENURE_YIELDING:
    case TENURE_STATES:
        break;
    }
}

/* RFC 5227 section 2.4 (b): one announcement in DEFEND_INTERVAL, and no giving up in between as in
 * (c): the address was given to a Service of ours, and others depend on it. */
static void trespassed(struct step *s)
{
    struct tenure *t = s->tenure;
    if (t->state == TENURE_HANDING && !t->peer_hears) {
        leave(s, TENURE_CONFIRMED); /* without gossip every station is a stranger */
        return;
    }
    if (t->state != TENURE_OWNING && t->state != TENURE_HANDING)
        return;
    s->actions.note = TENURE_TRESPASS;
    if (s->event->unsure)
        t->trespassed = s->now;
    if (s->event->unsure || (t->defended && s->now - t->defended < TENURE_DEFEND_MS))
        return;
    t->defended = s->now;
    s->actions.defend = true;
}

/* --- time ------------------------------------------------------------------------------------ */

static void ticked(struct step *s)
{
    struct tenure *t = s->tenure;
    if (!t->due || s->now < t->due)
        return;
    switch (t->state) {
    case TENURE_OWNING:
        if (t->asked < TENURE_ASSERTS) {
            ask(s, TENURE_ASK_MS);
            break;
        }
        t->peer = nobody;
        t->due = 0;
        break;
    case TENURE_HANDING:
        if (!t->peer_hears) {
            leave(s, TENURE_EXPIRED);
            break;
        }
        t->silent = t->silent && s->now - t->since < TENURE_SILENT_MS;
        ask(s, TENURE_ASK_MS);
        /* It may have handed it on, by an order that does not get through to us. */
        s->actions.ask_all = t->asked % TENURE_ASK_ALL == 0;
        break;
    case TENURE_YIELDING:
        ask(s, TENURE_ASK_SLOWLY_MS);
        break;
    case TENURE_REFUSED:
        probe(s);
        break;
    case TENURE_NONE:
    case TENURE_PROBING:
    case TENURE_STATES:
        t->due = 0;
        break;
    }
}

static void probed(struct step *s, bool taken)
{
    if (s->tenure->state != TENURE_PROBING)
        return;
    if (!taken) {
        own(s, nobody);
        return;
    }
    set_state(s, TENURE_REFUSED, nobody);
    s->tenure->due = s->now + TENURE_PROBE_AGAIN_MS;
    s->actions.note = s->event->unsure ? TENURE_UNCLEAR : TENURE_IN_USE;
}

struct tenure_actions tenure_step(struct tenure *t, const struct tenure_event *event, uint64_t now)
{
    struct step s = {.tenure = t, .event = event, .now = now};
    switch (event->kind) {
    case TENURE_PLANNED:
        planned(&s);
        break;
    case TENURE_CLAIMED:
        claimed(&s);
        break;
    case TENURE_HEARD:
        heard(&s);
        break;
    case TENURE_STRANGER:
        trespassed(&s);
        break;
    case TENURE_FREE:
    case TENURE_TAKEN:
        probed(&s, event->kind == TENURE_TAKEN);
        break;
    case TENURE_TICK:
        ticked(&s);
        break;
    case TENURE_EVENTS:
        break;
    }
    return s.actions;
}

bool tenure_answers(const struct tenure *t)
{
    return has_it(t) && !t->silent;
}

bool tenure_claims(const struct tenure *t)
{
    return t->state == TENURE_OWNING;
}
