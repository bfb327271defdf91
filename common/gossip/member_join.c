#include <string.h>

#include "common/gossip/member_internal.h"

enum {
    HELLOS = 2,         /* to silent addresses, in each period */
    HELLOS_JOINING = 8, /* the same, before we have joined */
    /* The same when somebody has just come, for a split may be over: as many as it takes that each
     * of the silent ones is asked by a few of us. What HELLOS takes leaves room for that to be
     * saved up. */
    HELLOS_MERGING = 64,
    MERGING_US = 1000000,
    ASKED_BY = 6,
    CHECK_US = 2000000, /* between comparisons of our list with somebody's */
    CHECK_JOINING_US = 250000,
    CHECK_GAP_US = 5000, /* when many are met at once */
    MANY = 64,
    SILENT_US = 300000,
    FORGET_US = 5000000, /* dead, and nobody expects it at its address any more */
};

void join_hello(struct member *m, const struct ip *to)
{
    struct draft draft;
    if (!member_may_knock(m))
        return;
    draft_begin(m, &draft, MESSAGE_HELLO, 0, 0);
    draft_send(m, &draft, to);
}

static void put_own(struct member *m, struct draft *draft)
{
    struct fact own = fact_of(m, m->self, true);
    fact_put(&draft->wire, &own);
}

/* Asks who somebody is: the answer proves that it is that life, now, and no replay. */
void join_who(struct member *m, const struct ip *to, uint64_t id, uint64_t life)
{
    if (!member_may_greet(m))
        return;
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_WHO, id, life);
    wire_put_u32(&draft.wire, ++m->number);
    put_own(m, &draft);
    const struct peer *peer = roster_find(&m->roster, id);
    if (peer)
        facts_put_buddy(m, &draft, peer);
    draft_send(m, &draft, to);
    m->who[m->who_at] = (struct who){.number = m->number, .id = id, .life = life};
    m->who_at = (m->who_at + 1) % WHO_MAX;
}

static void send_stale(struct member *m, const struct message_head *head, const struct ip *to,
                       uint64_t known)
{
    if (!member_may_greet(m))
        return;
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_STALE, head->sender, head->life);
    wire_put_u64(&draft.wire, known);
    draft_send(m, &draft, to);
}

void on_hello(struct member *m, const struct message_head *head, const struct ip *from)
{
    const struct peer *peer = roster_find(&m->roster, head->sender);
    if (m->left)
        return;
    if (peer && head->life < peer->life)
        send_stale(m, head, from, peer->life);
    else
        join_who(m, from, head->sender, head->life);
}

/* The list of a member that is new to us, or back, may tell of others. */
static void meet(struct member *m, const struct message_head *head, bool met)
{
    struct peer *peer = roster_find(&m->roster, head->sender);
    if (peer && peer->life == head->life) {
        peer->heard_at = m->now;
        if ((met && m->settled) || m->now - m->checked_at < CHECK_GAP_US)
            return;
        m->checked_at = m->now;
        sync_check(m, peer);
    }
}

static bool is_met(const struct member *m, const struct message_head *head)
{
    const struct peer *peer = roster_find(&m->roster, head->sender);
    return peer && peer->life == head->life && gossip_is_alive(peer->state);
}

void on_who(struct member *m, const struct message_head *head, const struct ip *from,
            struct wire *in)
{
    uint32_t number = wire_get_u32(in);
    bool met = is_met(m, head);
    facts_apply(m, in, roster_find(&m->roster, head->sender), from);
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_IAM, head->sender, head->life);
    wire_put_u32(&draft.wire, number);
    put_own(m, &draft);
    const struct peer *peer = roster_find(&m->roster, head->sender);
    if (peer)
        facts_put_buddy(m, &draft, peer);
    draft_send(m, &draft, from);
    meet(m, head, met);
}

void on_iam(struct member *m, const struct message_head *head, const struct ip *from,
            struct wire *in)
{
    uint32_t number = wire_get_u32(in);
    for (size_t i = 0; i < WHO_MAX; i++) {
        struct who *who = &m->who[i];
        if (!number || who->number != number || who->id != head->sender || who->life != head->life)
            continue;
        *who = (struct who){0};
        bool met = is_met(m, head);
        facts_apply(m, in, roster_find(&m->roster, head->sender), from);
        meet(m, head, met);
        if (is_met(m, head))
            member_answered(m, roster_find(&m->roster, head->sender), number);
        return;
    }
    m->out->dropped = true;
    m->out->drop = GOSSIP_DROP_REPLAY;
}

void on_stale(struct member *m, struct wire *in)
{
    uint64_t life = wire_get_u64(in);
    if (!wire_ok(in) || life < m->self->life || life + 1 >= GOSSIP_LIFE_MAX || m->left)
        return;
    m->self->life = life + 1;
    facts_spread(m, m->self, true);
    m->silent_at = 0;
}

