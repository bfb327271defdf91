/* The connection to one API server, with credentials: what reflectors, writers, leases and events
 * stand on. Two connections: one for watches (requests with `watch` set), one for everything else,
 * because the API server ends a watch whose events have to wait behind other answers for more than
 * some milliseconds. A call waits while credentials are fetched, and is sent a second time when the
 * server refuses them (401) and newer ones can be had. */
#ifndef COMMON_KUBE_CLIENT_H
#define COMMON_KUBE_CLIENT_H

#include "common/kube/auth.h"
#include "common/kube/transport.h"

struct client;
struct client_call;

struct client_config {
    struct auth_config auth;
    struct str user_agent;         /* "stentor-controller/0.1.0" */
    transport_observe_fn *observe; /* for metrics; may be NULL */
    void *ctx;
};

/* NULL with a sentence in ret_error (arena) when the configuration cannot be used. Nothing is sent
 * before the first call. */
struct client *client_new(struct loop *loop, const struct client_config *config,
                          struct arena *arena, struct str *ret_error);
/* Cancels all calls. NULL is fine; returns NULL. */
struct client *client_free(struct client *client);
SCOPE_DEFINE(client, struct client, client_free)

struct loop *client_loop(const struct client *client);
/* The namespace of the kubeconfig's context or of the pod; may be empty. */
struct str client_namespace(const struct client *client);
struct str client_server(const struct client *client);
/* Is a credential program run for it? */
bool client_runs_programs(const struct client *client);

/* As transport_call; `authorization` of the request is filled in here. A result of -EACCES means
 * that there are no credentials. */
struct client_call *client_call(struct client *client, const struct http_request *request);
struct client_call *client_cancel(struct client_call *call);

#endif
