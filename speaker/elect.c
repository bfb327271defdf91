#include "speaker/elect.h"

#include <stdlib.h>

#include "common/base/keep.h"
#include "common/election/election.h"
#include "common/net/ip_table.h"

/* How a hash election over equal nodes has ended. */
struct outcome {
    struct ip ip;
    uint32_t owner;
    uint64_t round;   /* that asked about it last */
    uint64_t nodes[]; /* those it was over */
};

struct elect {
    struct arena *arena; /* of the names */
    struct str_list names;
    size_t words;             /* of a set of nodes */
    struct ip_table outcomes; /* struct outcome */
    struct keep *keep;        /* of them */
    uint64_t round;
    size_t asked; /* outcomes that this round has asked about */
};

struct elect *elect_new(uint64_t seed)
{
    struct elect *e = heap_alloc(sizeof(*e));
    *e =
        (struct elect){.arena = arena_new(0), .outcomes = {.table.seed = seed}, .keep = keep_new()};
    return e;
}

static size_t outcome_size(const struct elect *e)
{
    return sizeof(struct outcome) + e->words * sizeof(uint64_t);
}

static void outcome_free(const struct elect *e, struct outcome *outcome)
{
    keep_release(outcome, outcome_size(e));
}

static void forget_all(struct elect *e)
{
    size_t cursor = 0;
    for (struct outcome *outcome; (outcome = ip_table_next(&e->outcomes, &cursor));)
        outcome_free(e, outcome);
    ip_table_done(&e->outcomes);
}

struct elect *elect_free(struct elect *e)
{
    if (!e)
        return NULL;
    forget_all(e);
    (void)keep_free(e->keep);
    (void)arena_free(e->arena);
    free(e);
    return NULL;
}

static bool same_names(const struct elect *e, const struct str *names, size_t count)
{
    if (count != e->names.count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!str_eq(names[i], e->names.items[i]))
            return false;
    }
    return true;
}

void elect_begin(struct elect *e, const struct str *names, size_t count)
{
    e->round++;
    e->asked = 0;
    if (same_names(e, names, count))
        return;
    forget_all(e);
    arena_reset(e->arena);
    e->names.items = arena_array(e->arena, count, sizeof(struct str));
    for (size_t i = 0; i < count; i++)
        e->names.items[i] = arena_str(e->arena, names[i]);
    e->names.count = count;
    e->words = nodeset_words(count);
}

/* The first of the order that is eligible, or the number of nodes. */
static size_t find_published(const struct elect *e, const struct elect_unit *unit)
{
    for (size_t i = 0; i < unit->order_count; i++) {
        if (nodeset_has(&unit->nodes, unit->order[i]))
            return unit->order[i];
    }
    return e->names.count;
}

/* The winner among the eligible nodes for which `rivals` (NULL: all) has their bit. */
static size_t run_election(const struct elect *e, const struct elect_unit *unit,
                           const uint64_t *rivals, struct arena *scratch)
{
    struct election_candidate *candidates =
        arena_array(scratch, e->names.count, sizeof(*candidates));
    size_t *nodes = arena_array(scratch, e->names.count, sizeof(*nodes)), count = 0;
    for (size_t i = 0; i < e->names.count; i++) {
        struct nodeset among = {.words = (uint64_t *)rivals, .count = e->words};
        if (!nodeset_has(&unit->nodes, i) || (rivals && !nodeset_has(&among, i)))
            continue;
        nodes[count] = i;
        candidates[count++] = (struct election_candidate){
            .name = e->names.items[i], .score = unit->scores ? unit->scores[i] : 0};
    }
    if (count == 0)
        return e->names.count;
    return nodes[election_order(candidates, count, &unit->ip, scratch)[0]];
}

/* Who could win now: the former owner and the nodes that have come since, which is all that can
 * matter while the owner is there; the order of the others does not change. */
