/* Who we are to the API server: where it is, whom we trust, our token or certificate. Files are
 * read again when they change, a credential program is run again when what it gave has expired. */
#ifndef COMMON_KUBE_AUTH_H
#define COMMON_KUBE_AUTH_H

#include "common/kube/kube_config.h"
#include "common/loop/loop.h"

struct auth;

struct auth_config {
    const char *kubeconfig; /* file; NULL: the pod's service account */
    const char *context;    /* NULL: the file's current one */
    const char *in_cluster; /* directory of the service account; NULL: the usual one */
};

/* Reads the configuration and all files it names; NULL with a sentence in ret_error (arena) when
 * that fails. ready is called when auth_check has returned AUTH_WAIT and the wait is over; never
 * from inside a function here. */
struct auth *auth_new(struct loop *loop, const struct auth_config *config, void (*ready)(void *ctx),
                      void *ctx, struct arena *arena, struct str *ret_error);
/* Wipes all secrets. NULL is fine; returns NULL. */
struct auth *auth_free(struct auth *auth);
SCOPE_DEFINE(auth, struct auth, auth_free)

/* The parsed configuration (server, name to verify, insecure, namespace). */
const struct kube_config *auth_config(const struct auth *auth);

enum auth_state {
    AUTH_READY,
    AUTH_WAIT,   /* the credential program runs; `ready` will be called */
    AUTH_FAILED, /* it could not be run, or gave nothing of use; tried again after a while */
};

/* Brings everything up to date (looks at files at most once a second). */
enum auth_state auth_check(struct auth *auth);

/* Value for an Authorization header, a secret; empty: none. Borrowed until the next auth_check. */
struct str auth_header(const struct auth *auth);

/* PEM texts for TLS, empty when not given; borrowed likewise. */
struct auth_tls {
    struct str ca, cert, key;
    uint64_t version; /* changes whenever the texts do */
};
struct auth_tls auth_tls(const struct auth *auth);

/* The server has answered 401 to what auth_header gave when auth_version was `version`. True when
 * something newer is there or can be had, so that a second try makes sense. */
uint64_t auth_version(const struct auth *auth);
bool auth_rejected(struct auth *auth, uint64_t version);

#endif
