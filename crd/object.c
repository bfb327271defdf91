/* Objects: decoding, counting, labels. See object.h for what an object is; the kinds' own rules
 * are in their files, what concerns several objects in validate.c. */
#include "crd/object.h"

#include <assert.h>
#include <string.h>

#include "common/json/fields_encode.h"
#include "crd/check.h"
#include "crd/kinds.h"
#include "crd/name.h"

#define AT(member) offsetof(struct owner_ref, member)
static const struct field owner_fields[] = {
    {"apiVersion", FIELD_STR, AT(api_version)},
    {"kind", FIELD_STR, AT(kind)},
    {"name", FIELD_STR, AT(name)},
    {"uid", FIELD_STR, AT(uid)},
};
#undef AT
static const struct shape owner_shape = SHAPE(struct owner_ref, owner_fields, 0);

#define AT(member) offsetof(struct meta, member)
static const struct field meta_fields[] = {
    {"name", FIELD_STR, AT(name)},
    {"namespace", FIELD_STR, AT(namespace)},
    {"uid", FIELD_STR, AT(uid)},
    {"resourceVersion", FIELD_STR, AT(resource_version)},
    {"generation", FIELD_INT, AT(generation)},
    {"creationTimestamp", FIELD_TIME, AT(created)},
    {"deletionTimestamp", FIELD_TIME, AT(deleted)},
    {"labels", FIELD_MAP, AT(labels)},
    {"annotations", FIELD_MAP, AT(annotations)},
    {"ownerReferences", FIELD_LIST, AT(owners), .nested = &owner_shape},
};
#undef AT
const struct shape object_meta_shape = SHAPE(struct meta, meta_fields, 0);

/* A text of metadata, before the tables have run: findings need the object's name first. */
static struct str peek(const json_t *tree, const char *key)
{
    const json_t *value = json_object_get(json_object_get(tree, "metadata"), key);
    return (struct str){.ptr = json_string_value(value), .len = json_string_length(value)};
}

static void set_names(struct object *object, const json_t *tree)
{
    struct str name = peek(tree, "name");
    struct str namespace = object->kind->namespaced ? peek(tree, "namespace") : STR("");
    const char *slash = namespace.len ? "/" : "";
    object->key =
        arena_printf(object->arena, STR_FMT "%s" STR_FMT, STR_ARG(namespace), slash, STR_ARG(name));
    object->id =
        arena_printf(object->arena, "%s/" STR_FMT, object->kind->name, STR_ARG(object->key));
}

static void check_names(struct object *object)
{
    const struct meta *meta = &object->meta;
    if (meta->name.len == 0)
        check_fail(object, STR("metadata.name"), "missing %s name", object->kind->name);
    else if (!name_is_subdomain(meta->name))
        check_fail(object, STR("metadata.name"),
                   "must be lower-case letters, digits, '-' and '.', at most 253, not \"" STR_FMT
                   "\"",
                   STR_ARG(str_slice(meta->name, 0, 253)));
    if (meta->namespace.len && !name_is_label(meta->namespace))
        check_fail(object, STR("metadata.namespace"),
                   "must be lower-case letters, digits and '-', at most 63, not \"" STR_FMT "\"",
                   STR_ARG(str_slice(meta->namespace, 0, 253)));
}

/* The API server's limit on the keys and values of all annotations together. */
enum { ANNOTATIONS_MAX = 256 * 1024 };

static void check_annotations(struct object *object)
{
    const struct str_map *annotations = &object->meta.annotations;
    size_t size = 0;
    for (size_t i = 0; i < annotations->count; i++)
        size += annotations->items[i].key.len + annotations->items[i].value.len;
    if (size > ANNOTATIONS_MAX)
        check_fail(object, STR("metadata.annotations"), "must be at most %d bytes in all, not %zu",
                   ANNOTATIONS_MAX, size);
}

struct object *object_decode(const struct kind *kind, const json_t *tree, struct str origin)
{
    /* Clusters have thousands of objects: most fit the first block, which is one allocation, and
     * which the next version finds free again. */
    enum { ROOM = 784, STEP = 192 };
    struct arena *arena = arena_new_steady(kind->size + (kind->room ? kind->room : ROOM), STEP);
    assert(kind->size >= sizeof(struct object));
    struct object *object = arena_alloc(arena, kind->size);
    object->kind = kind;
    object->arena = arena;
    object->refs = 1;
    object->findings.arena = arena;
    object->origin = arena_str(arena, origin);
    set_names(object, tree);
    /* The number of errors is counted below, together with those of the checks. */
    (void)fields_decode(kind->shape, tree, STR(""), object->id, arena, &object->findings, object);
    check_names(object);
    check_annotations(object);
    if (kind->check)
        kind->check(object);
    object->refused = diag_errors(&object->findings) > 0;
    return object;
}

