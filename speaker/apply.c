#include "speaker/apply.h"

#include <net/if.h>
#include <stdlib.h>

#include "arp/announce.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/vec.h"

enum { RETRY_MS = 1000 };

/* An interface that is used. */
struct link {
    struct apply *apply;
    struct iface iface;
    char name[IF_NAMESIZE];
    struct responder *responder; /* NULL: could not be opened, is tried again */
    int error;                   /* of the last try to open it */
    bool wanted;
};

typedef VEC(uint32_t) index_list;

/* An address that is, or once was, announced. */
struct held {
    struct ip ip;
    bool announced, wanted;
    index_list interfaces;
    struct announce rounds;
    struct apply_figures past; /* counted by responders that do not own it any more */
};

struct apply {
    struct loop *loop;
    struct map held;          /* ip_key → struct held */
    VEC(struct link *) links; /* in the order of their coming */
    struct loop_timer *round; /* the next announcement is due */
    struct loop_timer *retry; /* a responder is to be opened again */
};

struct apply *apply_new(struct loop *loop, uint64_t seed)
{
    struct apply *a = heap_alloc(sizeof(*a));
    *a = (struct apply){.loop = loop, .held = {.seed = seed}};
    return a;
}

/* --- announcing ------------------------------------------------------------------------------ */

static struct link *find_link(const struct apply *a, uint32_t index)
{
    for (size_t i = 0; i < a->links.len; i++) {
        if (a->links.items[i]->iface.index == index)
            return a->links.items[i];
    }
    return NULL;
}

static void send_round(struct apply *a, struct held *held)
{
    for (size_t i = 0; i < held->interfaces.len; i++) {
        struct link *link = find_link(a, held->interfaces.items[i]);
        if (link && link->responder) /* what the kernel does not take is counted there */
            (void)responder_announce(link->responder, &held->ip);
    }
}

static void schedule_rounds(struct apply *a);

static void rounds_due(void *ctx)
{
    struct apply *a = ctx;
    uint64_t now = loop_now(a->loop);
    size_t cursor = 0;
    a->round = NULL;
    for (struct map_entry *slot; (slot = map_next(&a->held, &cursor));) {
        struct held *held = slot->value;
        if (held->announced && announce_take(&held->rounds, now, ANNOUNCE_REFRESH_MS))
            send_round(a, held);
    }
    schedule_rounds(a);
}

static void schedule_rounds(struct apply *a)
{
    uint64_t now = loop_now(a->loop), soonest = UINT64_MAX, next;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&a->held, &cursor));) {
        const struct held *held = slot->value;
        if (held->announced && announce_next(&held->rounds, &next) && next < soonest)
            soonest = next;
    }
    a->round = loop_timer_cancel(a->round);
    if (soonest != UINT64_MAX)
        a->round = loop_timer_start(a->loop, soonest > now ? soonest - now : 0, 0, rounds_due, a);
}

static bool has_index(const struct held *held, uint32_t index)
{
    for (size_t i = 0; i < held->interfaces.len; i++) {
        if (held->interfaces.items[i] == index)
            return true;
    }
    return false;
}

/* The neighbours behind an interface are to hear of every address on it. */
static void announce_link(struct link *link)
{
    struct apply *a = link->apply;
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&a->held, &cursor));) {
        struct held *held = slot->value;
        if (!held->announced || !has_index(held, link->iface.index))
            continue;
        responder_own(link->responder, &held->ip);
        announce_start(&held->rounds, loop_now(a->loop));
    }
}

/* --- interfaces ------------------------------------------------------------------------------ */

static void open_link(struct link *link);

static void retry_due(void *ctx)
{
    struct apply *a = ctx;
    a->retry = NULL;
    for (size_t i = 0; i < a->links.len; i++) {
        if (!a->links.items[i]->responder)
            open_link(a->links.items[i]);
    }
    schedule_rounds(a);
}

static void retry_later(struct apply *a)
{
    if (!a->retry)
        a->retry = loop_timer_start(a->loop, RETRY_MS, 0, retry_due, a);
}

static void keep_figures(struct held *held, const struct responder *responder)
{
    const struct owned_address *address = responder_get(responder, &held->ip);
    if (!address)
        return;
    held->past.requests += address->received;
    held->past.replies += address->answered;
    held->past.gratuitous += address->announced;
}

