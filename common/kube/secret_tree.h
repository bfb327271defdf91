/* JSON trees that hold secrets. */
#ifndef COMMON_KUBE_SECRET_TREE_H
#define COMMON_KUBE_SECRET_TREE_H

#include <jansson.h>

/* Frees a tree of which we hold the only reference, after its texts were overwritten with zeros.
 * NULL is fine. */
void secret_tree_free(json_t *tree);

#endif
