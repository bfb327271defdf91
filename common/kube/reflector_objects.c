#include "common/kube/reflector_objects.h"

#include "common/base/log.h"
#include "common/kube/object_text.h"

enum { PASSED_MAX = 1000 /* objects named in the findings */ };

/* An object that could not be read. */
struct passed {
    struct arena *arena; /* owns it and its texts */
    struct str key, why;
};

void reflector_objects_init(struct reflector_objects *objects,
                            const struct reflector_config *config, const struct cache *cache)
{
    *objects = (struct reflector_objects){
        .config = config, .kind = kinds_get(config->kind), .cache = cache};
}

void reflector_objects_abandon(struct reflector_objects *objects)
{
    map_done(&objects->named);
    objects->arena = arena_free(objects->arena);
}

void reflector_objects_begin(struct reflector_objects *objects)
{
    reflector_objects_abandon(objects);
    objects->arena = arena_new(0);
}

void reflector_objects_done(struct reflector_objects *objects)
{
    size_t cursor = 0;
    reflector_objects_abandon(objects);
    for (struct map_entry *entry; (entry = map_next(&objects->passed, &cursor));)
        (void)arena_free(((struct passed *)entry->value)->arena);
    map_done(&objects->passed);
}

/* An object is passed over (why: a phrase), or can be read again (why empty). */
static void set_passed(struct reflector_objects *objects, struct str key, struct str why)
{
    struct passed *old = map_get(&objects->passed, key);
    if (old ? str_eq(old->why, why) : !why.len)
        return;
    struct passed *passed = NULL;
    if (why.len && (old || map_count(&objects->passed) < PASSED_MAX)) {
        struct arena *arena = arena_new(0);
        passed = arena_alloc(arena, sizeof(*passed));
        *passed = (struct passed){arena, arena_str(arena, key), arena_str(arena, why)};
        (void)map_put(&objects->passed, passed->key, passed);
    } else {
        (void)map_remove(&objects->passed, key);
    }
    if (old)
        (void)arena_free(old->arena);
    objects->config->findings(objects->config->ctx);
}

static struct str key_of(const struct reflector_objects *objects, struct str namespace,
                         struct str name, struct arena *arena)
{
    if (!objects->kind->namespaced || !namespace.len)
        return arena_str(arena, name);
    return arena_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(namespace), STR_ARG(name));
}

void reflector_objects_pass_over(struct reflector_objects *objects, const struct identity *identity,
                                 bool too_large)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str key =
        key_of(objects, identity_str(&identity->namespace), identity_str(&identity->name), arena);
    struct str why = too_large ? arena_printf(arena, "larger than the limit (%llu bytes of JSON)",
                                              (unsigned long long)identity->bytes)
                               : STR("not JSON that can be read");
    objects->skipped++;
    log_warn("object passed over", kv_cstr("kind", objects->kind->name), kv_str("key", key),
             kv_str("why", why), kv_uint("bytes", identity->bytes));
    if (objects->arena)
        (void)map_put(&objects->named, arena_str(objects->arena, key), objects);
    set_passed(objects, key, why);
}

static struct str member(const json_t *metadata, const char *key)
{
    const json_t *value = json_object_get(metadata, key);
    return (struct str){json_string_value(value), json_string_length(value)};
}

void reflector_objects_take(struct reflector_objects *objects, const json_t *tree)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    const json_t *metadata = json_object_get(tree, "metadata");
    struct str key =
        key_of(objects, member(metadata, "namespace"), member(metadata, "name"), arena);
    struct str version = member(metadata, "resourceVersion");
    if (objects->arena)
        (void)map_put(&objects->named, arena_str(objects->arena, key), objects);
    set_passed(objects, key, STR(""));
    const struct object *known = cache_get(objects->cache, objects->config->kind, key);
    if (known && version.len && str_eq(known->resource_version, version))
        return;
    objects->config->put(objects->config->ctx, object_decode(objects->kind, tree, STR("")));
}

void reflector_objects_take_text(struct reflector_objects *objects, struct str text)
{
    json_t *tree = object_text_load(text);
    if (tree) {
        reflector_objects_take(objects, tree);
        json_decref(tree);
        return;
    }
    struct identity identity;
    identity_init(&identity, false);
    identity_feed(&identity, text);
    reflector_objects_pass_over(objects, &identity, false);
}

static void remove_key(struct reflector_objects *objects, struct str key)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str copy = arena_str(arena, key); /* the object may own the key */
    set_passed(objects, copy, STR(""));
    if (cache_get(objects->cache, objects->config->kind, copy))
        objects->config->remove(objects->config->ctx, objects->config->kind, copy);
}

size_t reflector_objects_sweep(struct reflector_objects *objects)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    const struct object **all = cache_list(objects->cache, objects->config->kind, arena, &count);
    struct str_list gone = {.items = arena_array(arena, count, sizeof(struct str))};
    for (size_t i = 0; i < count; i++) {
        const struct object *object = all[i];
        bool ours = !objects->config->namespace.len ||
                    str_eq(object_namespace(object), objects->config->namespace);
        if (ours && !map_get(&objects->named, object->key))
            gone.items[gone.count++] = arena_str(arena, object->key);
    }
    struct map_entry *passed = map_sorted(&objects->passed, arena, &count);
    for (size_t i = 0; i < count; i++)
        if (!map_get(&objects->named, passed[i].key))
            set_passed(objects, arena_str(arena, passed[i].key), STR(""));
    size_t named = map_count(&objects->named);
    reflector_objects_abandon(objects);
    for (size_t i = 0; i < gone.count; i++)
        remove_key(objects, gone.items[i]);
    log_debug("objects listed", kv_cstr("kind", objects->kind->name), kv_uint("count", named),
              kv_uint("gone", gone.count));
    return named;
}

void reflector_objects_remove(struct reflector_objects *objects, struct str namespace,
                              struct str name)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    remove_key(objects, key_of(objects, namespace, name, arena));
}

void reflector_objects_findings(const struct reflector_objects *objects, struct diag_list *list)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    size_t count;
    struct map_entry *passed = map_sorted(&objects->passed, arena, &count);
    for (size_t i = 0; i < count; i++) {
        const struct passed *object = passed[i].value;
        struct str id =
            arena_printf(arena, "%s/" STR_FMT, objects->kind->name, STR_ARG(object->key));
        diag_add(list, DIAG_ERROR, id, STR(""), STR_FMT, STR_ARG(object->why));
    }
}
