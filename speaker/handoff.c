#include "speaker/handoff.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/err.h"
#include "common/base/log.h"

enum {
    RECEIVE_SIZE = 1 << 20,
    READS_PER_TURN = 64,
    RETRY_MS = 10000, /* what was refused may have been for want of memory */
};

struct handoff {
    struct loop *loop;
    struct handoff_config config;
    struct nl_sock *requests; /* changes and lists; always answered when the call returns */
    struct nl_sock *news;     /* what others do; NULL until the first address wants a route */
    struct loop_fd *watch;
    struct loop_timer *timer; /* an overlap ends, or something is tried again */
    unsigned loopback;        /* index of lo */
    struct handoff_book book;
    uint64_t restored, swept, failures;
};

/* --- requests -------------------------------------------------------------------------------- */

static int errno_of(int result)
{
    static const struct {
        int nl, error;
    } table[] = {
        {-NLE_PERM, -EPERM},   {-NLE_EXIST, -EEXIST},     {-NLE_OBJ_NOTFOUND, -ESRCH},
        {-NLE_NOMEM, -ENOMEM}, {-NLE_NOACCESS, -EACCES},  {-NLE_INVAL, -EINVAL},
        {-NLE_NODEV, -ENODEV}, {-NLE_OPNOTSUPP, -ENOSYS},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].nl == result)
            return table[i].error;
    }
    return result < 0 ? -EIO : 0;
}

static int address_family(const struct ip *ip)
{
    return ip->family == IP_V4 ? AF_INET : AF_INET6;
}

static struct rtmsg route_header(int family, unsigned bits)
{
    return (struct rtmsg){
        .rtm_family = (unsigned char)family,
        .rtm_dst_len = (unsigned char)bits,
        .rtm_table = RT_TABLE_LOCAL,
        .rtm_protocol = HANDOFF_PROTOCOL,
        .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
        .rtm_type = RTN_LOCAL,
    };
}

/* RTM_NEWROUTE or RTM_DELROUTE for one address: 0 or a negative errno. */
static int change_route(struct handoff *h, int type, const struct ip *ip)
{
    int flags = NLM_F_ACK | (type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0);
    struct rtmsg header = route_header(address_family(ip), ip_bits(ip));
    struct nl_msg *message = nlmsg_alloc_simple(type, flags);
    int result = message ? nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) : -1;
    if (result >= 0)
        result = nla_put(message, RTA_DST, (int)ip_bits(ip) / 8, ip->bytes);
    if (result >= 0)
        result = nla_put_u32(message, RTA_OIF, h->loopback);
    if (result < 0) {
        nlmsg_free(message);
        return -ENOMEM;
    }
    return errno_of(nl_send_sync(h->requests, message)); /* frees the message */
}

/* Asks for all local routes of one family. A kernel that checks strictly sends those of our
 * protocol alone, which matters where a routing daemon keeps a million others. */
static int request_list(struct handoff *h, int family)
{
    struct rtmsg header = route_header(family, 0);
    struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_DUMP);
    header.rtm_scope = 0;
    int result = message ? nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) : -1;
    if (result >= 0)
        result = nla_put_u32(message, RTA_TABLE, RT_TABLE_LOCAL);
    if (result >= 0)
        result = nl_send_auto(h->requests, message);
    nlmsg_free(message);
    return result < 0 ? -EIO : 0;
}

/* --- messages about routes ------------------------------------------------------------------- */

static const struct nla_policy policy[RTA_MAX + 1] = {
    [RTA_TABLE] = {.type = NLA_U32},
};

/* The address of a local route to one address, and its protocol. False: another kind of route. */
static bool read_route(struct nlmsghdr *header, struct ip *ret, unsigned *ret_protocol)
{
    struct nlattr *attributes[RTA_MAX + 1];
    if (nlmsg_parse(header, sizeof(struct rtmsg), attributes, RTA_MAX, policy) < 0)
        return false;
    const struct rtmsg *route = nlmsg_data(header);
    const struct nlattr *to = attributes[RTA_DST];
    unsigned table = attributes[RTA_TABLE] ? nla_get_u32(attributes[RTA_TABLE]) : route->rtm_table;
    enum ip_family family = route->rtm_family == AF_INET    ? IP_V4
                            : route->rtm_family == AF_INET6 ? IP_V6
                                                            : IP_NONE;
    unsigned bits = family == IP_V4 ? 32 : 128;
    if (!family || table != RT_TABLE_LOCAL || route->rtm_type != RTN_LOCAL || !to ||
        route->rtm_dst_len != bits || nla_len(to) != (int)bits / 8)
        return false;
    *ret = ip_from_bytes(family, nla_data(to));
    *ret_protocol = route->rtm_protocol;
    return true;
}

typedef VEC(struct ip) ip_vec;

