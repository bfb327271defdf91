#include "common/election/serving.h"

#include <assert.h>

#include "common/base/map.h"

/* A table of chains in arrays: slices by the hash of their Service. Sorting them instead would cost
 * more than all else that is done with them. */
struct serving {
    const struct endpointslice **slices;
    uint32_t *hashes; /* of their Services */
    uint32_t *next;   /* in the chain: an index plus one; 0: the last */
    uint32_t *heads;  /* of chains, the same way; a power of two of them */
    size_t count, mask;
    uint64_t seed;
};

static uint32_t hash_of(const struct serving *serving, struct str service)
{
    return (uint32_t)map_hash(serving->seed, service);
}

static void add(struct serving *serving, const struct endpointslice *slice)
{
    size_t index = serving->count++;
    uint32_t hash = hash_of(serving, slice->service);
    uint32_t *head = &serving->heads[hash & serving->mask];
    serving->slices[index] = slice;
    serving->hashes[index] = hash;
    serving->next[index] = *head;
    *head = (uint32_t)index + 1;
}

struct serving *serving_new(const struct objects *slices, uint64_t seed, struct arena *arena)
{
    struct serving *serving = arena_alloc(arena, sizeof(*serving));
    size_t heads = 1;
    assert(slices->count < UINT32_MAX);
    while (heads < slices->count)
        heads *= 2;
    serving->mask = heads - 1;
    serving->seed = seed;
    serving->slices = arena_array(arena, slices->count, sizeof(*serving->slices));
    serving->hashes = arena_array(arena, slices->count, sizeof(*serving->hashes));
    serving->next = arena_array(arena, slices->count, sizeof(*serving->next));
    serving->heads = arena_array(arena, heads, sizeof(*serving->heads));
    for (size_t i = 0; i < slices->count; i++) {
        const struct endpointslice *slice = (const struct endpointslice *)slices->items[i];
        if (slice->service.len && !slice->object.refused)
            add(serving, slice);
    }
    return serving;
}

/* The next slice of the Service in its chain, from `at` on: an index plus one, or 0. */
static size_t find(const struct serving *serving, struct str service, uint32_t hash, size_t at)
{
    while (at &&
           !(serving->hashes[at - 1] == hash && str_eq(serving->slices[at - 1]->service, service)))
        at = serving->next[at - 1];
    return at;
}

const struct endpoint *serving_next(const struct serving *serving, struct str service,
                                    struct serving_cursor *cursor)
{
    if (!cursor->started) {
        uint32_t hash = hash_of(serving, service);
        *cursor = (struct serving_cursor){.hash = hash, .started = true};
        cursor->slice = find(serving, service, hash, serving->heads[hash & serving->mask]);
    }
    while (cursor->slice) {
        const struct list *endpoints = &serving->slices[cursor->slice - 1]->endpoints;
        const struct endpoint *all = endpoints->items;
        while (cursor->endpoint < endpoints->count) {
            const struct endpoint *endpoint = &all[cursor->endpoint++];
            if (endpoint->can_serve)
                return endpoint;
        }
        cursor->slice = find(serving, service, cursor->hash, serving->next[cursor->slice - 1]);
        cursor->endpoint = 0;
    }
    return NULL;
}
