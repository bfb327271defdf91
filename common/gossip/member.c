#include "common/gossip/member.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/base/err.h"
#include "common/gossip/member_internal.h"

enum {
    LATE_US = 50000,   /* a timer that late is a sign of ill health */
    CALM_US = 3000000, /* after one came back: how many we were before */
    LEAVE_AGAIN_US = 50000,
    VAIN_US = 10000000, /* after a stall by an interface that nobody ended: brief ones */
    BRIEF_EVERY_US = 1000000,
    STALLED_CHECKS = 64, /* questions for lists without delay; then one with each ping */
    STALLED_AGREED = 32, /* more than the parts in which one list can come */
};

void member_renew(struct member *m)
{
    uint8_t room[META_SIZE_MAX];
    struct wire wire = wire_writer(room, sizeof(room));
    meta_encode(&m->meta, &wire);
    assert(wire_ok(&wire));
    struct str meta = {.ptr = (const char *)room, .len = wire.at};
    if (str_eq(meta, m->self->meta))
        return;
    struct fact own = fact_of(m, m->self, true);
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    own.name = arena_str(arena, m->self->name);
    own.meta = meta;
    own.edition++;
    own.turn = m->self->turn;
    own.life = m->self->life;
    roster_update(m->self, &own);
    facts_spread(m, m->self, true);
    m->out->changed = true;
}

void member_hold(struct member *m, uint64_t by)
{
    if (!m->config.hold_us)
        return;
    if (!m->held_until) {
        struct member_note note = {.type = MEMBER_NOTE_HELD, .by = member_name_of(m, by)};
        member_note(m, &note);
    }
    m->held_until = m->now + m->config.hold_us;
    m->meta.held = true;
    member_renew(m);
}

bool member_may_have_others(const struct member *m)
{
    return m->has_peers && (m->peers.len > 0 || m->roster.all.len > 1);
}

uint16_t member_side(const struct member *m)
{
    return m->stalled_at ? 0 : m->side;
}

struct member *member_new(const struct member_config *config, uint64_t now)
{
    assert(config->name.len > 0 && config->name.len <= GOSSIP_NAME_MAX);
    assert(config->life > 0 && config->life < GOSSIP_LIFE_MAX);
    struct member *m = heap_alloc(sizeof(*m));
    *m = (struct member){.config = *config, .random = config->seed, .now = now};
    m->meta.role = config->role;
    m->meta.starting = config->role == GOSSIP_SPEAKER;
    m->started_at = m->ticked_at = m->tokens_at = now;
    m->tokens = MEMBER_TOKENS_MAX;
    m->greetings = MEMBER_GREETINGS_MAX;
    m->eager_at = UINT64_MAX;
    m->next_tick = now;
    m->silent_stale = true;
    m->side = 1;
    for (size_t i = 0; i < RELAY_MAX; i++)
        m->relays[i].due = UINT64_MAX;
    uint8_t room[META_SIZE_MAX];
    struct wire wire = wire_writer(room, sizeof(room));
    meta_encode(&m->meta, &wire);
    struct fact own = {
        .kind = FACT_RECORD,
        .id = message_id(config->name),
        .life = config->life,
        .edition = 1,
        .address = config->address,
        .name = config->name,
        .meta = {.ptr = (const char *)room, .len = wire.at},
    };
    m->self = roster_add(&m->roster, &own);
    m->self->self = true;
    m->config.name = m->self->name;
    roster_set_state(&m->roster, m->self, GOSSIP_ALIVE, now);
    return m;
}

struct member *member_free(struct member *m)
{
    if (!m)
        return NULL;
    roster_done(&m->roster);
    vec_done(&m->rumors);
    vec_done(&m->peers);
    vec_done(&m->silent);
    vec_done(&m->leave_ids);
    vec_done(&m->wanted);
    (void)arena_free(m->meta_arena);
    free(m);
    return NULL;
}

void member_out_done(struct member_out *out)
{
    vec_done(&out->sends);
    vec_done(&out->bytes);
    vec_done(&out->notes);
    out->texts = arena_free(out->texts);
}

static void set_peers(struct member *m, const struct member_event *event)
{
    vec_clear(&m->peers);
    for (size_t i = 0; i < event->count && m->peers.len < GOSSIP_MEMBERS_MAX; i++) {
        if (!ip_eq(&event->peers[i], &m->config.address))
            vec_push(&m->peers, event->peers[i]);
    }
    vec_sort(&m->peers, ip_cmp_ptr);
    m->silent_stale = true;
    if (!m->has_peers) {
        m->has_peers = true;
        m->join_until = m->now + MEMBER_JOIN_US;
        m->join_limit = m->now + 3 * MEMBER_JOIN_US;
        m->next_tick = m->now;
    }
}

/* Until a question that is asked from now on is answered, or nobody has answered until then. What
 * was missed until now says nothing about others. */
