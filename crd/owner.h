/* The object that another one goes with: when the owner is deleted, Kubernetes deletes what it
 * owns. Pure. */
#ifndef CRD_OWNER_H
#define CRD_OWNER_H

#include "common/json/patch.h"
#include "crd/object.h"

/* Puts metadata.ownerReferences into the metadata that is open; nothing without a uid. */
void owner_put(struct patch *patch, const struct owner_ref *owner);

#endif