static void close_link(struct link *link)
{
    size_t cursor = 0;
    if (!link->responder)
        return;
    for (struct map_entry *slot; (slot = map_next(&link->apply->held, &cursor));)
        keep_figures(slot->value, link->responder);
    link->responder = responder_close(link->responder);
}

/* Usually the interface is gone or down, which netlink is about to tell. */
static void link_failed(void *ctx, int error)
{
    struct link *link = ctx;
    log_warn("interface cannot be listened on any more", kv_str("interface", link->iface.name),
             kv_err(error));
    close_link(link);
    retry_later(link->apply);
}

static const struct responder_calls link_calls = {.failed = link_failed};

static void open_link(struct link *link)
{
    struct apply *a = link->apply;
    struct responder_interface interface = {.name = link->iface.name, .mac = link->iface.mac};
    int result = responder_open(a->loop, &interface, &link_calls, link, &link->responder);
    if (result < 0) {
        if (result != link->error)
            log_warn("cannot listen on interface", kv_str("interface", link->iface.name),
                     kv_err(result));
        link->error = result;
        retry_later(a);
        return;
    }
    link->error = 0;
    log_info("listening on interface", kv_str("interface", link->iface.name),
             kv_cstr("mac", mac_format(&link->iface.mac).text));
    announce_link(link);
}

static void link_free(struct link *link)
{
    close_link(link);
    free(link);
}

static void set_iface(struct link *link, const struct iface *iface)
{
    size_t len = iface->name.len < sizeof(link->name) ? iface->name.len : sizeof(link->name);
    for (size_t i = 0; i < len; i++)
        link->name[i] = iface->name.ptr[i];
    link->iface = *iface;
    link->iface.name = (struct str){.ptr = link->name, .len = len};
}

/* Frames carry the name and the address that the responder was opened with. */
static void update_link(struct link *link, const struct iface *iface)
{
    bool same = str_eq(link->iface.name, iface->name) && mac_eq(&link->iface.mac, &iface->mac);
    bool has_carrier_again = iface->running && !link->iface.running;
    set_iface(link, iface);
    if (!same)
        close_link(link);
    if (!link->responder)
        open_link(link);
    else if (has_carrier_again)
        announce_link(link);
}

static void add_link(struct apply *a, const struct iface *iface)
{
    struct link *link = heap_alloc(sizeof(*link));
    *link = (struct link){.apply = a, .wanted = true};
    set_iface(link, iface);
    vec_push(&a->links, link);
    open_link(link);
}

static void drop_links(struct apply *a)
{
    for (size_t i = a->links.len; i-- > 0;) {
        struct link *link = a->links.items[i];
        if (link->wanted)
            continue;
        log_info("interface left out", kv_str("interface", link->iface.name));
        link_free(link);
        vec_drop(&a->links, i);
    }
}

static void set_links(struct apply *a, const struct iface *ifaces, size_t count)
{
    for (size_t i = 0; i < a->links.len; i++)
        a->links.items[i]->wanted = false;
    for (size_t i = 0; i < count; i++) {
        if (iface_judge(&ifaces[i]) != IFACE_USED)
            continue;
        struct link *link = find_link(a, ifaces[i].index);
        if (link) {
            link->wanted = true;
            update_link(link, &ifaces[i]);
        } else {
            add_link(a, &ifaces[i]);
        }
    }
    drop_links(a);
}

/* --- addresses ------------------------------------------------------------------------------- */

static struct held *find_held(const struct apply *a, const struct ip *ip)
{
    return map_get(&a->held, ip_key(ip));
}

static struct held *need_held(struct apply *a, const struct ip *ip)
{
    struct held *held = find_held(a, ip);
    if (held)
        return held;
    held = heap_alloc(sizeof(*held));
    *held = (struct held){.ip = *ip, .past = {.ip = *ip}};
    (void)map_put(&a->held, ip_key(&held->ip), held);
    return held;
}

static void disown(struct link *link, struct held *held)
{
    if (!link->responder)
        return;
    keep_figures(held, link->responder);
    responder_disown(link->responder, &held->ip);
}

