/* How fast the allocator is, and how that compares, in the same run, with walking the range from
 * its start and looking every address up in a hash table.
 *
 * fill: allocations per second of processor time into an empty pool until it has N. churn: with N
 * held, one random Service lets go and asks again, so that each counts for a release and an
 * allocation; the linear allocator does the same with its table. B/VIP: heap per Service. */
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/map.h"
#include "controller/alloc.h"

enum { ROUNDS = 3, CHURN = 200000, LINEAR_MAX = 2000000 };

struct load {
    const char *name, *range;
    enum alloc_families families;
    unsigned sharers; /* Services per sharing key; 0: nobody shares */
    unsigned step;    /* before the fill, one address in `step` is taken: fragments; 0: none */
    size_t limit;     /* addresses in the range */
};

static const struct load loads[] = {
    {"first fit, IPv4 /16", "10.0.0.0/16", ALLOC_V4, 0, 0, 65536},
    {"first fit, IPv4 /8", "10.0.0.0/8", ALLOC_V4, 0, 0, 1 << 24},
    {"first fit, IPv6 /64", "2001:db8::/64", ALLOC_V6, 0, 0, SIZE_MAX},
    {"every 2nd taken, /8", "10.0.0.0/8", ALLOC_V4, 0, 2, 1 << 24},
    {"sharing by 10, /8", "10.0.0.0/8", ALLOC_V4, 10, 0, 1 << 24},
    {"sharing by 1000, /8", "10.0.0.0/8", ALLOC_V4, 1000, 0, 1 << 24},
    {"one key, one port, /8", "10.0.0.0/8", ALLOC_V4, UINT32_MAX, 0, 1 << 24},
};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 20;
}

/* N Services with what they ask for, made before any clock runs. */
struct services {
    struct arena *arena;
    struct alloc_request *requests;
    size_t count;
};

static struct services services_new(const struct load *load, size_t count)
{
    struct services s = {.arena = arena_new(0), .count = count};
    s.requests = arena_array(s.arena, count, sizeof(*s.requests));
    struct alloc_port *ports = arena_array(s.arena, count, sizeof(*ports));
    for (size_t i = 0; i < count; i++) {
        size_t group = load->sharers ? i / load->sharers : 0;
        bool distinct = load->sharers && load->sharers != UINT32_MAX;
        ports[i].port = (uint16_t)(distinct ? 1 + i % load->sharers : 80);
        s.requests[i] = (struct alloc_request){
            .key = arena_printf(s.arena, "namespace-%zu/service-%zu", i % 100, i),
            .namespace = STR("namespace"),
            .sharing_key = load->sharers ? arena_printf(s.arena, "key-%zu", group) : STR(""),
            .ports = &ports[i],
            .port_count = 1,
            .families = load->families,
        };
    }
    return s;
}

static struct alloc *alloc_with(const struct load *load)
{
    struct range range;
    struct diag_list none = {0};
    struct str_list lost;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    if (range_parse(str_from(load->range), false, &range) < 0)
        return NULL;
    const struct pool_input pool = {
        .name = STR("pool"),
        .auto_assign = true,
        .ranges = &range,
        .range_count = 1,
    };
    struct alloc *alloc = alloc_new(1);
    alloc_set_pools(alloc, pool_set_build(&pool, 1, NULL, 0, &none), arena, &lost);
    return alloc;
}

/* Takes every step-th address of the first 2 N, so that free ones are single. */
static void fragment(struct alloc *alloc, const struct load *load, size_t count)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; load->step && i < count; i++) {
        struct ip first = ip_v4(10, 0, 0, 0);
        struct alloc_request claim = {
            .key = arena_printf(arena, "other/%zu", i),
            .namespace = STR("other"),
            .ip_count = 1,
        };
        if (ip_add(&first, i * load->step, &claim.ips[0]))
            (void)alloc_claim(alloc, &claim, arena);
    }
}

/* Allocations per second of the first N. */
static double fill(struct alloc *alloc, const struct services *s)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t given = 0;
    double start = now();
    for (size_t i = 0; i < s->count; i++) {
        given += alloc_find(alloc, &s->requests[i], scratch).count;
        arena_reset(scratch);
    }
    double rate = (double)s->count / (now() - start);
    if (given != s->count)
        printf("only %zu of %zu were given an address\n", given, s->count);
    return rate;
}

static double churn(struct alloc *alloc, const struct services *s)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    uint64_t random = 88172645463325252;
    double start = now();
    for (size_t i = 0; i < CHURN; i++) {
        const struct alloc_request *request = &s->requests[next_random(&random) % s->count];
        (void)alloc_release(alloc, request->key);
        (void)alloc_find(alloc, request, scratch);
        arena_reset(scratch);
    }
    return CHURN / (now() - start);
}

/* The linear allocator: one address per Service, found by walking. Its churn at N held, by as many
 * rounds as make LINEAR_MAX steps or so. */
static double linear_churn(const struct load *load, size_t count)
{
    struct map used = {.seed = 1};
    struct range range;
    if (range_parse(str_from(load->range), false, &range) < 0)
        return 0;
    size_t spread = load->step ? 1 + load->step : 1;
    struct ip *held = heap_alloc((count * spread + 1) * sizeof(*held));
    for (size_t i = 0; i < count * spread && ip_add(&range.first, i, &held[i]); i++)
        (void)map_put(&used, ip_key(&held[i]), &held[i]);
    uint64_t random = 88172645463325252;
    size_t rounds = LINEAR_MAX / count + 20;
    double start = now();
    for (size_t i = 0; i < rounds; i++) {
        struct ip *mine = &held[next_random(&random) % count];
        (void)map_remove(&used, ip_key(mine));
        struct ip ip = range.first;
        while (map_get(&used, ip_key(&ip)) && ip_add(&ip, 1, &ip))
            continue;
        *mine = ip;
        (void)map_put(&used, ip_key(mine), mine);
    }
    double rate = (double)rounds / (now() - start);
    map_done(&used);
    free(held);
    return rate;
}

/* The best of some rounds, because other programs run on the machine, too. */
static void run(const struct load *load, size_t count)
{
    if (count > load->limit)
        return;
    struct services services = services_new(load, count);
    double fills = 0, churns = 0, bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        scoped_ptr(alloc) struct alloc *alloc = alloc_with(load);
        fragment(alloc, load, count);
        size_t before = mallinfo2().uordblks;
        double rate = fill(alloc, &services);
        fills = rate > fills ? rate : fills;
        bytes = (double)(mallinfo2().uordblks - before) / (double)count;
        rate = churn(alloc, &services);
        churns = rate > churns ? rate : churns;
    }
    printf("%-22s %7zu %10.0f %10.0f %6.0f", load->name, count, fills, churns, bytes);
    if (!load->sharers) {
        double linear = linear_churn(load, count);
        printf(" %10.0f %8.1f", linear, churns / linear);
    }
    printf("\n");
    arena_free(services.arena);
}

/* Without arguments all loads; else those whose names contain the first one. */
int main(int argc, char **argv)
{
    static const size_t counts[] = {1000, 10000, 50000, 100000};
    /* The heap keeps what a round gives back: from the second round on it is as warm as that of a
     * controller that has run for a while, and the kernel's page faults are not measured. */
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    (void)mallopt(M_MMAP_THRESHOLD, INT_MAX);
    printf("%-22s %7s %10s %10s %6s %10s %8s\n", "load", "VIPs", "fill/s", "churn/s", "B/VIP",
           "linear/s", "ratio");
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
        for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
            if (argc < 2 || strstr(loads[i].name, argv[1]))
                run(&loads[i], counts[c]);
    return 0;
}
