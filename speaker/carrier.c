#include "speaker/carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "crd/node.h"
#include "speaker/carry_force.h"
#include "speaker/carry_kernel.h"
#include "speaker/handoff_plan.h"

enum {
    MS_NS = 1000000,
    LOOK_MS = 100,    /* from a change of any rules to a look at ours … */
    PAUSE_MS = 5000,  /* … doubled up to that with each time that they are put back in vain */
    RETRY_MS = 1000,  /* after a batch that was not taken */
    LINGER_MS = 1000, /* after the last one is over */
};

/* Where a node is, as found in this turn. */
struct place {
    struct str node;
    enum ip_family family;
    struct ip ip; /* unset: it cannot be sent to directly */
};

struct carrier {
    struct loop *loop;
    struct source *source;
    struct carry_book *book;
    const struct plan *plan; /* while one is taken */
    VEC(struct place) places;
    struct carry_force *force;
    struct carrier_figures figures;
    struct loop_fd *watch; /* NULL: nothing is carried, so nobody needs to look */
    int fd;
    struct loop_timer *look, *retry, *end;
    uint64_t pause_ms; /* before the next look */
    bool behind;       /* the kernel may have something else in force than the book */
};

static uint64_t now_ms(void)
{
    return loop_clock_ns() / MS_NS;
}

static bool can_any(const struct carrier *c)
{
    return c->figures.ipv4 || c->figures.ipv6;
}

/* --- into the kernel ------------------------------------------------------------------------- */

static void follow(struct carrier *c);
static void retry(void *ctx);
static void over(void *ctx);
static void look_soon(struct carrier *c);

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
    size_t total, carried = c->figures.addresses;
    const struct carry *list = carry_list(c->book, &total);
    int result = carry_force_put(c->force, list, total, now_ms()), before = c->figures.error;
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
    /* Of what others have done since the batch, there may be no notice: it is followed only now. */
    if (c->watch)
        look_soon(c);
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

static void look(void *ctx)
{
    struct carrier *c = ctx;
    size_t total;
    const struct carry *list = carry_list(c->book, &total);
    bool torn, agrees = carry_force_agrees(c->force, list, total, now_ms(), &torn);
    c->look = NULL;
    if (torn) {
        look_soon(c);
    } else if (agrees) {
        c->pause_ms = LOOK_MS;
    } else if (!c->behind) {
        c->figures.restored++;
        if (c->pause_ms == LOOK_MS) /* the first of a row */
            log_warn("rules that carry connections were removed by somebody else and are put back",
                     kv_uint("addresses", c->figures.addresses));
        c->pause_ms = c->pause_ms * 2 < PAUSE_MS ? c->pause_ms * 2 : PAUSE_MS;
        enforce(c);
    }
}

static void look_soon(struct carrier *c)
{
    if (!c->look)
        c->look = loop_timer_start(c->loop, c->pause_ms, 0, look, c);
}

static void rules_changed(void *ctx, unsigned events)
{
    struct carrier *c = ctx;
    (void)events;
    carry_kernel_drain(c->fd);
    look_soon(c);
}

static void unfollow(struct carrier *c)
{
    c->look = loop_timer_cancel(c->look);
    c->pause_ms = LOOK_MS;
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
    if (carry_force_refusal(c->force, ip->family))
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
    size_t count;
    int refusal = carry_force_refusal(c->force, IP_V4);
    c->figures.ipv4 = refusal == 0;
    c->figures.ipv6 = carry_force_refusal(c->force, IP_V6) == 0;
    refusal = refusal ? refusal : carry_force_refusal(c->force, IP_V6);
    c->figures.why_not = refusal ? say_refusal(refusal) : "";
    if (!can_any(c)) {
        log_warn("open connections will end when their address moves as planned",
                 kv_cstr("reason", c->figures.why_not));
        return;
    }
    const struct carry *left = carry_force_read(c->force, now_ms(), arena, &count);
    carry_restore(c->book, left, count);
    enforce(c);
    log_info("open connections are kept when their address moves as planned",
             kv_bool("ipv4", c->figures.ipv4), kv_bool("ipv6", c->figures.ipv6),
             kv_uint("takenOver", c->figures.addresses), kv_cstr("reason", c->figures.why_not));
}

struct carrier *carrier_open(struct loop *loop, struct source *source)
{
    struct carrier *c = heap_alloc(sizeof(*c));
    *c = (struct carrier){.loop = loop,
                          .source = source,
                          .book = carry_book_new(),
                          .force = carry_force_open(),
                          .fd = -1,
                          .pause_ms = LOOK_MS};
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
    (void)carry_force_close(c->force);
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
    struct carrier_figures now = c->figures; /* whose addresses are those in force */
    carry_force_count(c->force, &now.packets, &now.bytes);
    now.addresses = count_carried(c, &last_ms);
    return now;
}
