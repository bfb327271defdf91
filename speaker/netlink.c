#include "speaker/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/vec.h"
#include "speaker/link_message.h"

enum {
    RECEIVE_SIZE = 1 << 20, /* for the burst of a host that starts a hundred containers */
    READS_PER_TURN = 64,    /* then other sources have their turn */
    RETRY_MS = 1000,        /* a list that could not be asked for */
};

/* An interface as last told; its name is kept here. */
struct known {
    struct iface iface;
    char name[IFNAMSIZ];
    uint64_t list; /* number of the list that showed it last */
};

/* A link-local address that may be sent from. */
struct local_address {
    uint32_t index; /* of its interface */
    struct ip ip;
    uint64_t list;
};

struct netlink {
    struct loop *loop;
    void (*changed)(void *ctx);
    void *ctx;
    struct nl_sock *socket;
    struct loop_fd *watch;
    struct loop_timer *retry;
    const struct excludes *excludes;
    VEC(struct known *) known; /* sorted by index */
    VEC(struct local_address) addresses;
    uint64_t list; /* number of the list under way, or of the last one */
    uint64_t overruns;
    bool listing;
    bool addressing; /* of the list under way, the interfaces are done: addresses come now */
    bool begun;      /* this part of the list has shown something */
    bool list_again; /* the list under way may have missed something */
    bool complete;
    bool differs; /* since the owner was told last */
};

/* --- the picture ----------------------------------------------------------------------------- */

/* The place of an index: where it is, or where it would be. */
static size_t find(const struct netlink *n, uint32_t index)
{
    size_t from = 0, to = n->known.len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (n->known.items[middle]->iface.index < index)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool is_at(const struct netlink *n, size_t at, uint32_t index)
{
    return at < n->known.len && n->known.items[at]->iface.index == index;
}

/* The smallest address of an interface, or none. */
static struct ip find_link_local(const struct netlink *n, uint32_t index)
{
    struct ip found = {0};
    for (size_t i = 0; i < n->addresses.len; i++) {
        const struct local_address *address = &n->addresses.items[i];
        if (address->index == index && (!ip_is_set(&found) || ip_cmp(&address->ip, &found) < 0))
            found = address->ip;
    }
    return found;
}

static void put(struct netlink *n, struct iface *iface)
{
    size_t at = find(n, iface->index);
    iface->excluded = excludes_has(n->excludes, iface->name);
    iface->link_local = find_link_local(n, iface->index);
    if (!is_at(n, at, iface->index)) {
        vec_push(&n->known, (struct known *)NULL);
        for (size_t i = n->known.len - 1; i > at; i--)
            n->known.items[i] = n->known.items[i - 1];
        n->known.items[at] = heap_alloc(sizeof(struct known));
    }
    struct known *known = n->known.items[at];
    if (n->begun || n->addressing)
        known->list = n->list;
    if (iface_eq(&known->iface, iface))
        return;
    known->iface = *iface;
    for (size_t i = 0; i < iface->name.len; i++)
        known->name[i] = iface->name.ptr[i];
    known->iface.name.ptr = known->name;
    n->differs = true;
}

static void drop(struct netlink *n, size_t at)
{
    free(n->known.items[at]);
    for (size_t i = at + 1; i < n->known.len; i++)
        n->known.items[i - 1] = n->known.items[i];
    n->known.len--;
    n->differs = true;
}

/* An interface's link-local address may be another one now. */
static void refresh_link_local(struct netlink *n, uint32_t index)
{
    size_t at = find(n, index);
    if (!is_at(n, at, index))
        return;
    struct ip now = find_link_local(n, index);
    struct iface *iface = &n->known.items[at]->iface;
    if (ip_eq(&now, &iface->link_local))
        return;
    iface->link_local = now;
    n->differs = true;
}

static void put_address(struct netlink *n, uint32_t index, const struct ip *ip)
{
    size_t at = 0;
    while (at < n->addresses.len &&
           !(n->addresses.items[at].index == index && ip_eq(&n->addresses.items[at].ip, ip)))
        at++;
    if (at == n->addresses.len)
        vec_push(&n->addresses, ((struct local_address){.index = index, .ip = *ip}));
    if (n->begun)
        n->addresses.items[at].list = n->list;
    refresh_link_local(n, index);
}

static void drop_address(struct netlink *n, size_t at)
{
    uint32_t index = n->addresses.items[at].index;
    vec_drop(&n->addresses, at);
    refresh_link_local(n, index);
}

static void remove_address(struct netlink *n, uint32_t index, const struct ip *ip)
{
    for (size_t i = n->addresses.len; i-- > 0;) {
        if (n->addresses.items[i].index == index && ip_eq(&n->addresses.items[i].ip, ip))
            drop_address(n, i);
    }
}

/* --- messages -------------------------------------------------------------------------------- */

static void on_address(struct netlink *n, struct nlmsghdr *header)
{
    struct link_address address;
    if (!link_message_address(header, &address))
        return;
    if (header->nlmsg_type == RTM_NEWADDR && address.usable)
        put_address(n, address.index, &address.ip);
    else
        remove_address(n, address.index, &address.ip);
}

static void on_link(struct netlink *n, struct nlmsghdr *header)
{
    struct iface iface = {0};
    if (!link_message_read(header, &iface))
        return;
    size_t at = find(n, iface.index);
    if (header->nlmsg_type == RTM_DELLINK && is_at(n, at, iface.index))
        drop(n, at);
    else if (header->nlmsg_type == RTM_NEWLINK && iface.name.len)
        put(n, &iface);
}

static int on_message(struct nl_msg *message, void *ctx)
{
    struct netlink *n = ctx;
    struct nlmsghdr *header = nlmsg_hdr(message);
    /* Before the first message of a list come those that were queued before it was asked for. They
     * may tell of interfaces that are gone by now, whose end was lost. */
    n->begun = n->begun || (n->listing && header->nlmsg_flags & NLM_F_MULTI);
    if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR)
        on_address(n, header);
    else if (header->nlmsg_type == RTM_NEWLINK || header->nlmsg_type == RTM_DELLINK)
        on_link(n, header);
    return NL_OK;
}

