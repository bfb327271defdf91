/* Each kind is a vector sorted by key: reading in order is what plans do most, and a binary search
 * is cheap. An index is a map from value to such a vector. */
#include "common/kube/cache.h"

#include <assert.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/vec.h"

struct shelf {
    VEC(struct object *) sorted;
};

struct bucket {
    struct str value; /* the key of the map */
    struct shelf shelf;
    char text[]; /* of the value */
};

struct cache_index {
    enum kind_id kind;
    cache_value_fn *value_of;
    struct map buckets; /* value → struct bucket, never empty ones */
};

struct cache {
    struct shelf kinds[KIND_COUNT];
    struct cache_index indexes[CACHE_INDEX_MAX];
    size_t index_count;
};

/* Compares "namespace/name" (or "name") with a key. */
static int parts_cmp(struct str namespace, struct str name, struct str key)
{
    if (!namespace.len)
        return str_cmp(name, key);
    int order = str_cmp(namespace, str_slice(key, 0, namespace.len));
    if (order)
        return order;
    struct str rest = str_slice(key, namespace.len, key.len);
    if (!rest.len || rest.ptr[0] != '/')
        return rest.len && rest.ptr[0] > '/' ? -1 : 1;
    return str_cmp(name, str_slice(rest, 1, rest.len));
}

/* Where the key is, or where it would go. */
static size_t shelf_search(const struct shelf *shelf, struct str namespace, struct str name,
                           bool *ret_found)
{
    size_t from = 0, to = shelf->sorted.len;
    *ret_found = false;
    while (from < to && !*ret_found) {
        size_t middle = from + (to - from) / 2;
        int order = parts_cmp(namespace, name, shelf->sorted.items[middle]->key);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return from;
}

/* Returns the object that was there, or NULL. */
static struct object *shelf_put(struct shelf *shelf, struct object *object)
{
    bool found;
    size_t at = shelf_search(shelf, STR(""), object->key, &found);
    struct object **slot;
    struct object *before = NULL;
    if (found) {
        slot = &shelf->sorted.items[at];
        before = *slot;
    } else {
        vec_push(&shelf->sorted, NULL);
        slot = &shelf->sorted.items[at];
        memmove(slot + 1, slot, (shelf->sorted.len - 1 - at) * sizeof(*slot));
    }
    *slot = object;
    return before;
}

static struct object *shelf_remove(struct shelf *shelf, struct str key)
{
    bool found;
    size_t at = shelf_search(shelf, STR(""), key, &found);
    if (!found)
        return NULL;
    struct object **slot = &shelf->sorted.items[at], *object = *slot;
    memmove(slot, slot + 1, (shelf->sorted.len - 1 - at) * sizeof(*slot));
    shelf->sorted.len--;
    return object;
}

static void index_put(struct cache_index *index, struct object *object)
{
    scoped_sbuf struct sbuf value = {0};
    index->value_of(object, &value);
    if (!value.len)
        return;
    struct bucket *bucket = map_get(&index->buckets, sbuf_str(&value));
    if (!bucket) {
        bucket = heap_alloc(sizeof(*bucket) + value.len);
        memcpy(bucket->text, value.ptr, value.len);
        bucket->value = (struct str){.ptr = bucket->text, .len = value.len};
        /* Most have one object for ever. */
        bucket->shelf.sorted.items = heap_alloc(sizeof(struct object *));
        bucket->shelf.sorted.cap = 1;
        (void)map_put(&index->buckets, bucket->value, bucket);
    }
    (void)shelf_put(&bucket->shelf, object); /* one object of a key at a time: nothing was there */
}

static void bucket_free(struct bucket *bucket)
{
    vec_done(&bucket->shelf.sorted);
    free(bucket);
}

static void index_remove(struct cache_index *index, const struct object *object)
{
    scoped_sbuf struct sbuf value = {0};
    index->value_of(object, &value);
    struct bucket *bucket = map_get(&index->buckets, sbuf_str(&value));
    if (!bucket)
        return;
    (void)shelf_remove(&bucket->shelf, object->key); /* borrowed there: nothing to give back */
    if (bucket->shelf.sorted.len)
        return;
    (void)map_remove(&index->buckets, bucket->value);
    bucket_free(bucket);
}

struct cache *cache_new(void)
{
    struct cache *cache = heap_alloc(sizeof(*cache));
    *cache = (struct cache){0};
    return cache;
}

struct cache *cache_free(struct cache *cache)
{
    if (!cache)
        return NULL;
    for (size_t i = 0; i < cache->index_count; i++) {
        size_t cursor = 0;
        for (struct map_entry *entry; (entry = map_next(&cache->indexes[i].buckets, &cursor));)
            bucket_free(entry->value);
        map_done(&cache->indexes[i].buckets);
    }
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        struct shelf *shelf = &cache->kinds[kind];
        for (size_t i = 0; i < shelf->sorted.len; i++)
            (void)object_unref(shelf->sorted.items[i]);
        vec_done(&shelf->sorted);
    }
    free(cache);
    return NULL;
}

