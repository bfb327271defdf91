/* The published order of nodes of a unit: the annotation stentor.io/placement of its Services,
 * "<epoch> <owner> <backup>…". The controller writes it, the speakers read it. Pure. */
#ifndef COMMON_ELECTION_PLACEMENT_H
#define COMMON_ELECTION_PLACEMENT_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/str.h"

/* What a published order is worth. Only PLACEMENT_VALID is used; the others are as if there were
 * none. */
enum placement_verdict {
    PLACEMENT_VALID,
    PLACEMENT_NOT_PUBLISHED,  /* the text is empty */
    PLACEMENT_BAD_EPOCH,      /* does not begin with a decimal number of at most 64 bits */
    PLACEMENT_NO_OWNER,       /* names no node */
    PLACEMENT_BAD_NODE,       /* a name that no node can have, or more than one blank */
    PLACEMENT_DUPLICATE_NODE, /* names a node twice */
    PLACEMENT_TOO_MANY_NODES, /* names more than PLACEMENT_NODES_MAX */
    PLACEMENT_VERDICTS
};

enum {
    PLACEMENT_NODES_MAX = 256,   /* that are read */
    PLACEMENT_PUBLISHED_MAX = 8, /* that are written: the owner and its backups */
};

struct placement {
    uint64_t epoch;        /* the higher one counts when Services of a unit disagree */
    struct str_list nodes; /* the owner first; at least one, no two the same */
};

/* "valid", "badEpoch" and so on. */
const char *placement_verdict_name(enum placement_verdict verdict);

/* Reads a published order strictly: one blank between the parts, none at the ends. ret is set only
 * for PLACEMENT_VALID; its list is in the arena, the names are borrowed from text. */
enum placement_verdict placement_parse(struct str text, struct arena *arena, struct placement *ret);

/* The text of an order that placement_parse() takes for valid, in the arena: reads back equal. */
struct str placement_format(const struct placement *placement, struct arena *arena);

#endif
