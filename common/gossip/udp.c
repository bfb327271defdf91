#include "common/gossip/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/scope.h"

enum { RECEIVE_BUFFER = 1 << 20 }; /* a burst of small datagrams from a thousand members */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill(union address *address, const struct ip *ip, uint16_t port)
{
    *address = (union address){0};
    if (ip->family == IP_V4) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        memcpy(&address->v4.sin_addr, ip->bytes, 4);
        return sizeof(address->v4);
    }
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    memcpy(&address->v6.sin6_addr, ip->bytes, 16);
    return sizeof(address->v6);
}

int udp_open(const struct ip *bind_to, uint16_t port)
{
    union address address;
    socklen_t len = fill(&address, bind_to, port);
    scoped_fd int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int on = 1, size = RECEIVE_BUFFER;
    if (bind_to->family == IP_V6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    /* The kernel may give less than asked for: what it gives is good. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (bind(fd, &address.any, len) < 0)
        return -errno;
    return take_fd(&fd);
}

int udp_send(int fd, const struct ip *to, uint16_t port, const void *data, size_t size)
{
    union address address;
    socklen_t len = fill(&address, to, port);
    ssize_t sent = sendto(fd, data, size, 0, &address.any, len);
    return sent < 0 ? -errno : 0;
}

int udp_receive(int fd, void *data, size_t size, struct ip *ret_from, uint16_t *ret_port)
{
    union address address;
    socklen_t len = sizeof(address);
    ssize_t got = recvfrom(fd, data, size, 0, &address.any, &len);
    if (got < 0)
        return -errno;
    if (address.any.sa_family == AF_INET) {
        *ret_from = ip_from_bytes(IP_V4, (const uint8_t *)&address.v4.sin_addr);
        *ret_port = ntohs(address.v4.sin_port);
    } else {
        *ret_from = ip_from_bytes(IP_V6, (const uint8_t *)&address.v6.sin6_addr);
        *ret_port = ntohs(address.v6.sin6_port);
    }
    return (int)got;
}
