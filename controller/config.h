/* The configuration in force: which objects are accepted, and the pools they make.
 *
 * Objects are judged one by one: a bad one is refused by itself, with a finding, and the others
 * apply. An object that was accepted and is now refused stays in force in its last good version.
 * When two pools claim the same addresses, the one that is in force wins, then the older one. */
#ifndef CONTROLLER_CONFIG_H
#define CONTROLLER_CONFIG_H

#include "controller/pool.h"
#include "crd/validate.h"

struct config;

/* What config_build reads: all objects of the kinds, sorted by key; kinds that do not concern the
 * configuration may be empty. */
struct config_input {
    const struct object *const *objects[KIND_COUNT];
    size_t counts[KIND_COUNT];
    struct str namespace; /* ours: configuration elsewhere is refused; empty: it may be anywhere */
    int64_t now;          /* seconds since 1970, for reservations that expire */
};

struct config *config_new(void);
struct config *config_free(struct config *config);
SCOPE_DEFINE(config, struct config, config_free)

/* Judges everything anew and builds the pools; the set is the caller's, and must be freed or
 * replaced before the next call but one (it borrows from the objects in force). */
struct pool_set *config_build(struct config *config, const struct config_input *input);

/* All findings of the last build: of the objects themselves and across objects, sorted by object.
 * Borrowed until the next build. */
const struct diag_list *config_findings(const struct config *config);

/* When the next reservation expires (seconds since 1970), 0 when none will. */
int64_t config_next_expiry(const struct config *config);

/* The objects of a kind that the last build put in force, sorted by key; the array is in the arena,
 * the objects are borrowed until the next build. */
struct objects config_in_force(const struct config *config, enum kind_id kind, struct arena *arena);

/* Is this version of an object accepted? ret_why (may be NULL) gets the first error when not. */
bool config_accepts(const struct config *config, const struct object *object,
                    const struct diag **ret_why);

#endif
