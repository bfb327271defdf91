#include "speaker/carry_kernel.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/scope.h"

enum {
    DATAGRAM_MAX = 64 * 1024, /* of a list; the kernel makes them as large as they are read */
    DRAIN_MAX = 1000,         /* datagrams read away at once */
};

/* A socket on which these bytes were sent, or a negative errno. */
static int ask(int protocol, struct str bytes)
{
    int buffer = (int)bytes.len * 2, on = 1;
    scoped_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    /* May be refused when it is enough anyway. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
    /* Before Linux 4.3, an error brings the whole message back that it is about. */
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    if (send(fd, bytes.ptr, bytes.len, 0) != (ssize_t)bytes.len)
        return -errno;
    return take_fd(&fd);
}

int carry_kernel_put(struct str batch)
{
    _Alignas(struct nlmsghdr) char answer[4096];
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    scoped_fd int fd = ask(NETLINK_NETFILTER, batch);
    if (fd < 0)
        return fd;
    ssize_t got = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN ? 0 : -errno; /* the kernel has nothing to say against it */
    /* What it is about may be cut off. */
    if ((size_t)got < NLMSG_LENGTH(sizeof(struct nlmsgerr)) || header->nlmsg_type != NLMSG_ERROR)
        return -EIO;
    return ((const struct nlmsgerr *)nlmsg_data(header))->error;
}

struct carry_answer carry_kernel_ask(enum carry_topic topic, enum ip_family family, uint64_t now_ms,
                                     struct arena *arena)
{
    struct carry_answer answer = {0};
    char *room = arena_alloc(arena, DATAGRAM_MAX);
    scoped_fd int fd = ask(NETLINK_NETFILTER, carry_question(topic, family, arena));
    if (fd < 0) {
        answer.error = fd;
        return answer;
    }
    while (!answer.complete) {
        ssize_t got = recv(fd, room, DATAGRAM_MAX, MSG_DONTWAIT);
        if (got <= 0) {
            answer.error = got < 0 ? -errno : -EIO;
            break;
        }
        carry_answer_take(&answer, (struct str){.ptr = room, .len = (size_t)got}, now_ms, arena);
    }
    return answer;
}

bool carry_kernel_is_near(const struct ip *ip)
{
    struct request {
        struct nlmsghdr header;
        struct rtmsg route;
        struct nlattr to;
        uint8_t bytes[16];
    } request = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = ip->family == IP_V4 ? AF_INET : AF_INET6,
                  .rtm_dst_len = (unsigned char)ip_bits(ip)},
        .to = {.nla_type = RTA_DST, .nla_len = (uint16_t)(sizeof(struct nlattr) + ip_bits(ip) / 8)},
    };
    _Alignas(struct nlmsghdr) char answer[4096];
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    struct nlattr *attributes[RTA_MAX + 1];
    size_t size = offsetof(struct request, bytes) + ip_bits(ip) / 8;
    for (size_t i = 0; i < ip_bits(ip) / 8; i++)
        request.bytes[i] = ip->bytes[i];
    request.header.nlmsg_len = (uint32_t)size;
    scoped_fd int fd = ask(NETLINK_ROUTE, (struct str){.ptr = (const char *)&request, .len = size});
    ssize_t got = fd < 0 ? -1 : recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
    return got > 0 && nlmsg_ok(header, (int)got) && header->nlmsg_type == RTM_NEWROUTE &&
           nlmsg_parse(header, sizeof(struct rtmsg), attributes, RTA_MAX, NULL) >= 0 &&
           ((const struct rtmsg *)nlmsg_data(header))->rtm_type == RTN_UNICAST &&
           !attributes[RTA_GATEWAY] && !attributes[RTA_VIA] && !attributes[RTA_MULTIPATH];
}

/* Bound, since a socket that is not hears of nothing. */
int carry_kernel_follow(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                        .nl_groups = 1u << (NFNLGRP_NFTABLES - 1)};
    scoped_fd int fd =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return take_fd(&fd);
}

void carry_kernel_drain(int fd)
{
    char byte;
    /* What does not fit is cut off; lost messages (ENOBUFS) say as much as those that have come. */
    for (int i = 0; i < DRAIN_MAX; i++) {
        if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno != ENOBUFS)
            return;
    }
}
