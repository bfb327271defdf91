/* An HTTP/1.1 server on the loop, plain or TLS (libmicrohttpd behind it). */
#ifndef COMMON_HTTPD_HTTPD_H
#define COMMON_HTTPD_HTTPD_H

#include <stdint.h>

#include "common/base/names.h"
#include "common/httpd/http.h"
#include "common/loop/loop.h"

struct httpd;

enum httpd_tls { HTTPD_TLS_1_3, HTTPD_TLS_1_2 };

/* "VersionTLS13" and "VersionTLS12", as Kubernetes' flags write them. */
extern const struct names httpd_tls_names;

struct httpd_config {
    const char *name;                /* for the log: "metrics", "health" */
    struct str address;              /* numeric address to bind; empty: all, both families */
    uint16_t port;                   /* 0: a free one, see httpd_port */
    const struct http_route *routes; /* borrowed until the close */
    size_t route_count;
    void *ctx; /* for the handlers, which must not close the server */
    /* PEM files for TLS; both empty: plain HTTP. New connections get the files' certificate of the
     * moment; while it does not fit its key, the last one that did. */
    struct str certificate_file, key_file;
    enum httpd_tls tls_min;
    /* Limits; 0 takes the default. */
    size_t body_max;               /* bytes of a request's body: 64 KiB */
    unsigned connections_max;      /* 128 */
    unsigned connections_per_peer; /* 32 */
    uint64_t request_ms;           /* from the first line of a request to its answer: 30 s */
    unsigned idle_s;               /* a connection on which nothing happens: 60 s */
};

/* 0 and the server, or a negative errno: an address that cannot be bound, a file that cannot be
 * read (ERR_KEY_PAIR: not a certificate with its key). */
int httpd_open(struct loop *loop, const struct httpd_config *config, struct httpd **ret)
    __attribute__((warn_unused_result));

/* Closes the server and every connection at once. NULL is fine; returns NULL. */
struct httpd *httpd_close(struct httpd *httpd);
SCOPE_DEFINE(httpd, struct httpd, httpd_close)

uint16_t httpd_port(const struct httpd *httpd);

#endif
