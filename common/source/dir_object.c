#include "common/source/dir_object.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/err.h"
#include "common/base/map.h"
#include "common/json/patch.h"
#include "common/source/dir_apply.h"

static struct str text_of(const json_t *value)
{
    return (struct str){.ptr = json_string_value(value), .len = json_string_length(value)};
}

/* object[key] as an object, made when it is none. */
static json_t *member_object(json_t *object, const char *key)
{
    json_t *member = json_object_get(object, key);
    if (!json_is_object(member)) {
        member = json_object();
        (void)json_object_set_new(object, key, member); /* a valid key */
    }
    return member;
}

bool dir_object_is_whole(const json_t *stored)
{
    return json_is_string(json_object_get(stored, "kind")) &&
           json_is_object(json_object_get(stored, "metadata"));
}

/* The merged object without its resourceVersion. */
static json_t *merge(const json_t *manifest, const json_t *stored)
{
    bool whole = dir_object_is_whole(stored);
    json_t *object = NULL;
    if (manifest)
        object = json_deep_copy(manifest);
    else if (whole)
        object = json_deep_copy(stored);
    if (!object)
        return NULL;
    if (manifest && json_is_object(stored)) {
        json_t *status = json_object_get(stored, "status");
        if (!whole) {
            json_t *change = json_copy((json_t *)stored); /* shallow: only read below */
            (void)json_object_del(change, "status");
            object = patch_merge(object, change);
            json_decref(change);
        }
        if (status)
            (void)json_object_set_new(object, "status", json_deep_copy(status));
    }
    (void)json_object_del(object, "managers");
    json_t *metadata = json_object_get(object, "metadata");
    (void)json_object_del(metadata, "resourceVersion");
    (void)json_object_del(metadata, "managedFields");
    return object;
}

json_t *dir_object_merge(const json_t *manifest, const json_t *stored)
{
    json_t *object = merge(manifest, stored);
    if (!object)
        return NULL;
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    scoped_sbuf struct sbuf version = {0};
    sbuf_u64(&version, map_hash(0, str_from(text)));
    free(text);
    (void)json_object_set_new(member_object(object, "metadata"), "resourceVersion",
                              json_string(sbuf_cstr(&version)));
    return object;
}

struct str dir_object_version(const json_t *object)
{
    return text_of(json_object_get(json_object_get(object, "metadata"), "resourceVersion"));
}

static int refuse(struct arena *arena, const struct dir_object_write *write, int result,
                  const char *what, struct str *ret_message)
{
    *ret_message = arena_printf(arena, "%s \"" STR_FMT "\" %s", write->kind->plural,
                                STR_ARG(write->name), what);
    return result;
}

/* What is to be stored so that `object` (without resourceVersion) is seen. */
static json_t *store(const json_t *manifest, json_t *object)
{
    if (!manifest)
        return json_incref(object);
    json_t *bare = merge(manifest, NULL), *rest = json_copy(object);
    json_t *status = json_incref(json_object_get(object, "status"));
    bool same = json_equal(json_object_get(bare, "status"), status) ||
                (!status && !json_object_get(bare, "status"));
    (void)json_object_del(bare, "status");
    (void)json_object_del(rest, "status");
    json_t *overlay = patch_diff(bare, rest);
    if (!same) {
        if (!overlay)
            overlay = json_object();
        (void)json_object_set_new(overlay, "status", status ? json_incref(status) : json_object());
    }
    json_decref(status);
    json_decref(bare);
    json_decref(rest);
    return overlay;
}

/* The parts of a body that a write of the status subresource may change. */
static json_t *status_part(const json_t *body)
{
    json_t *part = json_object();
    json_t *status = json_object_get(body, "status");
    json_t *annotations = json_object_get(json_object_get(body, "metadata"), "annotations");
    if (status)
        (void)json_object_set(part, "status", status);
    if (annotations)
        (void)json_object_set(member_object(part, "metadata"), "annotations", annotations);
    return part;
}

/* The parts that a write of the object itself may change: all but the status and what the source
 * itself keeps. */
static json_t *object_part(const json_t *body)
{
    json_t *part = json_copy((json_t *)body);
    (void)json_object_del(part, "status");
    (void)json_object_del(part, "managers");
    json_t *metadata = json_copy(json_object_get(body, "metadata"));
    if (metadata) {
        (void)json_object_del(metadata, "resourceVersion");
        (void)json_object_set_new(part, "metadata", metadata);
    }
    return part;
}

static bool is_status_verb(enum source_verb verb)
{
    return verb == SOURCE_PATCH_STATUS || verb == SOURCE_APPLY_STATUS;
}

/* The name of the member that remembers what a manager applied. */
static struct str manager_key(const struct dir_object_write *write, struct arena *arena)
{
    return arena_printf(arena, STR_FMT "%s", STR_ARG(write->manager),
                        write->verb == SOURCE_APPLY_STATUS ? "/status" : "");
}

