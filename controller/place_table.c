#include "controller/place_table.h"

#include <assert.h>
#include <string.h>

static uint32_t *numbers(size_t count, struct arena *arena)
{
    return arena_array(arena, count, sizeof(uint32_t));
}

static void fill(uint32_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i] = PLACE_NONE;
}

struct place_table place_table_new(size_t nodes, size_t units, struct arena *arena)
{
    struct place_table table = {
        .nodes = nodes,
        .units = units,
        .load = numbers(nodes, arena),
        .first = numbers(nodes, arena),
        .next = numbers(units, arena),
        .prev = numbers(units, arena),
        .at = numbers(units, arena),
    };
    fill(table.first, nodes);
    fill(table.next, units);
    fill(table.prev, units);
    fill(table.at, units);
    return table;
}

static void overwrite(uint32_t *list, const uint32_t *from, size_t count)
{
    if (count)
        memcpy(list, from, count * sizeof(*list));
}

void place_table_move(struct place_table *table, const struct place_table *from)
{
    assert(table->nodes == from->nodes && table->units >= from->units);
    overwrite(table->load, from->load, from->nodes);
    overwrite(table->first, from->first, from->nodes);
    overwrite(table->next, from->next, from->units);
    overwrite(table->prev, from->prev, from->units);
    overwrite(table->at, from->at, from->units);
}

struct place_table place_table_copy(const struct place_table *table, struct arena *arena)
{
    struct place_table copy = place_table_new(table->nodes, table->units, arena);
    place_table_move(&copy, table);
    return copy;
}

void place_table_put(struct place_table *table, uint32_t unit, uint32_t node)
{
    assert(unit < table->units && node < table->nodes && table->at[unit] == PLACE_NONE);
    uint32_t after = table->first[node];
    table->next[unit] = after;
    table->prev[unit] = PLACE_NONE;
    if (after != PLACE_NONE)
        table->prev[after] = unit;
    table->first[node] = unit;
    table->at[unit] = node;
    table->load[node]++;
}

void place_table_take(struct place_table *table, uint32_t unit)
{
    assert(unit < table->units);
    uint32_t node = table->at[unit], next = table->next[unit], prev = table->prev[unit];
    if (node == PLACE_NONE)
        return;
    if (prev == PLACE_NONE)
        table->first[node] = next;
    else
        table->next[prev] = next;
    if (next != PLACE_NONE)
        table->prev[next] = prev;
    table->next[unit] = table->prev[unit] = table->at[unit] = PLACE_NONE;
    table->load[node]--;
}
