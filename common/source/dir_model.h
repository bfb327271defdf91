/* The directory source's picture of its two directories: which file defines which object, what is
 * stored beside it, and which objects that makes. It is told of files and stored documents as they
 * come and go, and works out what changed. Pure.
 *
 * The same object in two places: the first by file name (byte order), then by place in the file,
 * counts, and a finding names both. A file with a broken document keeps the objects that its
 * earlier version had and its good documents do not define, until it is whole again. */
#ifndef COMMON_SOURCE_DIR_MODEL_H
#define COMMON_SOURCE_DIR_MODEL_H

#include "common/source/manifest.h"

struct dir_model;

struct dir_model *dir_model_new(void);
/* NULL is fine; returns NULL. */
struct dir_model *dir_model_free(struct dir_model *model);
SCOPE_DEFINE(dir_model, struct dir_model, dir_model_free)

/* The file's new content; the manifest is taken over. */
void dir_model_file(struct dir_model *model, struct str file, struct manifest *manifest);
/* The file is no longer there. */
void dir_model_file_gone(struct dir_model *model, struct str file);
/* The file is there but cannot be read: what it held stays, and `message` becomes a finding. */
void dir_model_file_failed(struct dir_model *model, struct str file, const char *message);
/* The names of all files known, sorted, borrowed until the next change. */
struct str *dir_model_files(const struct dir_model *model, struct arena *arena, size_t *ret_count);

/* What is stored under a path (dir_path.h, dir_object.h); the caller's reference is taken over.
 * NULL: no longer there. False when the path is none of an object's. */
bool dir_model_stored(struct dir_model *model, struct str path, json_t *stored);
/* It is there but cannot be used: what was stored before stays in force. */
void dir_model_stored_failed(struct dir_model *model, struct str path, const char *message);
/* All paths under which something is stored, sorted, borrowed until the next change. */
struct str *dir_model_paths(const struct dir_model *model, struct arena *arena, size_t *ret_count);

/* The paths of objects of a kind that are stored and that no manifest defines, sorted, in the
 * arena: those that the filter (label_filter.h) may take, by the signs of their labels. Cheap for
 * all others. */
struct str *dir_model_made(const struct dir_model *model, enum kind_id kind, struct str filter,
                           struct arena *arena, size_t *ret_count);

/* The two halves of an object as they are now, NULL when there is none. The caller's references. */
json_t *dir_model_manifest_of(const struct dir_model *model, struct str path);
json_t *dir_model_stored_of(const struct dir_model *model, struct str path);

/* One change: tree is the object with its resourceVersion (borrowed), or NULL when it is gone. */
typedef void dir_model_change_fn(void *ctx, const struct kind *kind, struct str key,
                                 const json_t *tree, struct str origin);
/* Calls once for each object that differs from what the last update told, sorted by path. */
void dir_model_update(struct dir_model *model, dir_model_change_fn *call, void *ctx);

/* Can every file be read, down to its last document? If not, an object that nothing defines may be
 * one that cannot be read just now. */
bool dir_model_is_whole(const struct dir_model *model);

/* Paths of what is stored over objects that no manifest defines (any more), sorted. */
struct str *dir_model_orphans(const struct dir_model *model, struct arena *arena,
                              size_t *ret_count);

/* Everything that is wrong now, sorted by file. Texts go to the list's arena. */
void dir_model_findings(const struct dir_model *model, struct diag_list *found);
/* A number that grows whenever the findings may have changed. */
uint64_t dir_model_findings_version(const struct dir_model *model);

#endif
