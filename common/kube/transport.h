/* HTTP to one API server: many calls at once on the loop, HTTP/2 on one connection where the
 * server has it (libcurl behind it; no other file includes curl.h).
 *
 * A dead connection is noticed: the kernel gives up unacknowledged data, and when a server that
 * owes answers has been silent for long, it is asked for a sign of life; without one, all calls
 * end with -ETIMEDOUT and a new connection is made. */
#ifndef COMMON_KUBE_TRANSPORT_H
#define COMMON_KUBE_TRANSPORT_H

#include "common/loop/loop.h"

struct transport;
struct http_call;

/* One finished call, for metrics. method is "WATCH" for a watch, whose seconds say how long it
 * lasted. code is 0 when there was no answer. */
typedef void transport_observe_fn(void *ctx, const char *method, unsigned code, double seconds);

struct transport_config {
    struct str server;          /* "https://host:port/prefix" */
    struct str tls_server_name; /* to verify and ask for instead of the URL's host; may be empty */
    bool insecure;              /* do not verify the server's certificate */
    struct str user_agent;
    transport_observe_fn *observe; /* may be NULL */
    void *ctx;
};

struct transport *transport_new(struct loop *loop, const struct transport_config *config);
/* Cancels all calls. NULL is fine; returns NULL. */
struct transport *transport_free(struct transport *transport);
SCOPE_DEFINE(transport, struct transport, transport_free)

/* PEM texts for calls started from now on: authorities (empty: the system's), and our certificate
 * and key (empty: none). Copied; wiped when no longer used. */
void transport_set_tls(struct transport *transport, struct str ca, struct str cert, struct str key);

struct http_response {
    /* 0: there was a whole answer, whatever its code. Else why not: -ECONNREFUSED, -EHOSTUNREACH
     * (no such name), -ETIMEDOUT, -ECONNRESET, -EKEYREJECTED (the server's certificate is not
     * to be trusted), ERR_TOO_LARGE, ERR_PROTOCOL. */
    int result;
    unsigned code;      /* HTTP; 0 when the answer had not begun */
    struct str body;    /* what `data` did not get */
    struct str warning; /* text of the last Warning header (RFC 9111: "299 - …"), may be empty */
    uint64_t retry_after_s; /* 0: not told */
    struct str error;       /* a sentence when result is not 0 */
};

/* Texts are borrowed until transport_call returns. */
struct http_request {
    const char *method;       /* a constant: "GET" */
    struct str path;          /* behind the server's URL: "/api/v1/services?limit=1" */
    struct str authorization; /* header value, a secret; empty: none */
    struct str accept, content_type;
    struct str body;
    uint64_t timeout_ms; /* for the whole call; 0: none */
    uint64_t silence_ms; /* ends a call that gets nothing for so long; 0: never */
    bool watch;          /* not an ordinary call (client.h, transport_observe_fn) */
    size_t body_max;     /* longest body to collect; 0: 256 KiB */
    /* The answer has begun, with a code of 200 to 299. May be NULL. */
    void (*begun)(void *ctx);
    /* Gets the body of an answer with a code of 200 to 299 as it arrives. NULL: collected. */
    void (*data)(void *ctx, struct str bytes);
    /* Called once, with all of response borrowed. The call is gone. */
    void (*done)(void *ctx, const struct http_response *response);
    void *ctx;
};

/* Starts a call; callbacks come from the loop, never from inside this function. Any function here
 * may be called from a callback (transport_free only from outside). */
struct http_call *transport_call(struct transport *transport, const struct http_request *request);
/* After this returns no callback of the call runs. NULL is fine; returns NULL. */
struct http_call *transport_cancel(struct http_call *call);

/* Calls under way. */
size_t transport_active(const struct transport *transport);

#endif
