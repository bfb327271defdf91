#include "common/gossip/member_internal.h"

enum {
    HELPERS = 3,              /* asked when an answer is late; then one with each ping more */
    ACCUSE_US = 50000,        /* between tellings that we suspect somebody */
    HELPER_FRESH_US = 250000, /* a helper has been heard of so lately */
    SILENT_HELPERS = 2,       /* more that say nothing, in one go: something is wrong with us */
};

/* Pings of a member that we watch, in time. */
static uint32_t send_ping(struct member *m, const struct peer *to)
{
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_PING, to->id, to->life);
    wire_put_u32(&draft.wire, ++m->number);
    facts_put_buddy(m, &draft, to);
    facts_fill(m, &draft);
    draft_send(m, &draft, &to->address);
    return m->number;
}

static void ping(struct member *m, struct peer *peer)
{
    struct attempt attempt = {
        .number = send_ping(m, peer),
        .sent = m->now,
        .due = m->now + member_stretch(m, path_lost(&peer->watch->path)),
    };
    watch_add(peer->watch, &attempt);
}

void probe_once(struct member *m, struct peer *peer)
{
    (void)send_ping(m, peer);
}

static bool can_help(const struct peer *peer, const struct peer *about)
{
    if (peer->self || peer == about || peer->state != GOSSIP_ALIVE)
        return false;
    return !peer->watch || !peer->watch->pressing;
}

/* A helper at random, one of those heard of lately if there are any. */
static const struct peer *pick_helper(struct member *m, const struct peer *about)
{
    const struct peer *found = NULL;
    for (unsigned i = 0; i < 16; i++) {
        uint32_t at = member_random(m, (uint32_t)m->roster.all.len);
        const struct peer *peer = m->roster.all.items[at];
        if (!can_help(peer, about))
            continue;
        if (m->now - peer->heard_at < HELPER_FRESH_US)
            return peer;
        found = peer;
    }
    return found;
}

static void ask(struct member *m, struct peer *about)
{
    const struct peer *helper = pick_helper(m, about);
    if (!helper)
        return;
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_ASK, helper->id, helper->life);
    wire_put_u32(&draft.wire, ++m->number);
    wire_put_u64(&draft.wire, about->id);
    wire_put_u64(&draft.wire, about->life);
    draft_send(m, &draft, &helper->address);
    /* It takes the helper's patience to say no, and the way there and back. */
    uint64_t lost = path_lost(&about->watch->path);
    const struct path *way = helper->watch ? &helper->watch->path : &m->node;
    struct attempt attempt = {
        .number = m->number,
        .sent = m->now,
        .due = m->now + member_stretch(m, lost + path_lost(way) + PATH_LATE_MIN),
        .indirect = true,
    };
    watch_add(about->watch, &attempt);
}

