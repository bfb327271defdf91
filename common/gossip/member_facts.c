#include <errno.h>

#include "common/gossip/member_internal.h"

enum {
    FRESH_US = 150000,    /* heard of so lately: no death is taken for granted */
    MERGE_US = 30000000,  /* after a split, until both sides are one, however many they are */
    RESTART_US = 5000000, /* for so long after the start, an earlier life's death is ours */
};

static void set_state(struct member *m, struct peer *peer, enum gossip_state state, uint64_t by)
{
    enum gossip_state old = peer->state;
    if (old == state)
        return;
    struct member_note note = {
        .type = MEMBER_NOTE_STATE,
        .name = peer->name,
        .by = member_name_of(m, by),
        .address = peer->address,
        .old = old,
        .state = state,
        .silent_us = peer->watch ? m->now - peer->watch->alive_at : 0,
    };
    member_note(m, &note);
    roster_set_state(&m->roster, peer, state, m->now);
    m->out->changed = true;
    m->silent_stale = true;
    if (state == GOSSIP_ALIVE && old != GOSSIP_SUSPECT)
        m->came_at = m->now;
    if (state == GOSSIP_ALIVE && old == GOSSIP_DEAD && peer->known)
        m->returned_at = peer->back_at = m->now;
    peer->known = true;
    if (state == GOSSIP_DEAD) {
        m->figures.deaths++;
        m->death_at = m->now;
        if (m->roster.alive < m->side)
            m->side = (uint16_t)m->roster.alive;
    }
    if (state != GOSSIP_SUSPECT)
        peer->accuser_count = 0;
}

/* It is alive in this life and turn. */
static void set_alive(struct member *m, struct peer *peer, uint64_t by)
{
    peer->conflict_at = 0;
    if (peer->watch) { /* what spoke against it was wrong */
        uint64_t lost = path_lost(&peer->watch->path);
        uint64_t at = m->now > lost ? m->now - lost : 0;
        peer->watch->count = 0;
        watch_alive(peer->watch, at, &m->node);
    }
    set_state(m, peer, GOSSIP_ALIVE, by);
}

void facts_dead(struct member *m, struct peer *peer, enum gossip_state state, uint64_t by)
{
    set_state(m, peer, state, by);
    peer->accusers[0] = by;
    peer->accuser_count = 1;
    facts_spread(m, peer, false);
}

/* The next turn outranks what is said about us. After the last turn comes another life, and after
 * the last life nothing: a rank that all others refuse would be worse than a lie that stands. */
static void outrank(struct member *m, const struct fact *fact)
{
    if (fact->life == m->self->life && fact->turn + 1 < GOSSIP_TURN_MAX) {
        m->self->turn = fact->turn + 1;
    } else if (fact->life + 1 < GOSSIP_LIFE_MAX) {
        m->self->life = fact->life + 1;
        m->self->turn = 0;
    }
}

/* Denies what is said about us. */
static void refute(struct member *m, const struct fact *fact, enum gossip_state said)
{
    if (fact->turn >= m->self->turn)
        outrank(m, fact);
    m->figures.refuted++;
    struct member_note note = {
        .type = MEMBER_NOTE_REFUTED,
        .name = m->self->name,
        .by = member_name_of(m, fact->accusers[0]),
        .state = said,
    };
    member_note(m, &note);
    facts_spread(m, m->self, said != GOSSIP_SUSPECT);
}

/* Our denial has not reached it. */
static void tell_own(struct member *m, const struct peer *to)
{
    struct draft draft;
    struct fact own = fact_of(m, m->self, true);
    draft_begin(m, &draft, MESSAGE_RUMOR, to->id, to->life);
    fact_put(&draft.wire, &own);
    draft_send(m, &draft, &to->address);
}

/* Did we count it dead, until a moment ago? */
static bool was_apart(const struct member *m, const struct peer *peer)
{
    return peer &&
           (peer->state == GOSSIP_DEAD || (peer->back_at && m->now - peer->back_at < MERGE_US));
}

/* Who says that we are dead, or who found that first, counts as dead for us, too: a split has two
 * sides, and the smaller is held. */
