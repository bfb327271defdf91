/* Any JSON as any kind: the first byte chooses the kind, the rest is the document. Decoding must
 * end with an object that has a name, and refused exactly when a finding is an error. */
#include <assert.h>

#include "crd/annotations.h"
#include "crd/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Alone it must come through the rules between objects too. */
static void judge(const struct object *object)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct validate_input input = {.has_secrets = true};
    input.of[object->kind->id] = (struct objects){.items = &object, .count = 1};
    struct validated result;
    validate(&input, arena, &result);
    size_t kept = result.of[object->kind->id].count;
    assert(kept <= 1 && (kept == 0 || !object->refused));
    assert(result.found.found.len >= object->source->findings.found.len);
    validate_done(&result);
}

/* One that is not refused comes back from its text. */
static void check_encode(const struct object *object)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    scoped_sbuf struct sbuf text = {0}, again = {0};
    struct str error = {0};
    object_encode(object, &text);
    json_t *tree = fields_parse(sbuf_str(&text), arena, &error);
    assert(tree);
    scoped_ptr(object) struct object *copy =
        object_decode(object->kind, tree, object->source->origin);
    json_decref(tree);
    assert(!copy->refused && str_eq(copy->key, object->key));
    object_encode(copy, &again);
    assert(str_eq(sbuf_str(&text), sbuf_str(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str error = {0};
    json_t *tree = fields_parse((struct str){(const char *)data + 1, size - 1}, arena, &error);
    if (!tree)
        return 0;
    const struct kind *kind = kinds_get((enum kind_id)(data[0] % KIND_COUNT));
    scoped_ptr(object) struct object *object = object_decode(kind, tree, STR("fuzz"));
    json_decref(tree);
    assert(object_id(object).len > object->key.len);
    assert(object->refused == (diag_errors(&object->source->findings) > 0));
    for (size_t i = 0; i < ANNOTATION_COUNT; i++)
        (void)annotations_read(object, (enum annotation_id)i, NULL);
    judge(object);
    if (!object->refused)
        check_encode(object);
    return 0;
}
