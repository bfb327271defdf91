/* The type of a plain YAML scalar, as kubectl reads it. */
#ifndef COMMON_JSON_YAML_SCALAR_H
#define COMMON_JSON_YAML_SCALAR_H

#include <jansson.h>

#include "common/base/str.h"

/* A new JSON value for the text of a plain scalar (not NUL-terminated; no NUL inside, valid
 * UTF-8). NULL with a constant phrase in ret_error when JSON has no such value (.inf, .nan,
 * integers over 64 bits). */
json_t *yaml_scalar(struct str text, const char **ret_error);

#endif
