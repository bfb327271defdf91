/* The paths of objects in a status directory: "services/default/web.json", "nodes/n1.json". Pure.
 */
#ifndef COMMON_SOURCE_DIR_PATH_H
#define COMMON_SOURCE_DIR_PATH_H

#include "crd/kinds.h"

/* The path of an object, in the arena. False when a name is not one that the API server would
 * take, and so perhaps not fit to be a file's. */
bool dir_path_make(const struct kind *kind, struct str namespace, struct str name,
                   struct arena *arena, struct str *ret);

/* The kind of the object that a path belongs to, and its key ("default/web"), borrowed from the
 * path. NULL when it is no such path. */
const struct kind *dir_path_parse(struct str path, struct str *ret_key);

#endif
