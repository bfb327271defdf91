/* Sentences one behind the other, in a text that the API server takes as a condition's message: as
 * many as there is room for, and then how many more there are. Pure. */
#ifndef CRD_SENTENCES_H
#define CRD_SENTENCES_H

#include "common/base/sbuf.h"

/* Bytes of the text. The schemas allow 32768 characters. */
enum { SENTENCES_MAX = 16 * 1024 };

struct sentences {
    const char *separator; /* between two of them */
    struct sbuf text;
    size_t left_out;
};

/* Adds one; what is too long for the room that is left is cut after a whole character, with "…"
 * for the rest, when it is the first, and left out otherwise. */
void sentences_add(struct sentences *sentences, struct str sentence);

/* The text, in the arena, with "… and N more" at its end when N were left out. */
struct str sentences_move(struct sentences *sentences, struct arena *arena);

#endif
