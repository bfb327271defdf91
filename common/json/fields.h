/* JSON to C structs by tables.
 *
 * A kind of object is a table of rows, one per field: name, type, member offset, bounds. One
 * decoder fills the struct from any table and reports each wrong, missing or unknown field with its
 * path ("spec.addresses[2]"). A new field is one row.
 *
 *     #define AT(member) offsetof(struct pool_spec, member)
 *     static const struct field pool_fields[] = {
 *         {"addresses", FIELD_STR_LIST, AT(addresses), .flags = FIELD_REQUIRED},
 *         {"autoAssign", FIELD_BOOL, AT(auto_assign), .fallback = "true"},
 *     };
 *     static const struct shape pool_shape = SHAPE(struct pool_spec, pool_fields, SHAPE_STRICT);
 *
 * Members by type (all memory comes from the arena given to fields_decode; text is copied):
 *     FIELD_STR         struct str
 *     FIELD_BOOL        bool
 *     FIELD_INT         int64_t, checked against min and max when they differ
 *     FIELD_STR_LIST    struct str_list
 *     FIELD_INT_LIST    struct list of int64_t
 *     FIELD_MAP         struct str_map: string to string, sorted by key
 *     FIELD_ENUM        int: index in `names`
 *     FIELD_DURATION    int64_t nanoseconds, Go's duration syntax ("1h30m", "10s", "0", "1.5s")
 *     FIELD_TIME        int64_t seconds since 1970, RFC 3339
 *     FIELD_IP          struct ip (common/net); the empty string is no address
 *     FIELD_INT_OR_STR  struct str: a number becomes its decimal text
 *     FIELD_OBJECT      the nested struct itself; zeroed when absent
 *     FIELD_POINTER     pointer to the nested struct, NULL when absent
 *     FIELD_LIST        struct list of nested structs
 *     FIELD_RAW         struct str: the value as compact JSON text
 *     FIELD_SKIP        no member: the field is known, so that a strict shape does not refuse it,
 *                       but its value is not read
 *
 * A member whose field is absent or wrong keeps its zero. null counts as absent, as in the
 * Kubernetes API; inside lists and maps it is an error. */
#ifndef COMMON_JSON_FIELDS_H
#define COMMON_JSON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/diag.h"
#include "common/base/names.h"
#include "common/base/sbuf.h"
#include "common/base/str.h"

enum field_type {
    FIELD_STR,
    FIELD_BOOL,
    FIELD_INT,
    FIELD_STR_LIST,
    FIELD_INT_LIST,
    FIELD_MAP,
    FIELD_ENUM,
    FIELD_DURATION,
    FIELD_TIME,
    FIELD_IP,
    FIELD_INT_OR_STR,
    FIELD_OBJECT,
    FIELD_POINTER,
    FIELD_LIST,
    FIELD_RAW,
    FIELD_SKIP,
};

enum field_flags {
    FIELD_REQUIRED = 1 << 0, /* absence is an error */
};

struct str_pair {
    struct str key, value;
};

struct str_map {
    struct str_pair *items; /* sorted by key */
    size_t count;
};

struct list {
    void *items;
    size_t count;
};

struct shape;

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    unsigned flags;
    size_t present;       /* offset of a bool set when the field was given; 0: none (so that bool
                             must not be the first member) */
    const char *fallback; /* value as JSON text when absent ("true", "32", "\"x\"") */
    int64_t min, max;     /* FIELD_INT, FIELD_INT_LIST and durations in ns; both 0: unchecked;
                             INT64_MIN and INT64_MAX leave their side open */
    const struct names *names;  /* FIELD_ENUM */
    const struct shape *nested; /* FIELD_OBJECT, FIELD_POINTER, FIELD_LIST */
    int cost;                   /* free for the table's owner (what a change of this field costs) */
};

enum shape_flags {
    SHAPE_STRICT = 1 << 0, /* unknown fields are errors (our own kinds); else they are ignored */
};

struct shape {
    const struct field *fields;
    size_t count;
    size_t size; /* of the struct */
    unsigned flags;
};

#define SHAPE(type, rows, shape_flags)                                                     \
    {                                                                                      \
        .fields = (rows), .count = sizeof(rows) / sizeof((rows)[0]), .size = sizeof(type), \
        .flags = (shape_flags)                                                             \
    }

/* Fills the struct at ret (shape->size bytes, zeroed by the caller) from value. Findings go to
 * `found` under `object` with paths that start with `path` (may be empty). Everything that can be
 * read is read, also after an error. Returns the number of errors. Nesting is bounded by the
 * shapes, lists by the input. */
size_t fields_decode(const struct shape *shape, const json_t *value, struct str path,
                     struct str object, struct arena *arena, struct diag_list *found, void *ret);

/* Levels of objects and lists that any tree may have, wherever it comes from. */
#define FIELDS_DEPTH_MAX 100

/* Parses text (any JSON value, RFC 8259) into a tree (freed by json_decref): UTF-8 is checked,
 * duplicate keys are refused, nesting is limited to FIELDS_DEPTH_MAX. An integer outside 64 bits
 * becomes a real, as in the Kubernetes API. The size is the caller's to limit. NULL on failure,
 * with a sentence that names the line in ret_error (arena). */
json_t *fields_parse(struct str text, struct arena *arena, struct str *ret_error);

/* The value of key in a sorted map, or the empty string; *ret_present (may be NULL) tells the
 * difference. */
struct str str_map_get(const struct str_map *map, struct str key, bool *ret_present);

#endif