/* --- listing --------------------------------------------------------------------------------- */

static void start_list(struct netlink *n);

static void retry(void *ctx)
{
    struct netlink *n = ctx;
    n->retry = NULL;
    start_list(n);
}

static void list_later(struct netlink *n)
{
    if (!n->retry)
        n->retry = loop_timer_start(n->loop, RETRY_MS, 0, retry, n);
}

/* Asks for one part of a list: the interfaces, then the addresses. */
static void request_part(struct netlink *n)
{
    struct ifinfomsg links = {.ifi_family = AF_UNSPEC};
    struct ifaddrmsg addresses = {.ifa_family = AF_INET6};
    n->begun = false;
    int result =
        n->addressing
            ? nl_send_simple(n->socket, RTM_GETADDR, NLM_F_DUMP, &addresses, sizeof(addresses))
            : nl_send_simple(n->socket, RTM_GETLINK, NLM_F_DUMP, &links, sizeof(links));
    n->listing = result >= 0;
    if (n->listing)
        return;
    log_warn("cannot list interfaces", kv_cstr("reason", nl_geterror(result)));
    list_later(n);
}

static void start_list(struct netlink *n)
{
    if (n->listing) {
        n->list_again = true;
        return;
    }
    n->list++;
    n->addressing = false;
    n->list_again = false;
    request_part(n);
}

/* What a complete list did not show is gone. */
static void sweep(struct netlink *n)
{
    for (size_t i = n->known.len; i-- > 0;) {
        if (n->known.items[i]->list != n->list)
            drop(n, i);
    }
    for (size_t i = n->addresses.len; i-- > 0;) {
        if (n->addresses.items[i].list != n->list)
            drop_address(n, i);
    }
    if (!n->complete)
        n->differs = true;
    n->complete = true;
}

static int on_end_of_list(struct nl_msg *message, void *ctx)
{
    struct netlink *n = ctx;
    (void)message;
    n->listing = false;
    if (n->list_again) {
        start_list(n);
    } else if (!n->addressing) {
        n->addressing = true;
        request_part(n);
    } else {
        n->addressing = false;
        sweep(n);
    }
    return NL_OK;
}

/* Interfaces came or went while the kernel listed them: the list may lack one. */
static int on_disturbed_list(struct nl_msg *message, void *ctx)
{
    struct netlink *n = ctx;
    (void)message;
    n->list_again = true;
    return NL_OK;
}

