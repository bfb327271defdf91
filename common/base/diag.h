/* Findings: what a person must read about an object, with the field it concerns. A finding becomes
 * a condition, an Event, an admission answer or a line of --check. */
#ifndef COMMON_BASE_DIAG_H
#define COMMON_BASE_DIAG_H

#include "common/base/arena.h"
#include "common/base/str.h"
#include "common/base/vec.h"

enum diag_severity {
    DIAG_ERROR,   /* the object (or the named part of it) is refused */
    DIAG_WARNING, /* accepted, but probably not what was meant */
    DIAG_NOTE,
};

struct diag {
    enum diag_severity severity;
    struct str object;  /* "Kind/namespace/name", or a file name and line */
    struct str field;   /* "spec.addresses[2]"; empty when the whole object is meant */
    struct str message; /* one sentence without a full stop at its end */
};

/* A list of findings; texts live in the arena, which outlives the list. */
struct diag_list {
    struct arena *arena;
    VEC(struct diag) found;
};

/* "error", "warning", "note". */
const char *diag_severity_name(enum diag_severity severity);

/* Adds a finding; object and field are copied into the arena. A finding is one line of UTF-8 that
 * moves no cursor: in field and message, control characters are written as \n and \x1b, what is no
 * UTF-8 as U+FFFD, and what is beyond about 2 kB is left out. */
void diag_add(struct diag_list *list, enum diag_severity severity, struct str object,
              struct str field, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Adds copies of all findings of another list. */
void diag_add_all(struct diag_list *list, const struct diag_list *other);

/* Number of findings of DIAG_ERROR. */
size_t diag_errors(const struct diag_list *list);

/* The first finding of DIAG_ERROR about object, or NULL. */
const struct diag *diag_first_error(const struct diag_list *list, struct str object);

/* Frees the list itself; the texts go with the arena. */
void diag_done(struct diag_list *list);

#endif
