#include "common/base/test.h"

#include "common/kube/cache.h"

/* An object made by hand; the label "app" is what the index looks at. */
static struct object *make(enum kind_id kind, const char *key, const char *app)
{
    struct arena *arena = arena_new(0);
    struct object *object = arena_alloc(arena, sizeof(*object));
    struct str_pair *label = arena_alloc(arena, sizeof(*label));
    *label = (struct str_pair){.key = STR("app"), .value = arena_str(arena, str_from(app))};
    *object = (struct object){
        .kind = kinds_get(kind),
        .arena = arena,
        .refs = 1,
        .key = arena_str(arena, str_from(key)),
        .labels = {.items = label, .count = 1},
        .source = arena_alloc(arena, sizeof(struct object_source)),
    };
    return object;
}

static void app_of(const struct object *object, struct sbuf *out)
{
    sbuf_put(out, object_label(object, STR("app"), NULL));
}

/* The keys of a list with blanks between. */
static struct str keys_of(struct arena *arena, const struct object *const *list, size_t count)
{
    struct sbuf out = {0};
    for (size_t i = 0; i < count; i++)
        sbuf_printf(&out, "%s" STR_FMT, i ? " " : "", STR_ARG(list[i]->key));
    return sbuf_move(&out, arena);
}

static struct str all_of(struct arena *arena, const struct cache *cache, enum kind_id kind)
{
    size_t count;
    const struct object **list = cache_list(cache, kind, arena, &count);
    return keys_of(arena, (const struct object *const *)list, count);
}

static struct str by(struct arena *arena, const struct cache *cache, size_t index, const char *app)
{
    size_t count;
    const struct object *const *list = cache_by(cache, index, str_from(app), &count);
    return keys_of(arena, list, count);
}

static void put(struct cache *cache, struct object *object)
{
    (void)object_unref(cache_put(cache, object));
}

static void test_order(void)
{
    static const char *const keys[] = {"b/a",  "a-b/x", "a/z",   "a/b",
                                       "aa/a", "b/aa",  "a.b/c", "a0/a"};
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(cache) struct cache *cache = cache_new();
    for (size_t i = 0; i < TEST_COUNT(keys); i++)
        put(cache, make(KIND_SERVICE, keys[i], ""));
    put(cache, make(KIND_NODE, "n1", ""));
    TEST_STR(all_of(arena, cache, KIND_SERVICE), "a-b/x a.b/c a/b a/z a0/a aa/a b/a b/aa");
    TEST_STR(all_of(arena, cache, KIND_NODE), "n1");
    TEST_STR(all_of(arena, cache, KIND_POD), "");
    TEST_ASSERT(cache_count(cache, KIND_SERVICE) == TEST_COUNT(keys));
    for (size_t i = 0; i < TEST_COUNT(keys); i++) {
        struct str namespace, name;
        TEST_ASSERT(str_cut(str_from(keys[i]), '/', &namespace, &name));
        const struct object *got = cache_get(cache, KIND_SERVICE, str_from(keys[i]));
        TEST_ASSERT(got && got == cache_find(cache, KIND_SERVICE, namespace, name));
        TEST_STR(got->key, keys[i]);
    }
    TEST_ASSERT(cache_find(cache, KIND_NODE, STR(""), STR("n1")) != NULL);
    TEST_ASSERT(!cache_find(cache, KIND_SERVICE, STR("a"), STR("")));
    TEST_ASSERT(!cache_find(cache, KIND_SERVICE, STR("a"), STR("bb")));
    TEST_ASSERT(!cache_find(cache, KIND_SERVICE, STR("c"), STR("a")));
    TEST_ASSERT(!cache_get(cache, KIND_POD, STR("a/b")));
}

static void test_replace(void)
{
    scoped_ptr(cache) struct cache *cache = cache_new();
    struct object *first = make(KIND_SERVICE, "a/b", "x");
    TEST_ASSERT(!cache_put(cache, first));
    struct object *before = cache_put(cache, make(KIND_SERVICE, "a/b", "y"));
    TEST_ASSERT(before == first);
    (void)object_unref(before);
    TEST_ASSERT(cache_count(cache, KIND_SERVICE) == 1);
    TEST_ASSERT(!cache_remove(cache, KIND_SERVICE, STR("a/c")));
    TEST_ASSERT(!cache_remove(cache, KIND_POD, STR("a/b")));
    before = cache_remove(cache, KIND_SERVICE, STR("a/b"));
    TEST_STR(object_label(before, STR("app"), NULL), "y");
    (void)object_unref(before);
    TEST_ASSERT(cache_count(cache, KIND_SERVICE) == 0);
}

static void test_index(void)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(cache) struct cache *cache = cache_new();
    put(cache, make(KIND_ENDPOINT_SLICE, "a/early", "web"));
    size_t index = cache_index(cache, KIND_ENDPOINT_SLICE, app_of);
    put(cache, make(KIND_ENDPOINT_SLICE, "a/2", "web"));
    put(cache, make(KIND_ENDPOINT_SLICE, "a/1", "web"));
    put(cache, make(KIND_ENDPOINT_SLICE, "a/3", "api"));
    put(cache, make(KIND_ENDPOINT_SLICE, "a/4", ""));
    put(cache, make(KIND_POD, "a/5", "web"));
    TEST_STR(by(arena, cache, index, "web"), "a/1 a/2 a/early");
    TEST_STR(by(arena, cache, index, "api"), "a/3");
    TEST_STR(by(arena, cache, index, ""), "");
    TEST_STR(by(arena, cache, index, "none"), "");

    put(cache, make(KIND_ENDPOINT_SLICE, "a/1", "api"));
    put(cache, make(KIND_ENDPOINT_SLICE, "a/2", "web"));
    TEST_STR(by(arena, cache, index, "web"), "a/2 a/early");
    TEST_STR(by(arena, cache, index, "api"), "a/1 a/3");
    (void)object_unref(cache_remove(cache, KIND_ENDPOINT_SLICE, STR("a/2")));
    (void)object_unref(cache_remove(cache, KIND_ENDPOINT_SLICE, STR("a/early")));
    TEST_STR(by(arena, cache, index, "web"), "");
    put(cache, make(KIND_ENDPOINT_SLICE, "a/9", "web"));
    TEST_STR(by(arena, cache, index, "web"), "a/9");
}

/* Ten thousand objects put in a mixed order come out sorted and complete. */
static void test_many(void)
{
    enum { COUNT = 10000 };
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_ptr(cache) struct cache *cache = cache_new();
    for (unsigned i = 0; i < COUNT; i++)
        put(cache, make(KIND_SERVICE, arena_printf(arena, "n/%u", i * 7919 % COUNT).ptr, ""));
    size_t count;
    const struct object *const *all = cache_all(cache, KIND_SERVICE, &count);
    TEST_ASSERT(count == COUNT);
    bool sorted = true;
    for (size_t i = 1; i < count; i++)
        sorted &= str_cmp(all[i - 1]->key, all[i]->key) < 0;
    TEST_ASSERT(sorted);
}

TEST_MAIN("common/kube cache", TEST(test_order), TEST(test_replace), TEST(test_index),
          TEST(test_many))