static void stall(struct member *m, uint64_t until, const struct member_note *note)
{
    if (!m->stalled_at)
        m->by_interface = false;
    if (!m->stalled_at || until > m->stalled_until)
        m->stalled_until = until;
    m->stalled_at = m->next_tick = m->now;
    m->stalled_number = m->number;
    m->stalled_checks = m->stalled_agreed = 0;
    m->stalled_heard = false;
    m->greetings = MEMBER_GREETINGS_MAX; /* a lone member has used them up by knocking in vain */
    probe_forgive(m);
    m->out->changed = true;
    member_note(m, note);
}

static void resume(struct member *m)
{
    struct member_note note = {.type = MEMBER_NOTE_RESUMED, .silent_us = m->now - m->stalled_at};
    m->stalled_at = 0;
    m->stalled_heard = false;
    m->out->changed = true;
    member_note(m, &note);
}

static void ask_list(struct member *m, const struct peer *from)
{
    if (m->stalled_checks++ < STALLED_CHECKS)
        sync_check(m, from);
}

/* Numbers go round. */
void member_answered(struct member *m, const struct peer *from, uint32_t number)
{
    uint32_t since = number - m->stalled_number;
    if (!m->stalled_at || since == 0 || since > m->number - m->stalled_number)
        return;
    m->answered_at = m->stalled_at;
    m->stalled_heard = true;
    ask_list(m, from);
}

/* Somebody knows those members that we know, and nobody and nothing beyond. */
void on_same(struct member *m)
{
    if (m->has_peers && !m->settled)
        m->settled = m->out->changed = true;
    if (m->stalled_at && m->stalled_heard)
        resume(m);
}

/* Was there no other way to the others, so that its lack explains their silence? Most likely not
 * when all that there was while they were heard is still there. */
static bool explains_silence(const struct member *m)
{
    return !m->answered_at || m->meta.count == 0 || m->gone_at >= m->answered_at;
}

/* If the others were out of reach for so long that they may have counted us dead, we do not know
 * what has become of what we had; before we have joined, we do not yet know anything of them. An
 * interface that comes and goes, while all others are dead, must not keep us silent for ever: if it
 * is not likely that they are there, they get a moment to answer, and seldom. */
static void interface_came(struct member *m, struct str name)
{
    struct member_note note = {
        .type = MEMBER_NOTE_CUT_OFF, .name = name, .silent_us = m->now - m->answered_at};
    uint64_t join = m->now + MEMBER_JOIN_US;
    if (!m->settled) {
        m->join_until = join < m->join_limit ? join : m->join_limit;
        return;
    }
    if (!member_may_have_others(m) || note.silent_us < MEMBER_STALL_US)
        return;
    bool vain = m->now < m->vain_until;
    bool brief = vain || !explains_silence(m);
    if (brief && m->now < m->brief_from)
        return;
    if (brief)
        m->brief_from = m->now + BRIEF_EVERY_US;
    if (!m->stalled_at)
        m->stalled_limit = m->now + 2 * MEMBER_LINK_US;
    uint64_t until = m->now + (brief ? MEMBER_SILENCE_US : MEMBER_LINK_US);
    stall(m, until < m->stalled_limit ? until : m->stalled_limit, &note);
    if (vain || !brief)
        m->by_interface = true;
}

/* A list that is never the same may be that of a member that knows of a death which we have yet to
 * find. That does not matter: only whom it knows beyond those that we count alive may have what was
 * ours. */
void member_compared(struct member *m, const struct peer *from, bool lacks)
{
    if (!m->stalled_at || !m->stalled_heard)
        return;
    m->stalled_agreed = lacks ? 0 : m->stalled_agreed + 1;
    if (m->stalled_agreed >= STALLED_AGREED)
        resume(m);
    else if (!lacks)
        ask_list(m, from);
}

static void look_for_new(struct member *m, const struct member_event *event)
{
    for (size_t i = 0; i < event->count; i++) {
        if (meta_find(&m->meta, event->interfaces[i].name))
            continue;
        interface_came(m, event->interfaces[i].name);
        return;
    }
}

static void look_for_lost(struct member *m, const struct member_event *event)
{
    const struct member_meta now = {.interfaces = event->interfaces, .count = event->count};
    for (size_t i = 0; i < m->meta.count; i++) {
        if (!meta_find(&now, m->meta.interfaces[i].name))
            m->gone_at = m->now;
    }
}

static void set_interfaces(struct member *m, const struct member_event *event)
{
    look_for_lost(m, event); /* first: one that takes the place of another explains silence */
    look_for_new(m, event);
    struct arena *arena = arena_new(0);
    struct member_meta meta = m->meta;
    meta.interfaces = event->interfaces;
    meta.count = event->count;
    m->meta = meta_copy(&meta, arena);
    (void)arena_free(m->meta_arena);
    m->meta_arena = arena;
    member_renew(m);
}

static int send_user(struct member *m, const struct member_event *event)
{
    const struct peer *peer = roster_find(&m->roster, message_id(event->name));
    if (!peer || peer->self || !gossip_is_alive(peer->state))
        return -ENOENT;
    if (event->bytes.len > GOSSIP_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_USER, peer->id, peer->life);
    wire_put_bytes(&draft.wire, event->bytes.ptr, event->bytes.len);
    draft_send(m, &draft, &peer->address);
    return 0;
}

