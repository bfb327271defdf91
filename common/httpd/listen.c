#include "common/httpd/listen.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/arena.h"

static int open_one(const struct addrinfo *where)
{
    static const int on = 1, off = 0;
    scoped_fd int fd =
        socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (where->ai_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
        return -errno;
    if (bind(fd, where->ai_addr, where->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
        return -errno;
    return take_fd(&fd);
}

static int open_named(const char *address, const char *port)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *where;
    if (getaddrinfo(address, port, &hints, &where) != 0)
        return -EINVAL;
    int result = open_one(where);
    freeaddrinfo(where);
    return result;
}

int listen_open(struct str address, uint16_t port)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    const char *number = arena_printf(arena, "%u", port).ptr;
    if (address.len)
        return open_named(arena_cstr(arena, address), number);
    int result = open_named("::", number);
    return result == -EAFNOSUPPORT || result == -EADDRNOTAVAIL ? open_named("0.0.0.0", number)
                                                               : result;
}

uint16_t listen_port(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof(own);
    int result = getsockname(fd, (struct sockaddr *)&own, &len);
    assert(result == 0);
    if (own.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&own)->sin6_port);
    return ntohs(((struct sockaddr_in *)&own)->sin_port);
}
