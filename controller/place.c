#include "controller/place.h"

#include <assert.h>

#include "common/election/election.h"

static struct place_order place_unit(const struct place_input *input, const struct place_unit *unit,
                                     struct arena *arena)
{
    size_t count = unit->candidate_count;
    struct election_candidate *candidates = arena_array(arena, count, sizeof(*candidates));
    for (size_t i = 0; i < count; i++) {
        assert(unit->candidates[i].node < input->node_count);
        candidates[i] = (struct election_candidate){
            .name = input->nodes[unit->candidates[i].node],
            .score = unit->candidates[i].score,
        };
    }
    struct place_order order = {
        .nodes = election_order(candidates, count, &unit->ip, arena),
        .count = count,
    };
    for (size_t i = 0; i < count; i++)
        order.nodes[i] = unit->candidates[order.nodes[i]].node;
    return order;
}

struct place_order *place_units(const struct place_input *input, struct arena *arena)
{
    struct place_order *orders = arena_array(arena, input->unit_count, sizeof(*orders));
    for (size_t i = 0; i < input->unit_count; i++)
        orders[i] = place_unit(input, &input->units[i], arena);
    return orders;
}
