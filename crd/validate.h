/* Rules that need several objects: what of the configuration is in force.
 *
 * Each object is judged by itself. One that breaks a rule together with others is refused alone:
 * the one that refers to the other, else the newcomer: what was in force before wins, then the
 * older one, then the earlier by key. Everything else stays in force, so that one bad object never
 * stops the rest.
 *
 * What MetalLB refuses only for the limits of one routing daemon is accepted: peers of one node
 * with different router IDs or local AS numbers. */
#ifndef CRD_VALIDATE_H
#define CRD_VALIDATE_H

#include "common/base/map.h"
#include "crd/community.h"
#include "crd/kinds.h"

/* Objects of one kind, sorted by key. */
struct objects {
    const struct object **items;
    size_t count;
};

struct validate_input {
    struct objects of[KIND_COUNT]; /* all that are known, refused ones too; kinds not followed: 0 */
    struct str namespace; /* ours: configuration elsewhere is refused; empty: it may be anywhere */
    int64_t now;          /* seconds since 1970: reservations that ended before are left out */
    /* Was this very version in force before? NULL: nothing was. */
    bool (*stands)(const void *ctx, const struct object *object);
    const void *stands_ctx;
    bool has_secrets; /* Secrets are followed: those that peers name must be there */
};

struct validated {
    struct objects of[KIND_COUNT]; /* in force, sorted by key; in the arena, objects borrowed */
    struct diag_list found; /* all findings, those of the objects themselves too; in the order of
                               kinds, and within a kind in that of precedence */
    struct map aliases;     /* name of a community → struct community_value */
};

/* Judges everything. The result is in the arena but for the tables that validate_done frees. */
void validate(const struct validate_input *input, struct arena *arena, struct validated *ret);

void validate_done(struct validated *result);

/* The community that a text of a BGPAdvertisement means: an alias, or a value as it is written.
 * 0, or ERR_SYNTAX. */
int validate_community(const struct validated *result, struct str text, struct community_value *ret)
    __attribute__((warn_unused_result));

#endif
