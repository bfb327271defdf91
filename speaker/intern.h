/* Names of members, kept for as long as something refers to them. Whoever holds the key of the
 * members can make up new ones for ever, so what is not referred to any more must go. Pure. */
#ifndef SPEAKER_INTERN_H
#define SPEAKER_INTERN_H

#include "common/base/map.h"

struct intern {
    struct map names;  /* name → its entry */
    size_t swept_with; /* how many the last sweep left */
};

/* Frees all names. */
void intern_done(struct intern *intern);

/* The same name, which stays until a sweep that it was not marked for. Empty is empty. */
struct str intern_take(struct intern *intern, struct str name);

/* Are there so many more names than after the last sweep that the next one is due? Then all that
 * are referred to are marked, and the sweep frees the others. */
bool intern_is_full(const struct intern *intern);
void intern_mark(struct intern *intern, struct str name);
void intern_sweep(struct intern *intern);

#endif
