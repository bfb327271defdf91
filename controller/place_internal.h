/* Inside the placement: what its files share. */
#ifndef CONTROLLER_PLACE_INTERNAL_H
#define CONTROLLER_PLACE_INTERNAL_H

#include "common/base/map.h"
#include "common/base/vec.h"
#include "controller/place.h"
#include "controller/place_ladder.h"
#include "controller/place_search.h"

/* Preferences of nodes; shared by the classes that have the same. */
struct place_scores {
    size_t uses;
    int64_t of[]; /* by node */
};

/* Units that have the same eligible nodes and preferences. */
struct place_class {
    struct str key; /* in the map of classes */
    uint32_t index;
    size_t uses; /* units */
    struct nodeset eligible;
    struct nodeset allowed;    /* of those, the ones in the best state */
    struct nodeset candidates; /* of those, the most preferred */
    struct nodeset settled;    /* the candidates when units were settled last */
    size_t allowed_count;
    struct place_scores *scores; /* NULL: all are alike */
    bool changed;                /* candidates or allowed differ from what they were then */
    uint64_t memory[]; /* the key: which scores, and the eligible set; then the other sets */
};

struct place_member {
    struct ip ip;
    uint64_t mix; /* of the address */
    uint64_t epoch;
    struct place_class *class;
    uint32_t wish;
    uint32_t order[PLACEMENT_PUBLISHED_MAX];
    uint32_t from;
    uint8_t order_count;
    uint8_t why; /* enum place_why */
    bool used;   /* this number is a unit's */
    bool hashed;
    bool fresh;     /* placed, but not published yet: moves for nothing */
    bool is_served; /* answers from somewhere, though it may have no order */
    bool pinned;    /* where the user asks for */
    bool dirty;     /* to be settled */
    bool changed;   /* since place_changes */
    bool unordered; /* its order is to be looked at */
    bool elected;   /* it is where the hash elects of its class's settled set */
};

struct place {
    struct arena *arena; /* names */
    struct str *names;
    size_t nodes;
    uint8_t *states; /* enum place_state */
    bool states_changed;
    VEC(struct place_class *) classes; /* NULL: free */
    VEC(uint32_t) free_classes;
    struct map class_by_key;
    VEC(struct place_scores *) scores;
    VEC(struct place_member) units;
    VEC(uint32_t) free_units;
    struct arena *table_arena;
    struct place_table table; /* with room for units.cap */
    VEC(uint32_t) dirty;
    VEC(uint32_t) unordered;
    VEC(uint32_t) changed;
    bool untidy;
    size_t taken_over; /* since the last place_tidy */
};

/* place_class.c: the class of such units, with one use more; allowed and candidates are right. */
struct place_class *place_class_need(struct place *place, const struct place_unit *unit,
                                     struct arena *scratch);
void place_class_drop(struct place *place, struct place_class *class);
/* Finds allowed and candidates of a class anew. */
void place_class_judge(struct place *place, struct place_class *class, struct arena *scratch);
void place_class_done(struct place *place);

/* place_choose.c: the best of a set that is not empty. */
/* The node with the fewest units, equals by hash. */
uint32_t place_choose(const struct place *place, const struct nodeset *set,
                      const struct place_ladder *ladder, const struct place_member *unit,
                      struct arena *scratch);
/* The winner of the hash election. */
uint32_t place_elect(const struct place *place, const struct nodeset *set,
                     const struct place_member *unit, struct arena *scratch);
/* The same when `winner` has won among `before`. */
uint32_t place_elect_again(const struct place *place, const struct nodeset *set,
                           const struct nodeset *before, uint32_t winner,
                           const struct place_member *unit, struct arena *scratch);

/* place_order.c: makes the order of a unit anew where it must be; its first backup is to be `first`
 * (PLACE_NONE: no other node may answer for it). */
void place_order_unit(struct place *place, uint32_t unit, uint32_t first, struct arena *scratch);

/* place_spread.c: the orders of all units of some nodes, their first backups spread. */
void place_spread_all(struct place *place, const struct nodeset *nodes);

/* place.c */
static inline struct place_member *place_member(const struct place *place, uint32_t unit)
{
    return &place->units.items[unit];
}
void place_mark_dirty(struct place *place, uint32_t unit);
void place_mark_changed(struct place *place, uint32_t unit);
void place_mark_unordered(struct place *place, uint32_t unit);
/* No unit is marked any more; ret gets the nodes of those whose orders are to be made. */
void place_end_unordered(struct place *place, struct nodeset *ret);
/* Puts a unit on a node, wherever it was. */
void place_put(struct place *place, uint32_t unit, uint32_t node, enum place_why why);

#endif
