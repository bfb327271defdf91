#include "controller/wish.h"

#include <stdlib.h>

#include "controller/alloc_say.h"

enum { SLOT_V4 = 1 << 0, SLOT_V6 = 1 << 1, SLOT_BOTH = SLOT_V4 | SLOT_V6 };

static int compare_port(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static struct port_list sorted_ports(const struct alloc_request *request, struct arena *arena)
{
    struct port_list list = {.items = arena_array(arena, request->port_count, sizeof(uint32_t))};
    for (size_t i = 0; i < request->port_count; i++)
        list.items[i] = (uint32_t)request->ports[i].protocol << 16 | request->ports[i].port;
    if (request->port_count > 1)
        qsort(list.items, request->port_count, sizeof(*list.items), compare_port);
    for (size_t i = 0; i < request->port_count; i++)
        if (!list.count || list.items[list.count - 1] != list.items[i])
            list.items[list.count++] = list.items[i];
    return list;
}

struct wish wish_of(const struct alloc_request *request, struct arena *arena)
{
    return (struct wish){
        .request = request,
        .arena = arena,
        .ports = sorted_ports(request, arena),
        .share_name = holdings_share_name(request->sharing_key, request->backend_key, arena),
    };
}

struct alloc_answer wish_refuse(enum alloc_outcome outcome, struct str message)
{
    return (struct alloc_answer){.outcome = outcome, .message = message};
}

/* --- checks of given addresses ---------------------------------------------------------------- */

/* The families of a Service as a set of slots. */
static unsigned slots_of(enum alloc_families families)
{
    static const unsigned slots[] = {
        [ALLOC_V4] = SLOT_V4,
        [ALLOC_V6] = SLOT_V6,
        [ALLOC_DUAL] = SLOT_BOTH,
    };
    return slots[families];
}

static bool families_fit(const struct wish *wish)
{
    const struct alloc_request *request = wish->request;
    unsigned have = 0;
    for (size_t i = 0; i < request->ip_count; i++) {
        unsigned slot = 1U << pool_slot(&request->ips[i]);
        if (!ip_is_set(&request->ips[i]) || (have & slot))
            return false;
        have |= slot;
    }
    if (wish->claim && request->families == ALLOC_DUAL && request->policy == ALLOC_PREFER_DUAL)
        return have != 0;
    return have == slots_of(request->families);
}

static bool holds(const struct holder *holder, const struct address *address)
{
    for (size_t i = 0; holder && i < holder->hold_count; i++)
        if (holder->holds[i].address == address)
            return true;
    return false;
}

/* May the Service have this address, which is in a pool? */
static struct alloc_answer check_address(const struct holdings *books, const struct wish *wish,
                                         const struct ip *ip)
{
    const struct alloc_request *request = wish->request;
    const struct pool_segment *segment = pool_set_locate(books->set, ip);
    const struct address *address = holdings_address(books, ip);
    if (!wish->claim && !pool_segment_admits(segment, request->key, request->namespace))
        return wish_refuse(ALLOC_RESERVED, alloc_say_reserved(ip, segment, wish->arena));
    if (!wish->claim && address && address->quarantined)
        return wish_refuse(ALLOC_QUARANTINED, alloc_say_quarantined(ip, wish->arena));
    if (!address || address->user_count == (holds(wish->self, address) ? 1 : 0))
        return (struct alloc_answer){0};
    const struct share *share = holdings_share(books, wish->share_name);
    if (!share || holdings_share_of(address) != share)
        return wish_refuse(ALLOC_SHARING_KEY, alloc_say_sharing(request, address, wish->arena));
    uint32_t port;
    const struct holder *other = holdings_clash(address, &wish->ports, wish->self, &port);
    if (other)
        return wish_refuse(ALLOC_PORT_IN_USE, alloc_say_port(ip, port, other, wish->arena));
    return (struct alloc_answer){0};
}

/* The one pool that the addresses are in. */
static struct alloc_answer check_pool(const struct holdings *books, const struct wish *wish)
{
    const struct alloc_request *request = wish->request;
    const struct pool *pool = NULL;
    for (size_t i = 0; i < request->ip_count; i++) {
        const struct pool_segment *segment = pool_set_locate(books->set, &request->ips[i]);
        if (!segment)
            return wish_refuse(ALLOC_NOT_IN_ANY_POOL,
                               alloc_say_not_in_any_pool(&request->ips[i], wish->arena));
        if (pool && pool != &books->set->pools[segment->pool])
            return wish_refuse(ALLOC_POOLS_DIFFER, alloc_say_pools_differ(request, wish->arena));
        pool = &books->set->pools[segment->pool];
    }
    if (request->pool.len && !pool_set_find(books->set, request->pool))
        return wish_refuse(ALLOC_UNKNOWN_POOL, alloc_say_unknown_pool(request->pool, wish->arena));
    if (request->pool.len && !str_eq(request->pool, pool->name))
        return wish_refuse(ALLOC_POOL_MISMATCH,
                           alloc_say_mismatch(request, pool->name, wish->arena));
    if (!pool_admits(pool, request->namespace, request->labels))
        return wish_refuse(ALLOC_POOL_NOT_COMPATIBLE,
                           alloc_say_not_compatible(request, pool->name, wish->arena));
    return (struct alloc_answer){0};
}

struct alloc_answer wish_check(const struct holdings *books, const struct wish *wish)
{
    if (!families_fit(wish))
        return wish_refuse(ALLOC_FAMILY_MISMATCH,
                           alloc_say_family(wish->request, wish->claim, wish->arena));
    struct alloc_answer answer = check_pool(books, wish);
    for (size_t i = 0; i < wish->request->ip_count && answer.outcome == ALLOC_OK; i++)
        answer = check_address(books, wish, &wish->request->ips[i]);
    return answer;
}

/* A user of an address keeps the Service from it by another sharing key or by one of its ports. */
static bool blocks(const struct holdings *books, const struct wish *wish,
                   const struct holder *holder)
{
    const struct share *share = holdings_share(books, wish->share_name);
    if (holder == wish->self)
        return false;
    return !share || holder->share != share ||
           holdings_ports_meet(&wish->ports, &holder->ports, NULL);
}

/* Of a sorted list; who has both addresses is in it twice. */
static struct str_list without_repeats(struct str_list list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (kept == 0 || !str_eq(list.items[kept - 1], list.items[i]))
            list.items[kept++] = list.items[i];
    }
    list.count = kept;
    return list;
}