/* Sets what every object has. */
static void set_identity(json_t *object, const struct dir_object_write *write, struct arena *arena)
{
    struct str version = kinds_api_version(write->kind, arena);
    (void)json_object_set_new(object, "apiVersion", json_stringn(version.ptr, version.len));
    (void)json_object_set_new(object, "kind", json_string(write->kind->name));
    json_t *metadata = member_object(object, "metadata");
    (void)json_object_del(metadata, "generateName");
    (void)json_object_set_new(metadata, "name", json_stringn(write->name.ptr, write->name.len));
    if (write->kind->namespaced)
        (void)json_object_set_new(metadata, "namespace",
                                  json_stringn(write->namespace.ptr, write->namespace.len));
}

/* Changes `object` (takes the reference) as the verb says; returns it. */
static json_t *change(const struct dir_object_write *write, json_t *object, const json_t *stored,
                      struct arena *arena, json_t **ret_managers)
{
    json_t *part =
        is_status_verb(write->verb) ? status_part(write->body) : object_part(write->body);
    if (write->verb == SOURCE_PATCH || write->verb == SOURCE_PATCH_STATUS) {
        object = patch_merge(object, part);
    } else {
        const char *key = manager_key(write, arena).ptr;
        json_t *managers = json_deep_copy(json_object_get(stored, "managers"));
        if (!managers)
            managers = json_object();
        dir_apply(object, json_object_get(managers, key), part);
        (void)json_object_set_new(managers, key, json_deep_copy(part));
        *ret_managers = managers;
    }
    json_decref(part);
    return object;
}

static int create(const struct dir_object_write *write, struct arena *arena, json_t **ret_stored)
{
    json_t *object = json_deep_copy(write->body);
    (void)json_object_del(object, "managers");
    (void)json_object_del(json_object_get(object, "metadata"), "resourceVersion");
    set_identity(object, write, arena);
    *ret_stored = object;
    return 0;
}

struct dir_object_write dir_object_named(const struct dir_object_write *write, struct arena *arena)
{
    struct dir_object_write named = *write;
    const json_t *metadata = json_object_get(write->body, "metadata");
    struct str prefix = text_of(json_object_get(metadata, "generateName"));
    if (!named.name.len)
        named.name = text_of(json_object_get(metadata, "name"));
    if (!named.name.len && prefix.len)
        named.name = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(prefix), STR_ARG(write->suffix));
    if (!named.namespace.len)
        named.namespace = text_of(json_object_get(metadata, "namespace"));
    return named;
}

static int remove_object(const struct dir_object_write *write, const json_t *manifest,
                         const json_t *object, struct arena *arena, json_t **ret_stored,
                         struct str *ret_message)
{
    if (!object)
        return refuse(arena, write, -ENOENT, "not found", ret_message);
    if (manifest)
        return refuse(arena, write, ERR_REMOTE, "is defined in a manifest and stays", ret_message);
    *ret_stored = NULL;
    return 0;
}

static int change_object(const struct dir_object_write *write, const json_t *manifest,
                         const json_t *stored, json_t *object, struct arena *arena,
                         json_t **ret_stored)
{
    json_t *managers = NULL;
    if (object)
        (void)json_object_del(json_object_get(object, "metadata"), "resourceVersion");
    object = change(write, object ? object : json_object(), stored, arena, &managers);
    if (!manifest)
        set_identity(object, write, arena);
    json_t *result = store(manifest, object);
    if (managers) {
        if (!result)
            result = json_object();
        (void)json_object_set_new(result, "managers", managers);
    }
    json_decref(object);
    *ret_stored = result;
    return 0;
}

int dir_object_write(const struct dir_object_write *write, const json_t *manifest,
                     const json_t *stored, struct arena *arena, json_t **ret_stored,
                     struct str *ret_message)
{
    json_t *object = dir_object_merge(manifest, stored);
    struct str expected = dir_object_version(write->body);
    int result;
    if (write->verb != SOURCE_DELETE && !json_is_object(write->body))
        result = refuse(arena, write, ERR_REMOTE, "is given no JSON object", ret_message);
    else if (!write->name.len)
        result = refuse(arena, write, ERR_REMOTE, "has no name", ret_message);
    else if (object && expected.len && !str_eq(expected, dir_object_version(object)))
        result = refuse(arena, write, ERR_CONFLICT, "has been modified", ret_message);
    else if (write->verb == SOURCE_DELETE)
        result = remove_object(write, manifest, object, arena, ret_stored, ret_message);
    else if (write->verb == SOURCE_CREATE && object)
        result = refuse(arena, write, ERR_CONFLICT, "already exists", ret_message);
    else if (write->verb == SOURCE_CREATE)
        result = create(write, arena, ret_stored);
    else if (!object && write->verb != SOURCE_APPLY)
        result = refuse(arena, write, -ENOENT, "not found", ret_message);
    else
        result = change_object(write, manifest, stored, json_incref(object), arena, ret_stored);
    json_decref(object);
    return result;
}