static int collect(struct nl_msg *message, void *ctx)
{
    struct ip ip;
    unsigned protocol;
    if (nlmsg_hdr(message)->nlmsg_type == RTM_NEWROUTE &&
        read_route(nlmsg_hdr(message), &ip, &protocol) && protocol == HANDOFF_PROTOCOL)
        vec_push((ip_vec *)ctx, ip);
    return NL_OK;
}

/* All routes of our protocol, sorted. */
static int list_routes(struct handoff *h, ip_vec *ret)
{
    static const int families[] = {AF_INET, AF_INET6};
    int result = 0;
    (void)nl_socket_modify_cb(h->requests, NL_CB_VALID, NL_CB_CUSTOM, collect, ret);
    for (size_t i = 0; i < 2 && result >= 0; i++) {
        result = request_list(h, families[i]);
        if (result >= 0)
            result = errno_of(nl_recvmsgs_default(h->requests));
    }
    (void)nl_socket_modify_cb(h->requests, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
    vec_sort(ret, ip_cmp_ptr);
    return result;
}

/* --- carrying out ---------------------------------------------------------------------------- */

static void set_error(struct handoff *h, struct handoff_entry *entry, int error)
{
    if (error)
        h->failures++;
    if (entry->error == error)
        return;
    entry->error = error;
    if (error == -EPERM)
        log_warn("no local route for address: CAP_NET_ADMIN is missing", kv_ip("ip", &entry->ip));
    else if (error)
        log_warn("local route cannot be changed", kv_ip("ip", &entry->ip), kv_err(error));
    if (entry->wanted)
        h->config.changed(h->config.ctx, &entry->ip, error);
}

static void add_route(struct handoff *h, struct handoff_entry *entry)
{
    int result = change_route(h, RTM_NEWROUTE, &entry->ip);
    /* An address of this host has a route of the kernel's, which does the same. */
    bool there_before = result == -EEXIST && !entry->ours;
    if (result == 0 || result == -EEXIST) {
        entry->present = true;
        entry->ours = !there_before;
        set_error(h, entry, 0);
        log_info("local route added", kv_ip("ip", &entry->ip), kv_bool("ours", entry->ours));
    } else {
        set_error(h, entry, result);
    }
}

static void remove_route(struct handoff *h, struct handoff_entry *entry)
{
    int result = change_route(h, RTM_DELROUTE, &entry->ip);
    if (result < 0 && result != -ESRCH) {
        set_error(h, entry, result);
        return;
    }
    entry->ours = entry->present = false;
    log_info("local route removed", kv_ip("ip", &entry->ip));
}

static void settle(struct handoff *h);

static void due(void *ctx)
{
    struct handoff *h = ctx;
    h->timer = NULL;
    settle(h);
}

static void schedule(struct handoff *h, bool again)
{
    uint64_t now = loop_now(h->loop), at = 0;
    bool any = handoff_book_next(&h->book, &at);
    if (again && (!any || at > now + RETRY_MS || at <= now))
        at = now + RETRY_MS;
    h->timer = loop_timer_cancel(h->timer);
    if (any || again)
        h->timer = loop_timer_start(h->loop, at > now ? at - now : 0, 0, due, h);
}

/* Does what is to be done now. */
static void settle(struct handoff *h)
{
    uint64_t now = loop_now(h->loop);
    bool again = false;
    for (size_t i = 0; i < h->book.entries.len; i++) {
        struct handoff_entry *entry = &h->book.entries.items[i];
        enum handoff_deed deed = handoff_deed(entry, now);
        if (deed == HANDOFF_ADD)
            add_route(h, entry);
        else if (deed == HANDOFF_REMOVE)
            remove_route(h, entry);
        deed = handoff_deed(entry, now);
        again = again || deed == HANDOFF_ADD || deed == HANDOFF_REMOVE;
    }
    handoff_book_tidy(&h->book, now);
    schedule(h, again);
}

/* --- what others do -------------------------------------------------------------------------- */

/* Somebody has removed a local route. */
static int on_news(struct nl_msg *message, void *ctx)
{
    struct handoff *h = ctx;
    struct nlmsghdr *header = nlmsg_hdr(message);
    struct ip ip;
    unsigned protocol;
    bool by_us = header->nlmsg_pid == nl_socket_get_local_port(h->requests);
    if (header->nlmsg_type != RTM_DELROUTE || by_us || !read_route(header, &ip, &protocol))
        return NL_OK;
    struct handoff_entry *entry = handoff_book_find(&h->book, &ip);
    if (!entry || !entry->present || entry->ours != (protocol == HANDOFF_PROTOCOL))
        return NL_OK;
    entry->present = false;
    if (entry->wanted && entry->ours) {
        h->restored++;
        log_warn("local route was removed by somebody else", kv_ip("ip", &ip));
    }
    return NL_OK;
}

/* Messages were lost: what the kernel has counts. */
static void compare(struct handoff *h)
{
    ip_vec there = {0};
    int result = list_routes(h, &there);
    for (size_t i = 0; result >= 0 && i < h->book.entries.len; i++) {
        struct handoff_entry *entry = &h->book.entries.items[i];
        bool found =
            there.len && bsearch(&entry->ip, there.items, there.len, sizeof(struct ip), ip_cmp_ptr);
        h->restored += entry->wanted && entry->ours && entry->present && !found;
        entry->present = found; /* a foreign one is found again by adding ours */
    }
    if (result < 0)
        log_warn("cannot list local routes", kv_err(result));
    vec_done(&there);
}

static void readable(void *ctx, unsigned events)
{
    struct handoff *h = ctx;
    (void)events;
    for (unsigned i = 0; i < READS_PER_TURN; i++) {
        int result = nl_recvmsgs_default(h->news);
        if (result == -NLE_AGAIN)
            break;
        if (result == -NLE_NOMEM) /* ENOBUFS */
            compare(h);
        else if (result < 0)
            log_warn("cannot follow routes", kv_cstr("reason", nl_geterror(result)));
    }
    settle(h);
}

/* --- opening --------------------------------------------------------------------------------- */

static int open_requests(struct handoff *h)
{
    enum { STRICT = 12 /* NETLINK_GET_STRICT_CHK */ };
    int on = 1;
    h->requests = nl_socket_alloc();
    if (!h->requests)
        return -ENOMEM;
    int result = nl_connect(h->requests, NETLINK_ROUTE);
    if (result < 0)
        return errno_of(result);
    /* A kernel without it sends all routes, which are then looked through. */
    (void)setsockopt(nl_socket_get_fd(h->requests), SOL_NETLINK, STRICT, &on, sizeof(on));
    h->loopback = if_nametoindex("lo");
    return h->loopback ? 0 : -ENODEV;
}

/* Other programs' routes may change by the thousand: nobody listens where nothing is handed off. */
static int open_news(struct handoff *h)
{
    struct nl_sock *socket = nl_socket_alloc();
    if (!socket)
        return -ENOMEM;
    nl_socket_disable_seq_check(socket);
    (void)nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_news, h);
    int result = nl_connect(socket, NETLINK_ROUTE);
    if (result >= 0)
        result = nl_socket_set_nonblocking(socket);
    if (result >= 0)
        result =
            nl_socket_add_memberships(socket, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NONE);
    if (result < 0) {
        nl_socket_free(socket);
        return errno_of(result);
    }
    (void)nl_socket_set_buffer_size(socket, RECEIVE_SIZE, 0);
    h->news = socket;
    h->watch = loop_fd_watch(h->loop, nl_socket_get_fd(socket), LOOP_READ, readable, h);
    return 0;
}

