/* C structs to JSON by the same tables that decode them (fields.h).
 *
 * Decoding what is written here gives the same members again, for every struct that was decoded
 * without an error: members that were given, or that have a default, are written out, others only
 * when they are not zero. What the table does not know (fields of type FIELD_SKIP, unknown ones) is
 * lost. Pure. */
#ifndef COMMON_JSON_FIELDS_ENCODE_H
#define COMMON_JSON_FIELDS_ENCODE_H

#include "common/json/fields.h"

/* Appends the struct as one JSON object. */
void fields_encode(const struct shape *shape, const void *value, struct sbuf *out);

#endif
