/* For the property test: the rules of allocation once more, as slowly and plainly as possible.
 * Everything is found by walking addresses; nothing is shared with the allocator but the types of
 * its requests. */
#ifndef CONTROLLER_TEST_ALLOC_MODEL_H
#define CONTROLLER_TEST_ALLOC_MODEL_H

#include "common/base/test.h"
#include "controller/alloc.h"

enum { MODEL_POOLS = 4, MODEL_RANGES = 12, MODEL_KEPT = 3, MODEL_SERVICES = 24, MODEL_PORTS = 3 };

struct model_pool {
    struct range ranges[MODEL_RANGES], excluded;
    size_t range_count;
    bool has_excluded, avoid_buggy, auto_assign, pinned, by_namespace, by_labels;
    int64_t priority;
    struct str namespace; /* the one that is let in */
};

struct model_service {
    struct str key, namespace;
    const char *labels;
    bool holds;
    struct str sharing, backend;
    struct alloc_port ports[MODEL_PORTS];
    size_t port_count;
    struct ip ips[ALLOC_IPS];
    size_t ip_count;
};

struct model {
    struct model_pool pools[MODEL_POOLS]; /* by name: a, b, c, d; without ranges: not there */
    struct {
        struct str owner;
        struct range range;
    } kept[MODEL_KEPT];
    size_t kept_count;
    struct model_service services[MODEL_SERVICES];
    struct ip quarantined[2]; /* unset: none */
};

static inline bool model_contains(const struct model_pool *pool, const struct ip *ip)
{
    bool buggy = ip->family == IP_V4 && (ip->bytes[3] == 0 || ip->bytes[3] == 255);
    if ((pool->avoid_buggy && buggy) || (pool->has_excluded && range_contains(&pool->excluded, ip)))
        return false;
    for (size_t i = 0; i < pool->range_count; i++)
        if (range_contains(&pool->ranges[i], ip))
            return true;
    return false;
}

/* Index of the pool, or -1. */
static inline int model_pool_of(const struct model *model, const struct ip *ip)
{
    for (int i = 0; i < MODEL_POOLS; i++)
        if (model_contains(&model->pools[i], ip))
            return i;
    return -1;
}

static inline struct str model_owner(const struct model *model, const struct ip *ip)
{
    for (size_t i = 0; i < model->kept_count; i++)
        if (range_contains(&model->kept[i].range, ip))
            return model->kept[i].owner;
    return (struct str){0};
}

static inline bool model_admits(const struct model_pool *pool, const struct alloc_request *request)
{
    if (pool->pinned && pool->by_namespace && !str_eq(pool->namespace, request->namespace))
        return false;
    return !pool->pinned || !pool->by_labels ||
           strcmp((const char *)(const void *)request->labels, "red") == 0;
}

static inline bool model_has(const struct model_service *service, const struct ip *ip)
{
    for (size_t i = 0; service->holds && i < service->ip_count; i++)
        if (ip_eq(&service->ips[i], ip))
            return true;
    return false;
}

static inline bool model_same_port(const struct model_service *service,
                                   const struct alloc_request *request)
{
    for (size_t i = 0; i < service->port_count; i++)
        for (size_t j = 0; j < request->port_count; j++)
            if (service->ports[i].port == request->ports[j].port &&
                service->ports[i].protocol == request->ports[j].protocol)
                return true;
    return false;
}

static inline bool model_is_quarantined(const struct model *model, const struct ip *ip)
{
    for (size_t i = 0; i < 2; i++)
        if (ip_is_set(&model->quarantined[i]) && ip_eq(&model->quarantined[i], ip))
            return true;
    return false;
}

/* May the request have the address, as far as its other users are concerned? */
static inline enum alloc_outcome
model_users(const struct model *model, const struct alloc_request *request, const struct ip *ip)
{
    for (size_t i = 0; i < MODEL_SERVICES; i++) {
        const struct model_service *other = &model->services[i];
        if (str_eq(other->key, request->key) || !model_has(other, ip))
            continue;
        if (!other->sharing.len || !str_eq(other->sharing, request->sharing_key) ||
            !str_eq(other->backend, request->backend_key))
            return ALLOC_SHARING_KEY;
    }
    for (size_t i = 0; i < MODEL_SERVICES; i++) {
        const struct model_service *other = &model->services[i];
        if (!str_eq(other->key, request->key) && model_has(other, ip) &&
            model_same_port(other, request))
            return ALLOC_PORT_IN_USE;
    }
    return ALLOC_OK;
}

/* The first address of a family in the pool that has this owner and may be had. */
static inline bool model_walk(const struct model *model, const struct alloc_request *request,
                              const struct model_pool *pool, enum ip_family family,
                              struct str owner, struct ip *ret)
{
    for (size_t r = 0; r < pool->range_count; r++) {
        struct ip ip = pool->ranges[r].first;
        for (bool more = ip.family == family; more; more = ip_add(&ip, 1, &ip)) {
            if (!range_contains(&pool->ranges[r], &ip))
                break;
            if (model_contains(pool, &ip) && str_eq(model_owner(model, &ip), owner) &&
                !model_is_quarantined(model, &ip) && !model_users(model, request, &ip)) {
                *ret = ip;
                return true;
            }
        }
    }
    return false;
}

static inline bool model_from_pool(const struct model *model, const struct alloc_request *request,
                                   const struct model_pool *pool, const enum ip_family *families,
                                   struct ip *ret)
{
    const struct str owners[] = {request->key, request->namespace, {0}};
    for (size_t f = 0; families[f]; f++) {
        bool found = false;
        for (size_t o = 0; o < TEST_COUNT(owners) && !found; o++)
            found = model_walk(model, request, pool, families[f], owners[o], &ret[f]);
        if (!found)
            return false;
    }
    return true;
}

