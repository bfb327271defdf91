/* JSON text to send, piece by piece, and merge patches (RFC 7396).
 *
 *     struct patch patch = {0};
 *     patch_open(&patch, NULL);
 *     patch_open(&patch, "metadata");
 *     patch_str(&patch, "resourceVersion", version);
 *     patch_null(&patch, "annotation");               // a null removes
 *     patch_close(&patch);
 *     patch_list(&patch, "items");
 *     patch_int(&patch, NULL, 7);                     // items have no key
 *     patch_close(&patch);
 *     patch_close(&patch);
 *     struct str body = patch_move(&patch, arena);
 *
 * Commas, quotes and closing brackets are the builder's. Keys are C strings: NULL at the root and
 * inside lists, and nowhere else; a wrong nesting is our own bug and asserts. */
#ifndef COMMON_JSON_PATCH_H
#define COMMON_JSON_PATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/sbuf.h"

enum { PATCH_DEPTH_MAX = 32 };

struct patch {
    struct sbuf text;
    unsigned depth;
    bool follows; /* something stands before at this level: a comma is due */
    bool is_list[PATCH_DEPTH_MAX];
};

/* An object or a list, until the matching patch_close. */
void patch_open(struct patch *patch, const char *key);
void patch_list(struct patch *patch, const char *key);
void patch_close(struct patch *patch);

void patch_str(struct patch *patch, const char *key, struct str value);
void patch_int(struct patch *patch, const char *key, int64_t value);
void patch_bool(struct patch *patch, const char *key, bool value);
/* Seconds since 1970 as RFC 3339 text in UTC. */
void patch_time(struct patch *patch, const char *key, int64_t seconds);
void patch_null(struct patch *patch, const char *key);
/* json is one complete JSON value, put in as it is. */
void patch_raw(struct patch *patch, const char *key, struct str json);

/* The finished text (everything is closed), borrowed until the next call on patch. */
struct str patch_text(const struct patch *patch);
/* The finished text in the arena; the builder is empty again. */
struct str patch_move(struct patch *patch, struct arena *arena);
/* Gives the finished text away: ret, which must be empty, owns it; the builder is empty again. */
void patch_give(struct patch *patch, struct sbuf *ret);
/* Frees the text. */
void patch_done(struct patch *patch);

#define scoped_patch __attribute__((cleanup(patch_done)))

/* RFC 7396 section 2: what target becomes by `change`. Takes over the caller's reference on
 * target (which may be NULL: nothing there) and changes it in place where it can; returns the
 * result, the caller's. `change` is only read and shares nothing with the result. */
json_t *patch_merge(json_t *target, const json_t *change);

/* The smallest merge patch that turns before into after (both objects); NULL when they are equal.
 * A null inside `after` cannot be expressed and counts as absent. The caller's reference. */
json_t *patch_diff(const json_t *before, const json_t *after);

#endif
