/* Objects: decoding, counting, labels. See object.h for what an object is; the kinds' own rules
 * are in their files, what concerns several objects in validate.c. */
#include "crd/object.h"

#include <assert.h>
#include <string.h>

#include "common/json/fields_encode.h"
#include "crd/announced.h"
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

/* The part behind "Kind/"; it may be empty, and is in the id all the same. */
static struct str key_of_id(const struct kind *kind, struct str id)
{
    size_t kind_len = strlen(kind->name) + 1;
    return (struct str){.ptr = id.ptr + kind_len, .len = id.len - kind_len};
}

static void set_names(struct object *object, const json_t *tree)
{
    struct str name = peek(tree, "name");
    struct str namespace = object->kind->namespaced ? peek(tree, "namespace") : STR("");
    const char *slash = namespace.len ? "/" : "";
    struct str id = arena_printf(object->arena, "%s/" STR_FMT "%s" STR_FMT, object->kind->name,
                                 STR_ARG(namespace), slash, STR_ARG(name));
    object->key = key_of_id(object->kind, id);
    object->namespace_len = (unsigned)namespace.len & INT32_MAX;
}

struct str object_id(const struct object *object)
{
    size_t kind_len = strlen(object->kind->name) + 1;
    return (struct str){.ptr = object->key.ptr - kind_len, .len = object->key.len + kind_len};
}

struct str object_name(const struct object *object)
{
    size_t from = object->namespace_len ? object->namespace_len + 1 : 0;
    return str_slice(object->key, from, object->key.len);
}

struct str object_namespace(const struct object *object)
{
    return str_slice(object->key, 0, object->namespace_len);
}

static void check_names(struct object *object)
{
    const struct meta *meta = object->meta;
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
    const struct str_map *annotations = &object->annotations;
    size_t size = 0;
    for (size_t i = 0; i < annotations->count; i++)
        size += annotations->items[i].key.len + annotations->items[i].value.len;
    if (size > ANNOTATIONS_MAX)
        check_fail(object, STR("metadata.annotations"), "must be at most %d bytes in all, not %zu",
                   ANNOTATIONS_MAX, size);
}

/* What a reduced object knows of its metadata and of where it comes from. */
static const struct meta no_meta;
static const struct object_source no_source;

/* What readers ask for often is at hand without the whole. */
static void set_meta(struct object *object)
{
    if (!object->meta) /* refused */
        object->meta = &no_meta;
    object->uid = object->meta->uid;
    object->resource_version = object->meta->resource_version;
    object->labels = object->meta->labels;
    object->annotations = object->meta->annotations;
}

/* Of its own only when there is something to say: most come from an API server, and are well. */
static struct object_source *own_source(struct object *object)
{
    if (object->source == &no_source) {
        struct object_source *own = arena_alloc(object->arena, sizeof(*own));
        own->findings.arena = object->arena;
        object->source = own;
    }
    return (struct object_source *)object->source; /* in its arena: not constant */
}

static void set_source(struct object *object, struct str origin, const struct diag_list *found)
{
    object->source = &no_source;
    if (origin.len)
        own_source(object)->origin = arena_str(object->arena, origin);
    if (found->found.len)
        own_source(object)->findings = *found;
}

struct diag_list *object_findings(struct object *object)
{
    return &own_source(object)->findings;
}

struct object *object_decode(const struct kind *kind, const json_t *tree, struct str origin)
{
    /* Clusters have thousands of objects: most fit the first block, which is one allocation, and
     * which the next version finds free again. */
    enum { ROOM = 784, STEP = 192 };
    size_t room = sizeof(struct meta) + (kind->room ? kind->room : ROOM);
    struct arena *arena = arena_new_steady(kind->size + room, STEP);
    struct diag_list found = {.arena = arena};
    assert(kind->size >= sizeof(struct object));
    struct object *object = arena_alloc(arena, kind->size);
    object->kind = kind;
    object->arena = arena;
    object->refs = 1;
    set_names(object, tree);
    /* The number of errors is counted below, together with those of the checks. */
    (void)fields_decode(kind->shape, tree, STR(""), object_id(object), arena, &found, object);
    set_source(object, origin, &found);
    set_meta(object);
    check_names(object);
    check_annotations(object);
    if (kind->check)
        kind->check(object);
    object->refused = diag_errors(&object->source->findings) > 0;
    return object;
}

struct object *object_copy_begin(const struct object *object, struct keep *keep, size_t extra)
{
    enum { NULS = 2, ALIGNED = 16 };
    size_t texts = object_id(object).len + object->resource_version.len + NULS;
    size_t size = (object->kind->size + ALIGNED - 1) / ALIGNED * ALIGNED; /* an array follows */
    struct arena *arena = arena_new_kept(keep, size + extra + texts, 64);
    struct object *copy = arena_alloc(arena, object->kind->size);
    copy->kind = object->kind;
    copy->arena = arena;
    copy->refs = 1;
    copy->refused = object->refused;
    copy->meta = &no_meta;
    copy->source = &no_source;
    return copy;
}

void object_copy_end(struct object *copy, const struct object *object)
{
    copy->key = key_of_id(copy->kind, arena_str(copy->arena, object_id(object)));
    copy->namespace_len = object->namespace_len;
    copy->resource_version = arena_str(copy->arena, object->resource_version);
}

/* Keys that thousands of objects have are not copied. */
static const struct str common_keys[] = {
    STR_INIT(ANNOUNCED_NODE),
    STR_INIT(ANNOUNCED_NAME),
    STR_INIT(ANNOUNCED_NAMESPACE),
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
    if (object->source != &no_source)
        diag_done(object_findings(object));
    (void)arena_free(object->arena);
    return NULL;
}

struct str object_label(const struct object *object, struct str key, bool *ret_present)
{
    return str_map_get(&object->labels, key, ret_present);
}

struct str object_annotation(const struct object *object, struct str key, bool *ret_present)
{
    return str_map_get(&object->annotations, key, ret_present);
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
    struct meta meta = *object->meta;
    memcpy(copy, object, object->kind->size);
    meta.name = object_name(object);
    meta.namespace = object_namespace(object);
    meta.uid = object->uid;
    meta.resource_version = STR("");
    meta.generation = 0;
    meta.labels = object->labels;
    meta.annotations = without(&object->annotations,
                               STR("kubectl.kubernetes.io/last-applied-configuration"), arena);
    copy->meta = &meta;
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
    return same_map(&a->labels, &b->labels);
}

bool object_same_annotations(const struct object *a, const struct object *b)
{
    return same_map(&a->annotations, &b->annotations);
}
