#include "common/election/election.h"

#include <assert.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdlib.h>
#include <string.h>

struct ranked {
    int64_t score;
    uint8_t hash[crypto_hash_sha256_BYTES];
    struct str name;
    uint32_t index;
};

static void hash_of(struct str node, struct str address, uint8_t *ret)
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)node.ptr, node.len);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)"#", 1);
    (void)crypto_hash_sha256_update(&state, (const uint8_t *)address.ptr, address.len);
    (void)crypto_hash_sha256_final(&state, ret);
}

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    int order = memcmp(left->hash, right->hash, sizeof(left->hash));
    return order ? order : str_cmp(left->name, right->name);
}

static struct ranked rank(const struct election_candidate *candidates, size_t index,
                          struct str address)
{
    struct ranked ranked = {
        .score = candidates[index].score,
        .name = candidates[index].name,
        .index = (uint32_t)index,
    };
    hash_of(candidates[index].name, address, ranked.hash);
    return ranked;
}

uint32_t *election_order(const struct election_candidate *candidates, size_t count,
                         const struct ip *ip, struct arena *arena)
{
    assert(count <= UINT32_MAX);
    struct ip_text address = ip_format(ip);
    struct ranked *ranked = arena_array(arena, count, sizeof(*ranked));
    for (size_t i = 0; i < count; i++)
        ranked[i] = rank(candidates, i, str_from(address.text));
    if (count)
        qsort(ranked, count, sizeof(*ranked), compare_ranked);
    uint32_t *order = arena_array(arena, count, sizeof(*order));
    for (size_t i = 0; i < count; i++)
        order[i] = ranked[i].index;
    return order;
}

size_t election_winner(const struct election_candidate *candidates, size_t count,
                       const struct ip *ip)
{
    assert(count > 0 && count <= UINT32_MAX);
    struct ip_text address = ip_format(ip);
    struct ranked best = rank(candidates, 0, str_from(address.text));
    for (size_t i = 1; i < count; i++) {
        if (candidates[i].score < best.score)
            continue;
        struct ranked next = rank(candidates, i, str_from(address.text));
        if (compare_ranked(&next, &best) < 0)
            best = next;
    }
    return best.index;
}
