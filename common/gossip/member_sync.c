#include "common/gossip/member_internal.h"

enum {
    CHECK_GROUPS = 32, /* the list is compared in so many parts, by the first bits of the id */
    GROUP_SHIFT = 64 - 5,
    CONFLICT_US = 1000000, /* for a dead member to deny it */
    CONFLICTS = 8,         /* with more in one list, a partition has healed: others ask too */
    PULL_MAX = 128,        /* ids in one question */
    PULL_AGAIN_US = 200000,
};

void sync_check(struct member *m, const struct peer *peer)
{
    uint64_t groups[CHECK_GROUPS];
    struct draft draft;
    if (!member_take_tokens(m, DATAGRAM_COST + sizeof(groups)))
        return;
    roster_hash(&m->roster, groups, CHECK_GROUPS);
    draft_begin(m, &draft, MESSAGE_CHECK, peer->id, peer->life);
    for (size_t i = 0; i < CHECK_GROUPS; i++)
        wire_put_u64(&draft.wire, groups[i]);
    draft_send(m, &draft, &peer->address);
}

static int compare_peers(const void *a, const void *b)
{
    const struct peer *left = *(struct peer *const *)a, *right = *(struct peer *const *)b;
    return left->id < right->id ? -1 : left->id > right->id;
}

struct sorted {
    const struct peer **items;
    size_t len, cap;
};

static void sort_alive(const struct member *m, struct sorted *sorted)
{
    for (size_t i = 0; i < m->roster.all.len; i++) {
        if (gossip_is_alive(m->roster.all.items[i]->state))
            vec_push(sorted, m->roster.all.items[i]);
    }
    vec_sort(sorted, compare_peers);
}

/* All living members with an id from first to last, in as many datagrams as it takes, each of which
 * says which range of ids it is about. False when there may be no more for now. */
static bool send_digest(struct member *m, const struct peer *to, const struct sorted *sorted,
                        uint64_t first, uint64_t last)
{
    size_t at = 0;
    while (at < sorted->len && sorted->items[at]->id < first)
        at++;
    for (bool more = true; more;) {
        struct draft draft;
        draft_begin(m, &draft, MESSAGE_DIGEST, to->id, to->life);
        size_t room = (SEAL_PLAIN_MAX - draft.wire.at - 16) / DIGEST_ENTRY, end = at;
        while (end < sorted->len && end - at < room && sorted->items[end]->id <= last)
            end++;
        more = end < sorted->len && sorted->items[end]->id <= last;
        wire_put_u64(&draft.wire, first);
        wire_put_u64(&draft.wire, more ? sorted->items[end]->id - 1 : last);
        for (; at < end; at++) {
            const struct peer *peer = sorted->items[at];
            struct digest_entry entry = {peer->id, peer->life, peer->edition};
            digest_put(&draft.wire, &entry);
        }
        if (!member_take_tokens(m, draft.wire.at + DATAGRAM_COST))
            return false;
        draft_send(m, &draft, &to->address);
        first = more ? sorted->items[end]->id : last;
    }
    return true;
}

static void send_same(struct member *m, const struct peer *to)
{
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_SAME, to->id, to->life);
    draft_send(m, &draft, &to->address);
}

