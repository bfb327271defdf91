#include <string.h>

#include "common/gossip/member_internal.h"

enum {
    HELLOS = 2,         /* to silent addresses, in each period */
    HELLOS_JOINING = 8, /* the same, while we know nobody */
    CHECK_US = 2000000, /* between comparisons of our list with somebody's */
    CHECK_JOINING_US = 100000,
    FORGET_US = 5000000, /* dead, and nobody expects it at its address any more */
    CONFLICT_US = 1000000,
    CONFLICTS = 3,
    PULL_MAX = 128, /* ids in one question */
};

void join_hello(struct member *m, const struct ip *to)
{
    struct draft draft;
    if (!member_take_tokens(m, SEAL_OVERHEAD + MESSAGE_HEAD))
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
    if (!member_take_tokens(m, SEAL_DATAGRAM_MAX / 4))
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
    if (!member_take_tokens(m, SEAL_OVERHEAD + MESSAGE_HEAD))
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
        if (!met || !m->settled)
            join_check(m, peer);
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
        return;
    }
    m->out->dropped = true;
    m->out->drop = GOSSIP_DROP_REPLAY;
}

void on_stale(struct member *m, struct wire *in)
{
    uint64_t life = wire_get_u64(in);
    if (!wire_ok(in) || life < m->self->life || life >= GOSSIP_LIFE_MAX || m->left)
        return;
    m->self->life = life + 1;
    facts_spread(m, m->self, true);
    m->silent_at = 0;
}

void join_check(struct member *m, struct peer *peer)
{
    if (!member_take_tokens(m, SEAL_OVERHEAD + MESSAGE_HEAD))
        return;
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_CHECK, peer->id, peer->life);
    wire_put_u64(&draft.wire, roster_hash(&m->roster));
    draft_send(m, &draft, &peer->address);
}

static int compare_peers(const void *a, const void *b)
{
    const struct peer *left = *(struct peer *const *)a, *right = *(struct peer *const *)b;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* All living members in chunks, each of which says which range of ids it is about. */
static void send_digest(struct member *m, const struct peer *to)
{
    VEC(const struct peer *) sorted = {0};
    for (size_t i = 0; i < m->roster.all.len; i++) {
        if (gossip_is_alive(m->roster.all.items[i]->state))
            vec_push(&sorted, m->roster.all.items[i]);
    }
    vec_sort(&sorted, compare_peers);
    uint64_t first = 0;
    for (size_t at = 0; at < sorted.len;) {
        struct draft draft;
        draft_begin(m, &draft, MESSAGE_DIGEST, to->id, to->life);
        size_t room = (SEAL_PLAIN_MAX - draft.wire.at - 16) / DIGEST_ENTRY;
        size_t end = sorted.len - at <= room ? sorted.len : at + room;
        uint64_t last = end == sorted.len ? UINT64_MAX : sorted.items[end]->id - 1;
        wire_put_u64(&draft.wire, first);
        wire_put_u64(&draft.wire, last);
        for (; at < end; at++) {
            const struct peer *peer = sorted.items[at];
            struct digest_entry entry = {peer->id, peer->life, peer->edition};
            digest_put(&draft.wire, &entry);
        }
        if (!member_take_tokens(m, draft.wire.at + SEAL_OVERHEAD))
            break;
        draft_send(m, &draft, &to->address);
        first = last + 1;
    }
    vec_done(&sorted);
}

void on_check(struct member *m, struct peer *from, struct wire *in)
{
    uint64_t hash = wire_get_u64(in);
    if (hash != roster_hash(&m->roster)) {
        send_digest(m, from);
        return;
    }
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_SAME, from->id, from->life);
    wire_put_u64(&draft.wire, hash);
    draft_send(m, &draft, &from->address);
}

/* Datagrams of one kind that are filled and sent one after another. */
struct batch {
    struct draft draft;
    enum message_type type;
    const struct peer *to;
    bool open;
};

static void batch_flush(struct member *m, struct batch *batch)
{
    if (batch->open && member_take_tokens(m, batch->draft.wire.at + SEAL_OVERHEAD))
        draft_send(m, &batch->draft, &batch->to->address);
    batch->open = false;
}

static struct wire *batch_room(struct member *m, struct batch *batch, size_t size)
{
    if (batch->open && !draft_fits(&batch->draft, size))
        batch_flush(m, batch);
    if (!batch->open)
        draft_begin(m, &batch->draft, batch->type, batch->to->id, batch->to->life);
    batch->open = true;
    return &batch->draft.wire;
}

