/* Choosing objects by their labels, as the API server does with the parameter labelSelector: terms
 * "key=value" and "key!=value" with commas between them, all of which must hold. The second holds
 * as well for what has no such label. Pure. */
#ifndef COMMON_SOURCE_LABEL_FILTER_H
#define COMMON_SOURCE_LABEL_FILTER_H

#include "common/json/fields.h"

/* An empty filter takes all. A term that is none takes nothing. */
bool label_filter_takes(struct str filter, const struct str_map *labels);

#endif
