/* Choosing one node of a set. */
#include "common/election/election.h"
#include "controller/place_internal.h"

/* So many equals are told apart by SHA-256. In larger clusters more than that are often equal, and
 * a cheaper hash of the same two decides. */
enum { EQUALS_MAX = 16 };

/* Scrambles all bits (the finalizer of SplitMix64). */
static uint64_t scramble(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint32_t cheapest(const struct place *place, const uint32_t *nodes, size_t count,
                         const struct place_member *unit)
{
    uint32_t best = nodes[0];
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t mixed = scramble(place->mixes[nodes[i]] ^ unit->mix);
        if (mixed < least) {
            least = mixed;
            best = nodes[i];
        }
    }
    return best;
}

static uint32_t elect(const struct place *place, const uint32_t *nodes, size_t count,
                      const struct place_member *unit, struct arena *scratch)
{
    struct election_candidate *candidates = arena_array(scratch, count, sizeof(*candidates));
    for (size_t i = 0; i < count; i++)
        candidates[i].name = place->names[nodes[i]];
    return nodes[election_winner(candidates, count, &unit->ip)];
}

uint32_t place_choose(const struct place *place, const struct nodeset *set, const uint32_t *load,
                      const struct place_member *unit, struct arena *scratch)
{
    uint32_t *equals = arena_array(scratch, place->nodes, sizeof(*equals)), least = UINT32_MAX;
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        for (uint64_t word = set->words[i]; word; word &= word - 1) {
            uint32_t node = (uint32_t)(i * NODESET_BITS) + (uint32_t)__builtin_ctzll(word);
            if (load[node] < least) {
                least = load[node];
                count = 0;
            }
            if (load[node] == least)
                equals[count++] = node;
        }
    }
    if (count == 1)
        return equals[0];
    return count <= EQUALS_MAX ? elect(place, equals, count, unit, scratch)
                               : cheapest(place, equals, count, unit);
}

static size_t list_nodes(const struct nodeset *set, uint32_t *ret)
{
    size_t count = 0;
    for (size_t node = nodeset_next(set, 0); node != NODESET_END;
         node = nodeset_next(set, node + 1))
        ret[count++] = (uint32_t)node;
    return count;
}

uint32_t place_elect(const struct place *place, const struct nodeset *set,
                     const struct place_member *unit, struct arena *scratch)
{
    uint32_t *nodes = arena_array(scratch, place->nodes, sizeof(*nodes));
    return elect(place, nodes, list_nodes(set, nodes), unit, scratch);
}

/* While the former winner is there, only those can win that were not there before: the order of
 * the others does not change. */
uint32_t place_elect_again(const struct place *place, const struct nodeset *set,
                           const struct nodeset *before, uint32_t winner,
                           const struct place_member *unit, struct arena *scratch)
{
    if (winner == PLACE_NONE || !nodeset_has(set, winner) || !nodeset_has(before, winner))
        return place_elect(place, set, unit, scratch);
    struct nodeset rivals = nodeset_new(place->nodes, scratch);
    for (size_t i = 0; i < set->count; i++)
        rivals.words[i] = set->words[i] & ~before->words[i];
    nodeset_add(&rivals, winner);
    return place_elect(place, &rivals, unit, scratch);
}