/* Owns the address on the interfaces of those names and on no other. Returns whether one is new. */
static bool set_interfaces(struct apply *a, struct held *held, const struct str_list *names)
{
    bool fresh = false;
    index_list indices = {0};
    for (size_t i = 0; i < a->links.len; i++) {
        struct link *link = a->links.items[i];
        bool had = has_index(held, link->iface.index);
        if (!str_list_has(names, link->iface.name)) {
            if (had)
                disown(link, held);
            continue;
        }
        vec_push(&indices, link->iface.index);
        fresh = fresh || !had;
        if (!had && link->responder)
            responder_own(link->responder, &held->ip);
    }
    vec_done(&held->interfaces);
    held->interfaces = indices;
    return fresh;
}

static void announce_address(struct apply *a, const struct plan_address *address)
{
    struct held *held = need_held(a, &address->ip);
    bool fresh = set_interfaces(a, held, &address->interfaces);
    if (!held->announced)
        log_info("address announced", kv_ip("ip", &address->ip),
                 kv_str("service", address->services.items[0]));
    if (!held->announced || fresh)
        announce_start(&held->rounds, loop_now(a->loop));
    held->announced = true;
    held->wanted = true;
}

static void withdraw(struct apply *a, struct held *held)
{
    static const struct str_list none = {0};
    log_info("address withdrawn", kv_ip("ip", &held->ip));
    (void)set_interfaces(a, held, &none);
    held->announced = false;
    held->rounds = (struct announce){0};
}

void apply_run(struct apply *a, const struct iface *ifaces, size_t count, const struct plan *plan)
{
    size_t cursor = 0;
    set_links(a, ifaces, count);
    for (struct map_entry *slot; (slot = map_next(&a->held, &cursor));)
        ((struct held *)slot->value)->wanted = false;
    for (size_t i = 0; i < plan->address_count; i++)
        announce_address(a, &plan->addresses[i]);
    cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&a->held, &cursor));) {
        struct held *held = slot->value;
        if (held->announced && !held->wanted)
            withdraw(a, held);
    }
    schedule_rounds(a);
}

struct apply *apply_free(struct apply *a)
{
    if (!a)
        return NULL;
    (void)loop_timer_cancel(a->round);
    (void)loop_timer_cancel(a->retry);
    for (size_t i = 0; i < a->links.len; i++)
        link_free(a->links.items[i]);
    vec_done(&a->links);
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&a->held, &cursor));) {
        struct held *held = slot->value;
        vec_done(&held->interfaces);
        free(held);
    }
    map_done(&a->held);
    free(a);
    return NULL;
}

/* --- figures --------------------------------------------------------------------------------- */

bool apply_listens(const struct apply *a, uint32_t interface, struct responder_figures *ret_figures)
{
    const struct link *link = find_link(a, interface);
    if (!link || !link->responder)
        return false;
    if (ret_figures)
        *ret_figures = responder_figures(link->responder);
    return true;
}

static struct apply_figures figures_of(const struct apply *a, const struct held *held)
{
    struct apply_figures figures = held->past;
    for (size_t i = 0; i < a->links.len; i++) {
        const struct responder *responder = a->links.items[i]->responder;
        const struct owned_address *address =
            responder ? responder_get(responder, &held->ip) : NULL;
        if (!address)
            continue;
        figures.requests += address->received;
        figures.replies += address->answered;
        figures.gratuitous += address->announced;
    }
    return figures;
}

static int by_ip(const void *a, const void *b)
{
    return ip_cmp(&((const struct apply_figures *)a)->ip, &((const struct apply_figures *)b)->ip);
}

struct apply_figures *apply_figures(const struct apply *a, struct arena *arena, size_t *ret_count)
{
    struct apply_figures *list = arena_array(arena, map_count(&a->held), sizeof(*list));
    size_t cursor = 0, count = 0;
    for (struct map_entry *slot; (slot = map_next(&a->held, &cursor));)
        list[count++] = figures_of(a, slot->value);
    if (count)
        qsort(list, count, sizeof(*list), by_ip);
    *ret_count = count;
    return list;
}

struct apply_figures apply_figures_of(const struct apply *a, const struct ip *ip)
{
    const struct held *held = find_held(a, ip);
    return held ? figures_of(a, held) : (struct apply_figures){.ip = *ip};
}
