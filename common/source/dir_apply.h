/* Server-side apply, as much of it as our programs use. Pure. */
#ifndef COMMON_SOURCE_DIR_APPLY_H
#define COMMON_SOURCE_DIR_APPLY_H

#include <jansson.h>

/* Applies `next` to target (an object, changed in place): members of next are set, objects are
 * merged, lists replaced, except that "conditions" are merged by their "type". What the same
 * manager applied the last time (`last`, may be NULL) and does not say any more is removed. */
void dir_apply(json_t *target, const json_t *last, const json_t *next);

#endif
