#include "speaker/carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "crd/node.h"
#include "speaker/carry_batch.h"
#include "speaker/carry_kernel.h"
#include "speaker/handoff_plan.h"

enum {
    FAMILIES = 2,
    MS_NS = 1000000,
    LOOK_MS = 100,    /* from a change of any rules to a look at ours */
    RETRY_MS = 1000,  /* after a batch that was not taken */
    CLOSE_MS = 2000,  /* so near to its end, an element is there or not */
    LINGER_MS = 1000, /* after the last one is over */
};

static const enum ip_family families[FAMILIES] = {IP_V4, IP_V6};

/* Where a node is, as found in this turn. */
struct place {
    struct str node;
    enum ip_family family;
    struct ip ip; /* unset: it cannot be sent to directly */
};

/* What the kernel has in force, as it was told; no arena: it is not known. */
struct force {
    struct arena *arena;
    struct carry *items;
    size_t count;
};

struct carrier {
    struct loop *loop;
    struct source *source;
    struct carry_book *book;
    const struct plan *plan; /* while one is taken */
    VEC(struct place) places;
    int refusal[FAMILIES]; /* 0: can be carried */
    struct {
        uint64_t packets, bytes;
    } counted[FAMILIES]; /* of the rule in force, added already */
    struct force force;
    struct carrier_figures figures;
    struct loop_fd *watch; /* NULL: nothing is carried, so nobody needs to look */
    int fd;
    struct loop_timer *look, *retry, *end;
    bool behind; /* the kernel may have something else in force than the book */
};

static uint64_t now_ms(void)
{
    return loop_clock_ns() / MS_NS;
}

static bool can_any(const struct carrier *c)
{
    return !c->refusal[0] || !c->refusal[1];
}

/* --- into the kernel ------------------------------------------------------------------------- */

static void follow(struct carrier *c);
static void retry(void *ctx);
static void over(void *ctx);

/* What the rule in force has sent on since it was asked last. */
static void count(struct carrier *c, size_t family, const struct carry_answer *answer)
{
    uint64_t packets = answer->packets, bytes = answer->bytes;
    bool fresh = packets < c->counted[family].packets; /* somebody has set it back */
    c->figures.packets += fresh ? packets : packets - c->counted[family].packets;
    c->figures.bytes += fresh ? bytes : bytes - c->counted[family].bytes;
    c->counted[family].packets = packets;
    c->counted[family].bytes = bytes;
}

static void count_all(struct carrier *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < FAMILIES; i++) {
        if (c->refusal[i])
            continue;
        struct carry_answer answer = carry_kernel_ask(CARRY_RULES, families[i], 0, arena);
        if (answer.has_rule)
            count(c, i, &answer);
        carry_answer_done(&answer);
    }
}

/* Those of a family that last longer than that. */
static size_t count_lasting(const struct carry *list, size_t total, enum ip_family family,
                            uint64_t from_ms)
{
    size_t lasting = 0;
    for (size_t i = 0; i < total; i++)
        lasting += list[i].ip.family == family && list[i].until_ms > from_ms;
    return lasting;
}

/* By the differences, which does not cost more with each address that is carried already; as a
 * whole when the kernel has something else in force than it should. */
static int put_family(struct carrier *c, size_t family, const struct carry *list, size_t total)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    const struct force *force = &c->force;
    enum ip_family ip = families[family];
    uint64_t now = now_ms();
    size_t wanted = count_lasting(list, total, ip, now);
    if (force->arena && !wanted && !count_lasting(force->items, force->count, ip, 0))
        return 0;
    if (force->arena && wanted && count_lasting(force->items, force->count, ip, now)) {
        struct str change = carry_change(ip, force->items, force->count, list, total, now, arena);
        if (!change.len || carry_kernel_put(change) == 0)
            return 0;
    }
    int result = carry_kernel_put(carry_batch(ip, list, total, now, arena));
    if (result == 0)
        c->counted[family].packets = c->counted[family].bytes = 0;
    return result;
}