void probe_retarget(struct member *m)
{
    struct peer *targets[ROSTER_RINGS];
    size_t count = m->left ? 0 : roster_targets(&m->roster, m->self, targets);
    m->roster.changed = false;
    for (size_t i = 0; i < m->target_count; i++)
        m->targets[i]->mark = false;
    for (size_t i = 0; i < count; i++)
        targets[i]->mark = true;
    for (size_t i = 0; i < m->target_count; i++) {
        struct peer *old = m->targets[i];
        if (!old->mark) {
            free(old->watch);
            old->watch = NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct peer *peer = m->targets[i] = targets[i];
        peer->mark = false;
        if (peer->watch)
            continue;
        peer->watch = heap_alloc(sizeof(*peer->watch));
        watch_init(peer->watch, &m->node, m->now);
    }
    m->target_count = count;
}

void probe_tick(struct member *m)
{
    if (m->roster.changed)
        probe_retarget(m);
    if (m->all_well && m->health)
        m->health--;
    m->all_well = true;
    for (size_t i = 0; i < m->target_count; i++) {
        ping(m, m->targets[i]);
        if (m->stalled_at)
            sync_check(m, m->targets[i]);
    }
}

void probe_forgive(struct member *m)
{
    for (size_t i = 0; i < m->target_count; i++) {
        struct watch *watch = m->targets[i]->watch;
        watch->count = 0;
        watch_alive(watch, m->now, &m->node);
    }
}

static bool is_accuser(const struct peer *peer, uint64_t id)
{
    for (unsigned i = 0; i < peer->accuser_count; i++) {
        if (peer->accusers[i] == id)
            return true;
    }
    return false;
}

/* Tells the suspect, who may deny it, and the others that watch it. */
static void accuse(struct member *m, struct peer *peer)
{
    struct watch *watch = peer->watch;
    struct peer *others[ROSTER_RINGS];
    if (!watch->accused) {
        m->figures.suspicions++;
        if (peer->state == GOSSIP_ALIVE) {
            struct member_note note = {.type = MEMBER_NOTE_STATE,
                                       .name = peer->name,
                                       .by = m->self->name,
                                       .address = peer->address,
                                       .old = peer->state,
                                       .state = GOSSIP_SUSPECT,
                                       .silent_us = m->now - watch->alive_at};
            member_note(m, &note);
            roster_set_state(&m->roster, peer, GOSSIP_SUSPECT, m->now);
            m->out->changed = true;
        }
        if (!is_accuser(peer, m->self->id) && peer->accuser_count < MESSAGE_ACCUSERS)
            peer->accusers[peer->accuser_count++] = m->self->id;
    }
    watch->accused = true;
    watch->accuse_at = m->now + ACCUSE_US;
    size_t count = roster_watchers(&m->roster, peer, others);
    for (size_t i = 0; i <= count; i++) {
        const struct peer *to = i < count ? others[i] : peer;
        struct draft draft;
        if (to->self)
            continue;
        draft_begin(m, &draft, MESSAGE_RUMOR, to->id, to->life);
        facts_put_buddy(m, &draft, peer);
        draft_send(m, &draft, &to->address);
    }
}

static void press(struct member *m, struct peer *peer)
{
    struct watch *watch = peer->watch;
    if (!watch->pressing || m->now < watch->press_at)
        return;
    for (unsigned i = 1; watch->first && i < HELPERS; i++)
        ask(m, peer);
    watch->first = false;
    watch->press_at = m->now + member_stretch(m, MEMBER_PRESS_US);
    ping(m, peer);
    ask(m, peer);
}

/* Suspects, and buries, as the evidence says. */
static void judge(struct member *m, struct peer *peer)
{
    struct watch *watch = peer->watch;
    uint32_t own = watch_evidence(watch, &m->node);
    if (own >= MEMBER_SUSPECT_AT && (!watch->accused || m->now >= watch->accuse_at))
        accuse(m, peer);
    unsigned others = peer->accuser_count - is_accuser(peer, m->self->id);
    uint64_t silence = m->now - watch->alive_at;
    if (own < MEMBER_SUSPECT_AT || own + others * MEMBER_SUSPECT_AT < MEMBER_DEAD_AT ||
        silence < member_stretch(m, MEMBER_SILENCE_US))
        return;
    m->figures.last_detection_us = silence;
    facts_dead(m, peer, GOSSIP_DEAD, m->self->id);
}

static void deny_due(struct member *m)
{
    for (size_t i = 0; i < RELAY_MAX; i++) {
        struct relay *relay = &m->relays[i];
        if (relay->due > m->now)
            continue;
        relay->due = UINT64_MAX;
        const struct peer *asker = roster_find(&m->roster, relay->asker);
        if (!asker)
            continue;
        struct draft draft;
        draft_begin(m, &draft, MESSAGE_NACK, asker->id, asker->life);
        wire_put_u32(&draft.wire, relay->asked_number);
        draft_send(m, &draft, &asker->address);
    }
}

void probe_run(struct member *m)
{
    deny_due(m);
    for (size_t i = 0; i < m->target_count; i++) {
        struct peer *peer = m->targets[i];
        if (!gossip_is_alive(peer->state))
            continue;
        struct watch *watch = peer->watch;
        if (watch_expire(watch, m->now) > SILENT_HELPERS)
            member_ail(m);
        if (watch->pressing || !watch_is_late(watch, m->now))
            continue;
        watch->pressing = watch->first = true;
        watch->press_at = m->now;
        m->all_well = false;
    }
    for (size_t i = 0; i < m->target_count; i++) {
        if (gossip_is_alive(m->targets[i]->state))
            judge(m, m->targets[i]);
    }
    /* When we are cut off they die together, and none is told that another did. */
    for (size_t i = 0; i < m->target_count; i++) {
        if (gossip_is_alive(m->targets[i]->state))
            press(m, m->targets[i]);
    }
}

uint64_t probe_next(const struct member *m)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < m->target_count; i++) {
        const struct peer *peer = m->targets[i];
        if (!gossip_is_alive(peer->state))
            continue;
        uint64_t at = watch_next(peer->watch, m->now);
        uint64_t silent = peer->watch->alive_at + member_stretch(m, MEMBER_SILENCE_US);
        if (peer->watch->pressing && silent > m->now && silent < at)
            at = silent;
        next = at < next ? at : next;
    }
    for (size_t i = 0; i < RELAY_MAX; i++)
        next = m->relays[i].due < next ? m->relays[i].due : next;
    return next;
}

