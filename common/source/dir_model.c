#include "common/source/dir_model_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/source/dir_object.h"
#include "common/source/dir_path.h"
#include "common/source/label_filter.h"

struct dir_model *dir_model_new(void)
{
    struct dir_model *model = heap_alloc(sizeof(*model));
    *model = (struct dir_model){0};
    return model;
}

/* The heap's. */
static char *text_of(const json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    assert(text); /* it was read from text, or made by us */
    return text;
}

static json_t *tree_of(const char *text)
{
    return text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
}

static json_t *manifest_of(const struct entry *entry)
{
    return entry->definitions ? tree_of(entry->definitions->json.ptr) : NULL;
}

static void entry_free(struct entry *entry)
{
    free(entry->stored);
    sbuf_done(&entry->stored_error);
    free(entry);
}

static void file_clear_findings(struct file *file)
{
    diag_done(&file->findings);
    file->findings_arena = arena_free(file->findings_arena);
    file->findings = (struct diag_list){0};
}

static void file_free(struct file *file)
{
    for (size_t i = 0; i < file->definitions.len; i++)
        free(file->definitions.items[i]);
    vec_done(&file->definitions);
    file_clear_findings(file);
    (void)arena_free(file->arena);
}

struct dir_model *dir_model_free(struct dir_model *model)
{
    if (!model)
        return NULL;
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&model->entries, &cursor));)
        entry_free(at->value);
    cursor = 0;
    for (struct map_entry *at; (at = map_next(&model->files, &cursor));)
        file_free(at->value);
    map_done(&model->entries);
    map_done(&model->files);
    vec_done(&model->stored);
    vec_done(&model->touched);
    free(model);
    return NULL;
}

static void touch(struct dir_model *model, struct entry *entry)
{
    if (entry->touched)
        return;
    entry->touched = true;
    vec_push(&model->touched, entry);
}

/* key: a part of the path */
static struct entry *entry_get(struct dir_model *model, const struct kind *kind, struct str path,
                               struct str key)
{
    struct entry *entry = map_get(&model->entries, path);
    if (entry)
        return entry;
    entry = heap_alloc(sizeof(*entry) + path.len + 1);
    memcpy(entry->text, path.ptr, path.len);
    entry->kind = kind;
    entry->path = (struct str){.ptr = entry->text, .len = path.len};
    entry->key = str_slice(entry->path, (size_t)(key.ptr - path.ptr),
                           (size_t)(key.ptr - path.ptr) + key.len);
    (void)map_put(&model->entries, entry->path, entry);
    return entry;
}

static bool is_before(const struct definition *a, const struct definition *b)
{
    int order = str_cmp(a->file->name, b->file->name);
    return order < 0 || (order == 0 && a->at < b->at);
}

static void define(struct dir_model *model, struct definition *definition)
{
    struct definition **place = &definition->entry->definitions;
    while (*place && is_before(*place, definition))
        place = &(*place)->next;
    definition->next = *place;
    *place = definition;
    model->findings_version += entry_is_disputed(definition->entry);
    touch(model, definition->entry);
}

/* Takes a definition out of its entry; it stays the file's. */
static void undefine(struct dir_model *model, struct definition *definition)
{
    struct definition **place = &definition->entry->definitions;
    model->findings_version += entry_is_disputed(definition->entry);
    while (*place != definition)
        place = &(*place)->next;
    *place = definition->next;
    touch(model, definition->entry);
}

static struct file *file_get(struct dir_model *model, struct str name)
{
    struct file *file = map_get(&model->files, name);
    if (file)
        return file;
    struct arena *arena = arena_new(128);
    file = arena_alloc(arena, sizeof(*file));
    *file = (struct file){.arena = arena, .name = arena_str(arena, name)};
    (void)map_put(&model->files, file->name, file);
    return file;
}

static void start_findings(struct dir_model *model, struct file *file)
{
    model->findings_version += file->findings.found.len > 0;
    file_clear_findings(file);
    file->findings_arena = arena_new(256);
    file->findings.arena = file->findings_arena;
}