struct object *object_copy_head(const struct object *object, struct keep *keep, size_t extra)
{
    enum { ROUNDED = 16 + 3 }; /* for what is behind texts to be aligned, and a NUL to each */
    const struct meta *meta = &object->meta;
    size_t texts = object->id.len + meta->resource_version.len + object->origin.len;
    struct arena *arena = arena_new_kept(keep, object->kind->size + texts + ROUNDED + extra, 64);
    struct object *copy = arena_alloc(arena, object->kind->size);
    copy->kind = object->kind;
    copy->arena = arena;
    copy->refs = 1;
    copy->refused = object->refused;
    copy->findings.arena = arena;
    copy->origin = object->origin.len ? arena_str(arena, object->origin) : (struct str){0};
    copy->id = arena_str(arena, object->id);
    copy->key = str_slice(copy->id, copy->id.len - object->key.len, copy->id.len);
    copy->meta.name = str_slice(copy->key, copy->key.len - meta->name.len, copy->key.len);
    copy->meta.namespace = str_slice(copy->key, 0, meta->namespace.len);
    copy->meta.resource_version = arena_str(arena, meta->resource_version);
    copy->meta.generation = meta->generation;
    copy->meta.created = meta->created;
    copy->meta.deleted = meta->deleted;
    return copy;
}

/* Keys that thousands of objects have are not copied. */
static const struct str common_keys[] = {
    STR_INIT("metallb.io/node"),
    STR_INIT("metallb.io/service-name"),
    STR_INIT("metallb.io/service-namespace"),
    STR_INIT("stentor.io/placement"),
};

/* The constant with that text, or nothing. */
static struct str common_key(struct str key)
{
    for (size_t i = 0; i < sizeof(common_keys) / sizeof(common_keys[0]); i++) {
        if (str_eq(key, common_keys[i]))
            return common_keys[i];
    }
    return (struct str){0};
}

size_t object_map_size(const struct str_map *map)
{
    enum { ALIGNMENT = 15 }; /* of the array behind texts */
    size_t size = map->count ? map->count * sizeof(struct str_pair) + ALIGNMENT : 0;
    for (size_t i = 0; i < map->count; i++) {
        size_t key = common_key(map->items[i].key).len ? 0 : map->items[i].key.len + 1;
        size += key + map->items[i].value.len + 1;
    }
    return size;
}

struct str_map object_map_copy(const struct str_map *map, struct arena *arena)
{
    struct str_map copy = {0};
    if (map->count)
        copy.items = arena_array(arena, map->count, sizeof(*copy.items));
    for (; copy.count < map->count; copy.count++) {
        const struct str_pair *from = &map->items[copy.count];
        struct str key = common_key(from->key);
        copy.items[copy.count] =
            (struct str_pair){.key = key.len ? key : arena_str(arena, from->key),
                              .value = arena_str(arena, from->value)};
    }
    return copy;
}

struct object *object_ref(const struct object *object)
{
    /* The count is the one member that changes in an object others see as constant. */
    struct object *counted = (struct object *)object;
    counted->refs++;
    return counted;
}

struct object *object_unref(struct object *object)
{
    if (!object || --object->refs > 0)
        return NULL;
    diag_done(&object->findings);
    (void)arena_free(object->arena);
    return NULL;
}

struct str object_label(const struct object *object, struct str key, bool *ret_present)
{
    return str_map_get(&object->meta.labels, key, ret_present);
}

struct str object_annotation(const struct object *object, struct str key, bool *ret_present)
{
    return str_map_get(&object->meta.annotations, key, ret_present);
}

static struct str_map without(const struct str_map *map, struct str key, struct arena *arena)
{
    struct str_map rest = {.items = arena_array(arena, map->count, sizeof(*rest.items))};
    for (size_t i = 0; i < map->count; i++) {
        if (!str_eq(map->items[i].key, key))
            rest.items[rest.count++] = map->items[i];
    }
    return rest;
}

void object_encode(const struct object *object, struct sbuf *out)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct object *copy = arena_alloc(arena, object->kind->size);
    memcpy(copy, object, object->kind->size);
    copy->meta.resource_version = STR("");
    copy->meta.generation = 0;
    copy->meta.annotations = without(
        &object->meta.annotations, STR("kubectl.kubernetes.io/last-applied-configuration"), arena);
    fields_encode(object->kind->shape, copy, out);
}

static bool same_map(const struct str_map *x, const struct str_map *y)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++) {
        if (!str_eq(x->items[i].key, y->items[i].key) ||
            !str_eq(x->items[i].value, y->items[i].value))
            return false;
    }
    return true;
}

bool object_same_labels(const struct object *a, const struct object *b)
{
    return same_map(&a->meta.labels, &b->meta.labels);
}

bool object_same_annotations(const struct object *a, const struct object *b)
{
    return same_map(&a->meta.annotations, &b->meta.annotations);
}
