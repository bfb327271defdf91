#include "common/source/dir_model.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/map.h"
#include "common/source/dir_object.h"
#include "common/source/dir_path.h"

/* One document of one file, taken out of its manifest so that it can outlive it. */
struct definition {
    struct arena *arena;
    const struct kind *kind;
    struct str path, key, origin; /* path: in the status directory */
    struct str file;
    size_t at; /* place in the file */
    json_t *tree;
};

struct file {
    struct arena *arena; /* of the name */
    struct str name;
    VEC(struct definition *) definitions;
    struct arena *findings_arena;
    struct diag_list findings;
    bool broken; /* not all of it could be read */
};

/* One object. Sits in the map as long as something defines or stores it, or as long as its going
 * has not been told. */
struct entry {
    struct arena *arena;
    const struct kind *kind;
    struct str path, key;
    VEC(struct definition *) definitions; /* sorted: the first counts */
    json_t *stored;
    struct sbuf stored_error;   /* empty: none */
    struct str version, origin; /* as told last; in told_arena */
    struct arena *told_arena;   /* NULL: not told, or told gone */
    bool touched;
};

struct dir_model {
    struct map files;   /* name → struct file */
    struct map entries; /* path → struct entry */
    VEC(struct entry *) touched;
    uint64_t findings_version;
};

struct dir_model *dir_model_new(void)
{
    struct dir_model *model = heap_alloc(sizeof(*model));
    *model = (struct dir_model){0};
    return model;
}

static void definition_free(struct definition *definition)
{
    json_decref(definition->tree);
    (void)arena_free(definition->arena);
}