static bool is_larger_side(const struct member *m, const struct fact *fact, const struct peer *via)
{
    bool mutual = was_apart(m, via) || was_apart(m, roster_find(&m->roster, fact->accusers[0]));
    return !mutual || fact->side >= member_side(m);
}

/* Somebody counts us dead, in this life or an earlier one, or did so until our denial of a mere
 * suspicion came. */
static void counted_dead(struct member *m, const struct fact *fact, const struct peer *via)
{
    bool before = fact->life < m->self->life, denied = fact->turn < m->self->turn;
    if (m->left || fact->life > m->self->life)
        return;
    if (before && (m->held_until || m->now - m->started_at > RESTART_US))
        return; /* known, or of long ago */
    if (!before && denied && via)
        tell_own(m, via);
    if (!before && denied && m->held_until)
        return;
    if (is_larger_side(m, fact, via))
        member_hold(m, fact->accusers[0]);
    if (before)
        facts_spread(m, m->self, true);
    else if (!denied)
        refute(m, fact, GOSSIP_DEAD);
}

static void about_self(struct member *m, const struct fact *fact, const struct peer *via)
{
    switch (fact->kind) {
    case FACT_ALIVE:
    case FACT_RECORD:
        if (fact->life < m->self->life || m->left)
            return;
        if (fact->life == m->self->life && fact->turn <= m->self->turn)
            return;
        outrank(m, fact); /* an earlier process, with a clock ahead of ours */
        facts_spread(m, m->self, true);
        return;
    case FACT_SUSPECT:
        /* Right after a stop we may be dead already to who said so; an answer will tell. */
        if (fact->life == m->self->life && fact->turn >= m->self->turn && !m->left &&
            !m->stalled_at) {
            member_ail(m);
            refute(m, fact, GOSSIP_SUSPECT);
        } else if (fact->life == m->self->life && fact->turn < m->self->turn && via) {
            tell_own(m, via);
        }
        return;
    case FACT_DEAD:
    case FACT_LEFT:
        counted_dead(m, fact, via);
        return;
    case FACT_KINDS:
        return;
    }
}

static void add(struct member *m, const struct fact *fact, struct peer *via)
{
    struct peer *peer = roster_add(&m->roster, fact);
    if (!peer) {
        struct member_note note = {.type = MEMBER_NOTE_FULL, .name = fact->name};
        member_note(m, &note);
        m->out->dropped = true;
        m->out->drop = GOSSIP_DROP_FULL;
        return;
    }
    set_state(m, peer, GOSSIP_ALIVE, via ? via->id : peer->id);
    facts_spread(m, peer, facts_in_full(m, peer, via));
}

/* Its datagrams are counted anew, and nothing that it said of itself is the newest any more. */
static void forget_life(struct peer *peer)
{
    free(peer->window);
    peer->window = NULL;
    peer->edition = 0;
}

static void new_life(struct member *m, struct peer *peer, const struct fact *fact,
                     const struct peer *via)
{
    forget_life(peer);
    roster_update(peer, fact);
    if (gossip_is_alive(peer->state)) {
        struct member_note note = {
            .type = MEMBER_NOTE_RESTART, .name = peer->name, .address = peer->address};
        member_note(m, &note);
    }
    m->out->changed = true;
    m->silent_stale = true;
    set_alive(m, peer, via ? via->id : peer->id);
    facts_spread(m, peer, facts_in_full(m, peer, via));
}

/* It may have denied a suspicion only, and must know that it was more. */
static void tell_dead(struct member *m, const struct peer *peer)
{
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_RUMOR, peer->id, peer->life);
    facts_put_buddy(m, &draft, peer);
    draft_send(m, &draft, &peer->address);
}

static void about_alive(struct member *m, struct peer *peer, const struct fact *fact,
                        struct peer *via)
{
    bool record = fact->kind == FACT_RECORD;
    bool newer =
        fact->life > peer->life || (fact->life == peer->life && fact->edition > peer->edition);
    if (fact->life < peer->life)
        return;
    if (newer && !record && via)
        sync_want(m, peer->id);
    if (fact->life > peer->life) {
        if (record)
            new_life(m, peer, fact, via);
        return;
    }
    uint32_t turn = peer->turn;
    if (newer && record) {
        roster_update(peer, fact);
        peer->turn = turn;
        m->out->changed = m->silent_stale = true;
        facts_spread(m, peer, facts_in_full(m, peer, via));
    }
    if (fact->turn > turn) {
        if (peer->state == GOSSIP_DEAD && facts_is_mine(m))
            tell_dead(m, peer);
        peer->turn = fact->turn;
        set_alive(m, peer, via ? via->id : peer->id);
        facts_spread(m, peer, false);
    }
}