struct object *cache_put(struct cache *cache, struct object *object)
{
    enum kind_id kind = object->kind->id;
    struct object *before = shelf_put(&cache->kinds[kind], object);
    for (size_t i = 0; i < cache->index_count; i++) {
        if (cache->indexes[i].kind != kind)
            continue;
        if (before)
            index_remove(&cache->indexes[i], before);
        index_put(&cache->indexes[i], object);
    }
    return before;
}

struct object *cache_remove(struct cache *cache, enum kind_id kind, struct str key)
{
    struct object *before = shelf_remove(&cache->kinds[kind], key);
    for (size_t i = 0; before && i < cache->index_count; i++) {
        if (cache->indexes[i].kind == kind)
            index_remove(&cache->indexes[i], before);
    }
    return before;
}

const struct object *cache_get(const struct cache *cache, enum kind_id kind, struct str key)
{
    return cache_find(cache, kind, STR(""), key);
}

const struct object *cache_find(const struct cache *cache, enum kind_id kind, struct str namespace,
                                struct str name)
{
    bool found;
    size_t at = shelf_search(&cache->kinds[kind], namespace, name, &found);
    return found ? cache->kinds[kind].sorted.items[at] : NULL;
}

static const struct object *const *shelf_all(const struct shelf *shelf, size_t *ret_count)
{
    *ret_count = shelf->sorted.len;
    return (const struct object *const *)shelf->sorted.items;
}

const struct object *const *cache_all(const struct cache *cache, enum kind_id kind,
                                      size_t *ret_count)
{
    return shelf_all(&cache->kinds[kind], ret_count);
}

const struct object **cache_list(const struct cache *cache, enum kind_id kind, struct arena *arena,
                                 size_t *ret_count)
{
    size_t count;
    const struct object *const *all = cache_all(cache, kind, &count);
    const struct object **list = arena_array(arena, count, sizeof(struct object *));
    for (size_t i = 0; i < count; i++)
        list[i] = all[i];
    *ret_count = count;
    return list;
}

size_t cache_count(const struct cache *cache, enum kind_id kind)
{
    return cache->kinds[kind].sorted.len;
}

size_t cache_index(struct cache *cache, enum kind_id kind, cache_value_fn *value_of)
{
    assert(cache->index_count < CACHE_INDEX_MAX);
    struct cache_index *index = &cache->indexes[cache->index_count];
    *index = (struct cache_index){.kind = kind, .value_of = value_of};
    for (size_t i = 0; i < cache->kinds[kind].sorted.len; i++)
        index_put(index, cache->kinds[kind].sorted.items[i]);
    return cache->index_count++;
}

const struct object *const *cache_by(const struct cache *cache, size_t index, struct str value,
                                     size_t *ret_count)
{
    assert(index < cache->index_count);
    static const struct shelf nothing;
    const struct bucket *bucket = map_get(&cache->indexes[index].buckets, value);
    return shelf_all(bucket ? &bucket->shelf : &nothing, ret_count);
}
