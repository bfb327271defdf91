/* The Kubernetes API as a source. */
#ifndef COMMON_SOURCE_SOURCE_KUBE_H
#define COMMON_SOURCE_SOURCE_KUBE_H

#include "common/kube/events.h"
#include "common/kube/reflector.h"
#include "common/source/source.h"

/* Texts are borrowed until source_kube_new returns. */
struct source_kube_config {
    struct auth_config auth;
    struct str program;  /* "stentor-controller": user agent and default field manager */
    struct str reporter; /* reportingController of Events: "stentor.io/controller" */
    struct str instance; /* tells replicas apart: the pod's name */
    /* Where the followed objects are saved, to be worked from after a start without an API server
     * (saved.h); empty: nowhere. */
    struct str state_dir;
    size_t object_max;             /* limit of one object's JSON; 0: the reflector's */
    transport_observe_fn *observe; /* each request, for metrics; may be NULL */
    void *ctx;
};

/* NULL with a sentence in ret_error (arena) when the configuration cannot be used. A server that
 * does not answer is no error: it is tried until it does. */
struct source *source_kube_new(struct loop *loop, const struct source_kube_config *config,
                               struct arena *arena, struct str *ret_error);

/* The namespace of the kubeconfig's context or of the pod; may be empty. */
struct str source_kube_namespace(const struct source *source);

/* The API server's URL. */
struct str source_kube_server(const struct source *source);

/* Does the kubeconfig name a credential program, which is run again and again? */
bool source_kube_runs_programs(const struct source *source);

/* Figures for metrics. */
struct source_kube_counts {
    struct reflector_counts reflectors; /* of all kinds */
    struct events_counts events;
    size_t writes_pending;
};
struct source_kube_counts source_kube_counts(const struct source *source);

#endif