static void sweep(struct handoff *h)
{
    ip_vec left = {0};
    int result = list_routes(h, &left);
    size_t swept = 0;
    for (size_t i = 0; result >= 0 && i < left.len; i++) {
        result = change_route(h, RTM_DELROUTE, &left.items[i]);
        swept += result == 0;
    }
    h->swept = swept;
    if (result < 0)
        log_warn("local routes of an earlier process cannot be removed", kv_err(result),
                 kv_uint("left", left.len - swept));
    else if (swept)
        log_info("local routes of an earlier process removed", kv_uint("count", swept));
    vec_done(&left);
}

int handoff_open(struct loop *loop, const struct handoff_config *config, struct handoff **ret)
{
    struct handoff *h = heap_alloc(sizeof(*h));
    *h = (struct handoff){.loop = loop, .config = *config};
    int result = open_requests(h);
    if (result < 0) {
        (void)handoff_close(h);
        return result;
    }
    sweep(h);
    *ret = h;
    return 0;
}

struct handoff *handoff_close(struct handoff *h)
{
    if (!h)
        return NULL;
    (void)loop_timer_cancel(h->timer);
    (void)loop_fd_cancel(h->watch);
    for (size_t i = 0; i < h->book.entries.len; i++) {
        if (h->book.entries.items[i].ours)
            (void)change_route(h, RTM_DELROUTE, &h->book.entries.items[i].ip);
    }
    handoff_book_done(&h->book);
    nl_socket_free(h->news);
    nl_socket_free(h->requests);
    free(h);
    return NULL;
}

void handoff_run(struct handoff *h, const struct ip *wanted, size_t count)
{
    if (count == 0 && h->book.entries.len == 0)
        return;
    if (!h->news) {
        int result = open_news(h);
        if (result < 0)
            log_warn("cannot follow routes", kv_err(result));
    }
    handoff_book_want(&h->book, wanted, count, loop_now(h->loop), h->config.overlap_ms);
    settle(h);
}

struct handoff_figures handoff_figures(const struct handoff *h)
{
    struct handoff_figures figures = {
        .restored = h->restored, .swept = h->swept, .failures = h->failures};
    for (size_t i = 0; i < h->book.entries.len; i++) {
        const struct handoff_entry *entry = &h->book.entries.items[i];
        figures.routes += entry->ours && entry->present;
        figures.refused += entry->wanted && entry->error;
    }
    return figures;
}
