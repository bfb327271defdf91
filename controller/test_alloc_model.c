/* Random sequences of claims, finds, extensions, releases, quarantines and edits of pools, each
 * answer compared with the model's, on two allocators whose seeds differ. */
#include "controller/test_alloc_model.h"

#include "common/base/sbuf.h"

enum { SEQUENCES = 400, STEPS = 250 };

struct play {
    uint64_t random;
    struct model model;
    struct alloc *allocs[2];
};

static unsigned pick(struct play *play, unsigned below)
{
    play->random ^= play->random << 13; /* xorshift64 */
    play->random ^= play->random >> 7;
    play->random ^= play->random << 17;
    return (unsigned)(play->random >> 33) % below;
}

/* The small world: 32 IPv4 addresses around the end of a /24, 16 IPv6 addresses. */
static struct ip world_ip(enum ip_family family, unsigned index)
{
    struct ip base = ip_v4(192, 0, 2, 240), ip;
    if (family == IP_V6)
        TEST_ASSERT(ip_parse(STR("2001:db8::"), &base) == 0);
    TEST_ASSERT(ip_add(&base, index, &ip));
    return ip;
}

static unsigned world_size(enum ip_family family)
{
    return family == IP_V4 ? 32 : 16;
}

static enum ip_family pick_family(struct play *play)
{
    return pick(play, 3) ? IP_V4 : IP_V6;
}

static struct ip pick_ip(struct play *play)
{
    enum ip_family family = pick_family(play);
    return world_ip(family, pick(play, world_size(family) + 1));
}

static struct range pick_range(struct play *play, enum ip_family family)
{
    unsigned first = pick(play, world_size(family));
    unsigned last = first + pick(play, 5);
    if (last >= world_size(family))
        last = world_size(family) - 1;
    return (struct range){.first = world_ip(family, first), .last = world_ip(family, last)};
}

/* Deals the world out to the pools in chunks; some of it to nobody. */
static void deal_ranges(struct play *play, enum ip_family family)
{
    for (unsigned at = 0; at < world_size(family);) {
        unsigned last = at + pick(play, 9);
        if (last >= world_size(family))
            last = world_size(family) - 1;
        unsigned to = pick(play, MODEL_POOLS + 1);
        struct model_pool *pool = &play->model.pools[to % MODEL_POOLS];
        if (to < MODEL_POOLS && pool->range_count < MODEL_RANGES) {
            /* At a random place, so that their order is not that of the addresses. */
            unsigned place = pick(play, (unsigned)pool->range_count + 1);
            pool->ranges[pool->range_count++] = pool->ranges[place];
            pool->ranges[place] = (struct range){
                .first = world_ip(family, at),
                .last = world_ip(family, last),
            };
        }
        at = last + 1;
    }
}

static void deal_pools(struct play *play)
{
    static const char *const names[] = {"n0", "n1", "n2"};
    memset(play->model.pools, 0, sizeof(play->model.pools));
    deal_ranges(play, IP_V4);
    deal_ranges(play, IP_V6);
    for (size_t i = 0; i < MODEL_POOLS; i++) {
        struct model_pool *pool = &play->model.pools[i];
        pool->avoid_buggy = pick(play, 4) == 0;
        pool->auto_assign = pick(play, 4) != 0;
        pool->pinned = pick(play, 3) == 0;
        pool->by_namespace = pick(play, 2);
        pool->by_labels = pick(play, 3) == 0;
        pool->priority = (int64_t)pick(play, 4) - 1;
        pool->namespace = str_from(names[pick(play, 2)]);
        pool->has_excluded = pick(play, 3) == 0;
        pool->excluded = pick_range(play, pick_family(play));
    }
    play->model.kept_count = pick(play, MODEL_KEPT + 1);
    for (size_t i = 0; i < play->model.kept_count; i++) {
        play->model.kept[i].range = pick_range(play, pick_family(play));
        play->model.kept[i].owner = pick(play, 3)
                                        ? play->model.services[pick(play, MODEL_SERVICES)].key
                                        : str_from(names[pick(play, 3)]);
    }
}

static bool selects_red(const void *selectors, const struct str_map *labels)
{
    (void)selectors;
    return strcmp((const char *)(const void *)labels, "red") == 0;
}