static void about_suspect(struct member *m, struct peer *peer, const struct fact *fact)
{
    if (fact->life != peer->life || fact->turn < peer->turn || !gossip_is_alive(peer->state))
        return;
    if (fact->turn > peer->turn)
        peer->accuser_count = 0;
    peer->turn = fact->turn;
    for (unsigned i = 0; i < fact->accuser_count; i++) {
        bool known = false;
        for (unsigned k = 0; k < peer->accuser_count; k++)
            known |= peer->accusers[k] == fact->accusers[i];
        if (!known && peer->accuser_count < MESSAGE_ACCUSERS)
            peer->accusers[peer->accuser_count++] = fact->accusers[i];
    }
    if (peer->state == GOSSIP_ALIVE)
        set_state(m, peer, GOSSIP_SUSPECT, fact->accusers[0]);
    if (peer->watch && !peer->watch->pressing) {
        peer->watch->pressing = true;
        peer->watch->press_at = m->now;
    }
}

/* It may be of a life whose record has not come, and never will. */
static void set_rank(struct peer *peer, const struct fact *fact)
{
    if (fact->life > peer->life)
        forget_life(peer);
    peer->life = fact->life;
    peer->turn = fact->turn;
}

static void about_dead(struct member *m, struct peer *peer, const struct fact *fact)
{
    bool left = fact->kind == FACT_LEFT;
    if (fact->life < peer->life || (fact->life == peer->life && fact->turn < peer->turn))
        return;
    if (!gossip_is_alive(peer->state)) {
        set_rank(peer, fact);
        return;
    }
    if (!left && peer->heard_at && m->now - peer->heard_at < FRESH_US) {
        struct draft draft; /* it will deny it, to us and to all */
        draft_begin(m, &draft, MESSAGE_RUMOR, peer->id, peer->life);
        fact_put(&draft.wire, fact);
        draft_send(m, &draft, &peer->address);
        return;
    }
    set_rank(peer, fact);
    facts_dead(m, peer, left ? GOSSIP_LEFT : GOSSIP_DEAD, fact->accusers[0]);
}

static void apply(struct member *m, const struct fact *fact, struct peer *via)
{
    struct peer *peer = roster_find(&m->roster, fact->id);
    if (peer == m->self) {
        about_self(m, fact, via);
        return;
    }
    switch (fact->kind) {
    case FACT_ALIVE:
    case FACT_RECORD:
        if (peer)
            about_alive(m, peer, fact, via);
        else if (fact->kind == FACT_RECORD)
            add(m, fact, via);
        else if (via)
            sync_want(m, fact->id);
        return;
    case FACT_SUSPECT:
        if (peer)
            about_suspect(m, peer, fact);
        return;
    case FACT_DEAD:
    case FACT_LEFT:
        if (peer)
            about_dead(m, peer, fact);
        return;
    case FACT_KINDS:
        return;
    }
}

static bool is_meta(struct str bytes)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct member_meta meta;
    struct wire in = wire_reader(bytes.ptr, bytes.len);
    return meta_decode(&in, arena, &meta) == 0;
}

void facts_apply(struct member *m, struct wire *in, struct peer *via, const struct ip *from)
{
    struct fact fact;
    uint64_t sender = via ? via->id : 0;
    int result;
    while ((result = fact_get(in, &fact)) == 0) {
        if (fact.kind == FACT_RECORD && !is_meta(fact.meta)) {
            result = -EINVAL;
            break;
        }
        if (fact.kind == FACT_RECORD && !ip_is_set(&fact.address) && (!sender || fact.id == sender))
            fact.address = *from;
        apply(m, &fact, via);
    }
    if (via && m->wanted.len)
        sync_pull(m, via);
    if (result == -ENOENT)
        return;
    m->out->dropped = true;
    m->out->drop = GOSSIP_DROP_MALFORMED;
}
