/* What would move if nodes died, were drained or came: the controller's own placement, run on the
 * cluster as it is. Pure.
 *
 * Nodes that are added are like the others: every advertisement names them, none prefers them, and
 * no endpoint is on them, so that Services with externalTrafficPolicy Local do not go there. */
#ifndef CTL_WHATIF_H
#define CTL_WHATIF_H

#include "controller/place.h"
#include "ctl/world.h"

struct whatif_request {
    struct str_list kill, drain; /* names of nodes */
    size_t add;                  /* nodes "new-1", "new-2" … */
};

struct whatif_node {
    struct str name;
    enum place_state state;
    bool added, available;
    size_t before, after; /* units */
};

struct whatif_move {
    size_t unit;         /* index in the world's units */
    struct str from, to; /* empty: nowhere */
    enum place_why why;
};

struct whatif {
    struct whatif_node *nodes; /* sorted by name */
    size_t node_count;
    struct whatif_move *moves; /* in the order of units */
    size_t move_count;
    size_t units;    /* that have, or could have, an owner */
    size_t lost;     /* of those, the ones that nobody would answer for */
    size_t standing; /* nodes that units may be on afterwards */
    size_t most;     /* units of the fullest node afterwards */
};

/* In the arena. ERR_SYNTAX with a sentence in ret_error when the request names a node that there is
 * not. */
int whatif_run(const struct world *world, const struct whatif_request *request, struct arena *arena,
               struct whatif *ret, struct str *ret_error) __attribute__((warn_unused_result));

/* ceil(a / b); b is not 0. */
size_t whatif_ceil(size_t a, size_t b);

#endif