static void push(struct member *m, struct batch *batch, const struct peer *peer)
{
    struct fact fact = fact_of(m, peer, true);
    fact_put(batch_room(m, batch, fact_size(&fact)), &fact);
}

/* Somebody counts it alive whom we count dead. It may be: then it denies its death when it hears of
 * it. If it never answers, our word is repeated. */
static void conflict(struct member *m, struct peer *peer)
{
    if (peer->conflict_at && m->now - peer->conflict_at < CONFLICT_US)
        return;
    peer->conflict_at = m->now;
    if (++peer->conflicts >= CONFLICTS) {
        peer->conflicts = 0;
        facts_spread(m, peer, false);
    } else if (member_take_tokens(m, SEAL_DATAGRAM_MAX / 8)) {
        probe_once(m, peer);
    }
}

static void compare(struct member *m, const struct digest_entry *entry, struct batch *pushes,
                    struct batch *pulls)
{
    struct peer *peer = roster_find(&m->roster, entry->id);
    if (peer)
        peer->mark = true;
    if (!peer || entry->life > peer->life ||
        (entry->life == peer->life && entry->edition > peer->edition))
        wire_put_u64(batch_room(m, pulls, 8), entry->id);
    else if (!gossip_is_alive(peer->state) && entry->life == peer->life)
        conflict(m, peer);
    else if (gossip_is_alive(peer->state) &&
             (entry->life < peer->life || entry->edition < peer->edition))
        push(m, pushes, peer);
}

void on_digest(struct member *m, struct peer *from, struct wire *in)
{
    uint64_t first = wire_get_u64(in), last = wire_get_u64(in);
    struct batch pushes = {.type = MESSAGE_RUMOR, .to = from};
    struct batch pulls = {.type = MESSAGE_PULL, .to = from};
    for (size_t i = 0; i < m->roster.all.len; i++)
        m->roster.all.items[i]->mark = false;
    while (wire_left(in) >= DIGEST_ENTRY) {
        struct digest_entry entry = digest_get(in);
        compare(m, &entry, &pushes, &pulls);
    }
    for (size_t i = 0; i < m->roster.all.len; i++) {
        const struct peer *peer = m->roster.all.items[i];
        if (!peer->mark && peer->id >= first && peer->id <= last && gossip_is_alive(peer->state))
            push(m, &pushes, peer);
    }
    batch_flush(m, &pushes);
    batch_flush(m, &pulls);
    if (!m->settled && m->has_peers)
        m->check_at = m->now + CHECK_JOINING_US / 4;
}

void join_pull(struct member *m, const struct peer *from, uint64_t id)
{
    if (!member_take_tokens(m, SEAL_OVERHEAD + MESSAGE_HEAD))
        return;
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_PULL, from->id, from->life);
    wire_put_u64(&draft.wire, id);
    draft_send(m, &draft, &from->address);
}

void on_pull(struct member *m, struct peer *from, struct wire *in)
{
    struct batch pushes = {.type = MESSAGE_RUMOR, .to = from};
    for (unsigned i = 0; i < PULL_MAX && wire_left(in) >= 8; i++) {
        const struct peer *peer = roster_find(&m->roster, wire_get_u64(in));
        if (peer && gossip_is_alive(peer->state))
            push(m, &pushes, peer);
    }
    batch_flush(m, &pushes);
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

/* Knocks where nobody answers: members that start, and the far side of a partition. */
static void knock(struct member *m)
{
    if (m->silent_stale)
        list_silent(m);
    size_t most = m->roster.alive > 1 ? HELLOS : HELLOS_JOINING;
    for (size_t i = 0; i < most && i < m->silent.len; i++) {
        m->silent_at = m->silent_at < m->silent.len ? m->silent_at : 0;
        const struct ip *address = &m->silent.items[m->silent_at++];
        struct peer *dead = dead_at(m, address);
        if (!dead)
            join_hello(m, address);
        else if (member_take_tokens(m, SEAL_DATAGRAM_MAX / 8))
            probe_once(m, dead);
    }
}

static void forget(struct member *m)
{
    for (size_t i = m->roster.all.len; i-- > 0;) {
        struct peer *peer = m->roster.all.items[i];
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
        join_check(m, peer);
        return;
    }
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