static struct pool_set *build_set(const struct model *model)
{
    static const char *const names[MODEL_POOLS] = {"a", "b", "c", "d"};
    struct pool_input inputs[MODEL_POOLS];
    size_t count = 0;
    for (size_t i = 0; i < MODEL_POOLS; i++) {
        const struct model_pool *pool = &model->pools[i];
        if (!pool->range_count)
            continue;
        inputs[count++] = (struct pool_input){
            .name = str_from(names[i]),
            .auto_assign = pool->auto_assign,
            .avoid_buggy = pool->avoid_buggy,
            .ranges = pool->ranges,
            .range_count = pool->range_count,
            .excluded = &pool->excluded,
            .excluded_count = pool->has_excluded,
            .pinned = pool->pinned,
            .priority = pool->priority,
            .by_namespace = pool->by_namespace,
            .namespaces = {.items = (struct str *)&pool->namespace, .count = 1},
            .by_labels = pool->by_labels,
            .selects = selects_red,
        };
    }
    struct pool_reservation kept[MODEL_KEPT];
    for (size_t i = 0; i < model->kept_count; i++)
        kept[i] = (struct pool_reservation){
            .owner = model->kept[i].owner,
            .range = model->kept[i].range,
        };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct diag_list found = {.arena = arena};
    struct pool_set *set = pool_set_build(inputs, count, kept, model->kept_count, &found);
    diag_done(&found);
    return set;
}

static void edit_pools(struct play *play)
{
    deal_pools(play);
    for (size_t a = 0; a < 2; a++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct str_list lost;
        alloc_set_pools(play->allocs[a], build_set(&play->model), arena, &lost);
        size_t expected = 0;
        for (size_t i = 0; i < MODEL_SERVICES; i++) {
            struct model_service *service = &play->model.services[i];
            if (!service->holds)
                continue;
            int first = model_pool_of(&play->model, &service->ips[0]);
            bool kept = first >= 0 &&
                        model_pool_of(&play->model, &service->ips[service->ip_count - 1]) == first;
            expected += !kept;
            TEST_ASSERT(str_list_has(&lost, service->key) == !kept);
            if (a == 1 && !kept)
                service->holds = false;
        }
        TEST_ASSERT(lost.count == expected);
    }
}

static void pick_request(struct play *play, const struct model_service *service,
                         struct alloc_port *ports, struct alloc_request *ret)
{
    static const char *const shares[] = {"", "", "s", "s", "s", "t"};
    static const char *const backends[] = {"", "", "", "app=x"};
    *ret = (struct alloc_request){
        .key = service->key,
        .namespace = service->namespace,
        .labels = (const struct str_map *)(const void *)service->labels,
        .sharing_key = str_from(shares[pick(play, TEST_COUNT(shares))]),
        .backend_key = str_from(backends[pick(play, TEST_COUNT(backends))]),
        .ports = ports,
        .port_count = pick(play, MODEL_PORTS + 1),
        .families = (enum alloc_families)pick(play, 3),
        .policy = (enum alloc_policy)pick(play, 3),
        .primary = pick(play, 2) ? IP_V6 : IP_V4,
    };
    for (size_t i = 0; i < ret->port_count; i++)
        ports[i] = (struct alloc_port){
            .protocol = pick(play, 4) ? ALLOC_TCP : ALLOC_UDP,
            .port = (uint16_t)(80 + pick(play, 4)),
        };
    if (pick(play, 5) == 0)
        ret->pool = str_from((const char *[]){"a", "b", "c", "d", "z"}[pick(play, 5)]);
}

static void pick_ips(struct play *play, const struct model_service *service,
                     struct alloc_request *request)
{
    request->ip_count = 1 + pick(play, 2);
    for (size_t i = 0; i < request->ip_count; i++)
        request->ips[i] = service->holds && i < service->ip_count && pick(play, 3) ? service->ips[i]
                                                                                   : pick_ip(play);
}

static bool gives_up(const struct model_service *service, const struct alloc_request *request)
{
    bool shares = service->sharing.len || request->sharing_key.len;
    if (!str_eq(service->sharing, request->sharing_key) ||
        (shares && !str_eq(service->backend, request->backend_key)))
        return true;
    for (size_t i = 0; i < service->port_count; i++) {
        bool kept = false;
        for (size_t j = 0; j < request->port_count; j++)
            kept = kept || (service->ports[i].port == request->ports[j].port &&
                            service->ports[i].protocol == request->ports[j].protocol);
        if (!kept)
            return true;
    }
    for (size_t i = 0; i < service->ip_count; i++) {
        bool kept = false;
        for (size_t j = 0; j < request->ip_count; j++)
            kept = kept || ip_eq(&service->ips[i], &request->ips[j]);
        if (!kept)
            return true;
    }
    return false;
}

static void enter(struct model_service *service, const struct alloc_request *request,
                  const struct ip *ips, size_t count)
{
    service->holds = true;
    service->sharing = request->sharing_key;
    service->backend = request->backend_key;
    service->port_count = request->port_count;
    for (size_t i = 0; i < request->port_count; i++)
        service->ports[i] = request->ports[i];
    service->ip_count = count;
    for (size_t i = 0; i < count; i++)
        service->ips[i] = ips[i];
}

