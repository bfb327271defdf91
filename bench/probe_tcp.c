#include "bench/probe_tcp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/page.h"

enum { FLOWS_MAX = 512 };

/* A connection, with the requests on it that wait for their answers, in their order. */
struct flow {
    struct probe_tcp *tcp;
    int fd;
    struct loop_fd *watch;
    bool connected;
    uint64_t started_ns;
    size_t sent; /* of the questions, how many are on their way */
    VEC(size_t) questions;
    struct page_text in;
};

struct probe_tcp {
    struct loop *loop;
    struct probe_tcp_options options;
    struct probe_names *names;
    struct probe_record *record;
    VEC(struct flow *) flows;
    VEC(size_t) waiting; /* PROBE_OPEN: asked on connections that ended before the answer */
};

static void flow_ready(void *ctx, unsigned events);

static socklen_t socket_address(const struct probe_tcp_options *options,
                                struct sockaddr_storage *ret)
{
    *ret = (struct sockaddr_storage){0};
    if (options->ip.family == IP_V4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(options->port);
        memcpy(&v4->sin_addr, options->ip.bytes, 4);
        return sizeof(*v4);
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(options->port);
    memcpy(&v6->sin6_addr, options->ip.bytes, 16);
    return sizeof(*v6);
}

/* A connection that is being made, or NULL when this fails at once, as without a route. */
static struct flow *flow_open(struct probe_tcp *tcp)
{
    struct sockaddr_storage address;
    socklen_t size = socket_address(&tcp->options, &address);
    scoped_fd int fd =
        socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    const int one = 1;
    if (fd < 0 || tcp->flows.len == FLOWS_MAX)
        return NULL;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* a matter of speed alone */
    if (connect(fd, (const struct sockaddr *)&address, size) < 0 && errno != EINPROGRESS)
        return NULL;
    struct flow *flow = heap_alloc(sizeof(*flow));
    *flow = (struct flow){.tcp = tcp, .fd = take_fd(&fd), .started_ns = loop_clock_ns()};
    flow->watch = loop_fd_watch(tcp->loop, flow->fd, LOOP_READ | LOOP_WRITE, flow_ready, flow);
    vec_push(&tcp->flows, flow);
    return flow;
}

/* What was asked on a connection that stays is asked again on the next one, as a client does whose
 * requests may be repeated. */
static void flow_close(struct flow *flow)
{
    struct probe_tcp *tcp = flow->tcp;
    for (size_t i = 0; tcp->options.kind == PROBE_OPEN && i < flow->questions.len; i++)
        vec_push(&tcp->waiting, flow->questions.items[i]);
    for (size_t i = 0; i < tcp->flows.len; i++) {
        if (tcp->flows.items[i] == flow) {
            vec_drop(&tcp->flows, i);
            break;
        }
    }
    (void)loop_fd_cancel(flow->watch);
    (void)close(flow->fd);
    vec_done(&flow->questions);
    free(flow);
}

/* The requests that were not sent yet. False when the connection is of no use any more. */
static bool flow_send(struct flow *flow)
{
    while (flow->sent < flow->questions.len) {
        struct str request =
            flow->tcp->options.kind == PROBE_FRESH ? page_request_last : page_request_next;
        ssize_t sent = send(flow->fd, request.ptr, request.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent != (ssize_t)request.len)
            return false;
        flow->sent++;
    }
    loop_fd_change(flow->watch, LOOP_READ | (flow->sent < flow->questions.len ? LOOP_WRITE : 0u));
    return true;
}

static void flow_answered(struct flow *flow, struct str page)
{
    struct probe_tcp *tcp = flow->tcp;
    uint64_t now = loop_clock_ns();
    size_t index = flow->questions.items[0];
    if (now - tcp->record->events.items[index].asked_ns <= tcp->options.deadline_ns)
        probe_record_answer(tcp->record, index, probe_names_find(tcp->names, page), now);
    flow->questions.len--;
    flow->sent--;
    memmove(flow->questions.items, flow->questions.items + 1,
            flow->questions.len * sizeof(*flow->questions.items));
}

/* False when the connection has ended, by whichever side. */
static bool flow_read(struct flow *flow)
{
    ssize_t size =
        recv(flow->fd, flow->in.bytes + flow->in.len, sizeof(flow->in.bytes) - flow->in.len, 0);
    if (size <= 0)
        return size < 0 && errno == EAGAIN;
    flow->in.len += (size_t)size;
    struct str page;
    while (flow->sent > 0 && page_answer_take(&flow->in, &page)) {
        flow_answered(flow, page);
        page_text_drop(&flow->in);
    }
    bool done = flow->tcp->options.kind == PROBE_FRESH && flow->questions.len == 0;
    return !done && flow->in.len < sizeof(flow->in.bytes);
}

static void ask_waiting(struct probe_tcp *tcp, struct flow *flow)
{
    for (size_t i = 0; i < tcp->waiting.len; i++)
        vec_push(&flow->questions, tcp->waiting.items[i]);
    vec_clear(&tcp->waiting);
}

static void flow_ready(void *ctx, unsigned events)
{
    struct flow *flow = ctx;
    struct probe_tcp *tcp = flow->tcp;
    int error = 0;
    socklen_t size = sizeof(error);
    (void)getsockopt(flow->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    flow->connected = flow->connected || (error == 0 && (events & LOOP_WRITE));
    if (error == 0 && (!flow->connected || flow_send(flow)) && flow_read(flow))
        return;
    bool broke = flow->connected;
    flow_close(flow);
    if (tcp->options.kind == PROBE_FRESH)
        return;
    probe_record_note(tcp->record, broke ? "connection broke" : "connection refused", PROBE_NOBODY,
                      loop_clock_ns());
    /* A refused one is tried anew with the next request, not in a tight circle. */
    struct flow *next = broke ? flow_open(tcp) : NULL;
    if (next)
        ask_waiting(tcp, next);
}

struct probe_tcp *probe_tcp_new(struct loop *loop, const struct probe_tcp_options *options,
                                struct probe_names *names, struct probe_record *record)
{
    struct probe_tcp *tcp = heap_alloc(sizeof(*tcp));
    *tcp = (struct probe_tcp){.loop = loop, .options = *options, .names = names, .record = record};
    return tcp;
}

struct probe_tcp *probe_tcp_free(struct probe_tcp *tcp)
{
    if (!tcp)
        return NULL;
    while (tcp->flows.len > 0)
        flow_close(tcp->flows.items[0]);
    vec_done(&tcp->flows);
    vec_done(&tcp->waiting);
    free(tcp);
    return NULL;
}

/* What was not answered in time, or not even connected, is of no use to anyone. */
static void give_up_late(struct probe_tcp *tcp)
{
    uint64_t now = loop_clock_ns();
    size_t kept = 0;
    for (size_t i = 0; i < tcp->waiting.len; i++) {
        size_t index = tcp->waiting.items[i];
        if (now - tcp->record->events.items[index].asked_ns <= tcp->options.deadline_ns)
            tcp->waiting.items[kept++] = index;
    }
    tcp->waiting.len = kept;
    for (size_t i = tcp->flows.len; i-- > 0;) {
        struct flow *flow = tcp->flows.items[i];
        bool made = tcp->options.kind == PROBE_OPEN && flow->connected;
        if (!made && now - flow->started_ns > tcp->options.deadline_ns)
            flow_close(flow);
    }
}

void probe_tcp_ask(struct probe_tcp *tcp)
{
    size_t index = probe_record_ask(tcp->record, loop_clock_ns());
    give_up_late(tcp);
    bool reuse = tcp->options.kind == PROBE_OPEN && tcp->flows.len > 0;
    struct flow *flow = reuse ? tcp->flows.items[0] : flow_open(tcp);
    if (!flow) {
        if (tcp->options.kind == PROBE_OPEN)
            vec_push(&tcp->waiting, index);
        return;
    }
    ask_waiting(tcp, flow);
    vec_push(&flow->questions, index);
    if (flow->connected && !flow_send(flow))
        flow_close(flow);
}
