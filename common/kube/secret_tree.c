#include "common/kube/secret_tree.h"

#include <sodium.h>
#include <stdint.h>

static void wipe(json_t *tree)
{
    const char *key;
    json_t *value;
    size_t i;
    switch (json_typeof(tree)) {
    case JSON_OBJECT:
        json_object_foreach(tree, key, value)
        {
            wipe(value);
        }
        break;
    case JSON_ARRAY:
        json_array_foreach(tree, i, value)
        {
            wipe(value);
        }
        break;
    case JSON_STRING:
        sodium_memzero((void *)(uintptr_t)json_string_value(tree), json_string_length(tree));
        break;
    default:
        break;
    }
}

void secret_tree_free(json_t *tree)
{
    if (tree)
        wipe(tree);
    json_decref(tree);
}
