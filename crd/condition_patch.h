/* Conditions in merge patches. */
#ifndef CRD_CONDITION_PATCH_H
#define CRD_CONDITION_PATCH_H

#include "common/json/patch.h"
#include "crd/condition.h"

/* What one condition is to be. */
struct condition_want {
    struct str type;
    const struct condition *ours; /* NULL: there is to be none */
};

/* Puts the list "conditions" of an object into an open patch: those shown, with ours in place of
 * those of our types. A merge patch replaces lists whole, so the conditions of others go along as
 * they are. When the status is the one shown before, its time stays. */
void condition_patch(struct patch *patch, const struct list *shown,
                     const struct condition_want *wants, size_t count);

/* Do all shown conditions of these types say what they are to say? */
bool condition_patch_is_done(const struct list *shown, const struct condition_want *wants,
                             size_t count);

/* Do the two say the same, times left aside? Either may be NULL. */
bool condition_same(const struct condition *a, const struct condition *b);

#endif