static struct definition *definition_make(const struct file *file, struct entry *entry,
                                          const struct manifest_object *object, size_t at)
{
    scoped_heap char *json = text_of(object->tree);
    size_t len = strlen(json);
    struct definition *definition =
        heap_alloc(sizeof(*definition) + len + 1 + object->origin.len + 1);
    char *origin = definition->texts + len + 1;
    definition->entry = entry;
    definition->file = file;
    definition->at = at;
    memcpy(definition->texts, json, len);
    memcpy(origin, object->origin.ptr, object->origin.len);
    definition->json = (struct str){.ptr = definition->texts, .len = len};
    definition->origin = (struct str){.ptr = origin, .len = object->origin.len};
    return definition;
}

/* The definition of a manifest's object. One whose name is not fit for a path is refused here,
 * because it could not be told from others. NULL then. */
static struct definition *definition_new(struct dir_model *model, struct file *file,
                                         const struct manifest_object *object, size_t at)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    struct str path;
    if (!dir_path_make(object->kind, object->namespace, object->name, scratch, &path)) {
        scoped_sbuf struct sbuf shown = {0};
        sbuf_json(&shown, str_slice(object->name, 0, 64));
        diag_add(&file->findings, DIAG_ERROR, object->origin, STR("metadata.name"),
                 "%s is not a name (lower-case letters, digits, '-' and '.'), or its namespace is "
                 "none",
                 sbuf_cstr(&shown));
        return NULL;
    }
    struct str key = str_slice(path, str_find(path, '/') + 1, path.len - 5);
    return definition_make(file, entry_get(model, object->kind, path, key), object, at);
}

/* Does the file define the object, as its entry knows it now? */
static bool file_defines(const struct file *file, const struct entry *entry)
{
    const struct definition *one = entry->definitions;
    while (one && one->file != file)
        one = one->next;
    return one != NULL;
}

static void note_kept(struct file *file, size_t kept)
{
    if (kept)
        diag_add(&file->findings, DIAG_NOTE, file->name, STR(""),
                 "%zu object%s of the file's earlier version stay%s in force", kept,
                 kept == 1 ? "" : "s", kept == 1 ? "s" : "");
}

/* Takes over what a manifest defines. */
static void file_define(struct dir_model *model, struct file *file, struct manifest *manifest)
{
    start_findings(model, file);
    diag_add_all(&file->findings, &manifest->findings);
    for (size_t i = 0; i < manifest->objects.len; i++) {
        struct definition *definition = definition_new(model, file, &manifest->objects.items[i], i);
        if (!definition) {
            manifest->broken = true;
            continue;
        }
        vec_push(&file->definitions, definition);
        define(model, definition);
    }
}

void dir_model_file(struct dir_model *model, struct str name, struct manifest *manifest)
{
    struct file *file = file_get(model, name);
    struct definition **old = file->definitions.items;
    size_t old_count = file->definitions.len, kept = 0;
    file->definitions.items = NULL;
    file->definitions.len = file->definitions.cap = 0;
    for (size_t i = 0; i < old_count; i++)
        undefine(model, old[i]);
    file_define(model, file, manifest);
    for (size_t i = 0; i < old_count; i++) {
        if (!manifest->broken || file_defines(file, old[i]->entry)) {
            free(old[i]);
            continue;
        }
        old[i]->at = manifest->objects.len + kept++;
        vec_push(&file->definitions, old[i]);
        define(model, old[i]);
    }
    free(old);
    note_kept(file, kept);
    model->findings_version += file->findings.found.len > 0;
    file->broken = manifest->broken;
    (void)manifest_free(manifest);
}

void dir_model_file_gone(struct dir_model *model, struct str name)
{
    struct file *file = map_remove(&model->files, name);
    if (!file)
        return;
    for (size_t i = 0; i < file->definitions.len; i++)
        undefine(model, file->definitions.items[i]);
    model->findings_version += file->findings.found.len > 0;
    file_free(file);
}

void dir_model_file_failed(struct dir_model *model, struct str name, const char *message)
{
    struct file *file = file_get(model, name);
    start_findings(model, file);
    diag_add(&file->findings, DIAG_ERROR, file->name, STR(""), "%s", message);
    note_kept(file, file->definitions.len);
    model->findings_version++;
    file->broken = true;
}

