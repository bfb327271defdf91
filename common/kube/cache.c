/* Each kind is a vector sorted by key: reading in order is what plans do most, and a binary search
 * is cheap. An index is a vector of the objects that have a value, sorted by value and then by key;
 * values are worked out when they are compared, and take no memory. Lists come in an order that is
 * nearly both, so that most objects go to an end. */
#include "common/kube/cache.h"

#include <assert.h>
#include <string.h>

#include "common/base/vec.h"

struct shelf {
    VEC(struct object *) sorted;
};

struct cache_index {
    enum kind_id kind;
    cache_value_fn *value_of;
    struct shelf shelf;
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

static void shelf_insert(struct shelf *shelf, size_t at, struct object *object)
{
    vec_push(&shelf->sorted, NULL);
    struct object **slot = &shelf->sorted.items[at];
    memmove(slot + 1, slot, (shelf->sorted.len - 1 - at) * sizeof(*slot));
    *slot = object;
}

/* Returns the object that was there. */
static struct object *shelf_take(struct shelf *shelf, size_t at)
{
    struct object **slot = &shelf->sorted.items[at], *object = *slot;
    memmove(slot, slot + 1, (shelf->sorted.len - 1 - at) * sizeof(*slot));
    shelf->sorted.len--;
    return object;
}

/* Returns the object that was there, or NULL. */
static struct object *shelf_put(struct shelf *shelf, struct object *object)
{
    bool found;
    size_t at = shelf_search(shelf, STR(""), object->key, &found);
    if (!found) {
        shelf_insert(shelf, at, object);
        return NULL;
    }
    struct object *before = shelf->sorted.items[at];
    shelf->sorted.items[at] = object;
    return before;
}

static struct object *shelf_remove(struct shelf *shelf, struct str key)
{
    bool found;
    size_t at = shelf_search(shelf, STR(""), key, &found);
    return found ? shelf_take(shelf, at) : NULL;
}

/* Where the first object with that value and at least that key is, or would go. */
static size_t index_search(const struct cache_index *index, struct str value, struct str key)
{
    scoped_sbuf struct sbuf other = {0};
    size_t from = 0, to = index->shelf.sorted.len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct object *object = index->shelf.sorted.items[middle];
        sbuf_clear(&other);
        index->value_of(object, &other);
        int order = str_cmp(sbuf_str(&other), value);
        if (order < 0 || (order == 0 && str_cmp(object->key, key) < 0))
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* before (NULL: none) gives its place up to after (NULL: none), which has the same key. */
static void index_change(struct cache_index *index, const struct object *before,
                         struct object *after)
{
    scoped_sbuf struct sbuf old = {0}, new = {0};
    if (before)
        index->value_of(before, &old);
    if (after)
        index->value_of(after, &new);
    bool same = str_eq(sbuf_str(&old), sbuf_str(&new));
    if (old.len) {
        size_t at = index_search(index, sbuf_str(&old), before->key);
        if (same)
            index->shelf.sorted.items[at] = after;
        else
            (void)shelf_take(&index->shelf, at); /* borrowed there: nothing to give back */
    }
    if (new.len && !same)
        shelf_insert(&index->shelf, index_search(index, sbuf_str(&new), after->key), after);
}

/* The same in all indexes of the kind. */
static void change_indexes(struct cache *cache, enum kind_id kind, const struct object *before,
                           struct object *after)
{
    for (size_t i = 0; i < cache->index_count; i++) {
        if (cache->indexes[i].kind == kind)
            index_change(&cache->indexes[i], before, after);
    }
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
    for (size_t i = 0; i < cache->index_count; i++)
        vec_done(&cache->indexes[i].shelf.sorted);
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
    struct object *before = shelf_put(&cache->kinds[object->kind->id], object);
    change_indexes(cache, object->kind->id, before, object);
    return before;
}

struct object *cache_remove(struct cache *cache, enum kind_id kind, struct str key)
{
    struct object *before = shelf_remove(&cache->kinds[kind], key);
    if (before)
        change_indexes(cache, kind, before, NULL);
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

const struct object *const *cache_all(const struct cache *cache, enum kind_id kind,
                                      size_t *ret_count)
{
    const struct shelf *shelf = &cache->kinds[kind];
    *ret_count = shelf->sorted.len;
    return (const struct object *const *)shelf->sorted.items;
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
        index_change(index, NULL, cache->kinds[kind].sorted.items[i]);
    return cache->index_count++;
}

const struct object *const *cache_by(const struct cache *cache, size_t index, struct str value,
                                     size_t *ret_count)
{
    assert(index < cache->index_count);
    const struct cache_index *of = &cache->indexes[index];
    size_t at = index_search(of, value, STR("")), end = at;
    scoped_sbuf struct sbuf other = {0};
    for (; end < of->shelf.sorted.len; end++) {
        sbuf_clear(&other);
        of->value_of(of->shelf.sorted.items[end], &other);
        if (!str_eq(sbuf_str(&other), value))
            break;
    }
    *ret_count = end - at;
    return end > at ? (const struct object *const *)of->shelf.sorted.items + at : NULL;
}
