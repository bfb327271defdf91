/* The file of saved objects, as bytes.
 *
 *     "STENTOR\n" version
 *     0 group version kind                   from here on objects of this kind
 *     length JSON                            an object (object_encode)
 *     …
 *     2^32-1 sum                             the end: BLAKE2b of all before it
 *
 * Numbers are 32 bits, big endian; a group, version or kind is a length in one byte and that many
 * bytes. The version changes when an older program could misread a newer file or the other way
 * round; fields that come or go do not count, for object_decode takes them as they are. Pure. */
#ifndef COMMON_SOURCE_SAVED_FORMAT_H
#define COMMON_SOURCE_SAVED_FORMAT_H

#include <sodium.h>

#include "common/base/sbuf.h"
#include "crd/kinds.h"

enum {
    SAVED_SUM_SIZE = 16,
    SAVED_OBJECT_MAX = 4 << 20, /* bytes of an object's JSON */
};

/* --- writing --------------------------------------------------------------------------------- */

void saved_format_begin(struct sbuf *out);
void saved_format_kind(struct sbuf *out, const struct kind *kind);

/* Larger ones than SAVED_OBJECT_MAX are left out: false. */
bool saved_format_object(struct sbuf *out, const struct object *object);

/* sum: of everything before the end. */
void saved_format_end(struct sbuf *out, const uint8_t sum[SAVED_SUM_SIZE]);

/* --- reading --------------------------------------------------------------------------------- */

enum saved_verdict {
    SAVED_GOOD,
    SAVED_OTHER_VERSION, /* of this format; not damaged */
    SAVED_NOT_OURS,      /* does not begin as such a file does */
    SAVED_CUT,           /* ends too early, or goes on behind its end */
    SAVED_BAD_SUM,
    SAVED_BAD_RECORD,
    SAVED_VERDICTS
};

/* A phrase. */
const char *saved_verdict_text(enum saved_verdict verdict);

/* Is the whole file as it was written? */
enum saved_verdict saved_format_check(struct str file);

struct saved_counts {
    size_t objects;
    size_t unknown; /* of kinds that this program does not know */
    size_t refused; /* that can no longer be read: the rules have changed */
};

/* Decodes the objects of a file that is SAVED_GOOD. The callee owns the reference. */
struct saved_counts saved_format_read(struct str file,
                                      void (*object)(void *ctx, struct object *object), void *ctx);

#endif
