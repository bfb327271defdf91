/* Any bytes as a manifest file, YAML and JSON: read, put in the model beside a whole file, told as
 * objects and decoded. */
#include <assert.h>

#include "common/source/dir_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(void *ctx, const struct kind *kind, struct str key, const json_t *tree,
                   struct str origin)
{
    size_t *count = ctx;
    assert(tree && key.len && origin.len);
    struct object *object = object_decode(kind, tree, origin);
    assert(object->refused == (diag_errors(&object->source->findings) > 0));
    assert(str_eq(object->key, key));
    (void)object_unref(object);
    (*count)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {.ptr = (const char *)data, .len = size};
    scoped_ptr(dir_model) struct dir_model *model = dir_model_new();
    struct manifest *yaml = manifest_parse(STR("fuzz.yaml"), text);
    struct manifest *json = manifest_parse(STR("fuzz.json"), text);
    size_t objects = yaml->objects.len + json->objects.len, told = 0;
    dir_model_file(model, STR("fuzz.yaml"), yaml);
    dir_model_file(model, STR("fuzz.json"), json);
    dir_model_update(model, decode, &told);
    assert(told <= objects);
    return 0;
}