static uint64_t *find_rivals(const struct elect *e, const struct elect_unit *unit,
                             const struct outcome *outcome, struct arena *scratch)
{
    struct nodeset rivals = nodeset_new(e->names.count, scratch);
    if (outcome->owner == e->names.count || !nodeset_has(&unit->nodes, outcome->owner))
        return NULL;
    for (size_t i = 0; i < e->words; i++)
        rivals.words[i] = unit->nodes.words[i] & ~outcome->nodes[i];
    nodeset_add(&rivals, outcome->owner);
    return rivals.words;
}

static bool is_over(const struct elect *e, const struct outcome *outcome,
                    const struct nodeset *nodes)
{
    for (size_t i = 0; i < e->words; i++) {
        if (outcome->nodes[i] != nodes->words[i])
            return false;
    }
    return true;
}

static struct outcome *need_outcome(struct elect *e, const struct elect_unit *unit)
{
    struct outcome *outcome = keep_alloc(e->keep, outcome_size(e));
    *outcome = (struct outcome){.ip = unit->ip, .owner = (uint32_t)e->names.count};
    for (size_t i = 0; i < e->words; i++)
        outcome->nodes[i] = 0;
    (void)ip_table_put(&e->outcomes, &outcome->ip);
    return outcome;
}

static size_t remembered(struct elect *e, const struct elect_unit *unit, struct arena *scratch)
{
    struct outcome *outcome = ip_table_get(&e->outcomes, &unit->ip);
    bool known = outcome && is_over(e, outcome, &unit->nodes);
    if (!outcome)
        outcome = need_outcome(e, unit);
    e->asked += outcome->round != e->round;
    outcome->round = e->round;
    if (known)
        return outcome->owner;
    outcome->owner =
        (uint32_t)run_election(e, unit, find_rivals(e, unit, outcome, scratch), scratch);
    for (size_t i = 0; i < e->words; i++)
        outcome->nodes[i] = unit->nodes.words[i];
    return outcome->owner;
}

size_t elect_owner(struct elect *e, const struct elect_unit *unit, struct arena *scratch)
{
    size_t published = find_published(e, unit);
    if (published < e->names.count)
        return published;
    size_t first = nodeset_next(&unit->nodes, 0);
    if (first != NODESET_END && nodeset_next(&unit->nodes, first + 1) == NODESET_END)
        return first; /* nothing to remember */
    if (unit->scores)
        return run_election(e, unit, NULL, scratch);
    return remembered(e, unit, scratch);
}

size_t elect_rank(const struct elect *e, const struct elect_unit *unit, size_t node,
                  struct arena *scratch)
{
    size_t rank = 0;
    struct nodeset rest = nodeset_new(e->names.count, scratch);
    nodeset_unite(&rest, &unit->nodes);
    for (size_t i = 0; i < unit->order_count; i++) {
        if (unit->order[i] == node)
            return rank;
        rank += nodeset_has(&unit->nodes, unit->order[i]);
        nodeset_drop(&rest, unit->order[i]);
    }
    nodeset_add(&rest, node);
    struct elect_unit others = {.nodes = rest, .scores = unit->scores, .ip = unit->ip};
    for (size_t i = 0; i < e->names.count; i++) {
        struct nodeset pair = nodeset_new(e->names.count, scratch);
        nodeset_add(&pair, i);
        nodeset_add(&pair, node);
        rank += i != node && nodeset_has(&rest, i) &&
                run_election(e, &others, pair.words, scratch) == i;
    }
    return rank;
}

void elect_end(struct elect *e)
{
    if (e->asked == ip_table_count(&e->outcomes))
        return;
    struct ip_table kept = {.table.seed = e->outcomes.table.seed};
    size_t cursor = 0;
    for (struct outcome *outcome; (outcome = ip_table_next(&e->outcomes, &cursor));) {
        if (outcome->round == e->round)
            (void)ip_table_put(&kept, &outcome->ip);
        else
            outcome_free(e, outcome);
    }
    ip_table_done(&e->outcomes);
    e->outcomes = kept;
}
