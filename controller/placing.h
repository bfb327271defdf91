/* From Services to placements and back: who may answer for a Service's addresses
 * (common/election/eligible.h), which Services make a unit (unit.h), which node answers (place.h),
 * and that as the text of the annotation stentor.io/placement (placement.h).
 *
 * The annotation of a Service is to be just what placing_text gives; what is published already is
 * read back from it when a Service is offered for the first time. Pure. */
#ifndef CONTROLLER_PLACING_H
#define CONTROLLER_PLACING_H

#include "common/gossip/member_view.h"
#include "controller/place.h"
#include "controller/record.h"
#include "crd/endpointslice.h"
#include "crd/l2advertisement.h"
#include "crd/validate.h"

struct placing;

struct placing_options {
    bool hash;            /* where advertisements do not say how: by hash, not balanced */
    bool ignore_excluded; /* nodes that are labelled as excluded may announce as well */
    uint64_t seed;        /* of hash tables */
};

struct placing *placing_new(const struct placing_options *options);
struct placing *placing_free(struct placing *placing); /* NULL is fine; returns NULL */
SCOPE_DEFINE(placing, struct placing, placing_free)

/* What Services are judged by: Nodes, and the pools and advertisements in force, all sorted by
 * key. */
struct placing_world {
    struct objects nodes, pools, advertisements;
};

/* Puts a world in force. Every Service is then to be offered again. */
void placing_set_world(struct placing *placing, const struct placing_world *world);

/* What the members of the failure detector say, sorted by name. watches: there is one, so that a
 * node whose speaker is not among them is dead; otherwise all nodes live. A node that has none of
 * the interfaces that a Service's advertisements name, for each family of its addresses, is left
 * out as long as another has them. Copied. */
void placing_set_members(struct placing *placing, bool watches, const struct gossip_member *members,
                         size_t count);

/* A Service whose record is new or was decided anew; the record is borrowed until placing_drop.
 * slices: its EndpointSlices, which matter with externalTrafficPolicy Local. */
void placing_offer(struct placing *placing, const struct plan_record *record,
                   const struct endpointslice *const *slices, size_t count);

/* The same for many at once, sorted by key, with the EndpointSlices of all. */
void placing_offer_all(struct placing *placing, const struct plan_record *const *records,
                       size_t count, const struct objects *slices);

/* A Service is gone. */
void placing_drop(struct placing *placing, struct str key);

/* Places what was offered since the last call; `moves` units at most may move that could stay. */
struct place_pending placing_run(struct placing *placing, size_t moves);

/* Keys of Services whose annotation may have to be written anew since the last call, sorted, in the
 * arena. */
struct str_list placing_changes(struct placing *placing, struct arena *arena);

/* What the annotation is to be, in the arena; empty: it is not to be there. */
struct str placing_text(const struct placing *placing, struct str key, struct arena *arena);

/* For people. Texts are in the arena. */
struct placing_view {
    struct str owner;        /* empty: none */
    struct str_list backups; /* those that are published; none when hashed */
    uint64_t epoch;
    enum place_why why;
    struct str from; /* the owner before, where `why` is about that */
    size_t members;  /* Services of the unit */
};
/* False: nothing is to be placed for this Service. */
bool placing_view(const struct placing *placing, struct str key, struct arena *arena,
                  struct placing_view *ret);

/* "n2 had the fewest addresses when this one came" and so on, in the arena. */
struct str placing_sentence(const struct placing_view *view, struct arena *arena);

struct placing_node {
    struct str name;
    enum place_state state;
    size_t units;
};
/* All nodes that there are, sorted by name; in the arena, names are borrowed. */
struct placing_node *placing_nodes(const struct placing *placing, struct arena *arena,
                                   size_t *ret_count);

/* Is there anything that placing_run would look at? */
bool placing_is_due(const struct placing *placing);

#endif
