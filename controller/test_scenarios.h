/* For tests of the allocator: pools, then steps with their whole answers. */
#ifndef CONTROLLER_TEST_SCENARIOS_H
#define CONTROLLER_TEST_SCENARIOS_H

#include "common/base/test.h"

#include "common/base/names.h"
#include "common/base/sbuf.h"
#include "controller/alloc.h"
#include "controller/test_pools.h"

enum op { END, FIND, CLAIM, BLOCKERS, EXTEND, RELEASE, QUARANTINE, ALLOW };

struct step {
    enum op op;
    const char *key;                             /* "namespace/name" */
    const char *ips;                             /* "192.0.2.1,2001:db8::1" */
    const char *pool, *share, *backend, *labels; /* of the request */
    const char *ports;                           /* "UDP/53,TCP/53"; NULL: TCP/80; "": none */
    enum alloc_families families;
    enum alloc_policy policy;
    enum ip_family primary;

    enum alloc_outcome outcome;
    const char *got; /* "pool: ips"; of BLOCKERS the keys; NULL: nothing */
    const char *message;
    bool freed;
};

enum { STEPS = 14, PORTS = 4 };

struct scenario {
    struct text_pool pools[POOLS];
    struct text_reservation kept[RANGES];
    struct step steps[STEPS];
};

static inline size_t ports_of(const char *text, struct alloc_port *ret)
{
    static const char *const protocol_names[] = {"TCP", "UDP", "SCTP"};
    static const struct names protocols = NAMES(protocol_names);
    struct str rest = str_from(text ? text : "TCP/80"), part, protocol, number;
    size_t count = 0;
    for (; str_next(&rest, ',', &part); count++) {
        size_t value;
        uint64_t port;
        TEST_ASSERT(count < PORTS && str_cut(part, '/', &protocol, &number));
        TEST_ASSERT(names_find(&protocols, protocol, &value) == 0);
        TEST_ASSERT(str_to_u64(number, UINT16_MAX, &port) == 0);
        ret[count] = (struct alloc_port){
            .protocol = (enum alloc_protocol)value,
            .port = (uint16_t)port,
        };
    }
    return count;
}

static inline size_t ips_of(const char *text, struct ip *ret)
{
    struct str rest = str_from(text), part;
    size_t count = 0;
    for (; str_next(&rest, ',', &part); count++)
        TEST_ASSERT(count < ALLOC_IPS && ip_parse(part, &ret[count]) == 0);
    return count;
}

/* The request of a step; ports is its memory. */
static inline struct alloc_request request_of(const struct step *step,
                                              struct alloc_port ports[PORTS])
{
    struct str namespace, name;
    TEST_ASSERT(str_cut(str_from(step->key), '/', &namespace, &name));
    struct alloc_request request = {
        .key = str_from(step->key),
        .namespace = namespace,
        .labels = labels_of(step->labels),
        .sharing_key = str_from(step->share),
        .backend_key = str_from(step->backend),
        .ports = ports,
        .port_count = ports_of(step->ports, ports),
        .families = step->families,
        .policy = step->policy,
        .primary = step->primary,
        .pool = str_from(step->pool),
    };
    request.ip_count = ips_of(step->ips, request.ips);
    return request;
}

static inline struct alloc_answer ask(struct alloc *alloc, const struct step *step,
                                      struct arena *arena)
{
    struct alloc_port ports[PORTS];
    struct alloc_request request = request_of(step, ports);
    if (step->op == FIND)
        return alloc_find(alloc, &request, arena);
    if (step->op == CLAIM)
        return alloc_claim(alloc, &request, arena);
    return alloc_extend(alloc, &request, arena);
}

/* "pool: ip,ip", empty for none. */
static inline struct str text_of(struct str pool, const struct ip *ips, size_t count,
                                 struct arena *arena)
{
    struct sbuf text = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&text, i ? "," STR_FMT "%s" : STR_FMT ": %s", STR_ARG(i ? STR("") : pool),
                    ip_format(&ips[i]).text);
    return sbuf_move(&text, arena);
}

static inline void check_blockers(const struct alloc *alloc, const struct step *step,
                                  struct arena *arena)
{
    struct alloc_port ports[PORTS];
    struct alloc_request request = request_of(step, ports);
    struct str_list keys = alloc_blockers(alloc, &request, arena);
    struct sbuf text = {0};
    for (size_t i = 0; i < keys.count; i++)
        sbuf_printf(&text, "%s" STR_FMT, i ? "," : "", STR_ARG(keys.items[i]));
    TEST_STR(sbuf_move(&text, arena), step->got ? step->got : "");
}

static inline void run_step(struct alloc *alloc, const struct step *step, struct arena *arena)
{
    struct ip ip;
    if (step->op == RELEASE) {
        TEST_ASSERT(alloc_release(alloc, str_from(step->key)) == step->freed);
        TEST_ASSERT(alloc_get(alloc, str_from(step->key), NULL, NULL) == 0);
        return;
    }
    if (step->op == QUARANTINE || step->op == ALLOW) {
        TEST_ASSERT(ips_of(step->ips, &ip) == 1);
        alloc_quarantine(alloc, &ip, step->op == QUARANTINE);
        TEST_ASSERT(alloc_is_quarantined(alloc, &ip) == (step->op == QUARANTINE));
        return;
    }
    if (step->op == BLOCKERS) {
        check_blockers(alloc, step, arena);
        return;
    }
    struct alloc_answer answer = ask(alloc, step, arena);
    TEST_STR(answer.message, step->message ? step->message : "");
    TEST_STR(text_of(answer.pool, answer.ips, answer.count, arena), step->got ? step->got : "");
    TEST_ASSERT(answer.outcome == step->outcome && answer.freed == step->freed);
    TEST_ASSERT((answer.outcome == ALLOC_OK) == (answer.count > 0));
    if (answer.outcome != ALLOC_OK)
        return;
    struct ip held[ALLOC_IPS];
    struct str pool = {0};
    size_t count = alloc_get(alloc, str_from(step->key), held, &pool);
    TEST_STR(text_of(pool, held, count, arena), step->got);
}

static inline void run(const struct scenario *scenarios, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        struct diag_list found = {.arena = arena};
        struct str_list lost;
        scoped_ptr(alloc) struct alloc *alloc = alloc_new(i);
        alloc_set_pools(alloc, pools_of(scenarios[i].pools, scenarios[i].kept, arena, &found),
                        arena, &lost);
        TEST_ASSERT(found.found.len == 0 && lost.count == 0);
        for (const struct step *step = scenarios[i].steps; step->op != END; step++)
            run_step(alloc, step, arena);
    }
}

#define V4_POOL                                   \
    {                                             \
        .name = "a", .ranges = { "192.0.2.0/30" } \
    }
#define DUAL_POOL                                                   \
    {                                                               \
        .name = "a", .ranges = { "192.0.2.0/30", "2001:db8::/126" } \
    }

#endif