void on_ping(struct member *m, struct peer *from, const struct ip *address, struct wire *in)
{
    uint32_t number = wire_get_u32(in);
    uint32_t turn = m->self->turn;
    facts_apply(m, in, from, address);
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_ACK, from->id, from->life);
    wire_put_u32(&draft.wire, number);
    if (turn != m->self->turn) {
        struct fact own = fact_of(m, m->self, true);
        fact_put(&draft.wire, &own);
    }
    facts_put_buddy(m, &draft, from);
    facts_fill(m, &draft);
    draft_send(m, &draft, address);
}

static bool relay_ack(struct member *m, uint32_t number, const struct peer *from)
{
    for (size_t i = 0; i < RELAY_MAX; i++) {
        struct relay *relay = &m->relays[i];
        if (relay->due == UINT64_MAX || relay->number != number || relay->target != from->id)
            continue;
        relay->due = UINT64_MAX;
        const struct peer *asker = roster_find(&m->roster, relay->asker);
        if (!asker)
            return true;
        struct draft draft;
        draft_begin(m, &draft, MESSAGE_ACK, asker->id, asker->life);
        wire_put_u32(&draft.wire, relay->asked_number);
        struct fact about = fact_of(m, from, false);
        fact_put(&draft.wire, &about);
        facts_fill(m, &draft);
        draft_send(m, &draft, &asker->address);
        return true;
    }
    return false;
}

void on_ack(struct member *m, struct peer *from, const struct ip *address, struct wire *in)
{
    uint32_t number = wire_get_u32(in);
    facts_apply(m, in, from, address);
    if (relay_ack(m, number, from))
        return;
    for (size_t i = 0; i < m->leave_ids.len; i++) {
        if (m->leave_ids.items[i] == from->id)
            vec_drop(&m->leave_ids, i);
    }
    for (size_t i = 0; i < m->target_count; i++) {
        uint64_t sent;
        if (watch_answer(m->targets[i]->watch, number, m->now, &m->node, &sent) &&
            sent > m->answered_at)
            m->answered_at = sent;
    }
    if (gossip_is_alive(from->state))
        member_answered(m, from, number);
}

void on_ask(struct member *m, struct peer *from, struct wire *in)
{
    uint32_t number = wire_get_u32(in);
    uint64_t id = wire_get_u64(in), life = wire_get_u64(in);
    struct peer *target = roster_find(&m->roster, id);
    if (!wire_ok(in) || !target || target->self || target->life != life ||
        !gossip_is_alive(target->state))
        return;
    for (size_t i = 0; i < RELAY_MAX; i++) {
        struct relay *relay = &m->relays[i];
        if (relay->due != UINT64_MAX)
            continue;
        const struct path *path = target->watch ? &target->watch->path : &m->node;
        *relay = (struct relay){
            .number = send_ping(m, target),
            .asked_number = number,
            .asker = from->id,
            .target = id,
            .due = m->now + path_lost(path),
        };
        return;
    }
}

void on_nack(struct member *m, struct wire *in)
{
    uint32_t number = wire_get_u32(in);
    for (size_t i = 0; i < m->target_count; i++)
        watch_deny(m->targets[i]->watch, number);
}