static void forget_force(struct carrier *c)
{
    (void)arena_free(c->force.arena);
    c->force = (struct force){0};
}

static void note_force(struct carrier *c, const struct carry *list, size_t total)
{
    forget_force(c);
    c->force.arena = arena_new(0);
    c->force.items = arena_array(c->force.arena, total, sizeof(*list));
    c->force.count = total;
    for (size_t i = 0; i < total; i++) {
        c->force.items[i] = list[i];
        c->force.items[i].node = arena_str(c->force.arena, list[i].node);
    }
}

static int put_all(struct carrier *c)
{
    size_t total;
    const struct carry *list = carry_list(c->book, &total);
    int result = 0;
    for (size_t i = 0; i < FAMILIES; i++) {
        int outcome = c->refusal[i] ? 0 : put_family(c, i, list, total);
        result = result < 0 ? result : outcome;
    }
    if (result == 0)
        note_force(c, list, total);
    else
        forget_force(c);
    return result;
}

static size_t count_carried(const struct carrier *c, uint64_t *ret_last_ms)
{
    size_t total, carried = 0;
    const struct carry *list = carry_list(c->book, &total);
    uint64_t now = now_ms();
    *ret_last_ms = 0;
    for (size_t i = 0; i < total; i++) {
        carried += list[i].until_ms > now;
        if (list[i].until_ms > *ret_last_ms)
            *ret_last_ms = list[i].until_ms;
    }
    return carried;
}

/* The book, into the kernel. */
static void enforce(struct carrier *c)
{
    uint64_t last_ms;
    size_t carried = c->figures.addresses;
    count_all(c);
    int result = put_all(c), before = c->figures.error;
    c->behind = result < 0;
    c->figures.error = result;
    c->figures.addresses = count_carried(c, &last_ms);
    c->retry = loop_timer_cancel(c->retry);
    c->end = loop_timer_cancel(c->end);
    if (result < 0) {
        c->figures.failures++;
        c->retry = loop_timer_start(c->loop, RETRY_MS, 0, retry, c);
        if (result != before)
            log_warn("open connections end: the kernel does not take the rules that carry them",
                     kv_uint("addresses", c->figures.addresses), kv_err(result));
    } else if (c->figures.addresses != carried || before) {
        log_info("connections carried to nodes that had their addresses",
                 kv_uint("addresses", c->figures.addresses));
    }
    if (c->figures.addresses)
        c->end = loop_timer_start(c->loop, last_ms - now_ms() + LINGER_MS, 0, over, c);
    follow(c);
    if (c->watch)
        carry_kernel_drain(c->fd); /* of what was done here */
}

static void retry(void *ctx)
{
    struct carrier *c = ctx;
    c->retry = NULL;
    enforce(c);
}

/* Nothing is left behind: of an empty map, the rule would only cost. */
static void over(void *ctx)
{
    struct carrier *c = ctx;
    c->end = NULL;
    enforce(c);
}

/* --- others who change rules ----------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return ip_cmp(&((const struct carry *)a)->ip, &((const struct carry *)b)->ip);
}

/* The next one that must be there, or NULL. */
static const struct carry *next_lasting(const struct carry *list, size_t total, size_t *at,
                                        enum ip_family family, uint64_t from_ms)
{
    while (*at < total) {
        const struct carry *one = &list[(*at)++];
        if (one->ip.family == family && one->until_ms > from_ms)
            return one;
    }
    return NULL;
}

/* Is in force what the book says? */
static bool agrees(const struct carrier *c, enum ip_family family, struct carry_answer *told)
{
    size_t total, at = 0, told_at = 0;
    const struct carry *list = carry_list(c->book, &total);
    uint64_t from = now_ms() + CLOSE_MS;
    if (told->items.len)
        qsort(told->items.items, told->items.len, sizeof(*told->items.items), compare);
    for (;;) {
        const struct carry *wanted = next_lasting(list, total, &at, family, from);
        const struct carry *found =
            next_lasting(told->items.items, told->items.len, &told_at, family, from);
        if (!wanted || !found)
            return !wanted && !found;
        if (!ip_eq(&wanted->ip, &found->ip) || !ip_eq(&wanted->to, &found->to))
            return false;
    }
}