/* What to look for, in order. Returns the number of steps. */
static inline size_t model_steps(const struct alloc_request *request, enum ip_family steps[3][3])
{
    bool v6_first = request->primary == IP_V6;
    enum ip_family all[3][3] = {{IP_V4, IP_V6, IP_NONE},
                                {v6_first ? IP_V6 : IP_V4, IP_NONE},
                                {v6_first ? IP_V4 : IP_V6, IP_NONE}};
    if (request->families != ALLOC_DUAL) {
        all[0][0] = request->families == ALLOC_V6 ? IP_V6 : IP_V4;
        all[0][1] = IP_NONE;
    }
    memcpy(steps, all, sizeof(all));
    return request->families == ALLOC_DUAL && request->policy == ALLOC_PREFER_DUAL ? 3 : 1;
}

/* From the pools of a list, -1 ends it. Returns the number of addresses. */
static inline size_t model_from_list(const struct model *model, const struct alloc_request *request,
                                     const int *pools, bool own, struct ip *ret)
{
    enum ip_family steps[3][3];
    size_t count = model_steps(request, steps);
    for (size_t s = 0; s < count; s++) {
        for (const int *p = pools; *p >= 0; p++) {
            const struct model_pool *pool = &model->pools[*p];
            if (!model_admits(pool, request) ||
                !model_from_pool(model, request, pool, steps[s], ret))
                continue;
            size_t found = steps[s][1] ? 2 : 1;
            bool is_own = false;
            for (size_t i = 0; i < found; i++)
                is_own = is_own || str_eq(model_owner(model, &ret[i]), request->key);
            if (is_own || !own)
                return found;
            if (own)
                return 0; /* this pool has other addresses for it, but not those */
        }
    }
    return 0;
}

/* The pools that are used without being asked for, -1 at the end. */
static inline void model_order(const struct model *model, bool pinned, int *ret)
{
    size_t count = 0;
    for (int64_t rank = 1; rank <= 10; rank++) {
        for (int i = 0; i < MODEL_POOLS; i++) {
            const struct model_pool *pool = &model->pools[i];
            int64_t priority = pinned && pool->priority > 0 ? pool->priority : 10;
            if (pool->range_count && pool->auto_assign && pool->pinned == pinned &&
                priority == rank)
                ret[count++] = i;
        }
    }
    ret[count] = -1;
}

/* Without asking for addresses or a pool. */
static inline size_t model_find_any(const struct model *model, const struct alloc_request *request,
                                    struct ip *ret, enum alloc_outcome *ret_outcome)
{
    size_t count = 0;
    int order[MODEL_POOLS + 1];
    for (int i = 0; i < MODEL_POOLS && !count; i++)
        count = model_from_list(model, request, (int[]){i, -1}, true, ret);
    bool any = false;
    for (int pinned = 1; pinned >= 0; pinned--) {
        model_order(model, pinned, order);
        for (const int *p = order; *p >= 0; p++)
            any = any || model_admits(&model->pools[*p], request);
        if (!count)
            count = model_from_list(model, request, order, false, ret);
    }
    *ret_outcome = count ? ALLOC_OK : any ? ALLOC_POOL_EXHAUSTED : ALLOC_NO_POOL;
    return count;
}

static inline int model_pool_named(const struct model *model, struct str name)
{
    int index = name.ptr[0] - 'a';
    return index < MODEL_POOLS && model->pools[index].range_count ? index : -1;
}

/* May the request have the addresses in it? */
static inline enum alloc_outcome model_check(const struct model *model,
                                             const struct alloc_request *request, bool claim)
{
    bool v4 = false, v6 = false, twice = false;
    for (size_t i = 0; i < request->ip_count; i++) {
        bool *seen = request->ips[i].family == IP_V4 ? &v4 : &v6;
        twice = twice || *seen;
        *seen = true;
    }
    bool fits = request->families == ALLOC_DUAL ? v4 && v6
                : request->families == ALLOC_V4 ? v4 && !v6
                                                : v6 && !v4;
    bool one_will_do =
        claim && request->families == ALLOC_DUAL && request->policy == ALLOC_PREFER_DUAL;
    if (twice || (!fits && !one_will_do))
        return ALLOC_FAMILY_MISMATCH;
    int pool = model_pool_of(model, &request->ips[0]);
    for (size_t i = 0; i < request->ip_count; i++) {
        int other = model_pool_of(model, &request->ips[i]);
        if (other < 0)
            return ALLOC_NOT_IN_ANY_POOL;
        if (other != pool)
            return ALLOC_POOLS_DIFFER;
    }
    if (request->pool.len && model_pool_named(model, request->pool) < 0)
        return ALLOC_UNKNOWN_POOL;
    if (request->pool.len && model_pool_named(model, request->pool) != pool)
        return ALLOC_POOL_MISMATCH;
    if (!model_admits(&model->pools[pool], request))
        return ALLOC_POOL_NOT_COMPATIBLE;
    for (size_t i = 0; i < request->ip_count; i++) {
        struct str owner = model_owner(model, &request->ips[i]);
        if (!claim && owner.len && !str_eq(owner, request->key) &&
            !str_eq(owner, request->namespace))
            return ALLOC_RESERVED;
        if (!claim && model_is_quarantined(model, &request->ips[i]))
            return ALLOC_QUARANTINED;
        enum alloc_outcome outcome = model_users(model, request, &request->ips[i]);
        if (outcome)
            return outcome;
    }
    return ALLOC_OK;
}

#endif
