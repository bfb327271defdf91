#include "common/gossip/member_internal.h"

enum {
    EAGER_GAP_US = 10000,   /* news that come together are told together */
    EAGER_AGAIN_US = 20000, /* until the next round about the same */
    CROWD = 64,             /* with more news than that, comparing lists is the better way */
    EAGER_ALL = 32,         /* up to so many others: each is told by whoever knows, */
    EAGER_FEW = 8,          /* with more, once is enough: each hears it from all */
    EAGER_ROUNDS = 3,       /* and so often */
    CALM_ROUNDS = 6,        /* with more: so often, when it is not urgent */
    EAGER_RESERVE = 98304,  /* bytes that are left to other uses, but when somebody died */
    MOURNING_US = 1000000,  /* for so long after that */
    EAGER_FANOUT = 6,       /* so many in a round, when it is */
    MISFITS = 3,            /* so many in a row: the datagram is full */
};

static unsigned log2_of(size_t count)
{
    unsigned bits = 0;
    while (count >> bits)
        bits++;
    return bits;
}

struct fact fact_of(const struct member *m, const struct peer *peer, bool full)
{
    static const enum fact_kind kinds[] = {
        [GOSSIP_ALIVE] = FACT_ALIVE,
        [GOSSIP_SUSPECT] = FACT_ALIVE,
        [GOSSIP_DEAD] = FACT_DEAD,
        [GOSSIP_LEFT] = FACT_LEFT,
    };
    struct fact fact = {
        .kind = kinds[peer->state],
        .id = peer->id,
        .life = peer->life,
        .turn = peer->turn,
        .edition = peer->edition,
        .accusers = {peer->accusers[0]},
        .accuser_count = 1,
        .side = member_side(m),
    };
    if (fact.kind == FACT_ALIVE && full) {
        fact.kind = FACT_RECORD;
        fact.address = peer->address;
        fact.name = peer->name;
        fact.meta = peer->meta;
    }
    return fact;
}

static void put(struct member *m, struct draft *draft, const struct peer *peer, bool full)
{
    struct fact fact = fact_of(m, peer, full);
    if (draft_fits(draft, fact_size(&fact)))
        fact_put(&draft->wire, &fact);
}

void facts_put_buddy(struct member *m, struct draft *draft, const struct peer *peer)
{
    if (peer->state == GOSSIP_DEAD || peer->state == GOSSIP_LEFT) {
        put(m, draft, peer, false);
    } else if (peer->state == GOSSIP_SUSPECT) {
        struct fact fact = {
            .kind = FACT_SUSPECT,
            .id = peer->id,
            .life = peer->life,
            .turn = peer->turn,
            .accuser_count = peer->accuser_count,
        };
        for (unsigned i = 0; i < peer->accuser_count; i++)
            fact.accusers[i] = peer->accusers[i];
        if (fact.accuser_count && draft_fits(draft, fact_size(&fact)))
            fact_put(&draft->wire, &fact);
    }
}

static bool is_urgent(const struct member *m, const struct peer *about)
{
    return m->roster.alive <= EAGER_ALL + 1 || about->self || !gossip_is_alive(about->state);
}

/* How often a member tells news: a few members hear it all in any case. With many, a death goes
 * to random members at once, so often that everyone hears it; that somebody came waits for the next
 * pings, and whom it misses finds out by comparing lists. */
static unsigned times_to_tell(const struct member *m, const struct peer *about)
{
    if (m->roster.alive <= EAGER_ALL + 1)
        return EAGER_ROUNDS;
    if (is_urgent(m, about))
        return 4 + log2_of(m->roster.alive);
    return m->rumors.len > CROWD ? EAGER_ROUNDS : CALM_ROUNDS;
}

void facts_spread(struct member *m, struct peer *peer, bool full)
{
    if (!peer->rumor_left) {
        peer->rumor_full = false;
        vec_push(&m->rumors, peer);
    }
    peer->rumor_full |= full;
    peer->rumor_left = times_to_tell(m, peer);
    uint64_t soonest = m->eager_last + EAGER_GAP_US;
    uint64_t at = soonest > m->now ? soonest : m->now;
    if (is_urgent(m, peer) && at < m->eager_at)
        m->eager_at = at;
}

