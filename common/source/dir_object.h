/* What the directory source makes of a manifest's object and what is stored beside it: which object
 * that is together, and what a write changes. Pure.
 *
 * Stored is one JSON file per object under the status directory:
 *     an overlay    {"metadata": {"annotations": {…}}, "status": {…}}
 *                   over an object that is defined in a manifest: `status` stands in place of the
 *                   manifest's, all else is a merge patch (RFC 7396) on it;
 *     a whole       {"apiVersion": …, "kind": …, "metadata": …, …}
 *                   object that no manifest defines, made by a program.
 * A member "managers" remembers what each field manager applied last. */
#ifndef COMMON_SOURCE_DIR_OBJECT_H
#define COMMON_SOURCE_DIR_OBJECT_H

#include <jansson.h>

#include "common/source/source_verb.h"
#include "crd/kinds.h"

/* Is this a stored object that stands by itself? */
bool dir_object_is_whole(const json_t *stored);

/* The object as it is seen: the manifest's with what is stored, or the stored one. Either may be
 * NULL; NULL when there is no object (nothing, or an overlay over nothing). metadata carries the
 * resourceVersion: a hash of all the rest, so that every program that reads the same two
 * directories sees the same one. The caller's reference. */
json_t *dir_object_merge(const json_t *manifest, const json_t *stored);

/* The resourceVersion that dir_object_merge put in. */
struct str dir_object_version(const json_t *object);

struct dir_object_write {
    enum source_verb verb;
    const struct kind *kind;
    struct str namespace, name;
    const json_t *body; /* NULL for DELETE */
    struct str manager; /* for apply */
    struct str suffix;  /* CREATE with metadata.generateName: what is put behind it */
};

/* The write with the name and the namespace that the body of a CREATE gives, where it has none of
 * its own. Texts are borrowed or in the arena. */
struct dir_object_write dir_object_named(const struct dir_object_write *write, struct arena *arena);

/* What the write, which has its names, makes of what is stored. 0, and in ret_stored what is to be
 * stored from now on (NULL: nothing; the caller's reference). Or, with a sentence in ret_message
 * (arena): ERR_CONFLICT (body.metadata.resourceVersion is not the object's, or CREATE of what is
 * there), -ENOENT, ERR_REMOTE (a body that is no object, or DELETE of what a manifest defines). */
int dir_object_write(const struct dir_object_write *write, const json_t *manifest,
                     const json_t *stored, struct arena *arena, json_t **ret_stored,
                     struct str *ret_message) __attribute__((warn_unused_result));

#endif
