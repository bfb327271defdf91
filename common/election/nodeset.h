/* Sets of nodes, each a bit: the nodes of a snapshot are numbered in the order of their names. All
 * sets that meet in one function are of one snapshot. Pure. */
#ifndef COMMON_ELECTION_NODESET_H
#define COMMON_ELECTION_NODESET_H

#include "common/base/arena.h"

struct nodeset {
    uint64_t *words;
    size_t count; /* of words */
};

enum { NODESET_BITS = 64 };

/* How many words a set of that many nodes has. */
static inline size_t nodeset_words(size_t nodes)
{
    return (nodes + NODESET_BITS - 1) / NODESET_BITS;
}

/* The empty set with room for that many nodes, in the arena. */
static inline struct nodeset nodeset_new(size_t nodes, struct arena *arena)
{
    size_t count = nodeset_words(nodes);
    return (struct nodeset){.words = arena_array(arena, count, sizeof(uint64_t)), .count = count};
}

static inline void nodeset_add(struct nodeset *set, size_t node)
{
    set->words[node / NODESET_BITS] |= UINT64_C(1) << (node % NODESET_BITS);
}

static inline void nodeset_drop(struct nodeset *set, size_t node)
{
    set->words[node / NODESET_BITS] &= ~(UINT64_C(1) << (node % NODESET_BITS));
}

static inline void nodeset_clear(struct nodeset *set)
{
    for (size_t i = 0; i < set->count; i++)
        set->words[i] = 0;
}

static inline bool nodeset_is_empty(const struct nodeset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->words[i])
            return false;
    }
    return true;
}

static inline bool nodeset_has(const struct nodeset *set, size_t node)
{
    return set->words[node / NODESET_BITS] >> (node % NODESET_BITS) & 1;
}

/* The same bits; of one snapshot. */
static inline void nodeset_copy(struct nodeset *set, const struct nodeset *other)
{
    for (size_t i = 0; i < set->count; i++)
        set->words[i] = other->words[i];
}

static inline bool nodeset_eq(const struct nodeset *a, const struct nodeset *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->words[i] != b->words[i])
            return false;
    }
    return true;
}

static inline size_t nodeset_size(const struct nodeset *set)
{
    size_t size = 0;
    for (size_t i = 0; i < set->count; i++)
        size += (size_t)__builtin_popcountll(set->words[i]);
    return size;
}

/* The first node of the set that is not before `from`, or NODESET_END. */
#define NODESET_END SIZE_MAX
static inline size_t nodeset_next(const struct nodeset *set, size_t from)
{
    size_t at = from / NODESET_BITS;
    if (at >= set->count)
        return NODESET_END;
    uint64_t word = set->words[at] & (UINT64_MAX << (from % NODESET_BITS));
    while (word == 0) {
        if (++at == set->count)
            return NODESET_END;
        word = set->words[at];
    }
    return at * NODESET_BITS + (size_t)__builtin_ctzll(word);
}

/* The same, and when there is none behind it, the first of the set. */
static inline size_t nodeset_next_around(const struct nodeset *set, size_t from)
{
    size_t node = nodeset_next(set, from);
    return node == NODESET_END ? nodeset_next(set, 0) : node;
}

static inline void nodeset_unite(struct nodeset *set, const struct nodeset *other)
{
    for (size_t i = 0; i < set->count; i++)
        set->words[i] |= other->words[i];
}

static inline void nodeset_subtract(struct nodeset *set, const struct nodeset *other)
{
    for (size_t i = 0; i < set->count; i++)
        set->words[i] &= ~other->words[i];
}

static inline void nodeset_intersect(struct nodeset *set, const struct nodeset *other)
{
    for (size_t i = 0; i < set->count; i++)
        set->words[i] &= other->words[i];
}

#endif
