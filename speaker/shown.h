/* What nodes show of the Services that they announce: a ServiceL2Status, made by the node that
 * announces the Service on the local segment, and a ServiceBGPStatus by each node that announces it
 * over BGP, in our namespace. The API server names them ("l2-" or "bgp-" and five letters); they
 * are found by their labels. Who announces a Service on the local segment makes its own object and
 * deletes those of others; who announces it no more deletes its own. Pure. */
#ifndef SPEAKER_SHOWN_H
#define SPEAKER_SHOWN_H

#include "common/source/source_verb.h"
#include "crd/announced.h"
#include "crd/kinds.h"

/* What is to be there. */
struct shown_want {
    enum kind_id kind; /* KIND_SERVICE_L2_STATUS or KIND_SERVICE_BGP_STATUS */
    struct str node;   /* ours */
    struct str service_namespace, service_name;
    bool announced;
    struct str_list names;         /* sorted: of interfaces (none: all), or of BGPPeers */
    const struct owner_ref *owner; /* the pod; NULL: none */
};

/* One write of several that may be due. */
struct shown_write {
    enum source_verb verb;
    struct str name;   /* empty for SOURCE_CREATE and SOURCE_DELETE_ALL */
    struct str labels; /* SOURCE_DELETE_ALL */
    struct str body;
};

/* The next write that makes ours, the objects of this node and Service, what is wanted. False when
 * there is none. Texts in the arena or borrowed. */
bool shown_next(const struct shown_want *want, const struct object *const *ours, size_t count,
                struct arena *arena, struct shown_write *ret);

/* Deletes what other nodes say about the Service. */
struct shown_write shown_clear(const struct shown_want *want, struct arena *arena);

#endif