void on_check(struct member *m, struct peer *from, struct wire *in)
{
    uint64_t groups[CHECK_GROUPS];
    struct sorted sorted = {0};
    roster_hash(&m->roster, groups, CHECK_GROUPS);
    bool differs[CHECK_GROUPS + 1] = {false}, same = true;
    for (size_t i = 0; i < CHECK_GROUPS; i++) {
        differs[i] = wire_get_u64(in) != groups[i];
        same &= !differs[i];
    }
    if (!wire_ok(in))
        return;
    if (same) {
        send_same(m, from);
        return;
    }
    sort_alive(m, &sorted);
    for (size_t i = 0; i < CHECK_GROUPS; i++) {
        size_t end = i;
        while (differs[end])
            end++;
        if (end == i)
            continue;
        uint64_t last = end == CHECK_GROUPS ? UINT64_MAX : ((uint64_t)end << GROUP_SHIFT) - 1;
        if (!send_digest(m, from, &sorted, (uint64_t)i << GROUP_SHIFT, last))
            break;
        i = end;
    }
    vec_done(&sorted);
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
    if (batch->open && member_take_tokens(m, batch->draft.wire.at + DATAGRAM_COST))
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

/* Has nobody been asked about it just now? */
static bool may_pull(struct member *m, uint64_t id)
{
    struct pull *pull = &m->pulls[id % PULLS_MAX];
    if (pull->id == id && m->now - pull->at < PULL_AGAIN_US)
        return false;
    *pull = (struct pull){.id = id, .at = m->now};
    return true;
}

void sync_want(struct member *m, uint64_t id)
{
    if (m->wanted.len < PULL_MAX && may_pull(m, id))
        vec_push(&m->wanted, id);
}

void sync_pull(struct member *m, const struct peer *from)
{
    struct batch pulls = {.type = MESSAGE_PULL, .to = from};
    for (size_t i = 0; i < m->wanted.len; i++)
        wire_put_u64(batch_room(m, &pulls, 8), m->wanted.items[i]);
    batch_flush(m, &pulls);
    vec_clear(&m->wanted);
}

/* Somebody counts it alive whom we count dead. It may be: then it denies its death when it hears of
 * it. If it does not, that somebody is told (sync_settle). */
static void conflict(struct member *m, struct peer *peer, const struct peer *with)
{
    if (peer->conflict_at || (++m->conflicts > CONFLICTS && !facts_is_mine(m)) ||
        !member_may_greet(m))
        return;
    peer->conflict_at = m->now;
    peer->conflict_with = with->id;
    probe_once(m, peer);
}

void sync_settle(struct member *m, struct peer *peer)
{
    if (!peer->conflict_at || m->now - peer->conflict_at < CONFLICT_US)
        return;
    peer->conflict_at = 0;
    const struct peer *to = roster_find(&m->roster, peer->conflict_with);
    if (!to || !gossip_is_alive(to->state))
        return;
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_RUMOR, to->id, to->life);
    facts_put_buddy(m, &draft, peer);
    draft_send(m, &draft, &to->address);
}

static void compare(struct member *m, const struct digest_entry *entry, const struct peer *from,
                    struct batch *pushes)
{
    struct peer *peer = roster_find(&m->roster, entry->id);
    bool newer = !peer || entry->life > peer->life ||
                 (entry->life == peer->life && entry->edition > peer->edition);
    if (peer)
        peer->mark = true;
    m->lacks |= newer || !gossip_is_alive(peer->state);
    if (newer)
        sync_want(m, entry->id);
    else if (!gossip_is_alive(peer->state) && entry->life == peer->life)
        conflict(m, peer, from);
    else if (gossip_is_alive(peer->state) &&
             (entry->life < peer->life || entry->edition < peer->edition))
        push(m, pushes, peer);
}

void on_digest(struct member *m, struct peer *from, struct wire *in)
{
    uint64_t first = wire_get_u64(in), last = wire_get_u64(in);
    struct batch pushes = {.type = MESSAGE_RUMOR, .to = from};
    for (size_t i = 0; i < m->roster.all.len; i++)
        m->roster.all.items[i]->mark = false;
    m->conflicts = 0;
    m->lacks = false;
    while (wire_left(in) >= DIGEST_ENTRY) {
        struct digest_entry entry = digest_get(in);
        compare(m, &entry, from, &pushes);
    }
    for (size_t i = 0; i < m->roster.all.len; i++) {
        const struct peer *peer = m->roster.all.items[i];
        if (!peer->mark && peer->id >= first && peer->id <= last && gossip_is_alive(peer->state))
            push(m, &pushes, peer);
    }
    batch_flush(m, &pushes);
    sync_pull(m, from);
    join_soon(m);
    member_compared(m, from, m->lacks);
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
