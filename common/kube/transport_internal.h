/* Shared by the files of transport only; the one header that includes curl.h. */
#ifndef COMMON_KUBE_TRANSPORT_INTERNAL_H
#define COMMON_KUBE_TRANSPORT_INTERNAL_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "common/base/sbuf.h"
#include "common/kube/transport.h"

/* PEM texts, counted: calls use them without copying. */
struct tls {
    unsigned refs;
    struct str ca, cert, key; /* heap */
};

struct http_call {
    TAILQ_ENTRY(http_call) link; /* of all calls */
    TAILQ_ENTRY(http_call) due_link;
    struct transport *transport;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    struct sbuf url, request_body, body, warning;
    struct tls *tls;
    char error[CURL_ERROR_SIZE];
    const char *method;
    size_t body_max;
    uint64_t started_ns, retry_after_s;
    bool added;     /* to the multi handle */
    bool cancelled; /* while libcurl ran: to be freed after */
    bool ended;     /* libcurl is through with it: `done` is to be called */
    bool too_large;
    bool is_due; /* for settle: it is new, cancelled or ended */
    int result;
    void (*begun)(void *ctx);
    void (*data)(void *ctx, struct str bytes);
    void (*done)(void *ctx, const struct http_response *response);
    void *ctx;
};

TAILQ_HEAD(call_list, http_call);
struct watched;

struct transport {
    struct loop *loop;
    CURLM *multi;
    struct call_list calls, due;
    size_t active;
    struct sbuf server, connect_to, host, user_agent;
    bool insecure, inside, closing;
    struct tls *tls;
    struct loop_timer *timer;     /* libcurl's */
    struct loop_timer *settling;  /* deferred settle */
    struct loop_timer *keepalive; /* while calls are under way */
    struct http_call *sign;       /* the question for a sign of life */
    uint64_t heard_at;            /* ms, when anything last came from the server */
    LIST_HEAD(, watched) watched; /* libcurl's descriptors */
    struct loop_timer *rest;      /* NULL, or descriptors are not read until then */
    uint64_t ready_at;            /* ms, when one was ready last */
    size_t received;              /* bytes, since then */
    transport_observe_fn *observe;
    void *ctx;
};

struct tls *tls_unref(struct tls *tls);

/* A new call with its easy handle, due to be given to libcurl. */
struct http_call *transport_call_open(struct transport *transport,
                                      const struct http_request *request);
/* Something is to be done with it outside of libcurl; or is about to be. */
void transport_call_set_due(struct http_call *call, bool due);
/* Takes it away from libcurl, out of the lists, and frees it. */
void transport_call_close(struct http_call *call);

#endif