void facts_forget(struct member *m, struct peer *peer)
{
    peer->rumor_left = 0;
    for (size_t i = 0; i < m->rumors.len; i++) {
        if (m->rumors.items[i] == peer)
            vec_drop(&m->rumors, i);
    }
}

/* Urgent news rides along with pings, but is counted as told only when told to a random member. */
static void fill(struct member *m, struct draft *draft, bool random)
{
    unsigned misfits = 0;
    for (size_t left = m->rumors.len; left > 0 && misfits < MISFITS; left--) {
        m->rumor_at = m->rumor_at < m->rumors.len ? m->rumor_at : 0;
        struct peer *peer = m->rumors.items[m->rumor_at];
        struct fact fact = fact_of(m, peer, peer->rumor_full);
        size_t size = fact_size(&fact);
        if (!draft_fits(draft, size)) {
            m->rumor_at++;
            misfits++;
            continue;
        }
        if (!member_take_tokens(m, size))
            return;
        fact_put(&draft->wire, &fact);
        bool counts = random || m->roster.alive <= EAGER_ALL + 1 || !is_urgent(m, peer);
        if (counts && --peer->rumor_left == 0)
            vec_drop(&m->rumors, m->rumor_at);
        else
            m->rumor_at++;
    }
}

void facts_fill(struct member *m, struct draft *draft)
{
    fill(m, draft, false);
}

bool facts_in_full(const struct member *m, const struct peer *peer, const struct peer *via)
{
    return m->roster.alive <= EAGER_ALL + 1 || !via || via == peer;
}

bool facts_is_mine(struct member *m)
{
    return m->roster.alive <= EAGER_ALL + 1 ||
           member_random(m, (uint32_t)m->roster.alive) < EAGER_FANOUT;
}

static void tell(struct member *m, const struct peer *to)
{
    struct draft draft;
    draft_begin(m, &draft, MESSAGE_RUMOR, to->id, to->life);
    fill(m, &draft, true);
    draft_send(m, &draft, &to->address);
}

/* A few members: all of them hear all the news, whatever it takes. */
static void tell_all(struct member *m)
{
    struct draft draft;
    size_t count = m->rumors.len;
    for (size_t at = 0; at < count;) {
        size_t end = at;
        for (size_t i = 0; i < m->roster.all.len; i++) {
            const struct peer *to = m->roster.all.items[i];
            if (to->self || !gossip_is_alive(to->state))
                continue;
            draft_begin(m, &draft, MESSAGE_RUMOR, to->id, to->life);
            for (end = at; end < count; end++) {
                struct peer *about = m->rumors.items[end];
                struct fact fact = fact_of(m, about, about->rumor_full);
                if (!draft_fits(&draft, fact_size(&fact)))
                    break;
                fact_put(&draft.wire, &fact);
            }
            draft_send(m, &draft, &to->address);
        }
        at = end > at ? end : count;
    }
    for (size_t i = count; i-- > 0;) {
        if (--m->rumors.items[i]->rumor_left == 0)
            vec_drop(&m->rumors, i);
    }
}

/* Some members at random, and often enough that everyone hears it from somebody. */
static void tell_some(struct member *m)
{
    for (unsigned i = 0; i < EAGER_FANOUT && m->rumors.len; i++) {
        struct peer *to = m->roster.all.items[member_random(m, (uint32_t)m->roster.all.len)];
        for (unsigned more = 0; more < 16 && (to->self || !gossip_is_alive(to->state)); more++)
            to = m->roster.all.items[member_random(m, (uint32_t)m->roster.all.len)];
        if (to->self || !gossip_is_alive(to->state))
            continue;
        if (m->tokens < EAGER_RESERVE && m->now - m->death_at > MOURNING_US)
            return; /* comparing lists does it for less */
        if (!member_take_tokens(m, DATAGRAM_COST))
            return;
        tell(m, to);
    }
}

void facts_eager(struct member *m)
{
    m->eager_last = m->now;
    m->eager_at = UINT64_MAX;
    if (m->roster.alive <= EAGER_ALL + 1)
        tell_all(m);
    else
        tell_some(m);
    bool once = m->roster.alive > EAGER_FEW && m->roster.alive <= EAGER_ALL + 1;
    for (size_t i = 0; i < m->rumors.len && !once; i++) {
        if (is_urgent(m, m->rumors.items[i]))
            m->eager_at = m->now + EAGER_AGAIN_US;
    }
}
