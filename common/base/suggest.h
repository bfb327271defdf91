/* "Did you mean": the known name that is closest to a misspelt one. */
#ifndef COMMON_BASE_SUGGEST_H
#define COMMON_BASE_SUGGEST_H

#include "common/base/str.h"

/* Number of single-byte insertions, removals and replacements, and of swaps of neighbours, that
 * turn a into b; case does not count. Texts over 64 bytes are infinitely far (SIZE_MAX). */
size_t suggest_distance(struct str a, struct str b);

/* The best of the candidates seen so far; starts as {.typed = …}. */
struct suggest {
    struct str typed;
    struct str best; /* empty: none is close enough (two edits, and fewer than half the letters) */
    size_t distance;
};

/* Looks at one known name. The first of equally close ones stays. */
void suggest_try(struct suggest *suggest, struct str candidate);

#endif
