/* Why a Service has the addresses it has, or none: the whole story as JSON. */
#ifndef CONTROLLER_EXPLAIN_H
#define CONTROLLER_EXPLAIN_H

#include "common/json/patch.h"
#include "controller/placing.h"
#include "controller/plan.h"
#include "crd/service.h"

/* Puts an object: the record, what the Service asks for, what its status shows, who else has the
 * addresses it asks for, and for every pool whether it would serve this Service and what is free
 * in it; and which node answers, and why that one. */
void explain_service(struct patch *json, const struct plan *plan, const struct placing *placing,
                     const struct plan_record *record, const struct service *service);

#endif
