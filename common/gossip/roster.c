#include "common/gossip/roster.h"

#include <assert.h>
#include <string.h>

#include "common/gossip/gossip_limits.h"

static struct str id_key(const uint64_t *id)
{
    return (struct str){.ptr = (const char *)id, .len = sizeof(*id)};
}

static void free_peer(struct peer *peer)
{
    free((char *)peer->name.ptr);
    free(peer->window);
    free(peer->watch);
    free(peer);
}

void roster_done(struct roster *roster)
{
    for (size_t i = 0; i < roster->all.len; i++)
        free_peer(roster->all.items[i]);
    vec_done(&roster->all);
    map_done(&roster->by_id);
}

struct peer *roster_find(const struct roster *roster, uint64_t id)
{
    return map_get(&roster->by_id, id_key(&id));
}

void roster_update(struct peer *peer, const struct fact *record)
{
    char *block = heap_alloc(record->name.len + record->meta.len);
    memcpy(block, record->name.ptr, record->name.len);
    if (record->meta.len)
        memcpy(block + record->name.len, record->meta.ptr, record->meta.len);
    free((char *)peer->name.ptr);
    peer->name = (struct str){.ptr = block, .len = record->name.len};
    peer->meta = (struct str){.ptr = block + record->name.len, .len = record->meta.len};
    if (ip_is_set(&record->address))
        peer->address = record->address;
    peer->life = record->life;
    peer->turn = record->turn;
    peer->edition = record->edition;
}

struct peer *roster_add(struct roster *roster, const struct fact *record)
{
    if (roster->all.len >= GOSSIP_MEMBERS_MAX)
        return NULL;
    struct peer *peer = heap_alloc(sizeof(*peer));
    *peer = (struct peer){.id = record->id, .state = GOSSIP_DEAD};
    roster_update(peer, record);
    (void)map_put(&roster->by_id, id_key(&peer->id), peer);
    vec_push(&roster->all, peer);
    roster->counts[GOSSIP_DEAD]++;
    return peer;
}

void roster_remove(struct roster *roster, struct peer *peer)
{
    assert(!gossip_is_alive(peer->state));
    (void)map_remove(&roster->by_id, id_key(&peer->id));
    size_t i = 0;
    while (roster->all.items[i] != peer)
        i++;
    vec_drop(&roster->all, i);
    roster->counts[peer->state]--;
    free_peer(peer);
}

void roster_set_state(struct roster *roster, struct peer *peer, enum gossip_state state,
                      uint64_t now)
{
    bool was = gossip_is_alive(peer->state), is = gossip_is_alive(state);
    roster->counts[peer->state]--;
    roster->counts[state]++;
    peer->changed_at = now;
    peer->state = state;
    if (was == is)
        return;
    roster->alive = roster->counts[GOSSIP_ALIVE] + roster->counts[GOSSIP_SUSPECT];
    roster->changed = true;
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9U;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

void roster_hash(const struct roster *roster, uint64_t *ret, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ret[i] = 0;
    for (size_t i = 0; i < roster->all.len; i++) {
        const struct peer *peer = roster->all.items[i];
        if (gossip_is_alive(peer->state))
            ret[(peer->id >> 32) * count >> 32] ^=
                mix(mix(peer->id ^ mix(peer->life)) + peer->edition);
    }
}

static uint64_t place(uint64_t id, unsigned ring)
{
    return mix(id + (ring + 1) * 0x9e3779b97f4a7c15U);
}

static bool is_among(struct peer *const *peers, size_t count, const struct peer *peer)
{
    for (size_t i = 0; i < count; i++) {
        if (peers[i] == peer)
            return true;
    }
    return false;
}

/* The nearest living member behind (or before) `peer` in a ring that is not among those found. */
static struct peer *neighbour(const struct roster *roster, const struct peer *peer, unsigned ring,
                              bool before, struct peer *const *found, size_t count)
{
    struct peer *best = NULL;
    uint64_t best_way = 0, from = place(peer->id, ring);
    for (size_t i = 0; i < roster->all.len; i++) {
        struct peer *other = roster->all.items[i];
        if (other == peer || !gossip_is_alive(other->state))
            continue;
        uint64_t to = place(other->id, ring), way = before ? from - to : to - from;
        if ((!best || way < best_way) && !is_among(found, count, other)) {
            best = other;
            best_way = way;
        }
    }
    return best;
}

static size_t neighbours(const struct roster *roster, const struct peer *peer, bool before,
                         struct peer *ret[ROSTER_RINGS])
{
    size_t count = 0;
    for (unsigned ring = 0; ring < ROSTER_RINGS; ring++) {
        struct peer *found = neighbour(roster, peer, ring, before, ret, count);
        if (found)
            ret[count++] = found;
    }
    return count;
}

size_t roster_targets(const struct roster *roster, const struct peer *peer,
                      struct peer *ret[ROSTER_RINGS])
{
    return neighbours(roster, peer, false, ret);
}

size_t roster_watchers(const struct roster *roster, const struct peer *peer,
                       struct peer *ret[ROSTER_RINGS])
{
    return neighbours(roster, peer, true, ret);
}
