/* Label selectors: which objects a rule is about. */
#ifndef CRD_SELECTOR_H
#define CRD_SELECTOR_H

#include "common/json/fields.h"
#include "crd/object.h"

enum selector_operator {
    SELECTOR_IN,
    SELECTOR_NOT_IN, /* also true when the label is absent */
    SELECTOR_EXISTS,
    SELECTOR_DOES_NOT_EXIST,
};

/* A condition on one label. */
struct selector_term {
    struct str key;
    struct str op_text; /* as written */
    struct str_list values;
    enum selector_operator op; /* set by selectors_check */
};

/* All labels and all terms must hold; an empty selector matches everything. */
struct selector {
    struct str_map match_labels;
    struct list match_expressions; /* struct selector_term */
};

extern const struct shape selector_shape;

bool selector_matches(const struct selector *selector, const struct str_map *labels);

/* Does any selector of a list match? No selectors match nothing. */
bool selectors_match(const struct list *selectors, const struct str_map *labels);

/* The same, but an empty list matches everything. */
bool selectors_match_or_none(const struct list *selectors, const struct str_map *labels);

/* One text for all selectors that mean the same: labels, terms and values sorted. In the arena. */
struct str selector_text(const struct selector *selector, struct arena *arena);

/* Checks one selector at a field path of the object, and sets the operators of its terms. */
void selector_check(struct object *object, struct selector *selector, struct str field);

/* Checks the selectors of a list, field being "spec." and `name`, and that none is there twice. */
void selectors_check(struct object *object, struct list *selectors, const char *name);

/* The pools an advertisement selects: those named, those selected, or with neither all. */
bool selector_has_pool(const struct str_list *names, const struct list *selectors,
                       const struct object *pool);

#endif
