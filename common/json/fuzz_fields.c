/* Any bytes: parsed, decoded as a shape with every type, and merged with themselves. */
#include <assert.h>

#include "common/json/fields_encode.h"
#include "common/json/patch.h"
#include "common/json/sample_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was decoded without an error comes back from its text: the text of that is the same. */
static void check_encode(const struct sample *sample, struct arena *arena)
{
    scoped_sbuf struct sbuf text = {0}, again = {0};
    struct str error = {0};
    struct sample copy = {0};
    struct diag_list found = {.arena = arena};
    fields_encode(&sample_shape, sample, &text);
    json_t *tree = fields_parse(sbuf_str(&text), arena, &error);
    assert(tree);
    size_t errors = fields_decode(&sample_shape, tree, STR(""), STR(""), arena, &found, &copy);
    assert(errors == 0);
    fields_encode(&sample_shape, &copy, &again);
    assert(str_eq(sbuf_str(&text), sbuf_str(&again)));
    diag_done(&found);
    json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct str error = {0};
    json_t *tree =
        fields_parse((struct str){.ptr = (const char *)data, .len = size}, arena, &error);
    assert(tree || error.len);
    if (!tree)
        return 0;
    struct diag_list found = {.arena = arena};
    struct sample sample = {0};
    size_t errors =
        fields_decode(&sample_shape, tree, STR("spec"), STR("fuzz"), arena, &found, &sample);
    assert(errors == found.found.len);
    assert(!sample.pointer || errors || sample.pointer->name.ptr);
    if (!errors)
        check_encode(&sample, arena);
    diag_done(&found);

    /* What a patch made of nothing builds has no difference from itself. */
    json_t *built = patch_merge(NULL, tree);
    if (json_is_object(built)) {
        json_t *again = patch_merge(json_deep_copy(built), tree);
        assert(json_equal(built, again));
        assert(!patch_diff(built, again));
        json_decref(again);
    }
    json_decref(built);
    json_decref(tree);
    return 0;
}
