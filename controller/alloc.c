#include "controller/alloc.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/names.h"
#include "controller/alloc_say.h"
#include "controller/wish.h"

struct alloc {
    struct pool_set *set; /* owned */
    struct holdings books;
    uint64_t seed;
};

static const char *const outcome_names[] = {
    [ALLOC_OK] = "Allocated",
    [ALLOC_NO_POOL] = "NoPool",
    [ALLOC_POOL_EXHAUSTED] = "PoolExhausted",
    [ALLOC_UNKNOWN_POOL] = "UnknownPool",
    [ALLOC_POOL_NOT_COMPATIBLE] = "PoolNotCompatible",
    [ALLOC_POOL_MISMATCH] = "PoolMismatch",
    [ALLOC_NOT_IN_ANY_POOL] = "NotInAnyPool",
    [ALLOC_POOLS_DIFFER] = "PoolsDiffer",
    [ALLOC_FAMILY_MISMATCH] = "FamilyMismatch",
    [ALLOC_SHARING_KEY] = "SharingKey",
    [ALLOC_PORT_IN_USE] = "PortInUse",
    [ALLOC_RESERVED] = "Reserved",
    [ALLOC_QUARANTINED] = "Quarantined",
};
static const struct names outcomes = NAMES(outcome_names);

const char *alloc_outcome_name(enum alloc_outcome outcome)
{
    return names_of(&outcomes, outcome);
}

struct alloc *alloc_new(uint64_t seed)
{
    struct alloc *alloc = heap_alloc(sizeof(*alloc));
    struct diag_list none = {0};
    *alloc = (struct alloc){.set = pool_set_build(NULL, 0, NULL, 0, &none), .seed = seed};
    holdings_init(&alloc->books, alloc->set, seed);
    return alloc;
}

struct alloc *alloc_free(struct alloc *alloc)
{
    if (!alloc)
        return NULL;
    holdings_done(&alloc->books);
    pool_set_free(alloc->set);
    free(alloc);
    return NULL;
}

const struct pool_set *alloc_pools(const struct alloc *alloc)
{
    return alloc->set;
}

static struct alloc_answer accept(const struct alloc *alloc, const struct holder *holder)
{
    struct alloc_answer answer = {
        .count = holder->hold_count,
        .pool = holdings_pool(&alloc->books, holder)->name,
    };
    for (size_t i = 0; i < holder->hold_count; i++)
        answer.ips[i] = holder->holds[i].address->ip;
    return answer;
}

/* --- claims ----------------------------------------------------------------------------------- */

static bool ports_include(const struct port_list *all, const struct port_list *some)
{
    size_t at = 0;
    for (size_t i = 0; i < some->count; i++) {
        while (at < all->count && all->items[at] < some->items[i])
            at++;
        if (at == all->count || all->items[at] != some->items[i])
            return false;
    }
    return true;
}

static bool same_share(const struct holder *holder, const struct wish *wish)
{
    return str_eq(holder->share ? holder->share->name : (struct str){0}, wish->share_name);
}

/* Would the claim change nothing? */
static bool is_repeat(const struct holder *holder, const struct wish *wish)
{
    if (holder->hold_count != wish->request->ip_count || !same_share(holder, wish) ||
        holder->ports.count != wish->ports.count || !ports_include(&holder->ports, &wish->ports))
        return false;
    for (size_t i = 0; i < holder->hold_count; i++)
        if (!ip_eq(&holder->holds[i].address->ip, &wish->request->ips[i]))
            return false;
    return true;
}

/* Does the claim give up something that others may wait for? */
static bool gives_up(const struct holder *holder, const struct wish *wish)
{
    if (!same_share(holder, wish) || !ports_include(&wish->ports, &holder->ports))
        return true;
    for (size_t i = 0; i < holder->hold_count; i++) {
        bool kept = false;
        for (size_t j = 0; j < wish->request->ip_count; j++)
            kept = kept || ip_eq(&holder->holds[i].address->ip, &wish->request->ips[j]);
        if (!kept)
            return true;
    }
    return false;
}

struct alloc_answer alloc_claim(struct alloc *alloc, const struct alloc_request *request,
                                struct arena *arena)
{
    assert(request->ip_count >= 1 && request->ip_count <= ALLOC_IPS);
    struct wish wish = wish_of(request, arena);
    struct holder *self = holdings_holder(&alloc->books, request->key);
    wish.self = self;
    wish.claim = true;
    struct alloc_answer answer = wish_check(&alloc->books, &wish);
    if (answer.outcome != ALLOC_OK)
        return answer;
    bool freed = false;
    if (self && is_repeat(self, &wish))
        return accept(alloc, self);
    if (self) {
        freed = gives_up(self, &wish);
        (void)holdings_remove(&alloc->books, request->key);
    }
    answer = accept(alloc, holdings_add(&alloc->books, request->key, wish.share_name, &wish.ports,
                                        request->ips, request->ip_count));
    answer.freed = freed;
    return answer;
}

struct str_list alloc_blockers(const struct alloc *alloc, const struct alloc_request *request,
                               struct arena *arena)
{
    struct wish wish = wish_of(request, arena);
    wish.self = holdings_holder(&alloc->books, request->key);
    wish.claim = true;
    return wish_blockers(&alloc->books, &wish);
}

