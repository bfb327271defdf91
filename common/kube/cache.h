/* What a source knows: counted objects by kind and key, sorted, with indexes.
 *
 * The cache holds one reference on each object in it. Objects never change, so a pointer taken
 * from the cache stays right for as long as the reader keeps a reference (or as long as nobody
 * puts or removes). Pure: it is filled by whoever lists and watches. */
#ifndef COMMON_KUBE_CACHE_H
#define COMMON_KUBE_CACHE_H

#include "common/base/sbuf.h"
#include "crd/kinds.h"

struct cache;

struct cache *cache_new(void);
/* Gives back all objects. NULL is fine; returns NULL. */
struct cache *cache_free(struct cache *cache);
SCOPE_DEFINE(cache, struct cache, cache_free)

/* Puts an object in the place of the one with its kind and key; the caller's reference goes to the
 * cache. Returns the object that was there (its reference is now the caller's), or NULL. */
struct object *cache_put(struct cache *cache, struct object *object)
    __attribute__((warn_unused_result));

/* Takes an object out: its reference is now the caller's. NULL when there is none. */
struct object *cache_remove(struct cache *cache, enum kind_id kind, struct str key)
    __attribute__((warn_unused_result));

/* The object with this key ("namespace/name", or "name" when cluster-scoped), borrowed, or NULL. */
const struct object *cache_get(const struct cache *cache, enum kind_id kind, struct str key);

/* The same by its parts; namespace is empty when cluster-scoped. */
const struct object *cache_find(const struct cache *cache, enum kind_id kind, struct str namespace,
                                struct str name);

/* All objects of a kind sorted by key, in the cache's own array: borrowed until the next put or
 * remove. NULL when there are none. */
const struct object *const *cache_all(const struct cache *cache, enum kind_id kind,
                                      size_t *ret_count);

/* The same as an array in the arena, which later changes leave alone (the objects are borrowed all
 * the same). */
const struct object **cache_list(const struct cache *cache, enum kind_id kind, struct arena *arena,
                                 size_t *ret_count);

size_t cache_count(const struct cache *cache, enum kind_id kind);

/* An index: finds objects of one kind by something they hold, such as EndpointSlices by the name
 * of their Service. `value_of` writes the value of an object to out, or nothing when the object is
 * not to be found. Objects already there are indexed at once. Returns the index's number; a cache
 * has at most CACHE_INDEX_MAX. */
enum { CACHE_INDEX_MAX = 8 };
typedef void cache_value_fn(const struct object *object, struct sbuf *out);
size_t cache_index(struct cache *cache, enum kind_id kind, cache_value_fn *value_of);

/* All objects with this value, sorted by key, borrowed until the next put or remove. NULL when
 * there are none. */
const struct object *const *cache_by(const struct cache *cache, size_t index, struct str value,
                                     size_t *ret_count);

#endif