static void entry_free(struct entry *entry)
{
    json_decref(entry->stored);
    vec_done(&entry->definitions);
    sbuf_done(&entry->stored_error);
    (void)arena_free(entry->told_arena);
    (void)arena_free(entry->arena);
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
        definition_free(file->definitions.items[i]);
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

static struct entry *entry_get(struct dir_model *model, const struct kind *kind, struct str path,
                               struct str key)
{
    struct entry *entry = map_get(&model->entries, path);
    if (entry)
        return entry;
    struct arena *arena = arena_new(128);
    entry = arena_alloc(arena, sizeof(*entry));
    *entry = (struct entry){
        .arena = arena, .kind = kind, .path = arena_str(arena, path), .key = arena_str(arena, key)};
    (void)map_put(&model->entries, entry->path, entry);
    return entry;
}

static int definition_cmp(const void *a, const void *b)
{
    const struct definition *x = *(struct definition *const *)a;
    const struct definition *y = *(struct definition *const *)b;
    int order = str_cmp(x->file, y->file);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void define(struct dir_model *model, struct definition *definition)
{
    struct entry *entry = entry_get(model, definition->kind, definition->path, definition->key);
    vec_push(&entry->definitions, definition);
    vec_sort(&entry->definitions, definition_cmp);
    model->findings_version += entry->definitions.len > 1;
    touch(model, entry);
}

/* Takes a definition out of its entry; it stays the file's. */
static void undefine(struct dir_model *model, const struct definition *definition)
{
    struct entry *entry = map_get(&model->entries, definition->path);
    size_t kept = 0;
    model->findings_version += entry->definitions.len > 1;
    for (size_t i = 0; i < entry->definitions.len; i++) {
        if (entry->definitions.items[i] != definition)
            entry->definitions.items[kept++] = entry->definitions.items[i];
    }
    entry->definitions.len = kept;
    touch(model, entry);
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

/* The definition of a manifest's object. One whose name is not fit for a path is refused here,
 * because it could not be told from others. NULL then. */
static struct definition *definition_new(struct file *file, struct manifest_object *object,
                                         size_t at)
{
    struct arena *arena = arena_new(256);
    struct str path;
    if (!dir_path_make(object->kind, object->namespace, object->name, arena, &path)) {
        scoped_sbuf struct sbuf shown = {0};
        sbuf_json(&shown, str_slice(object->name, 0, 64));
        diag_add(&file->findings, DIAG_ERROR, object->origin, STR("metadata.name"),
                 "%s is not a name (lower-case letters, digits, '-' and '.'), or its namespace is "
                 "none",
                 sbuf_cstr(&shown));
        (void)arena_free(arena);
        return NULL;
    }
    struct definition *definition = arena_alloc(arena, sizeof(*definition));
    *definition = (struct definition){
        .arena = arena,
        .kind = object->kind,
        .path = path,
        .key = str_slice(path, str_find(path, '/') + 1, path.len - 5),
        .origin = arena_str(arena, object->origin),
        .file = file->name,
        .at = at,
        .tree = take_ptr(object->tree),
    };
    return definition;
}

/* Does the file define the object, as its entry knows it now? */
static bool file_defines(const struct dir_model *model, const struct file *file, struct str path)
{
    const struct entry *entry = map_get(&model->entries, path);
    for (size_t i = 0; i < entry->definitions.len; i++) {
        if (str_eq(entry->definitions.items[i]->file, file->name))
            return true;
    }
    return false;
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
    for (size_t i = 0; i < manifest->findings.found.len; i++) {
        const struct diag *diag = &manifest->findings.found.items[i];
        diag_add(&file->findings, diag->severity, diag->object, diag->field, STR_FMT,
                 STR_ARG(diag->message));
    }
    for (size_t i = 0; i < manifest->objects.len; i++) {
        struct definition *definition = definition_new(file, &manifest->objects.items[i], i);
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
        if (!manifest->broken || file_defines(model, file, old[i]->path)) {
            definition_free(old[i]);
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

static struct str *names_of_map(const struct map *map, struct arena *arena, size_t *ret_count)
{
    struct map_entry *sorted = map_sorted(map, arena, ret_count);
    struct str *names = arena_array(arena, *ret_count, sizeof(struct str));
    for (size_t i = 0; i < *ret_count; i++)
        names[i] = sorted[i].key;
    return names;
}

struct str *dir_model_files(const struct dir_model *model, struct arena *arena, size_t *ret_count)
{
    return names_of_map(&model->files, arena, ret_count);
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
    json_decref(entry->stored);
    entry->stored = stored;
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

/* Paths of the entries that `wanted` picks. */
static struct str *pick_paths(const struct dir_model *model, bool (*wanted)(const struct entry *),
                              struct arena *arena, size_t *ret_count)
{
    size_t count, picked = 0;
    struct map_entry *sorted = map_sorted(&model->entries, arena, &count);
    struct str *paths = arena_array(arena, count, sizeof(struct str));
    for (size_t i = 0; i < count; i++) {
        if (wanted(sorted[i].value))
            paths[picked++] = sorted[i].key;
    }
    *ret_count = picked;
    return paths;
}

static bool is_stored(const struct entry *entry)
{
    return entry->stored || entry->stored_error.len;
}

static bool is_orphan(const struct entry *entry)
{
    return entry->stored && !entry->definitions.len && !dir_object_is_whole(entry->stored);
}

struct str *dir_model_paths(const struct dir_model *model, struct arena *arena, size_t *ret_count)
{
    return pick_paths(model, is_stored, arena, ret_count);
}

struct str *dir_model_orphans(const struct dir_model *model, struct arena *arena, size_t *ret_count)
{
    return pick_paths(model, is_orphan, arena, ret_count);
}

const json_t *dir_model_manifest_of(const struct dir_model *model, struct str path)
{
    const struct entry *entry = map_get(&model->entries, path);
    return entry && entry->definitions.len ? entry->definitions.items[0]->tree : NULL;
}

const json_t *dir_model_stored_of(const struct dir_model *model, struct str path)
{
    const struct entry *entry = map_get(&model->entries, path);
    return entry ? entry->stored : NULL;
}

bool dir_model_is_whole(const struct dir_model *model)
{
    size_t cursor = 0;
    for (struct map_entry *at; (at = map_next(&model->files, &cursor));) {
        if (((const struct file *)at->value)->broken)
            return false;
    }
    return true;
}

static void entry_update(struct entry *entry, dir_model_change_fn *call, void *ctx)
{
    const struct definition *first = entry->definitions.len ? entry->definitions.items[0] : NULL;
    json_t *tree = dir_object_merge(first ? first->tree : NULL, entry->stored);
    struct str version = dir_object_version(tree), origin = first ? first->origin : entry->path;
    bool was = entry->told_arena != NULL;
    bool same = was && tree && str_eq(version, entry->version) && str_eq(origin, entry->origin);
    if (!same) {
        entry->told_arena = arena_free(entry->told_arena);
        if (tree) {
            entry->told_arena = arena_new(128);
            entry->version = arena_str(entry->told_arena, version);
            entry->origin = arena_str(entry->told_arena, origin);
        }
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
        if (entry->definitions.len || is_stored(entry))
            continue;
        (void)map_remove(&model->entries, entry->path);
        entry_free(entry);
    }
    vec_clear(&model->touched);
}

uint64_t dir_model_findings_version(const struct dir_model *model)
{
    return model->findings_version;
}

static void find_duplicates(const struct entry *entry, struct diag_list *found)
{
    for (size_t i = 1; i < entry->definitions.len; i++) {
        const struct definition *first = entry->definitions.items[0];
        const struct definition *other = entry->definitions.items[i];
        diag_add(found, DIAG_ERROR, other->origin, STR(""),
                 "%s/" STR_FMT " is already defined at " STR_FMT "; this one is not used",
                 entry->kind->name, STR_ARG(entry->key), STR_ARG(first->origin));
    }
}

static int by_key(const void *a, const void *b)
{
    const struct map_entry *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

/* Of many thousand entries the few that there is something to say about, sorted. */
static void find_in_entries(const struct dir_model *model, struct diag_list *found)
{
    VEC(struct map_entry) list = {0};
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&model->entries, &cursor));) {
        const struct entry *entry = slot->value;
        if (entry->definitions.len > 1 || entry->stored_error.len)
            vec_push(&list, *slot);
    }
    vec_sort(&list, by_key);
    for (size_t i = 0; i < list.len; i++) {
        const struct entry *entry = list.items[i].value;
        find_duplicates(entry, found);
        if (entry->stored_error.len)
            diag_add(found, DIAG_ERROR, entry->path, STR(""), STR_FMT,
                     STR_ARG(sbuf_str(&entry->stored_error)));
    }
    vec_done(&list);
}

void dir_model_findings(const struct dir_model *model, struct diag_list *found)
{
    scoped_ptr(arena) struct arena *scratch = arena_new(0);
    size_t count;
    struct map_entry *sorted = map_sorted(&model->files, scratch, &count);
    for (size_t i = 0; i < count; i++) {
        const struct file *file = sorted[i].value;
        for (size_t k = 0; k < file->findings.found.len; k++) {
            const struct diag *diag = &file->findings.found.items[k];
            diag_add(found, diag->severity, diag->object, diag->field, STR_FMT,
                     STR_ARG(diag->message));
        }
    }
    find_in_entries(model, found);
}
