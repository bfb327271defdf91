/* JSON text of an object, or of a watch event with one, as the API server sends it. */
#ifndef COMMON_KUBE_OBJECT_TEXT_H
#define COMMON_KUBE_OBJECT_TEXT_H

#include <jansson.h>

#include "common/base/str.h"

/* The tree of the text, to be given back with json_decref; NULL when it is not JSON that we can
 * hold. Its texts may hold any character, NUL too: read them with their lengths. The list of
 * managed fields is left empty: nobody here reads it, and it is most of what parsing an object
 * would cost. */
json_t *object_text_load(struct str text);

#endif