struct str_list wish_blockers(const struct holdings *books, const struct wish *wish)
{
    enum alloc_outcome outcome = wish_check(books, wish).outcome;
    struct str_list list = {0};
    if (outcome != ALLOC_SHARING_KEY && outcome != ALLOC_PORT_IN_USE)
        return list; /* what the users of the addresses have is looked at last */
    size_t most = 0;
    for (size_t i = 0; i < wish->request->ip_count; i++) {
        const struct address *address = holdings_address(books, &wish->request->ips[i]);
        most += address ? address->user_count : 0;
    }
    list.items = arena_array(wish->arena, most, sizeof(*list.items));
    for (size_t i = 0; i < wish->request->ip_count; i++) {
        const struct address *address = holdings_address(books, &wish->request->ips[i]);
        for (const struct hold *hold = address ? address->first : NULL; hold; hold = hold->next) {
            if (blocks(books, wish, hold->holder))
                list.items[list.count++] = hold->holder->key;
        }
    }
    qsort(list.items, list.count, sizeof(*list.items), str_cmp_ptr);
    return without_repeats(list);
}

/* --- search ----------------------------------------------------------------------------------- */

/* The segments that are reserved for just this owner. */
static void window_of(const struct holdings *books, const struct pool_family *family,
                      struct str owner, uint32_t *ret_from, uint32_t *ret_to)
{
    uint32_t bounds[2];
    for (int end = 0; end < 2; end++) {
        uint32_t low = family->first, high = family->open;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (str_cmp(books->set->segments[middle].owner, owner) < end)
                low = middle + 1;
            else
                high = middle;
        }
        bounds[end] = low;
    }
    *ret_from = bounds[0];
    *ret_to = bounds[1];
}

/* The first spot of the segments that is free or may be shared. */
static bool find_between(const struct holdings *books, const struct wish *wish, uint32_t from,
                         uint32_t to, struct spot *ret)
{
    const struct share *share = holdings_share(books, wish->share_name);
    struct spot shared;
    bool is_free = holdings_first_free(books, from, to, ret);
    if (share && holdings_first_shared(share, from, to, &wish->ports, &shared) &&
        (!is_free || spot_cmp(&shared, ret) < 0)) {
        *ret = shared;
        return true;
    }
    return is_free;
}

/* An address of one family of a pool: reserved ones of the Service, of its namespace, open ones. */
bool wish_find_one(const struct holdings *books, const struct wish *wish, const struct pool *pool,
                   unsigned slot, struct ip *ret)
{
    const struct pool_family *family = &pool->families[slot];
    struct spot spot;
    bool found = false;
    if (family->first < family->open) {
        const struct str owners[] = {wish->request->key, wish->request->namespace};
        for (size_t i = 0; i < 2 && !found; i++) {
            uint32_t from, to;
            window_of(books, family, owners[i], &from, &to);
            found = find_between(books, wish, from, to, &spot);
        }
    }
    if (!found && !find_between(books, wish, family->open, family->end, &spot))
        return false;
    *ret = pool_segment_ip(&books->set->segments[spot.segment], spot.index);
    return true;
}

