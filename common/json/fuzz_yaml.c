/* Any bytes as YAML: no crash, no leak, and every tree can be printed as JSON again. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/json/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct yaml_documents documents = yaml_parse((struct str){(const char *)data, size}, arena);
    for (size_t i = 0; i < documents.list.len; i++) {
        const struct yaml_document *document = &documents.list.items[i];
        assert(document->line >= 1);
        assert((document->tree != NULL) == (document->error.len == 0));
        if (!document->tree)
            continue;
        char *json = json_dumps(document->tree, JSON_ENCODE_ANY);
        assert(json);
        free(json);
    }
    yaml_done(&documents);
    return 0;
}
