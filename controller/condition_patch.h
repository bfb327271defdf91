/* Conditions in merge patches. */
#ifndef CONTROLLER_CONDITION_PATCH_H
#define CONTROLLER_CONDITION_PATCH_H

#include "common/json/patch.h"
#include "crd/condition.h"

/* Puts the list "conditions" of an object into an open patch: those shown, with `ours` (NULL: none)
 * in place of the one of type `type`. A merge patch replaces lists whole, so the conditions of
 * others go along as they are. When the status is the one shown before, its time stays. */
void condition_patch(struct patch *patch, const struct list *shown, struct str type,
                     const struct condition *ours);

/* Do the two say the same, times left aside? Either may be NULL. */
bool condition_same(const struct condition *a, const struct condition *b);

#endif
