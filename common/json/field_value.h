/* Inside common/json: the decoder's state, where it stands in the tree, and single values.
 * Users of tables include fields.h alone. */
#ifndef COMMON_JSON_FIELD_VALUE_H
#define COMMON_JSON_FIELD_VALUE_H

#include "common/json/fields.h"

/* One step of the way from the root to the value at hand; steps live on the stack, and text is
 * made of them only for a finding. */
struct field_path {
    const struct field_path *parent; /* NULL: name is the text the caller of fields_decode gave */
    enum field_step { STEP_NAME, STEP_INDEX, STEP_KEY } step;
    struct str name; /* a member, or the key of a map */
    size_t index;    /* in a list */
};

struct field_decoder {
    struct str object;
    struct arena *arena;
    struct diag_list *found;
    size_t errors;
};

/* Reports an error at path. */
void field_value_fault(struct field_decoder *decoder, const struct field_path *path,
                       const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "an object", "a list", "a string", "a number", "a boolean", "null". */
const char *field_value_kind(const json_t *value);

/* Decodes a value of one of the types that hold no nested struct (all but FIELD_OBJECT,
 * FIELD_POINTER and FIELD_LIST) into the member at ret. */
void field_value_decode(struct field_decoder *decoder, const struct field *row, const json_t *value,
                        const struct field_path *path, void *ret);

#endif
