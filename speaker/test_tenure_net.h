/* What the tests of tenure share: a plan as an event; and several machines between which messages
 * are lost, doubled and late. */
#ifndef SPEAKER_TEST_TENURE_NET_H
#define SPEAKER_TEST_TENURE_NET_H

#include "common/base/test.h"
#include "speaker/tenure.h"

static const struct claim_standing ours = {.epoch = 5};

static inline struct tenure_event plan_of(enum tenure_whose whose, const char *owner)
{
    return (struct tenure_event){.kind = TENURE_PLANNED,
                                 .plan = {.whose = whose,
                                          .standing = ours,
                                          .owner = str_from(owner),
                                          .owner_hears = true,
                                          .may_serve = true,
                                          .peer_lives = true}};
}

enum { NODES = 3, QUEUE = 512, LONGEST_MS = 300 };

static const struct str names[NODES] = {STR_INIT("n1"), STR_INIT("n2"), STR_INIT("n3")};

struct post {
    uint64_t at, sent;
    uint64_t replies; /* to the question sent then; 0: to none */
    size_t from, to;
    bool query, answers, claims;
    struct claim_standing standing;
};

struct net {
    uint64_t now, random;
    unsigned loss; /* percent */
    struct tenure nodes[NODES];
    bool dead[NODES];
    uint64_t newest[NODES][NODES]; /* when the newest message that has come was sent: to, from */
    struct post posts[QUEUE];
    size_t count;
};

static inline unsigned draw(struct net *net, unsigned below)
{
    net->random = net->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(net->random >> 33) % below;
}

static inline size_t index_of(struct str name)
{
    size_t i = 0;
    while (i < NODES && !str_eq(names[i], name))
        i++;
    return i;
}

/* Lost, late, or twice. replies: 0 for a question. */
static inline void post(struct net *net, size_t from, size_t to, uint64_t replies)
{
    const struct tenure *t = &net->nodes[from];
    for (unsigned copies = draw(net, 10) ? 1 : 2; copies; copies--) {
        if (draw(net, 100) < net->loss || net->count == QUEUE)
            continue;
        net->posts[net->count++] = (struct post){.at = net->now + draw(net, LONGEST_MS),
                                                 .sent = net->now,
                                                 .replies = replies,
                                                 .from = from,
                                                 .to = to,
                                                 .query = replies == 0,
                                                 .answers = tenure_answers(t),
                                                 .claims = tenure_claims(t),
                                                 .standing = t->standing};
    }
}

static inline void step(struct net *net, size_t node, const struct tenure_event *event)
{
    struct tenure_actions actions = tenure_step(&net->nodes[node], event, net->now);
    if (actions.ask.len)
        post(net, node, index_of(actions.ask), 0);
    for (size_t i = 0; actions.ask_all && i < NODES; i++) {
        if (i != node && !net->dead[i])
            post(net, node, i, 0);
    }
    for (size_t i = 0; actions.announce && i < NODES; i++) { /* and on the wire, which loses less */
        if (i == node || net->dead[i] || draw(net, 100) < net->loss / 2)
            continue;
        struct tenure_event heard = {.kind = TENURE_HEARD, .member = names[node]};
        step(net, i, &heard);
    }
}

/* The plan of that epoch, by which `owner` has it, reaches a node. */
static inline void plan(struct net *net, size_t node, uint64_t epoch, size_t owner)
{
    struct tenure_event event = plan_of(node == owner ? TENURE_OURS : TENURE_THEIRS, "");
    struct tenure *t = &net->nodes[node];
    event.plan.owner = names[owner];
    event.plan.known = true;
    event.plan.standing =
        (struct claim_standing){.epoch = epoch, .rank = (uint16_t)((node + NODES - owner) % NODES)};
    event.plan.peer_lives = t->peer.len && !net->dead[index_of(t->peer)];
    step(net, node, &event);
}

static inline void deliver(struct net *net)
{
    for (size_t i = 0; i < net->count; i++) {
        struct post p = net->posts[i];
        if (p.at > net->now)
            continue;
        net->posts[i--] = net->posts[--net->count];
        if (net->dead[p.to] || net->dead[p.from] || p.sent < net->newest[p.to][p.from])
            continue;
        net->newest[p.to][p.from] = p.sent;
        const struct tenure *t = &net->nodes[p.to];
        struct tenure_event event = {
            .kind = TENURE_CLAIMED,
            .claim = {.member = names[p.from],
                      .answers = p.answers,
                      .claims = p.claims,
                      .asked = p.replies,
                      .order = claim_cmp(&t->standing, names[p.to], &p.standing, names[p.from])}};
        step(net, p.to, &event);
        if (p.query)
            post(net, p.to, p.from, p.sent);
    }
}

static inline size_t count_answering(const struct net *net)
{
    size_t count = 0;
    for (size_t i = 0; i < NODES; i++)
        count += !net->dead[i] && tenure_answers(&net->nodes[i]);
    return count;
}

/* One millisecond after the other; somebody answers at each of them. */
static inline void pass(struct net *net, unsigned ms)
{
    static const struct tenure_event tick = {.kind = TENURE_TICK};
    for (uint64_t end = net->now + ms; net->now < end; net->now++) {
        deliver(net);
        for (size_t i = 0; i < NODES; i++) {
            if (!net->dead[i] && net->nodes[i].due && net->nodes[i].due <= net->now)
                step(net, i, &tick);
        }
        TEST_ASSERT(count_answering(net) >= 1);
    }
}

static inline void check_sole(const struct net *net, size_t owner)
{
    TEST_ASSERT(count_answering(net) == 1 && tenure_claims(&net->nodes[owner]));
}

static inline void begin(struct net *net, uint64_t seed, unsigned loss)
{
    *net = (struct net){.now = 1, .random = seed, .loss = loss};
    for (size_t i = 0; i < NODES; i++)
        plan(net, i, 1, 0);
    pass(net, 1000);
    check_sole(net, 0);
}

#endif
