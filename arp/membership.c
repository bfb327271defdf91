#include "arp/membership.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "arp/ndp_packet.h"
#include "common/base/vec.h"
#include "common/net/ip_table.h"

enum { GROUPS_PER_TURN = 32 };

enum group_state { GROUP_ABSENT, GROUP_FILTER_ONLY, GROUP_JOINED };

struct group {
    struct ip ip;
    unsigned users; /* 0: is to be left */
    bool is_queued;
    enum group_state state;
    int fd; /* with GROUP_JOINED: the socket that holds the membership */
};

struct membership {
    struct loop *loop;
    unsigned interface;
    struct ip_table groups; /* struct group */
    VEC(int) sockets;       /* each holds as many memberships as the kernel lets it */
    int packet_fd;          /* for the filter */

    VEC(struct group *) queue; /* to be joined or left, or neither any more */
    size_t settled;            /* in this turn */
    struct loop_timer *turn;   /* the next one */
    bool is_open;              /* the filter, for every group */
};

/* --- the kernel's calls ---------------------------------------------------------------------- */

static int change_group(int fd, int option, unsigned interface, const struct ip *group)
{
    struct ipv6_mreq request = {.ipv6mr_interface = interface};
    memcpy(&request.ipv6mr_multiaddr, group->bytes, sizeof(group->bytes));
    return setsockopt(fd, IPPROTO_IPV6, option, &request, sizeof(request)) == 0 ? 0 : -errno;
}

/* group: NULL for all of them. */
static int change_filter(const struct membership *m, int option, const struct ip *group)
{
    struct packet_mreq request = {.mr_ifindex = (int)m->interface, .mr_type = PACKET_MR_ALLMULTI};
    if (group) {
        struct mac mac = ndp_group_mac(group);
        request.mr_type = PACKET_MR_MULTICAST;
        request.mr_alen = sizeof(mac.bytes);
        memcpy(request.mr_address, mac.bytes, sizeof(mac.bytes));
    }
    return setsockopt(m->packet_fd, SOL_PACKET, option, &request, sizeof(request)) == 0 ? 0
                                                                                        : -errno;
}

/* The kernel limits how many memberships one socket may hold (net.core.optmem_max). */
static int add_socket(struct membership *m)
{
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    vec_push(&m->sockets, fd);
    return fd;
}

static int join_kernel(struct membership *m, const struct ip *group)
{
    int result = -ENOBUFS;
    if (m->sockets.len) {
        int fd = m->sockets.items[m->sockets.len - 1];
        result = change_group(fd, IPV6_ADD_MEMBERSHIP, m->interface, group);
        if (result == 0)
            return fd;
    }
    if (result != -ENOBUFS && result != -ENOMEM)
        return result;
    int fd = add_socket(m);
    if (fd < 0)
        return fd;
    result = change_group(fd, IPV6_ADD_MEMBERSHIP, m->interface, group);
    return result < 0 ? result : fd;
}

/* --- groups ---------------------------------------------------------------------------------- */

static void join_group(struct membership *m, struct group *group)
{
    int fd = join_kernel(m, &group->ip);
    if (fd >= 0) {
        if (group->state == GROUP_FILTER_ONLY)
            (void)change_filter(m, PACKET_DROP_MEMBERSHIP, &group->ip); /* the kernel's holds now */
        group->state = GROUP_JOINED;
        group->fd = fd;
    } else if (group->state == GROUP_ABSENT &&
               change_filter(m, PACKET_ADD_MEMBERSHIP, &group->ip) == 0) {
        group->state = GROUP_FILTER_ONLY;
    }
}

/* The interface may be gone, and its memberships with it. */
static void leave_group(struct membership *m, struct group *group)
{
    if (group->state == GROUP_JOINED)
        (void)change_group(group->fd, IPV6_DROP_MEMBERSHIP, m->interface, &group->ip);
    else if (group->state == GROUP_FILTER_ONLY)
        (void)change_filter(m, PACKET_DROP_MEMBERSHIP, &group->ip);
}

static void settle(struct membership *m, struct group *group)
{
    group->is_queued = false;
    if (group->users) {
        if (group->state != GROUP_JOINED)
            join_group(m, group);
        return;
    }
    leave_group(m, group);
    (void)ip_table_remove(&m->groups, &group->ip);
    free(group);
}

static void open_filter(struct membership *m, bool is_open)
{
    if (m->is_open == is_open)
        return;
    m->is_open = is_open;
    (void)change_filter(m, is_open ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, NULL);
}

static void go_on(void *ctx)
{
    struct membership *m = ctx;
    m->turn = NULL;
    for (m->settled = 0; m->settled < GROUPS_PER_TURN && m->queue.len; m->settled++)
        settle(m, vec_pop(&m->queue));
    if (!m->queue.len)
        open_filter(m, false);
    if (m->settled) /* not 0: libuv would run it again before it polls */
        m->turn = loop_timer_start(m->loop, 1, 0, go_on, m);
}

static void settle_soon(struct membership *m, struct group *group)
{
    if (group->is_queued)
        return;
    if (!m->turn)
        m->turn = loop_timer_start(m->loop, 0, 0, go_on, m);
    if (m->settled < GROUPS_PER_TURN) {
        m->settled++;
        settle(m, group);
        return;
    }
    open_filter(m, true);
    group->is_queued = true;
    vec_push(&m->queue, group);
}

static void use_group(struct membership *m, struct ip ip)
{
    struct group *group = ip_table_get(&m->groups, &ip);
    if (!group) {
        group = heap_alloc(sizeof(*group));
        *group = (struct group){.ip = ip, .fd = -1};
        (void)ip_table_put(&m->groups, &group->ip);
    }
    if (group->users++ == 0)
        settle_soon(m, group);
}

void membership_join(struct membership *m, const struct ip *ip)
{
    use_group(m, ndp_solicited_node(ip));
}

void membership_leave(struct membership *m, const struct ip *ip)
{
    struct ip key = ndp_solicited_node(ip);
    struct group *group = ip_table_get(&m->groups, &key);
    assert(group && group->users);
    if (--group->users == 0)
        settle_soon(m, group);
}

void membership_retry(struct membership *m)
{
    size_t cursor = 0;
    for (struct group *group; (group = ip_table_next(&m->groups, &cursor));) {
        if (group->users && group->state != GROUP_JOINED)
            settle_soon(m, group);
    }
}

/* --- lifetime -------------------------------------------------------------------------------- */

struct membership *membership_new(struct loop *loop, unsigned interface)
{
    struct membership *m = heap_alloc(sizeof(*m));
    *m = (struct membership){.loop = loop, .interface = interface};
    m->packet_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* 0: receives nothing */
    use_group(m, ndp_all_nodes);
    return m;
}

struct membership *membership_free(struct membership *m)
{
    if (!m)
        return NULL;
    size_t cursor = 0;
    for (struct group *group; (group = ip_table_next(&m->groups, &cursor));)
        free(group);
    ip_table_done(&m->groups);
    vec_done(&m->queue);
    (void)loop_timer_cancel(m->turn);
    for (size_t i = 0; i < m->sockets.len; i++)
        (void)close(m->sockets.items[i]); /* which leaves the groups */
    vec_done(&m->sockets);
    if (m->packet_fd >= 0)
        (void)close(m->packet_fd);
    free(m);
    return NULL;
}