static void receive_failed(struct netlink *n, int result)
{
    if (result == -NLE_NOMEM) { /* ENOBUFS: the kernel dropped messages */
        n->overruns++;
        log_warn("netlink messages were lost, listing all interfaces",
                 kv_uint("overruns", n->overruns));
        start_list(n);
        return;
    }
    log_warn("cannot follow interfaces", kv_cstr("reason", nl_geterror(result)));
    n->listing = false;
    list_later(n);
}

static void readable(void *ctx, unsigned events)
{
    struct netlink *n = ctx;
    (void)events;
    for (unsigned i = 0; i < READS_PER_TURN; i++) {
        int result = nl_recvmsgs_default(n->socket);
        if (result == -NLE_AGAIN)
            break;
        if (result < 0)
            receive_failed(n, result);
    }
    if (!n->differs || !n->complete)
        return;
    n->differs = false;
    n->changed(n->ctx);
}

/* --- opening --------------------------------------------------------------------------------- */

static int errno_of(int result)
{
    return result == -NLE_NOMEM ? -ENOMEM : result == -NLE_PERM ? -EPERM : -EIO;
}

static int start(struct netlink *n)
{
    nl_socket_disable_seq_check(n->socket); /* the kernel's own messages carry no number of ours */
    (void)nl_socket_modify_cb(n->socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, n);
    (void)nl_socket_modify_cb(n->socket, NL_CB_FINISH, NL_CB_CUSTOM, on_end_of_list, n);
    (void)nl_socket_modify_cb(n->socket, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_disturbed_list, n);
    int result = nl_connect(n->socket, NETLINK_ROUTE);
    if (result >= 0)
        result = nl_socket_set_nonblocking(n->socket);
    if (result >= 0)
        result =
            nl_socket_add_memberships(n->socket, RTNLGRP_LINK, RTNLGRP_IPV6_IFADDR, RTNLGRP_NONE);
    if (result < 0)
        return errno_of(result);
    /* As much as the system allows us; less only means to list more often. */
    (void)nl_socket_set_buffer_size(n->socket, RECEIVE_SIZE, 0);
    n->watch = loop_fd_watch(n->loop, nl_socket_get_fd(n->socket), LOOP_READ, readable, n);
    start_list(n);
    return 0;
}

int netlink_open(struct loop *loop, const struct excludes *excludes, void (*changed)(void *ctx),
                 void *ctx, struct netlink **ret)
{
    scoped_ptr(netlink) struct netlink *n = heap_alloc(sizeof(*n));
    *n = (struct netlink){.loop = loop,
                          .excludes = excludes,
                          .changed = changed,
                          .ctx = ctx,
                          .socket = nl_socket_alloc()};
    int result = n->socket ? start(n) : -ENOMEM;
    if (result < 0)
        return result;
    *ret = take_ptr(n);
    return 0;
}

struct netlink *netlink_close(struct netlink *n)
{
    if (!n)
        return NULL;
    (void)loop_fd_cancel(n->watch);
    (void)loop_timer_cancel(n->retry);
    nl_socket_free(n->socket);
    for (size_t i = 0; i < n->known.len; i++)
        free(n->known.items[i]);
    vec_done(&n->known);
    vec_done(&n->addresses);
    free(n);
    return NULL;
}

void netlink_set_excludes(struct netlink *n, const struct excludes *excludes)
{
    bool other = false;
    n->excludes = excludes;
    for (size_t i = 0; i < n->known.len; i++) {
        struct iface *iface = &n->known.items[i]->iface;
        bool excluded = excludes_has(excludes, iface->name);
        other = other || excluded != iface->excluded;
        iface->excluded = excluded;
    }
    if (other && n->complete)
        n->changed(n->ctx);
}

bool netlink_is_complete(const struct netlink *n)
{
    return n->complete;
}

struct iface *netlink_list(const struct netlink *n, struct arena *arena, size_t *ret_count)
{
    struct iface *list = arena_array(arena, n->known.len, sizeof(*list));
    for (size_t i = 0; i < n->known.len; i++) {
        list[i] = n->known.items[i]->iface;
        list[i].name = arena_str(arena, list[i].name);
    }
    *ret_count = n->known.len;
    return list;
}

uint64_t netlink_overruns(const struct netlink *n)
{
    return n->overruns;
}
