/* Which Services a former leader may still write to, after it lost the lead without giving it back.
 *
 * What it sent last may be done late: stuck in a network or in a busy API server, longer than its
 * lease. Each such write names the version of the Service it was made for, so it is refused once
 * that version has changed. A new leader therefore first changes every Service that may be given
 * an address by such a write, and gives no address to anybody until all of them are seen changed.
 *
 * Kept here is who is left, by id and version. Pure. */
#ifndef CONTROLLER_FENCE_H
#define CONTROLLER_FENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "controller/record.h"

struct fence;

/* Empty. Never NULL. */
struct fence *fence_new(void);
/* NULL is fine; returns NULL. */
struct fence *fence_free(struct fence *fence);
SCOPE_DEFINE(fence, struct fence, fence_free)

/* May a late write give this record's Service an address? Not when it shows all that it can have: a
 * write that moves it could only stem from a configuration that has been changed back since. */
bool fence_concerns(const struct plan_record *record);

/* The object is to change from this version; texts are copied. */
void fence_add(struct fence *fence, struct str id, struct str version);

/* Is the object still to change, as far as this version of it tells? */
bool fence_has(const struct fence *fence, struct str id, struct str version);

/* The object is seen at this version (empty: it is gone). True when one less is left. */
bool fence_pass(struct fence *fence, struct str id, struct str version);

/* How many are still to change, and their ids, sorted, in the arena. */
size_t fence_left(const struct fence *fence);
struct str_list fence_list(const struct fence *fence, struct arena *arena);

#endif