/* Others hear it from us, as many as may be, and with more members from each other. */
static void leave(struct member *m)
{
    if (m->left)
        return;
    m->left = true;
    m->self->turn++;
    m->self->accusers[0] = m->self->id;
    roster_set_state(&m->roster, m->self, GOSSIP_LEFT, m->now);
    for (size_t i = 0; i < m->roster.all.len && m->leave_ids.len < LEAVE_MAX; i++) {
        const struct peer *peer = m->roster.all.items[i];
        if (gossip_is_alive(peer->state))
            vec_push(&m->leave_ids, peer->id);
    }
    facts_spread(m, m->self, false);
    probe_retarget(m);
    m->leave_until = m->now + MEMBER_LEAVE_US;
    m->leave_at = m->now;
}

static void leave_run(struct member *m)
{
    if (!m->leave_until)
        return;
    if (!m->leave_ids.len || m->now >= m->leave_until) {
        m->leave_until = 0;
        m->out->left = true;
        return;
    }
    if (m->now < m->leave_at)
        return;
    m->leave_at = m->now + LEAVE_AGAIN_US;
    struct fact fact = fact_of(m, m->self, false);
    for (size_t i = 0; i < m->leave_ids.len; i++) {
        const struct peer *peer = roster_find(&m->roster, m->leave_ids.items[i]);
        struct draft draft;
        if (!peer)
            continue;
        draft_begin(m, &draft, MESSAGE_PING, peer->id, peer->life);
        wire_put_u32(&draft.wire, ++m->number);
        fact_put(&draft.wire, &fact);
        draft_send(m, &draft, &peer->address);
    }
}

/* We did not run for a while: others may have counted us dead. Until one of them answers, we do not
 * know. */
static void look_for_stall(struct member *m)
{
    uint64_t gap = m->now - m->ticked_at;
    if (gap < MEMBER_STALL_US)
        return;
    m->ticked_at = m->next_tick = m->now;
    member_ail(m);
    if (!member_may_have_others(m))
        return;
    /* Who was alone is not out of touch with anybody: who has come meanwhile answers at once. */
    struct member_note note = {.type = MEMBER_NOTE_STALLED, .silent_us = gap};
    m->stalled_limit = m->now + 2 * MEMBER_LINK_US;
    stall(m, m->now + (m->roster.alive > 1 ? MEMBER_JOIN_US : MEMBER_SILENCE_US), &note);
}

static void tick(struct member *m)
{
    m->ticked_at = m->now;
    m->next_tick += MEMBER_PERIOD_US;
    if (m->next_tick <= m->now)
        m->next_tick = m->now + MEMBER_PERIOD_US;
    if (m->now - m->returned_at >= CALM_US || m->roster.alive < m->side)
        m->side = (uint16_t)m->roster.alive;
    if (m->stalled_at && m->now >= m->stalled_until) {
        if (m->by_interface && !m->stalled_heard)
            m->vain_until = m->now + VAIN_US;
        resume(m);
    }
    if (m->held_until && m->now >= m->held_until) {
        m->held_until = 0;
        m->meta.held = false;
        member_renew(m);
        struct member_note note = {.type = MEMBER_NOTE_RELEASED};
        member_note(m, &note);
    }
    probe_tick(m);
    join_tick(m);
}

static void on_timer(struct member *m)
{
    if (m->now > m->next_tick + LATE_US)
        member_ail(m);
    if (m->now >= m->next_tick)
        tick(m);
    probe_run(m);
    leave_run(m);
}

static void clear(struct member_out *out)
{
    vec_clear(&out->sends);
    vec_clear(&out->bytes);
    vec_clear(&out->notes);
    if (out->texts)
        arena_reset(out->texts);
    out->from = out->message = (struct str){0};
    out->result = 0;
    out->changed = out->left = out->dropped = false;
}

static uint64_t next_wake(const struct member *m)
{
    uint64_t next = m->next_tick;
    uint64_t probe = probe_next(m);
    next = probe < next ? probe : next;
    next = m->eager_at < next ? m->eager_at : next;
    uint64_t leave_at = m->leave_ids.len ? m->leave_at : m->now;
    if (m->leave_until && leave_at < next)
        next = leave_at;
    return next;
}

void member_step(struct member *m, const struct member_event *event, uint64_t now,
                 struct member_out *out)
{
    clear(out);
    m->out = out;
    m->now = now;
    look_for_stall(m);
    switch (event->type) {
    case MEMBER_TIMER:
        on_timer(m);
        break;
    case MEMBER_DATAGRAM:
        on_datagram(m, event);
        break;
    case MEMBER_PEERS:
        set_peers(m, event);
        break;
    case MEMBER_INTERFACES:
        set_interfaces(m, event);
        break;
    case MEMBER_STARTED:
        m->meta.starting = false;
        member_renew(m);
        break;
    case MEMBER_LEAVING:
        m->meta.leaving = event->flag;
        member_renew(m);
        break;
    case MEMBER_LEAVE:
        leave(m);
        break;
    case MEMBER_SEND:
        out->result = send_user(m, event);
        break;
    }
    if (m->eager_at <= now)
        facts_eager(m);
    out->wake_at = next_wake(m);
}
