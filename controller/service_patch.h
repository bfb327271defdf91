/* The difference between what a Service shows and what the plan says, as one JSON merge patch on
 * its status subresource: ingress list, pool annotation and condition together. */
#ifndef CONTROLLER_SERVICE_PATCH_H
#define CONTROLLER_SERVICE_PATCH_H

#include "controller/plan.h"
#include "crd/service.h"

/* The type of the Service condition that says whether it has its addresses, and why not. */
#define SERVICE_CONDITION_ALLOCATED "stentor.io/Allocated"

/* Its reason while it is Unknown, because a new leader waits for the end of the former one. */
#define SERVICE_REASON_LEADER_CHANGED "LeaderChanged"

/* The type of the condition that is there, and True, while somebody who is none of ours answers for
 * an address that the Service has or asks for. */
#define SERVICE_CONDITION_CONFLICT "stentor.io/AddressConflict"

/* The patch that makes the Service show the record, and the placement (the text of the annotation;
 * empty: there is to be none; NULL: it stays as it is), with the object's resourceVersion as its
 * precondition, in the arena; empty when it shows all already. now: seconds since 1970, for
 * lastTransitionTime. Ingress entries without an IP and conditions of others are kept. */
struct str service_patch(const struct plan_record *record, const struct str *placement,
                         const struct service *service, int64_t now, struct arena *arena);

/* The patch that only takes away what the Service shows and the record does not have, for a Service
 * that must wait for the rest (handover.h). The condition stays as it is until then. Empty when it
 * shows nothing of that kind. */
struct str service_patch_release(const struct plan_record *record, const struct service *service,
                                 struct arena *arena);

/* The patch that changes the Service's version and takes or gives nothing (fence.h): its condition
 * says that `leader` has taken over. Two leaders, or one at two times, never say the same. */
struct str service_patch_fence(const struct service *service, struct str leader, int64_t now,
                               struct arena *arena);

#endif