/* Addresses of all the wanted families from one pool. */
static bool find_in_pool(const struct holdings *books, const struct wish *wish,
                         const struct pool *pool, unsigned slots, struct wish_ips *ret)
{
    struct wish_ips find = {0};
    for (unsigned slot = 0; slot < POOL_FAMILIES; slot++)
        if ((slots & 1U << slot) &&
            !wish_find_one(books, wish, pool, slot, &find.ips[find.count++]))
            return false;
    *ret = find;
    return true;
}

/* What to look for, in order, until 0: both families; when two are only preferred, then the
 * primary one, then the other one. */
static void steps_of(const struct alloc_request *request, unsigned ret_steps[4])
{
    size_t count = 0;
    ret_steps[count++] = slots_of(request->families);
    if (request->families == ALLOC_DUAL && request->policy == ALLOC_PREFER_DUAL) {
        unsigned primary = request->primary == IP_V6 ? SLOT_V6 : SLOT_V4;
        ret_steps[count++] = primary;
        ret_steps[count++] = SLOT_BOTH & ~primary;
    }
    ret_steps[count] = 0;
}

static bool find_in_list(const struct holdings *books, const struct wish *wish,
                         const uint32_t *pools, uint32_t count, struct wish_ips *ret)
{
    const struct alloc_request *request = wish->request;
    unsigned steps[4];
    steps_of(request, steps);
    for (size_t step = 0; steps[step]; step++) {
        for (uint32_t i = 0; i < count; i++) {
            const struct pool *pool = &books->set->pools[pools[i]];
            if (pool_admits(pool, request->namespace, request->labels) &&
                find_in_pool(books, wish, pool, steps[step], ret))
                return true;
        }
    }
    return false;
}

/* Is one of the addresses reserved for just this Service? */
static bool is_own(const struct holdings *books, const struct wish *wish,
                   const struct wish_ips *find)
{
    for (size_t i = 0; i < find->count; i++)
        if (str_eq(pool_set_locate(books->set, &find->ips[i])->owner, wish->request->key))
            return true;
    return false;
}

/* Addresses kept for just this Service are a request for them: autoAssign does not matter. */
static bool find_own(const struct holdings *books, const struct wish *wish, struct wish_ips *ret)
{
    for (uint32_t i = 0; i < books->set->count; i++) {
        const struct pool *pool = &books->set->pools[i];
        bool reserves = pool->families[0].first < pool->families[0].open ||
                        pool->families[1].first < pool->families[1].open;
        if (reserves && find_in_list(books, wish, &i, 1, ret) && is_own(books, wish, ret))
            return true;
    }
    return false;
}

static struct alloc_answer find_by_itself(const struct holdings *books, const struct wish *wish,
                                          struct wish_ips *ret)
{
    const struct pool_set *set = books->set;
    if (find_own(books, wish, ret) ||
        find_in_list(books, wish, set->pinned, set->pinned_count, ret) ||
        find_in_list(books, wish, set->unpinned, set->unpinned_count, ret))
        return (struct alloc_answer){0};
    const struct alloc_request *request = wish->request;
    bool any = set->unpinned_count > 0;
    for (uint32_t i = 0; i < set->pinned_count; i++)
        any = any || pool_admits(&set->pools[set->pinned[i]], request->namespace, request->labels);
    return wish_refuse(any ? ALLOC_POOL_EXHAUSTED : ALLOC_NO_POOL,
                       alloc_say_no_pool(books, request, slots_of(request->families), wish->arena));
}

static struct alloc_answer find_in_named(const struct holdings *books, const struct wish *wish,
                                         struct wish_ips *ret)
{
    const struct alloc_request *request = wish->request;
    const struct pool *pool = pool_set_find(books->set, request->pool);
    if (!pool)
        return wish_refuse(ALLOC_UNKNOWN_POOL, alloc_say_unknown_pool(request->pool, wish->arena));
    if (!pool_admits(pool, request->namespace, request->labels))
        return wish_refuse(ALLOC_POOL_NOT_COMPATIBLE,
                           alloc_say_not_compatible(request, pool->name, wish->arena));
    uint32_t index = (uint32_t)(pool - books->set->pools);
    if (find_in_list(books, wish, &index, 1, ret))
        return (struct alloc_answer){0};
    return wish_refuse(
        ALLOC_POOL_EXHAUSTED,
        alloc_say_pool_exhausted(books, pool, slots_of(request->families), wish->arena));
}

struct alloc_answer wish_find(const struct holdings *books, const struct wish *wish,
                              struct wish_ips *ret)
{
    const struct alloc_request *request = wish->request;
    if (request->ip_count) {
        for (ret->count = 0; ret->count < request->ip_count; ret->count++)
            ret->ips[ret->count] = request->ips[ret->count];
        return wish_check(books, wish);
    }
    if (request->families == ALLOC_DUAL && request->policy == ALLOC_SINGLE)
        return wish_refuse(ALLOC_FAMILY_MISMATCH, alloc_say_family(request, false, wish->arena));
    return request->pool.len ? find_in_named(books, wish, ret) : find_by_itself(books, wish, ret);
}
