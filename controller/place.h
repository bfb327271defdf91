/* Placement: which node answers for which addresses on the local segment, and who steps in.
 *
 * What is placed is a unit: addresses that one node answers for as a whole
 * (common/election/unit.h). A unit counts as one, however many addresses it has: the two addresses
 * of a dual-stack Service carry the traffic of one Service.
 *
 * In this order: every unit that has a candidate gets an owner; no node has more units than its
 * bound (place_level.h; with equal candidates ceil(units / nodes)); as few as possible move from
 * where they are; equals are told apart by SHA-256 of "<node>#<address>". First backups are spread
 * so that after the loss of any one node the rest are as even as that can be.
 *
 * Candidates are the eligible nodes in the best state that any of them has (place_state), of those
 * the most preferred ones. A unit stays at its owner while that is in the best state. When it is
 * not, the first such node of its order takes over, as the speakers have it, which do not wait. All
 * other moves of units that answer already are made by place_tidy, a few at a time.
 *
 * Everything is kept between calls: one unit that is new costs as much as looking at each node
 * once. Pure; equal calls in equal order give equal results. */
#ifndef CONTROLLER_PLACE_H
#define CONTROLLER_PLACE_H

#include "common/election/nodeset.h"
#include "common/election/placement.h"
#include "common/net/ip.h"
#include "controller/place_table.h"

struct place;

enum place_state {
    PLACE_NORMAL,
    PLACE_HELD,    /* came back a short while ago: nothing comes to it yet */
    PLACE_LEAVING, /* is being drained, or its speaker is about to end */
    PLACE_DEAD,
    PLACE_STATES
};

/* Why a unit is where it is. */
enum place_why {
    PLACE_NOWHERE,   /* no node may answer for it now */
    PLACE_KEPT,      /* it was there when this controller began */
    PLACE_CHOSEN,    /* it was new, and the node had the fewest units */
    PLACE_TOOK_OVER, /* a backup: those before it in the order may not answer any more */
    PLACE_MOVED,     /* moved, as its former owner had more than its share or is less preferred */
    PLACE_ASKED,     /* the user asks for this node */
    PLACE_HASHED,    /* by the hash election */
    PLACE_WHYS
};

const char *place_state_name(enum place_state state); /* "normal" … */
const char *place_why_name(enum place_why why);       /* "kept" … */

struct place_unit {
    struct ip ip;            /* names it in the hash election */
    struct nodeset eligible; /* nodes that may answer for it; borrowed for the call */
    const int64_t *scores;   /* preference of each node; NULL: all are alike; borrowed */
    uint32_t wish;           /* the node that the user asks for, or PLACE_NONE */
    bool hashed;             /* the speakers elect by hash: it counts where it is */
};

/* What is in force for a unit that is new here. */
struct place_past {
    const uint32_t *order; /* as published; nodes that are not known left out */
    size_t count;
    uint64_t epoch;
    bool is_served; /* without an order it answers from the node that the hash elects */
};

/* names: of all nodes, sorted, copied; all of them are normal. */
struct place *place_new(const struct str *names, size_t count);
struct place *place_free(struct place *place); /* NULL is fine; returns NULL */
SCOPE_DEFINE(place, struct place, place_free)

void place_set_state(struct place *place, uint32_t node, enum place_state state);
enum place_state place_state(const struct place *place, uint32_t node);

/* A unit comes; returns its number, which is its own until it is removed. */
uint32_t place_add(struct place *place, const struct place_unit *unit,
                   const struct place_past *past);
/* Anything about it may have changed but its order. */
void place_change(struct place *place, uint32_t unit, const struct place_unit *changed);
void place_remove(struct place *place, uint32_t unit);

/* The epoch of a unit's order is at least this, and the order is to be published again. */
void place_raise(struct place *place, uint32_t unit, uint64_t epoch);

/* Finds owners for all units that came or changed, and for those whose owner's state changed. Only
 * to know them early: the two calls below begin with it. */
void place_run(struct place *place);

struct place_pending {
    size_t moved;      /* by this call */
    size_t left;       /* that should move as well */
    size_t taken_over; /* by backups, since the last call */
};

/* Sees to the bounds: moves units, `most` at most (units that are not published yet do not count),
 * and spreads first backups anew where they are not even any more. */
struct place_pending place_tidy(struct place *place, size_t most);

/* Has anything happened since the last place_tidy after which some unit may have to move? */
bool place_is_untidy(const struct place *place);

struct place_result {
    uint64_t epoch;
    uint32_t order[PLACEMENT_PUBLISHED_MAX]; /* owner first; empty for units that are hashed */
    size_t count;
    uint32_t owner; /* or PLACE_NONE; also of hashed units */
    uint32_t from;  /* the owner before it, for PLACE_TOOK_OVER and PLACE_MOVED */
    enum place_why why;
};
/* What is to be published. */
struct place_result place_get(const struct place *place, uint32_t unit);

/* Units whose result changed since the last call (their epoch has been raised), sorted; those are
 * in force from now on. */
uint32_t *place_changes(struct place *place, struct arena *arena, size_t *ret_count);

/* How many units a node has. */
size_t place_load(const struct place *place, uint32_t node);

#endif
