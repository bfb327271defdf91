#include "speaker/links.h"

#include <net/if.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/vec.h"

enum {
    RETRY_MS = 1000,
    /* The kernel takes tens of milliseconds for each: with many at once the members would take this
     * node for dead. */
    AT_ONCE = 4,
    NEXT_MS = 1, /* not 0: libuv would not poll in between */
};

struct entry {
    struct link link; /* first */
    struct links *links;
    char name[IF_NAMESIZE];
    int error; /* of the last try to open it */
    bool wanted;
};

struct links {
    struct loop *loop;
    uint64_t seed;
    const struct links_calls *calls;
    void *ctx;
    VEC(struct entry *) entries;
    struct loop_timer *retry; /* a responder is to be opened again */
    struct loop_timer *next;  /* one that waits is to be opened */
    unsigned at_once;         /* how many may still be opened in this turn */
};

struct links *links_new(struct loop *loop, uint64_t seed, const struct links_calls *calls,
                        void *ctx)
{
    struct links *links = heap_alloc(sizeof(*links));
    *links = (struct links){.loop = loop, .seed = seed, .calls = calls, .ctx = ctx};
    return links;
}

/* --- responders ------------------------------------------------------------------------------ */

static void open_entry(struct entry *entry);

static void retry_due(void *ctx)
{
    struct links *links = ctx;
    links->retry = NULL;
    for (size_t i = 0; i < links->entries.len; i++) {
        if (!links->entries.items[i]->link.responder && !links->entries.items[i]->link.waits)
            open_entry(links->entries.items[i]);
    }
}

static void retry_later(struct links *links)
{
    if (!links->retry)
        links->retry = loop_timer_start(links->loop, RETRY_MS, 0, retry_due, links);
}

static void close_entry(struct entry *entry)
{
    struct links *links = entry->links;
    if (!entry->link.responder)
        return;
    links->calls->closing(links->ctx, &entry->link);
    entry->link.responder = responder_close(entry->link.responder);
    links->calls->closed(links->ctx);
}

/* Usually the interface is gone or down, which netlink is about to tell. */
static void failed(void *ctx, int error)
{
    struct entry *entry = ctx;
    log_warn("interface cannot be listened on any more",
             kv_str("interface", entry->link.iface.name), kv_err(error));
    close_entry(entry);
    retry_later(entry->links);
}

static void heard(void *ctx, const struct ip *ip, const struct mac *mac, enum reaction_claim claim)
{
    struct entry *entry = ctx;
    entry->links->calls->heard(entry->links->ctx, &entry->link, ip, mac, claim);
}

static bool may_answer(void *ctx)
{
    const struct entry *entry = ctx;
    return entry->links->calls->may_answer(entry->links->ctx);
}

static const struct responder_calls calls = {
    .failed = failed, .heard = heard, .may_answer = may_answer};

static void open_entry(struct entry *entry)
{
    struct links *links = entry->links;
    const struct iface *iface = &entry->link.iface;
    struct responder_interface interface = {
        .name = iface->name, .mac = iface->mac, .seed = links->seed};
    int result = responder_open(links->loop, &interface, &calls, entry, &entry->link.responder);
    if (result < 0) {
        if (result != entry->error)
            log_warn("cannot listen on interface", kv_str("interface", iface->name),
                     kv_err(result));
        entry->error = result;
        retry_later(links);
        return;
    }
    entry->error = 0;
    log_info("listening on interface", kv_str("interface", iface->name),
             kv_cstr("mac", mac_format(&iface->mac).text));
    links->calls->ready(links->ctx, &entry->link);
}

static void next_due(void *ctx)
{
    struct links *links = ctx;
    size_t i = 0;
    links->next = NULL;
    while (i < links->entries.len && !links->entries.items[i]->link.waits)
        i++;
    if (i == links->entries.len) {
        links->calls->all_open(links->ctx);
        return;
    }
    links->entries.items[i]->link.waits = false;
    open_entry(links->entries.items[i]);
    links->next = loop_timer_start(links->loop, NEXT_MS, 0, next_due, links);
}

