/* The backend of the lab: a page with one line, "Hello from NAME", on every address of this host.
 *
 * usage: page_server NAME [PORT]
 *
 * Small and quick, so that many of them beside a measurement cost little. Ends on SIGTERM. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/page.h"
#include "common/base/arena.h"
#include "common/loop/loop.h"

enum { BACKLOG = 512, DEFAULT_PORT = 80 };

struct server {
    struct loop *loop;
    struct str page; /* with its line end */
    int fd;
    struct visitor *visitors;
};

struct visitor {
    struct server *server;
    struct visitor *next, *previous;
    int fd;
    struct loop_fd *watch;
    struct page_text in;
};

static void visitor_close(struct visitor *visitor)
{
    struct server *server = visitor->server;
    if (visitor->next)
        visitor->next->previous = visitor->previous;
    if (visitor->previous)
        visitor->previous->next = visitor->next;
    else
        server->visitors = visitor->next;
    (void)loop_fd_cancel(visitor->watch);
    (void)close(visitor->fd);
    free(visitor);
}

/* Answers what has come. False when the connection ends. */
static bool visitor_serve(struct visitor *visitor)
{
    struct page_text *in = &visitor->in;
    scoped_sbuf struct sbuf out = {0};
    bool last = false;
    ssize_t size = recv(visitor->fd, in->bytes + in->len, sizeof(in->bytes) - in->len, 0);
    if (size <= 0)
        return size < 0 && errno == EAGAIN;
    in->len += (size_t)size;
    while (!last && page_request_take(in, &last))
        page_answer_write(&out, visitor->server->page, last);
    page_text_drop(in);
    /* Who does not read its answers is not served on. */
    bool sent = send(visitor->fd, out.ptr, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
    return sent && !last && in->len < sizeof(in->bytes);
}

static void visitor_ready(void *ctx, unsigned events)
{
    (void)events;
    if (!visitor_serve(ctx))
        visitor_close(ctx);
}

static void visit(void *ctx, unsigned events)
{
    struct server *server = ctx;
    const int one = 1;
    (void)events;
    for (int fd; (fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        struct visitor *visitor = heap_alloc(sizeof(*visitor));
        *visitor = (struct visitor){.server = server, .fd = fd, .next = server->visitors};
        if (server->visitors)
            server->visitors->previous = visitor;
        server->visitors = visitor;
        visitor->watch = loop_fd_watch(server->loop, fd, LOOP_READ, visitor_ready, visitor);
    }
}

static void stop(void *ctx, int number)
{
    (void)number;
    loop_stop(ctx);
}

/* Both families. The addresses that are asked for need not be this host's yet. */
static int open_port(uint16_t port)
{
    scoped_fd int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int one = 1, zero = 0;
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return take_fd(&fd);
}

int main(int argc, char **argv)
{
    scoped_sbuf struct sbuf page = {0};
    uint64_t port = DEFAULT_PORT;
    if (argc < 2 || argc > 3 || (argc == 3 && str_to_u64(str_from(argv[2]), 65535, &port) < 0)) {
        (void)fprintf(stderr, "usage: page_server NAME [PORT]\n");
        return 2;
    }
    sbuf_printf(&page, "Hello from %s\n", argv[1]);
    scoped_ptr(loop) struct loop *loop = loop_new();
    struct server server = {.loop = loop, .page = sbuf_str(&page), .fd = open_port((uint16_t)port)};
    if (server.fd < 0) {
        (void)fprintf(stderr, "page_server: port %u: %s\n", (unsigned)port, strerror(-server.fd));
        return 1;
    }
    struct loop_fd *watch = loop_fd_watch(loop, server.fd, LOOP_READ, visit, &server);
    struct loop_signal *end = loop_signal_watch(loop, SIGTERM, stop, loop);
    (void)fprintf(stderr, "ready\n");
    loop_run(loop);
    while (server.visitors)
        visitor_close(server.visitors);
    (void)loop_signal_cancel(end);
    (void)loop_fd_cancel(watch);
    (void)close(server.fd);
    return 0;
}
