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

uint32_t *election_order(const struct election_candidate *candidates, size_t count,
                         const struct ip *ip, struct arena *arena)
{
    assert(count <= UINT32_MAX);
    struct ip_text address = ip_format(ip);
    struct ranked *ranked = arena_array(arena, count, sizeof(*ranked));
    for (size_t i = 0; i < count; i++) {
        ranked[i] = (struct ranked){
            .score = candidates[i].score,
            .name = candidates[i].name,
            .index = (uint32_t)i,
        };
        hash_of(candidates[i].name, str_from(address.text), ranked[i].hash);
    }
    if (count)
        qsort(ranked, count, sizeof(*ranked), compare_ranked);
    uint32_t *order = arena_array(arena, count, sizeof(*order));
    for (size_t i = 0; i < count; i++)
        order[i] = ranked[i].index;
    return order;
}
