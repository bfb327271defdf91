/* Choosing objects by their labels, as the API server does with the parameter labelSelector: terms
 * "key=value" and "key!=value" with commas between them, all of which must hold. The second holds
 * as well for what has no such label. Pure. */
#ifndef COMMON_SOURCE_LABEL_FILTER_H
#define COMMON_SOURCE_LABEL_FILTER_H

#include <stdint.h>

#include "common/json/fields.h"

/* An empty filter takes all. A term that is none takes nothing. */
bool label_filter_takes(struct str filter, const struct str_map *labels);

/* A few of 64 bits that stand for a label. Those of all labels of an object, or'ed, hold all of
 * label_filter_signs when the filter takes the object; when it does not they rarely do, so that of
 * many objects few need be looked at. */
uint64_t label_filter_sign(struct str key, struct str value);
uint64_t label_filter_signs(struct str filter);

#endif