/* Both allocators answer this. */
static void expect(struct play *play,
                   struct alloc_answer (*ask)(struct alloc *, const struct alloc_request *,
                                              struct arena *),
                   const struct alloc_request *request, const struct alloc_answer *want)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str message = {0};
    for (size_t a = 0; a < 2; a++) {
        struct alloc_answer got = ask(play->allocs[a], request, arena);
        TEST_ASSERT(got.outcome == want->outcome && got.freed == want->freed);
        TEST_ASSERT(got.count == want->count);
        for (size_t i = 0; i < got.count; i++)
            TEST_ASSERT(ip_eq(&got.ips[i], &want->ips[i]));
        if (got.count)
            TEST_ASSERT(got.pool.ptr[0] - 'a' == model_pool_of(&play->model, &want->ips[0]));
        TEST_ASSERT((got.outcome == ALLOC_OK) == (got.message.len == 0));
        TEST_ASSERT(a == 0 || str_eq(message, got.message));
        message = got.message;
    }
}

static void play_find(struct play *play, struct model_service *service)
{
    struct alloc_port ports[MODEL_PORTS];
    struct alloc_request request;
    pick_request(play, service, ports, &request);
    if (pick(play, 4) == 0)
        pick_ips(play, service, &request);
    struct alloc_answer want = {.freed = service->holds};
    service->holds = false;
    int named = request.pool.len ? model_pool_named(&play->model, request.pool) : -1;
    if (request.ip_count) {
        want.outcome = model_check(&play->model, &request, false);
        want.count = want.outcome == ALLOC_OK ? request.ip_count : 0;
        memcpy(want.ips, request.ips, sizeof(want.ips));
    } else if (request.families == ALLOC_DUAL && request.policy == ALLOC_SINGLE) {
        want.outcome = ALLOC_FAMILY_MISMATCH;
    } else if (request.pool.len && named < 0) {
        want.outcome = ALLOC_UNKNOWN_POOL;
    } else if (request.pool.len && !model_admits(&play->model.pools[named], &request)) {
        want.outcome = ALLOC_POOL_NOT_COMPATIBLE;
    } else if (request.pool.len) {
        want.count = model_from_list(&play->model, &request, (int[]){named, -1}, false, want.ips);
        want.outcome = want.count ? ALLOC_OK : ALLOC_POOL_EXHAUSTED;
    } else {
        want.count = model_find_any(&play->model, &request, want.ips, &want.outcome);
    }
    expect(play, alloc_find, &request, &want);
    if (want.count)
        enter(service, &request, want.ips, want.count);
}

static void play_claim(struct play *play, struct model_service *service)
{
    struct alloc_port ports[MODEL_PORTS];
    struct alloc_request request;
    pick_request(play, service, ports, &request);
    pick_ips(play, service, &request);
    struct alloc_answer want = {.outcome = model_check(&play->model, &request, true)};
    if (want.outcome == ALLOC_OK) {
        want.freed = service->holds && gives_up(service, &request);
        want.count = request.ip_count;
        memcpy(want.ips, request.ips, sizeof(want.ips));
    }
    expect(play, alloc_claim, &request, &want);
    if (want.count)
        enter(service, &request, want.ips, want.count);
}

static void play_extend(struct play *play, struct model_service *service)
{
    if (!service->holds)
        return;
    struct alloc_request request = {
        .key = service->key,
        .namespace = service->namespace,
        .labels = (const struct str_map *)(const void *)service->labels,
        .sharing_key = service->sharing,
        .backend_key = service->backend,
        .ports = service->ports,
        .port_count = service->port_count,
        .families = pick(play, 4) ? ALLOC_DUAL : ALLOC_V4,
        .policy = ALLOC_PREFER_DUAL,
    };
    struct alloc_answer want = {.count = service->ip_count};
    memcpy(want.ips, service->ips, sizeof(want.ips));
    if (service->ip_count == 1 && request.families != ALLOC_DUAL) {
        want = (struct alloc_answer){.outcome = ALLOC_FAMILY_MISMATCH};
    } else if (service->ip_count == 1) {
        bool is_v4 = service->ips[0].family == IP_V4;
        const enum ip_family other[] = {is_v4 ? IP_V6 : IP_V4, IP_NONE};
        const struct model_pool *pool =
            &play->model.pools[model_pool_of(&play->model, &service->ips[0])];
        want.ips[is_v4 ? 0 : 1] = service->ips[0];
        want.count = 2;
        if (!model_from_pool(&play->model, &request, pool, other, &want.ips[is_v4 ? 1 : 0]))
            want = (struct alloc_answer){.outcome = ALLOC_POOL_EXHAUSTED};
    }
    expect(play, alloc_extend, &request, &want);
    if (want.count)
        enter(service, &request, want.ips, want.count);
}

