/* ServiceL2Status objects: for each Service that is announced on the local segment one, made by the
 * node that announces it, into our namespace. The API server names it ("l2-" and five letters); it
 * is found by its labels. Who announces a Service makes its own object and deletes those of others;
 * who does not deletes its own. Pure. */
#ifndef SPEAKER_L2STATUS_H
#define SPEAKER_L2STATUS_H

#include "common/source/source_verb.h"
#include "crd/announced.h"
#include "crd/kinds.h"

#define L2STATUS_NODE "metallb.io/node"
#define L2STATUS_NAME "metallb.io/service-name"
#define L2STATUS_NAMESPACE "metallb.io/service-namespace"

/* What is to be there. */
struct l2status_want {
    struct str node; /* ours */
    struct str service_namespace, service_name;
    bool announced;
    struct str_list interfaces;    /* names, sorted; none: all */
    const struct owner_ref *owner; /* the pod; NULL: none */
};

/* One write of several that may be due. */
struct l2status_write {
    enum source_verb verb;
    struct str name;   /* empty for SOURCE_CREATE and SOURCE_DELETE_ALL */
    struct str labels; /* SOURCE_DELETE_ALL */
    struct str body;
};

/* The next write that makes ours, the objects of this node and Service, what is wanted. False when
 * there is none. Texts in the arena or borrowed. */
bool l2status_next(const struct l2status_want *want, const struct object *const *ours, size_t count,
                   struct arena *arena, struct l2status_write *ret);

/* Deletes what other nodes say about the Service. */
struct l2status_write l2status_clear(const struct l2status_want *want, struct arena *arena);

/* "namespace/name" of the Service that an object is about, by its labels. */
void l2status_service(const struct object *object, struct sbuf *out);

#endif
