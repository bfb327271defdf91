/* Inside validate: the run that the rules of the kinds work on. */
#ifndef CRD_VALIDATE_RULES_H
#define CRD_VALIDATE_RULES_H

#include "common/net/range.h"
#include "crd/validate.h"

struct bgpadvertisement;
struct bgppeer;
struct ipaddresspool;

/* Stretches of addresses that do not overlap, sorted; each with the object it belongs to. */
struct span {
    struct range range;
    const struct object *object;
    struct str text; /* as written */
};

struct spans {
    VEC(struct span) list;
};

/* What rules about advertisements need of a pool in force. */
struct pool_facts {
    const struct ipaddresspool *pool;
    bool has_v4, has_v6;
    unsigned *lengths; /* for each address: the shortest prefix it consists of */
};

struct peer_facts {
    const struct bgppeer *peer;
    bool *nodes; /* by index of the node */
};

struct advertisement_facts {
    const struct bgpadvertisement *advertisement;
    bool *nodes, *pools; /* by index */
};

struct validate_run {
    const struct validate_input *input;
    struct arena *arena;
    struct validated *result;
    struct diag_list *found;      /* of the kind at hand */
    struct map names[KIND_COUNT]; /* configuration in force by name → struct object */
    struct spans pool_spans, reserved_spans;
    VEC(struct pool_facts) pools;
    VEC(struct peer_facts) peers;
    VEC(struct advertisement_facts) advertisements;
};

/* A rule of a kind: may the object, which is not refused and not at odds with its namespace and
 * name, be in force? If not, it adds the reason to run->found. */
typedef bool validate_rule(struct validate_run *run, const struct object *object);

validate_rule validate_pool, validate_reservation, validate_community_object;
validate_rule validate_peer, validate_bgpadvertisement;

/* Adds an error. Returns false, for a rule to return. */
bool validate_fail(struct validate_run *run, const struct object *object, const char *field,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Which nodes the selectors select (no selectors: all), by index; in the arena. */
bool *validate_nodes(struct validate_run *run, const struct list *selectors);

#endif
