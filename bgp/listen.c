#include "bgp/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/scope.h"

enum { BFD_PORT = 3784 }; /* RFC 5881 section 4 */

/* As BIRD would bind: 0 or a negative errno. A family that the kernel lacks is free. */
static int try_port(int family, int kind, uint16_t port, bool reuse)
{
    int on = 1;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const struct sockaddr *address =
        family == AF_INET ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    scoped_fd int fd = socket(family, kind | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno == EAFNOSUPPORT ? 0 : -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    return bind(fd, address, family == AF_INET ? sizeof(v4) : sizeof(v6)) < 0 ? -errno : 0;
}

static bool is_free(uint16_t port)
{
    return try_port(AF_INET, SOCK_STREAM, port, true) == 0 &&
           try_port(AF_INET6, SOCK_STREAM, port, true) == 0;
}

uint16_t listen_choose(void)
{
    if (is_free(LISTEN_BGP))
        return LISTEN_BGP;
    for (uint16_t i = 0; i < LISTEN_OTHERS; i++) {
        if (is_free((uint16_t)(LISTEN_OTHER + i)))
            return (uint16_t)(LISTEN_OTHER + i);
    }
    return LISTEN_OTHER;
}

bool listen_bfd_is_taken(void)
{
    return try_port(AF_INET, SOCK_DGRAM, BFD_PORT, false) == -EADDRINUSE ||
           try_port(AF_INET6, SOCK_DGRAM, BFD_PORT, false) == -EADDRINUSE;
}
