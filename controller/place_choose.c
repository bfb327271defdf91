/* Choosing one node of a set. */
#include "common/election/election.h"
#include "controller/place_internal.h"

/* So many equals are told apart by SHA-256. In large clusters more than that are often equal, and
 * then it is a place among them that the cheaper hash of the address gives. */
enum { EQUALS_MAX = 16 };

static uint32_t elect(const struct place *place, const uint32_t *nodes, size_t count,
                      const struct place_member *unit, struct arena *scratch)
{
    struct election_candidate *candidates = arena_array(scratch, count, sizeof(*candidates));
    for (size_t i = 0; i < count; i++)
        candidates[i].name = place->names[nodes[i]];
    return nodes[election_winner(candidates, count, &unit->ip)];
}

static size_t list_nodes(const struct nodeset *set, uint32_t *ret)
{
    size_t count = 0;
    for (size_t node = nodeset_next(set, 0); node != NODESET_END;
         node = nodeset_next(set, node + 1))
        ret[count++] = (uint32_t)node;
    return count;
}

uint32_t place_choose(const struct place *place, const struct nodeset *set,
                      const struct place_ladder *ladder, const struct place_member *unit,
                      struct arena *scratch)
{
    struct nodeset equals = nodeset_new(place->nodes, scratch);
    uint32_t nodes[EQUALS_MAX];
    (void)place_ladder_least(ladder, set, &equals);
    if (nodeset_size(&equals) > EQUALS_MAX)
        return (uint32_t)nodeset_next_around(&equals, unit->mix % place->nodes);
    return elect(place, nodes, list_nodes(&equals, nodes), unit, scratch);
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
