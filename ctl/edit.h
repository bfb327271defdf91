/* What is to be written so that an address moves or a node is drained: annotations, and nothing
 * else. Pure. */
#ifndef CTL_EDIT_H
#define CTL_EDIT_H

#include "ctl/world.h"

/* All texts are in the arena: the object may be gone when its turn comes. */
struct edit {
    enum kind_id kind; /* of the object that is written */
    struct str id, namespace, name, version, origin;
    struct str key, value; /* of the annotation; `removes`: it is to go */
    bool removes;
};

struct edit_list {
    struct edit *items; /* in the arena; those that are so already are left out */
    size_t count;
    struct str refusal; /* why it cannot be done, a sentence; empty: it can */
    struct str note;    /* what is to be known about it, a sentence; may be empty */
};

/* The address, or the Service "namespace/name", is to be announced from that node; an empty node:
 * from wherever the controller likes. All Services that stay together are written. */
struct edit_list edit_move(const struct world *world, struct str what, struct str node,
                           struct arena *arena);

/* The node is to be emptied, or may have addresses again. */
struct edit_list edit_drain(const struct world *world, struct str node, bool drain,
                            struct arena *arena);

/* The merge patch that does it, with the version as a precondition (none for an object of a
 * directory). In the arena. */
struct str edit_body(const struct edit *edit, struct arena *arena);

/* What a person has to do in a directory of manifests: "FILE:LINE: …", in the arena. */
struct str edit_instruction(const struct edit *edit, struct arena *arena);

#endif
