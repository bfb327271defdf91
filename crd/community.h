/* Community: names for BGP communities. Schema: schemas/community.yaml. */
#ifndef CRD_COMMUNITY_H
#define CRD_COMMUNITY_H

#include "crd/object.h"

/* A community (RFC 1997, two 16-bit numbers) or a large one (RFC 8092, three 32-bit numbers). */
struct community_value {
    bool large;
    uint32_t parts[3]; /* the third is 0 unless large */
};

/* "64496:100" or "large:64496:1:2": 0, or ERR_SYNTAX. */
int community_parse(struct str text, struct community_value *ret)
    __attribute__((warn_unused_result));

/* A sentence for a text that community_parse refuses, in the arena. */
struct str community_explain(struct arena *arena, struct str text);

/* The text of a value, in the arena. */
struct str community_format(struct arena *arena, const struct community_value *value);

struct community_alias {
    struct str name, value;
    struct community_value parsed;
};

struct community {
    struct object object;
    struct list communities; /* struct community_alias */
    struct list conditions;  /* struct condition */
};

extern const struct shape community_shape;

void community_check(struct object *object);

#endif