/* At once, or when its turn comes. */
static void open_soon(struct entry *entry)
{
    struct links *links = entry->links;
    entry->link.waits = links->at_once == 0;
    if (entry->link.waits) {
        if (!links->next)
            links->next = loop_timer_start(links->loop, NEXT_MS, 0, next_due, links);
        return;
    }
    links->at_once--;
    open_entry(entry);
}

/* --- interfaces ------------------------------------------------------------------------------ */

static void set_iface(struct entry *entry, const struct iface *iface)
{
    size_t len = iface->name.len < sizeof(entry->name) ? iface->name.len : sizeof(entry->name);
    for (size_t i = 0; i < len; i++)
        entry->name[i] = iface->name.ptr[i];
    entry->link.iface = *iface;
    entry->link.iface.name = (struct str){.ptr = entry->name, .len = len};
}

/* Frames carry the name and the address that the responder was opened with. */
static void update_entry(struct entry *entry, const struct iface *iface)
{
    const struct iface *before = &entry->link.iface;
    bool same = str_eq(before->name, iface->name) && mac_eq(&before->mac, &iface->mac);
    bool has_carrier_again = iface->running && !before->running;
    set_iface(entry, iface);
    if (!same)
        close_entry(entry);
    if (!entry->link.responder && !entry->link.waits)
        open_soon(entry);
    else if (entry->link.responder && has_carrier_again)
        entry->links->calls->ready(entry->links->ctx, &entry->link);
}

static void add_entry(struct links *links, const struct iface *iface)
{
    struct entry *entry = heap_alloc(sizeof(*entry));
    *entry = (struct entry){.links = links, .wanted = true};
    set_iface(entry, iface);
    vec_push(&links->entries, entry);
    open_soon(entry);
}

static void drop_entries(struct links *links)
{
    for (size_t i = links->entries.len; i-- > 0;) {
        struct entry *entry = links->entries.items[i];
        if (entry->wanted)
            continue;
        log_info("interface left out", kv_str("interface", entry->link.iface.name));
        close_entry(entry);
        free(entry);
        vec_drop(&links->entries, i);
    }
}

static struct entry *find_entry(const struct links *links, uint32_t index)
{
    for (size_t i = 0; i < links->entries.len; i++) {
        if (links->entries.items[i]->link.iface.index == index)
            return links->entries.items[i];
    }
    return NULL;
}

void links_set(struct links *links, const struct iface *ifaces, size_t count)
{
    links->at_once = AT_ONCE;
    for (size_t i = 0; i < links->entries.len; i++)
        links->entries.items[i]->wanted = false;
    for (size_t i = 0; i < count; i++) {
        if (iface_judge(&ifaces[i]) != IFACE_USED)
            continue;
        struct entry *entry = find_entry(links, ifaces[i].index);
        if (entry) {
            entry->wanted = true;
            update_entry(entry, &ifaces[i]);
        } else {
            add_entry(links, &ifaces[i]);
        }
    }
    drop_entries(links);
}

const struct link *links_find(const struct links *links, uint32_t index)
{
    const struct entry *entry = find_entry(links, index);
    return entry ? &entry->link : NULL;
}

const struct link *links_next(const struct links *links, size_t *cursor)
{
    return *cursor < links->entries.len ? &links->entries.items[(*cursor)++]->link : NULL;
}

struct links *links_free(struct links *links)
{
    if (!links)
        return NULL;
    (void)loop_timer_cancel(links->retry);
    (void)loop_timer_cancel(links->next);
    for (size_t i = 0; i < links->entries.len; i++) {
        (void)responder_close(links->entries.items[i]->link.responder);
        free(links->entries.items[i]);
    }
    vec_done(&links->entries);
    free(links);
    return NULL;
}