static void play_quarantine(struct play *play)
{
    struct ip *slot = &play->model.quarantined[pick(play, 2)];
    bool on = !ip_is_set(slot);
    if (on) {
        *slot = pick_ip(play);
        if (ip_eq(&play->model.quarantined[0], &play->model.quarantined[1])) {
            *slot = (struct ip){0}; /* it is already */
            return;
        }
    }
    for (size_t a = 0; a < 2; a++)
        alloc_quarantine(play->allocs[a], slot, on);
    if (!on)
        *slot = (struct ip){0};
}

/* Counters, users and what each Service holds, all by walking the world. */
static void check_books(struct play *play, const struct alloc *alloc)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    int64_t assigned[MODEL_POOLS][2] = {0}, available[MODEL_POOLS][2] = {0};
    int64_t capacity[MODEL_POOLS][2] = {0};
    for (unsigned slot = 0; slot < 2; slot++) {
        enum ip_family family = slot ? IP_V6 : IP_V4;
        for (unsigned i = 0; i < world_size(family); i++) {
            struct ip ip = world_ip(family, i);
            struct str_list users = alloc_users(alloc, &ip, arena);
            size_t count = 0;
            for (size_t s = 0; s < MODEL_SERVICES; s++) {
                bool has = model_has(&play->model.services[s], &ip);
                TEST_ASSERT(str_list_has(&users, play->model.services[s].key) == has);
                count += has;
            }
            int pool = model_pool_of(&play->model, &ip);
            TEST_ASSERT(users.count == count && (pool >= 0 || !count));
            if (pool < 0)
                continue;
            capacity[pool][slot]++;
            assigned[pool][slot] += count > 0;
            available[pool][slot] += !count && !model_owner(&play->model, &ip).len &&
                                     !model_is_quarantined(&play->model, &ip);
        }
    }
    for (uint32_t p = 0; p < alloc_pools(alloc)->count; p++) {
        const struct pool *pool = &alloc_pools(alloc)->pools[p];
        for (unsigned slot = 0; slot < 2; slot++) {
            struct alloc_usage usage = alloc_usage(alloc, pool, slot);
            int index = pool->name.ptr[0] - 'a';
            TEST_ASSERT(usage.capacity == capacity[index][slot]);
            TEST_ASSERT(usage.assigned == assigned[index][slot]);
            TEST_ASSERT(usage.available == available[index][slot]);
        }
    }
}

/* Whatever the rules, never two on one address who do not share it port by port. */
static void check_safety(const struct model *model)
{
    for (size_t i = 0; i < MODEL_SERVICES; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct model_service *a = &model->services[i], *b = &model->services[j];
            for (size_t k = 0; a->holds && k < a->ip_count; k++) {
                if (!model_has(b, &a->ips[k]))
                    continue;
                const struct alloc_request other = {.ports = b->ports, .port_count = b->port_count};
                TEST_ASSERT(a->sharing.len && str_eq(a->sharing, b->sharing));
                TEST_ASSERT(str_eq(a->backend, b->backend) && !model_same_port(a, &other));
            }
        }
    }
}

static void play_step(struct play *play)
{
    struct model_service *service = &play->model.services[pick(play, MODEL_SERVICES)];
    switch (pick(play, 10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        play_find(play, service);
        break;
    case 4:
    case 5:
        play_claim(play, service);
        break;
    case 6:
        play_extend(play, service);
        break;
    case 7:
        if (pick(play, 6) == 0)
            edit_pools(play);
        break;
    case 8:
        play_quarantine(play);
        break;
    default:
        for (size_t a = 0; a < 2; a++)
            TEST_ASSERT(alloc_release(play->allocs[a], service->key) == service->holds);
        service->holds = false;
        break;
    }
}

static void test_sequences(void)
{
    for (uint64_t s = 0; s < SEQUENCES; s++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_ptr(alloc) struct alloc *first = alloc_new(s);
        scoped_ptr(alloc) struct alloc *second = alloc_new(~s);
        struct play play = {
            .random = (s + 1) * UINT64_C(0x9e3779b97f4a7c15),
            .allocs = {first, second},
        };
        for (size_t i = 0; i < MODEL_SERVICES; i++)
            play.model.services[i] = (struct model_service){
                .key = arena_printf(arena, "n%zu/s%zu", i % 3, i),
                .namespace = arena_printf(arena, "n%zu", i % 3),
                .labels = i % 2 ? "red" : "blue",
            };
        edit_pools(&play);
        for (size_t i = 0; i < STEPS; i++) {
            play_step(&play);
            check_safety(&play.model);
            if (i % 10 == 0)
                check_books(&play, play.allocs[i / 10 % 2]);
        }
    }
}

TEST_MAIN("controller/alloc: model", TEST(test_sequences))