/* ret_torn: rules are changing at this moment. */
static bool is_whole(struct carrier *c, size_t family, bool *ret_torn)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct carry_answer rules = carry_kernel_ask(CARRY_RULES, families[family], 0, arena);
    struct carry_answer elements =
        carry_kernel_ask(CARRY_ELEMENTS, families[family], now_ms(), arena);
    bool whole =
        agrees(c, families[family], &elements) && (rules.has_rule || elements.items.len == 0);
    *ret_torn = *ret_torn || rules.torn || elements.torn;
    if (rules.has_rule)
        count(c, family, &rules);
    carry_answer_done(&rules);
    carry_answer_done(&elements);
    return whole;
}

static void look(void *ctx)
{
    struct carrier *c = ctx;
    bool whole = true, torn = false;
    c->look = NULL;
    for (size_t i = 0; i < FAMILIES; i++)
        whole = (c->refusal[i] || is_whole(c, i, &torn)) && whole;
    if (torn) {
        c->look = loop_timer_start(c->loop, LOOK_MS, 0, look, c);
    } else if (!whole && !c->behind) {
        c->figures.restored++;
        log_warn("rules that carry connections were removed by somebody else and are put back",
                 kv_uint("addresses", c->figures.addresses));
        forget_force(c);
        enforce(c);
    }
}

static void rules_changed(void *ctx, unsigned events)
{
    struct carrier *c = ctx;
    (void)events;
    carry_kernel_drain(c->fd);
    if (!c->look)
        c->look = loop_timer_start(c->loop, LOOK_MS, 0, look, c);
}

static void unfollow(struct carrier *c)
{
    c->look = loop_timer_cancel(c->look);
    c->watch = loop_fd_cancel(c->watch);
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
}

/* Only while there is something to be kept: kube-proxy changes its rules all day. */
static void follow(struct carrier *c)
{
    if (!c->figures.addresses) {
        unfollow(c);
    } else if (!c->watch) {
        c->fd = carry_kernel_follow();
        if (c->fd >= 0)
            c->watch = loop_fd_watch(c->loop, c->fd, LOOP_READ, rules_changed, c);
    }
}

/* --- what the book asks ---------------------------------------------------------------------- */

static struct ip find_address(const struct carrier *c, struct str name, enum ip_family family)
{
    const struct node *node = (const struct node *)source_get(c->source, KIND_NODE, STR(""), name);
    const struct node_address *addresses = node ? node->addresses.items : NULL;
    for (size_t i = 0; node && i < node->addresses.count; i++) {
        if (str_eq(addresses[i].type, STR("InternalIP")) && addresses[i].ip.family == family &&
            carry_kernel_is_near(&addresses[i].ip))
            return addresses[i].ip;
    }
    return (struct ip){0};
}

/* Thousands of addresses may come of one node at once: the kernel is asked once for all of them. */
static struct ip address_of(void *ctx, struct str name, enum ip_family family)
{
    struct carrier *c = ctx;
    for (size_t i = 0; i < c->places.len; i++) {
        if (c->places.items[i].family == family && str_eq(c->places.items[i].node, name))
            return c->places.items[i].ip;
    }
    struct place place = {.node = name, .family = family, .ip = find_address(c, name, family)};
    vec_push(&c->places, place);
    return place.ip;
}

/* A local process has the connections of an address that is handed to it: nothing outlives that. */
static bool may_carry(void *ctx, const struct ip *ip)
{
    const struct carrier *c = ctx;
    const struct basis *basis = c->plan->basis;
    const struct basis_address *address = basis_find(basis, ip);
    if (c->refusal[ip->family == IP_V4 ? 0 : 1])
        return false;
    for (size_t i = 0; address && i < address->service_count; i++) {
        struct str namespace, name;
        (void)str_cut(basis->services[address->services[i]].key, '/', &namespace, &name);
        const struct object *service = source_get(c->source, KIND_SERVICE, namespace, name);
        if (service && handoff_is_asked(service))
            return false;
    }
    return address != NULL;
}