static bool is_listed(const struct member *m, const struct ip *address)
{
    return m->peers.len &&
           bsearch(address, m->peers.items, m->peers.len, sizeof(struct ip), ip_cmp_ptr) != NULL;
}

/* Addresses without a living member: of the peers, and of the dead. */
static void list_silent(struct member *m)
{
    VEC(struct ip) alive = {0};
    for (size_t i = 0; i < m->roster.all.len; i++) {
        const struct peer *peer = m->roster.all.items[i];
        if (gossip_is_alive(peer->state) && ip_is_set(&peer->address))
            vec_push(&alive, peer->address);
    }
    vec_sort(&alive, ip_cmp_ptr);
    vec_clear(&m->silent);
    for (size_t i = 0; i < m->peers.len; i++) {
        const struct ip *ip = &m->peers.items[i];
        if (!alive.len || !bsearch(ip, alive.items, alive.len, sizeof(struct ip), ip_cmp_ptr))
            vec_push(&m->silent, *ip);
    }
    for (size_t i = 0; i < m->roster.all.len; i++) {
        const struct peer *peer = m->roster.all.items[i];
        if (!gossip_is_alive(peer->state) && !is_listed(m, &peer->address))
            vec_push(&m->silent, peer->address);
    }
    m->silent_stale = false;
    m->silent_listed = m->now;
    m->silent_at = m->silent.len ? member_random(m, (uint32_t)m->silent.len) : 0;
    vec_done(&alive);
}

static struct peer *dead_at(const struct member *m, const struct ip *address)
{
    struct peer *found = NULL;
    for (size_t i = 0; i < m->roster.all.len; i++) {
        struct peer *peer = m->roster.all.items[i];
        if (peer->state == GOSSIP_DEAD && ip_eq(&peer->address, address))
            found = peer;
    }
    return found;
}

static size_t how_many_hellos(const struct member *m)
{
    bool merging = m->came_at && m->now - m->came_at < MERGING_US;
    if (m->stalled_at)
        return SIZE_MAX;
    if (!m->settled)
        return HELLOS_JOINING;
    if (!merging)
        return HELLOS;
    size_t share = ASKED_BY * m->silent.len / m->roster.alive;
    return share < HELLOS_JOINING   ? HELLOS_JOINING
           : share < HELLOS_MERGING ? share
                                    : HELLOS_MERGING;
}

/* Knocks where nobody answers: members that start, and the far side of a partition. */
static void knock(struct member *m)
{
    uint64_t pause = m->roster.all.len > MANY ? SILENT_US : 0; /* it takes a while */
    if (m->silent_stale && m->now - m->silent_listed >= pause)
        list_silent(m);
    size_t most = how_many_hellos(m);
    for (size_t i = 0; i < most && i < m->silent.len; i++) {
        m->silent_at = m->silent_at < m->silent.len ? m->silent_at : 0;
        const struct ip *address = &m->silent.items[m->silent_at++];
        struct peer *dead = dead_at(m, address);
        if (!dead)
            join_hello(m, address);
        else if (member_may_knock(m))
            probe_once(m, dead);
    }
}

static void forget(struct member *m)
{
    for (size_t i = m->roster.all.len; i-- > 0;) {
        struct peer *peer = m->roster.all.items[i];
        if (!gossip_is_alive(peer->state))
            sync_settle(m, peer);
        if (gossip_is_alive(peer->state) || peer->self || m->now - peer->changed_at < FORGET_US ||
            is_listed(m, &peer->address))
            continue;
        struct member_note note = {
            .type = MEMBER_NOTE_FORGOTTEN, .name = peer->name, .address = peer->address};
        member_note(m, &note);
        facts_forget(m, peer);
        probe_retarget(m);
        roster_remove(&m->roster, peer);
        m->out->changed = true;
        m->silent_stale = true;
    }
}

static void check_somebody(struct member *m)
{
    if (m->now < m->check_at || m->roster.alive < 2)
        return;
    m->check_at =
        m->now + (m->settled ? CHECK_US / 2 + member_random(m, CHECK_US) : CHECK_JOINING_US);
    for (unsigned i = 0; i < 16; i++) {
        struct peer *peer = m->roster.all.items[member_random(m, (uint32_t)m->roster.all.len)];
        if (peer->self || !gossip_is_alive(peer->state))
            continue;
        sync_check(m, peer);
        return;
    }
}

/* We are being told what we lack: whether that was all will soon be worth asking. */
void join_soon(struct member *m)
{
    if (!m->settled && m->has_peers)
        m->check_at = m->now + CHECK_JOINING_US / 4;
}

void join_tick(struct member *m)
{
    if (m->left)
        return;
    knock(m);
    check_somebody(m);
    forget(m);
    bool nobody = m->roster.alive == 1 && !m->silent.len;
    if (!m->settled && m->has_peers && (nobody || m->now >= m->join_until))
        m->settled = m->out->changed = true;
}
