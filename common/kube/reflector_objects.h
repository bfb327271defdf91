/* Inside the reflector: objects that arrive, go, are passed over, or are not named by a list. */
#ifndef COMMON_KUBE_REFLECTOR_OBJECTS_H
#define COMMON_KUBE_REFLECTOR_OBJECTS_H

#include "common/base/map.h"
#include "common/kube/identity.h"
#include "common/kube/reflector.h"

struct reflector_objects {
    const struct reflector_config *config;
    const struct kind *kind;
    const struct cache *cache;
    struct map passed;   /* struct passed by key: what could not be read */
    struct arena *arena; /* of the keys of `named`; NULL: no list is under way */
    struct map named;    /* keys that the list under way has named */
    uint64_t skipped;
};

void reflector_objects_init(struct reflector_objects *objects,
                            const struct reflector_config *config, const struct cache *cache);
void reflector_objects_done(struct reflector_objects *objects);

/* A list begins: nothing is named yet. */
void reflector_objects_begin(struct reflector_objects *objects);
/* It is complete: what it did not name has gone. Returns how many it named. */
size_t reflector_objects_sweep(struct reflector_objects *objects);
/* It is given up: nothing follows from it. */
void reflector_objects_abandon(struct reflector_objects *objects);

/* An object of a list or an event, as a tree or as text. What the cache holds already is not told
 * again. */
void reflector_objects_take(struct reflector_objects *objects, const json_t *tree);
void reflector_objects_take_text(struct reflector_objects *objects, struct str text);
/* One that was over the limit (too_large), or is not JSON that can be held. */
void reflector_objects_pass_over(struct reflector_objects *objects, const struct identity *identity,
                                 bool too_large);
/* One that went. */
void reflector_objects_remove(struct reflector_objects *objects, struct str namespace,
                              struct str name);

void reflector_objects_findings(const struct reflector_objects *objects, struct diag_list *list);

#endif
