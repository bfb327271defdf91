/* What the model can be asked: names, paths, and what is to be said about it all. */
#include <stdlib.h>

#include "common/source/dir_model_internal.h"
#include "common/source/label_filter.h"

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

static bool is_orphan(const struct entry *entry)
{
    return entry->stored && !entry->definitions && !entry->stored_whole;
}

struct str *dir_model_paths(const struct dir_model *model, struct arena *arena, size_t *ret_count)
{
    return pick_paths(model, entry_is_stored, arena, ret_count);
}

struct str *dir_model_orphans(const struct dir_model *model, struct arena *arena, size_t *ret_count)
{
    return pick_paths(model, is_orphan, arena, ret_count);
}

static int by_key(const void *a, const void *b)
{
    const struct map_entry *x = a, *y = b;
    return str_cmp(x->key, y->key);
}

struct str *dir_model_made(const struct dir_model *model, enum kind_id kind, struct str filter,
                           struct arena *arena, size_t *ret_count)
{
    VEC(struct str) paths = {0};
    uint64_t wanted = label_filter_signs(filter);
    for (size_t i = 0; i < model->stored.len; i++) {
        const struct stored *stored = &model->stored.items[i];
        if ((stored->signs & wanted) == wanted && stored->entry->kind->id == kind &&
            !stored->entry->definitions)
            vec_push(&paths, arena_str(arena, stored->entry->path));
    }
    struct str *list = arena_array(arena, paths.len, sizeof(struct str));
    for (size_t i = 0; i < paths.len; i++)
        list[i] = paths.items[i];
    if (paths.len)
        qsort(list, paths.len, sizeof(struct str), str_cmp_ptr);
    *ret_count = paths.len;
    vec_done(&paths);
    return list;
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

/* --- findings -------------------------------------------------------------------------------- */

uint64_t dir_model_findings_version(const struct dir_model *model)
{
    return model->findings_version;
}

static void find_duplicates(const struct entry *entry, struct diag_list *found)
{
    const struct definition *first = entry->definitions;
    for (const struct definition *other = first ? first->next : NULL; other; other = other->next) {
        diag_add(found, DIAG_ERROR, other->origin, STR(""),
                 "%s/" STR_FMT " is already defined at " STR_FMT "; this one is not used",
                 entry->kind->name, STR_ARG(entry->key), STR_ARG(first->origin));
    }
}

/* Of many thousand entries the few that there is something to say about, sorted. */
static void find_in_entries(const struct dir_model *model, struct diag_list *found)
{
    VEC(struct map_entry) list = {0};
    size_t cursor = 0;
    for (struct map_entry *slot; (slot = map_next(&model->entries, &cursor));) {
        const struct entry *entry = slot->value;
        if (entry_is_disputed(entry) || entry->stored_error.len)
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
        diag_add_all(found, &file->findings);
    }
    find_in_entries(model, found);
}