struct alloc_answer alloc_find(struct alloc *alloc, const struct alloc_request *request,
                               struct arena *arena)
{
    assert(request->ip_count <= ALLOC_IPS);
    bool freed = alloc_release(alloc, request->key);
    struct wish wish = wish_of(request, arena);
    struct wish_ips find;
    struct alloc_answer answer = wish_find(&alloc->books, &wish, &find);
    if (answer.outcome == ALLOC_OK)
        answer = accept(alloc, holdings_add(&alloc->books, request->key, wish.share_name,
                                            &wish.ports, find.ips, find.count));
    answer.freed = freed;
    return answer;
}

struct alloc_answer alloc_extend(struct alloc *alloc, const struct alloc_request *request,
                                 struct arena *arena)
{
    struct holder *self = holdings_holder(&alloc->books, request->key);
    assert(self);
    if (self->hold_count == ALLOC_IPS)
        return accept(alloc, self);
    if (request->families != ALLOC_DUAL)
        return wish_refuse(ALLOC_FAMILY_MISMATCH, alloc_say_family(request, true, arena));
    struct wish wish = wish_of(request, arena);
    const struct pool *pool = holdings_pool(&alloc->books, self);
    unsigned slot = 1 - pool_slot(&self->holds[0].address->ip);
    struct ip ip;
    if (!wish_find_one(&alloc->books, &wish, pool, slot, &ip))
        return wish_refuse(ALLOC_POOL_EXHAUSTED,
                           alloc_say_pool_exhausted(&alloc->books, pool, 1U << slot, arena));
    holdings_grow(&alloc->books, self, &ip, arena);
    return accept(alloc, holdings_holder(&alloc->books, request->key));
}

/* --- the rest --------------------------------------------------------------------------------- */

bool alloc_release(struct alloc *alloc, struct str key)
{
    return holdings_remove(&alloc->books, key);
}

/* Are all addresses of the holder in one pool of the set? */
static bool still_owned(const struct pool_set *set, const struct holder *holder)
{
    const struct pool_segment *segments[ALLOC_IPS];
    for (size_t i = 0; i < holder->hold_count; i++) {
        segments[i] = pool_set_locate(set, &holder->holds[i].address->ip);
        if (!segments[i] || segments[i]->pool != segments[0]->pool)
            return false;
    }
    return true;
}

static void move_holder(struct holdings *to, const struct holder *holder)
{
    struct ip ips[ALLOC_IPS];
    for (size_t i = 0; i < holder->hold_count; i++)
        ips[i] = holder->holds[i].address->ip;
    struct str share_name = holder->share ? holder->share->name : (struct str){0};
    (void)holdings_add(to, holder->key, share_name, &holder->ports, ips, holder->hold_count);
}

void alloc_set_pools(struct alloc *alloc, struct pool_set *set, struct arena *arena,
                     struct str_list *ret_lost)
{
    struct holdings books;
    holdings_init(&books, set, alloc->seed);
    size_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&alloc->books.addresses, &cursor));) {
        const struct address *address = entry->value;
        if (address->quarantined)
            holdings_quarantine(&books, &address->ip, true);
    }
    struct str_list lost = {
        .items = arena_array(arena, map_count(&alloc->books.holders), sizeof(*lost.items)),
    };
    cursor = 0;
    for (struct map_entry *entry; (entry = map_next(&alloc->books.holders, &cursor));) {
        const struct holder *holder = entry->value;
        if (still_owned(set, holder))
            move_holder(&books, holder);
        else
            lost.items[lost.count++] = arena_str(arena, holder->key);
    }
    if (lost.count)
        qsort(lost.items, lost.count, sizeof(*lost.items), str_cmp_ptr);
    holdings_done(&alloc->books);
    pool_set_free(alloc->set);
    alloc->books = books;
    alloc->set = set;
    *ret_lost = lost;
}

size_t alloc_get(const struct alloc *alloc, struct str key, struct ip ret_ips[ALLOC_IPS],
                 struct str *ret_pool)
{
    const struct holder *holder = holdings_holder(&alloc->books, key);
    if (!holder)
        return 0;
    for (size_t i = 0; ret_ips && i < holder->hold_count; i++)
        ret_ips[i] = holder->holds[i].address->ip;
    if (ret_pool)
        *ret_pool = holdings_pool(&alloc->books, holder)->name;
    return holder->hold_count;
}

size_t alloc_count(const struct alloc *alloc)
{
    return map_count(&alloc->books.holders);
}

struct str_list alloc_users(const struct alloc *alloc, const struct ip *ip, struct arena *arena)
{
    const struct address *address = holdings_address(&alloc->books, ip);
    struct str_list users = {0};
    if (!address || !address->user_count)
        return users;
    users.items = arena_array(arena, address->user_count, sizeof(*users.items));
    for (const struct hold *hold = address->first; hold; hold = hold->next)
        users.items[users.count++] = hold->holder->key;
    qsort(users.items, users.count, sizeof(*users.items), str_cmp_ptr);
    return users;
}

void alloc_quarantine(struct alloc *alloc, const struct ip *ip, bool on)
{
    holdings_quarantine(&alloc->books, ip, on);
}

bool alloc_is_quarantined(const struct alloc *alloc, const struct ip *ip)
{
    const struct address *address = holdings_address(&alloc->books, ip);
    return address && address->quarantined;
}

struct alloc_usage alloc_usage(const struct alloc *alloc, const struct pool *pool, unsigned slot)
{
    const struct pool_family *family = &pool->families[slot];
    const struct family_count *count = &alloc->books.counts[pool - alloc->set->pools][slot];
    int64_t open_taken = count->assigned - count->assigned_reserved + count->quarantined;
    return (struct alloc_usage){
        .capacity = family->capacity,
        .assigned = count->assigned,
        .available = family->open_capacity - open_taken,
    };
}
