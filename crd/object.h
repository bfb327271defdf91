/* Objects: what the programs know of the cluster, decoded, immutable and counted.
 *
 * Every kind's struct starts with a struct object. It is made by object_decode from one JSON (or
 * YAML) document, owns one arena, and never changes afterwards: a newer version is another object.
 * Whoever keeps one holds a reference. An object that breaks its own rules is still made, with
 * `refused` set and findings that say why, so that it can be named in a condition; consumers skip
 * refused objects. */
#ifndef CRD_OBJECT_H
#define CRD_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/diag.h"
#include "common/json/fields.h"

struct keep;
struct kind;

struct owner_ref {
    struct str api_version, kind, name, uid;
};

/* The parts of metadata that are used, as they were decoded. */
struct meta {
    struct str name, namespace, uid;
    struct str resource_version;
    int64_t generation;
    int64_t created, deleted; /* seconds since 1970; deleted is 0 unless the object is going */
    struct str_map labels, annotations;
    struct list owners; /* struct owner_ref */
};

/* Tens of thousands are kept: what few are asked for is behind pointers. */
struct object {
    const struct kind *kind;
    struct arena *arena; /* owns everything below and the struct itself */
    unsigned refs;
    unsigned namespace_len : 31; /* of the key's text */
    bool refused : 1;            /* at least one finding is an error */
    struct str key; /* "namespace/name" ("name" when cluster-scoped); behind "Kind/" in its text */
    struct str uid;
    struct str resource_version; /* opaque */
    struct str_map labels, annotations;
    const struct meta *meta; /* whole; of a reduced object (object_copy_begin) empty. Never NULL */
    const struct object_source *source; /* never NULL */
};

/* Where an object comes from, and what was found in it. */
struct object_source {
    struct str origin;         /* "file.yaml:12" from a directory; empty from the API */
    struct diag_list findings; /* of decoding and of the object's own checks */
};

/* Decodes one object of a kind. Never NULL: what is wrong is in `source->findings`. `tree` is only
 * read. The caller owns the one reference. */
struct object *object_decode(const struct kind *kind, const json_t *tree, struct str origin);

/* The list that a check of the object, while it is being decoded, adds to. */
struct diag_list *object_findings(struct object *object);

/* A reduced copy, which will know the object's names and version, but nothing else of its metadata,
 * no origin and no findings, and nothing of its kind's own; with room for `extra` bytes more in one
 * allocation in `keep`, which outlives it (NULL: on the heap). The caller owns the one reference,
 * adds arrays and then texts of its own, and ends the copy, which adds the names. */
struct object *object_copy_begin(const struct object *object, struct keep *keep, size_t extra);
void object_copy_end(struct object *copy, const struct object *object);

/* What a copy of the map takes of `extra`, at most; and the copy. Keys that thousands of objects
 * have are not copied. */
size_t object_map_size(const struct str_map *map);
struct str_map object_map_copy(const struct str_map *map, struct arena *arena);

/* "Kind/namespace/name" ("Kind/name" when cluster-scoped); the name; and the namespace, empty when
 * cluster-scoped. Borrowed from the object. */
struct str object_id(const struct object *object);
struct str object_name(const struct object *object);
struct str object_namespace(const struct object *object);

struct object *object_ref(const struct object *object); /* counts one more; same pointer */
struct object *object_unref(struct object *object);     /* NULL is fine; returns NULL */

SCOPE_DEFINE(object, struct object, object_unref)

/* The label or annotation, empty when absent; ret_present may be NULL. */
struct str object_label(const struct object *object, struct str key, bool *ret_present);
struct str object_annotation(const struct object *object, struct str key, bool *ret_present);

/* Appends the object as JSON, from which object_decode makes the same object again, for every
 * object that is not refused; from a reduced one, an object that is reduced to the same. Left out
 * is what changes with each write and what nobody reads: resourceVersion, generation, and the
 * annotation kubectl.kubernetes.io/last-applied-configuration. So two versions with one text mean
 * the same. */
void object_encode(const struct object *object, struct sbuf *out);

/* The same labels with the same values? */
bool object_same_labels(const struct object *a, const struct object *b);
bool object_same_annotations(const struct object *a, const struct object *b);

/* Shape of struct meta, for the tables of kinds (object_rows.h). */
extern const struct shape object_meta_shape;

#endif
