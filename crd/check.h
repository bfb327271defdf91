/* What the rules of the kinds share: adding findings to the object under check.
 *
 * A check runs once, inside object_decode, while the object is still being made; it may fill
 * derived members and takes their memory from the object's arena. */
#ifndef CRD_CHECK_H
#define CRD_CHECK_H

#include "common/net/range.h"
#include "crd/object.h"

/* Refuses the object: adds an error at field ("spec.addresses[2]"; empty: the whole object). */
void check_fail(struct object *object, struct str field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a warning; the object stays accepted. */
void check_warn(struct object *object, struct str field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A field path in the object's arena. */
struct str check_field(const struct object *object, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Refuses the object when a text occurs twice in the list ("duplicate definition of WHAT …"). */
void check_unique(struct object *object, const struct str_list *list, const char *field,
                  const char *what);

/* Parses a text as range_parse does (bare: single addresses too); refuses the object and returns
 * false when it is none. */
bool check_range(struct object *object, struct str text, struct str field, bool bare,
                 struct range *ret);

/* Parses each text of the list as range_parse does (bare: single addresses too) and refuses the
 * object for each that is none. Returns the ranges in the list's order, in the object's arena:
 * as many as texts when none was refused. */
struct list check_ranges(struct object *object, const struct str_list *list, const char *field,
                         bool bare); /* struct range */

/* Refuses the object when an address is in two of the ranges, which check_ranges made of the texts
 * ("CIDR … overlaps with already defined CIDR …"). Does nothing when some text gave no range. */
void check_disjoint(struct object *object, const struct str_list *texts, const struct list *ranges,
                    const char *field);

#endif