static uint64_t signs_of(const json_t *tree)
{
    uint64_t signs = 0;
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(json_object_get(tree, "metadata"), "labels"), key, value)
        signs |= label_filter_sign(str_from(key), str_from(json_string_value(value)));
    return signs;
}

/* Keeps what is stored (NULL: nothing) in the place of what was. */
static void entry_store(struct dir_model *model, struct entry *entry, const json_t *stored)
{
    struct stored now = {.signs = signs_of(stored), .entry = entry};
    bool was = entry->stored != NULL;
    free(entry->stored);
    entry->stored = stored ? text_of(stored) : NULL;
    entry->stored_whole = dir_object_is_whole(stored);
    if (!was && stored) {
        entry->stored_at = model->stored.len;
        vec_push(&model->stored, now);
    } else if (was && !stored) {
        struct stored last = vec_pop(&model->stored);
        if (last.entry != entry) { /* takes the free place */
            last.entry->stored_at = entry->stored_at;
            model->stored.items[entry->stored_at] = last;
        }
    } else if (stored) {
        model->stored.items[entry->stored_at] = now;
    }
}

bool dir_model_stored(struct dir_model *model, struct str path, json_t *stored)
{
    struct str key;
    const struct kind *kind = dir_path_parse(path, &key);
    if (!kind) {
        json_decref(stored);
        return false;
    }
    if (!stored && !map_get(&model->entries, path))
        return true;
    struct entry *entry = entry_get(model, kind, path, key);
    entry_store(model, entry, stored);
    json_decref(stored);
    model->findings_version += entry->stored_error.len > 0;
    sbuf_clear(&entry->stored_error);
    touch(model, entry);
    return true;
}

void dir_model_stored_failed(struct dir_model *model, struct str path, const char *message)
{
    struct str key;
    const struct kind *kind = dir_path_parse(path, &key);
    if (!kind)
        return;
    struct entry *entry = entry_get(model, kind, path, key);
    sbuf_clear(&entry->stored_error);
    sbuf_puts(&entry->stored_error, message);
    model->findings_version++;
    touch(model, entry);
}

json_t *dir_model_manifest_of(const struct dir_model *model, struct str path)
{
    const struct entry *entry = map_get(&model->entries, path);
    return entry ? manifest_of(entry) : NULL;
}

json_t *dir_model_stored_of(const struct dir_model *model, struct str path)
{
    const struct entry *entry = map_get(&model->entries, path);
    return entry ? tree_of(entry->stored) : NULL;
}

/* Two states of an object with one mark are told once. */
static uint64_t mark_of(const json_t *tree, struct str origin)
{
    struct str version = dir_object_version(tree);
    scoped_sbuf struct sbuf text = {0};
    sbuf_put(&text, version);
    sbuf_putc(&text, ' ');
    sbuf_put(&text, origin);
    return map_hash(0, sbuf_str(&text));
}

static void entry_update(struct entry *entry, dir_model_change_fn *call, void *ctx)
{
    json_t *manifest = manifest_of(entry), *stored = tree_of(entry->stored);
    json_t *tree = dir_object_merge(manifest, stored);
    struct str origin = entry->definitions ? entry->definitions->origin : entry->path;
    uint64_t mark = tree ? mark_of(tree, origin) : 0;
    bool was = entry->told;
    json_decref(manifest);
    json_decref(stored);
    if (!(was && tree && mark == entry->told_mark)) {
        entry->told = tree != NULL;
        entry->told_mark = mark;
        if (was || tree)
            call(ctx, entry->kind, entry->key, tree, origin);
    }
    json_decref(tree);
}

static int entry_cmp(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    return str_cmp(x->path, y->path);
}

void dir_model_update(struct dir_model *model, dir_model_change_fn *call, void *ctx)
{
    vec_sort(&model->touched, entry_cmp);
    for (size_t i = 0; i < model->touched.len; i++) {
        struct entry *entry = model->touched.items[i];
        entry->touched = false;
        entry_update(entry, call, ctx);
        if (entry->definitions || entry_is_stored(entry))
            continue;
        (void)map_remove(&model->entries, entry->path);
        entry_free(entry);
    }
    vec_clear(&model->touched);
}