void carrier_run(struct carrier *c, const struct plan *before, const struct plan *plan,
                 const struct plan_view *view)
{
    struct carry_input input = {.before = before,
                                .plan = plan,
                                .view = view,
                                .now_ms = now_ms(),
                                .address_of = address_of,
                                .may_carry = may_carry,
                                .ctx = c};
    if (!can_any(c) || !view->watches)
        return;
    c->plan = plan;
    vec_clear(&c->places);
    bool changed = carry_update(c->book, &input);
    if (changed || c->behind)
        enforce(c);
}

/* --- life ------------------------------------------------------------------------------------ */

/* What an earlier process has left in the kernel, into the book. */
static void take_over(struct carrier *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    VEC(struct carry) list = {0};
    for (size_t i = 0; i < FAMILIES; i++) {
        if (c->refusal[i])
            continue;
        struct carry_answer answer = carry_kernel_ask(CARRY_ELEMENTS, families[i], now_ms(), arena);
        for (size_t j = 0; j < answer.items.len && list.len < CARRY_MAX; j++) {
            if (answer.items.items[j].node.len) /* else it is not known what it depends on */
                vec_push(&list, answer.items.items[j]);
        }
        carry_answer_done(&answer);
    }
    carry_restore(c->book, list.items, list.len);
    vec_done(&list);
}

static const char *say_refusal(int error)
{
    return error == -EPERM             ? "the speaker has no CAP_NET_ADMIN"
           : error == -EPROTONOSUPPORT ? "the kernel has no nf_tables"
           : error == -EOPNOTSUPP || error == -ENOENT
               ? "the kernel has not all of nf_tables: nft_dup or nft_ct is missing"
               : err_text(error);
}

/* Finds out what can be done, and says it. */
static void begin(struct carrier *c)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    for (size_t i = 0; i < FAMILIES; i++)
        c->refusal[i] = carry_kernel_put(carry_trial(families[i], arena));
    int refusal = c->refusal[0] ? c->refusal[0] : c->refusal[1];
    c->figures.ipv4 = !c->refusal[0];
    c->figures.ipv6 = !c->refusal[1];
    c->figures.why_not = refusal ? say_refusal(refusal) : "";
    if (!can_any(c)) {
        log_warn("open connections will end when their address moves as planned",
                 kv_cstr("reason", c->figures.why_not));
        return;
    }
    take_over(c);
    enforce(c);
    log_info("open connections are kept when their address moves as planned",
             kv_bool("ipv4", c->figures.ipv4), kv_bool("ipv6", c->figures.ipv6),
             kv_uint("takenOver", c->figures.addresses), kv_cstr("reason", c->figures.why_not));
}

struct carrier *carrier_open(struct loop *loop, struct source *source)
{
    struct carrier *c = heap_alloc(sizeof(*c));
    *c = (struct carrier){.loop = loop, .source = source, .book = carry_book_new(), .fd = -1};
    begin(c);
    return c;
}

struct carrier *carrier_close(struct carrier *c)
{
    if (!c)
        return NULL;
    unfollow(c);
    (void)loop_timer_cancel(c->retry);
    (void)loop_timer_cancel(c->end);
    (void)carry_book_free(c->book);
    forget_force(c);
    vec_done(&c->places);
    free(c);
    return NULL;
}

const struct carry *carrier_list(const struct carrier *c, size_t *ret_count)
{
    return carry_list(c->book, ret_count);
}

const struct carry *carrier_find(const struct carrier *c, const struct ip *ip)
{
    return carry_find(c->book, ip, now_ms());
}

struct carrier_figures carrier_figures(struct carrier *c)
{
    uint64_t last_ms;
    if (can_any(c))
        count_all(c);
    c->figures.addresses = count_carried(c, &last_ms);
    return c->figures;
}
