/* Members of JSON that somebody else has written: what is missing or of another type is empty. */
#ifndef CTL_TREE_H
#define CTL_TREE_H

#include <jansson.h>

#include "common/base/str.h"

static inline struct str tree_of(const json_t *value)
{
    return (struct str){.ptr = json_string_value(value), .len = json_string_length(value)};
}

static inline struct str tree_text(const json_t *tree, const char *key)
{
    return tree_of(json_object_get(tree, key));
}

static inline int64_t tree_int(const json_t *tree, const char *key)
{
    return json_integer_value(json_object_get(tree, key));
}

static inline bool tree_bool(const json_t *tree, const char *key)
{
    return json_is_true(json_object_get(tree, key));
}

/* Where in the list the text is; the list's size when it is not. */
static inline size_t tree_find(const json_t *list, struct str text)
{
    size_t i = 0;
    while (i < json_array_size(list) && !str_eq(tree_of(json_array_get(list, i)), text))
        i++;
    return i;
}

#endif
