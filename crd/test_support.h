/* What the tests of crd share: manifests from text and from files. */
#ifndef CRD_TEST_SUPPORT_H
#define CRD_TEST_SUPPORT_H

#include <dirent.h>
#include <stdio.h>

#include "common/base/test.h"
#include "common/json/yaml.h"
#include "crd/kinds.h"
#include "crd/object.h"

/* The text of a file, in the arena; the test fails when it cannot be read. */
static inline struct str support_read(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        printf("\ncannot read %s\n", path);
    TEST_ASSERT(file != NULL);
    struct sbuf text = {0};
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        sbuf_put(&text, (struct str){.ptr = chunk, .len = n});
    (void)fclose(file);
    return sbuf_move(&text, arena);
}

/* The .yaml files of a directory, sorted, as paths in the arena. */
static inline struct str_list support_files(struct arena *arena, const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    TEST_ASSERT(count > 0);
    struct str_list paths = {.items = arena_array(arena, (size_t)count, sizeof(struct str))};
    for (int i = 0; i < count; i++) {
        if (str_ends_with(str_from(entries[i]->d_name), STR(".yaml")))
            paths.items[paths.count++] =
                arena_printf(arena, "%s/%s", directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return paths;
}

static inline struct str support_text(const json_t *tree, const char *key)
{
    return str_from(json_string_value(json_object_get(tree, key)));
}

/* Decodes a document by what it says it is. */
static inline struct object *support_decode(const json_t *tree)
{
    const struct kind *kind =
        kinds_find(support_text(tree, "apiVersion"), support_text(tree, "kind"));
    TEST_ASSERT(kind != NULL);
    return object_decode(kind, tree, STR("test.yaml:1"));
}

/* Decodes the one object of a YAML text. */
static inline struct object *support_object(const char *yaml)
{
    scoped_ptr(arena) struct arena *arena = arena_new(0);
    struct yaml_documents documents = yaml_parse(str_from(yaml), arena);
    if (documents.list.len != 1 || documents.list.items[0].error.len)
        printf("\nbroken YAML in a test:\n%s\n", yaml);
    TEST_ASSERT(documents.list.len == 1 && documents.list.items[0].tree != NULL);
    struct object *object = support_decode(documents.list.items[0].tree);
    yaml_done(&documents);
    return object;
}

/* "severity field: message" of each finding, a line each, in the arena. */
static inline struct str support_findings(const struct diag_list *list, struct arena *arena)
{
    struct sbuf out = {0};
    for (size_t i = 0; i < list->found.len; i++) {
        const struct diag *diag = &list->found.items[i];
        sbuf_printf(&out, "%s " STR_FMT ": " STR_FMT "\n", diag_severity_name(diag->severity),
                    STR_ARG(diag->field), STR_ARG(diag->message));
    }
    return sbuf_move(&out, arena);
}

#endif
