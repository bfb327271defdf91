/* Asks a page of an address over TCP, by this host's kernel with its own neighbour table: what a
 * user sees. The page's text names who answers. */
#ifndef BENCH_PROBE_TCP_H
#define BENCH_PROBE_TCP_H

#include "bench/probe_record.h"
#include "common/loop/loop.h"
#include "common/net/ip.h"

struct probe_tcp;

enum probe_tcp_kind {
    PROBE_FRESH, /* a new connection for each request */
    PROBE_OPEN, /* one connection for all requests, which do not wait for each other's answers; when
                 * it breaks, a notice, a new one at once, and unanswered requests again */
};

struct probe_tcp_options {
    enum probe_tcp_kind kind;
    struct ip ip;
    uint16_t port;
    uint64_t deadline_ns; /* an answer later than that is none */
};

/* The record and names are the caller's and outlive the probe. */
struct probe_tcp *probe_tcp_new(struct loop *loop, const struct probe_tcp_options *options,
                                struct probe_names *names, struct probe_record *record);
struct probe_tcp *probe_tcp_free(struct probe_tcp *tcp);

/* Sends one more request. */
void probe_tcp_ask(struct probe_tcp *tcp);

#endif
